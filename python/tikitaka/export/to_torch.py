"""Models as PyTorch modules."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tikitaka.model import Model
from tikitaka.nn import Layer
from tikitaka.nn.state_dict import named_weights

if TYPE_CHECKING:
    import torch

__all__ = ["torch_module", "torch_state_dict"]


def torch_module(layers: Sequence[Layer]) -> "torch.nn.Sequential":
    """The counterpart of `layers` in PyTorch, untrained; its outputs come before any softmax.

    It takes and gives floats shaped as a network's: (examples, inputs), an image being one row-major vector, channels
    last. A convolution at the start takes PyTorch's images (examples, channels, height,
    width), too. With an LSTM it is (examples, steps, inputs), characters as one-hot vectors; every sequence starts from
    h = c = 0, so continuous text is one long sequence, and gradients are not clamped.

    Raises ModuleNotFoundError without PyTorch (the extra `torch`), ValueError for a layer without a counterpart.
    """
    torch = _torch()
    from tikitaka.export.torch_modules import module  # needs PyTorch

    return torch.nn.Sequential(*map(module, layers))


def torch_state_dict(model: Model) -> "dict[str, torch.Tensor]":
    """The weights of `model` for the `load_state_dict` of `torch_module(model.layers)`, output scales multiplied in.

    `Model.from_weights(layers, state_dict)` is the inverse. Raises ModuleNotFoundError without PyTorch.
    """
    torch = _torch()
    return {name: torch.tensor(array) for name, array in named_weights(model.layers, model.weights).items()}


def _torch() -> Any:
    try:
        import torch
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("export to PyTorch needs PyTorch: pip install 'tikitaka[torch]'") from error
    return torch
