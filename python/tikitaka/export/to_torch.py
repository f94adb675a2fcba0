"""Models as PyTorch modules."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tikitaka.export.folded import folded
from tikitaka.model import Model
from tikitaka.nn import Layer, Linear, ReLU, Sigmoid, Tanh

if TYPE_CHECKING:
    import torch

__all__ = ["torch_module", "torch_state_dict"]


def torch_module(layers: Sequence[Layer]) -> "torch.nn.Sequential":
    """The twin of `layers` in PyTorch, untrained; its outputs come before any softmax.

    Raises ModuleNotFoundError without PyTorch (the extra `torch`), ValueError for a layer that has no twin.
    """
    torch = _torch()
    twins: dict[type[Layer], Callable[[], Any]] = {
        Sigmoid: torch.nn.Sigmoid,
        Tanh: torch.nn.Tanh,
        ReLU: torch.nn.ReLU,
    }
    modules = []
    for layer in layers:
        if isinstance(layer, Linear):
            modules.append(torch.nn.Linear(layer.inputs, layer.outputs, bias=layer.bias))
        elif type(layer) in twins:
            modules.append(twins[type(layer)]())
        else:
            raise ValueError(f"export to PyTorch knows no module for {layer!r}")
    return torch.nn.Sequential(*modules)


def torch_state_dict(model: Model) -> "dict[str, torch.Tensor]":
    """The weights of `model` for the `load_state_dict` of `torch_module(model.layers)`, output scales multiplied in.

    `Model.from_weights(layers, state_dict)` is the way back. Raises ModuleNotFoundError without PyTorch.
    """
    torch = _torch()
    state = {}
    for k, part in folded(model).items():
        state[f"{k}.weight"] = torch.tensor(part.weight)
        if part.bias is not None:
            state[f"{k}.bias"] = torch.tensor(part.bias)
    return state


def _torch() -> Any:
    try:
        import torch
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("export to PyTorch needs PyTorch: pip install 'tikitaka[torch]'") from error
    return torch
