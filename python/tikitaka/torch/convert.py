"""Conversion of a model of PyTorch: which of its layers go onto crossbars, by the patterns of their names."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch.nn.utils import parametrize

from tikitaka._internal.shown import listed, shown
from tikitaka._internal.validation import nearest
from tikitaka.torch import counterpart
from tikitaka.torch.attention import MultiheadAttention
from tikitaka.torch.conv import Conv1d, Conv2d, Conv3d
from tikitaka.torch.linear import Conv1D, Linear
from tikitaka.torch.module import Analog, AnyRule, analog_modules
from tikitaka.torch.recurrent import GRU, LSTM, RNN

__all__ = ["Conversion", "convert"]

_KINDS: tuple[type[Analog], ...] = (Linear, Conv1d, Conv2d, Conv3d, LSTM, GRU, RNN, MultiheadAttention)
_COUNTERPARTS: tuple[type[Analog], ...] = (counterpart.Conv2d, counterpart.LSTM)
ANALOG = {cls.digital: cls for cls in (*_KINDS, *_COUNTERPARTS)}
"""The analog module for each module of PyTorch, and for those of `tikitaka.export.torch_module`."""


@dataclass(frozen=True)
class Conversion:
    """What became of each layer with weights: (name, layer, "analog" or "digital", arrays or the reason)."""

    rows: tuple[tuple[str, str, str, str], ...]
    """a row for each layer, in the order of the model"""

    def __repr__(self) -> str:
        widths = [max(len(row[k]) for row in (_HEAD, *self.rows)) for k in range(3)]
        lines = ("  ".join((*map(str.ljust, row[:3], widths), row[3])).rstrip() for row in (_HEAD, *self.rows))
        return "\n".join(lines)

    @property
    def analog(self) -> list[str]:
        """The names of the layers on crossbars."""
        return [name for name, _, where, _ in self.rows if where == "analog"]


_FEW, _MANY = 0.01, 0.1
"""Shares of weights that are clipped of which the table and a warning tell."""

_HEAD = ("name", "layer", "where", "arrays, or why")


def convert(
    model: torch.nn.Module,
    rules: "AnyRule | Mapping[str, AnyRule | None]",
    *,
    seed: int | None = None,
    scale: float | str = 1.0,
    bias: str = "digital",
    untie: bool = False,
) -> Conversion:
    """Put layers of `model` onto crossbars, in place, with the weights that they have; returns a table of all layers.

    `rules` is a rule for all layers that can be analog, or a mapping from patterns of names ("layer4.*", "fc") to
    rules, the first that matches; None keeps a layer digital. All randomness follows from `seed`, by default drawn from
    PyTorch's generator, and the place of an array among all. `scale` is what an array's weights are multiplied by:
    a number, or "fit" for the smallest at which they fit the devices. `bias` is "digital" (a parameter of the
    optimiser) or "analog" (one more column, in layers other than attention).

    Raises ValueError, with the model as it was, for a pattern that matches nothing and for layers that cannot be
    analog although their name is given in full, that share a weight (`untie` gives each its own), or whose weight is
    computed, sparse, complex or not there yet.
    """
    if not isinstance(model, torch.nn.Module):
        raise TypeError(f"model must be a torch.nn.Module, not {shown(model)}")
    chosen, reasons = _chosen(model, rules)
    problems = [f"{name}: {why}" for name, module, _ in chosen if (why := _problem(name, module, model, untie))]
    if problems:
        raise ValueError("model cannot be converted: " + "; ".join(problems))
    if seed is None:
        seed = int(torch.randint(2**62, ()))
    made = [array for _, module in analog_modules(model) for array in module.arrays]
    number = 1 + max((array.number for array in made if array.seed == seed), default=-1)
    before = [(module, _parameters_of(module)) for _, module, _ in chosen]
    converted: list[torch.nn.Module] = []
    try:
        for name, module, rule in chosen:
            if untie:
                _untie(module)
            cls = ANALOG.get(type(module), Conv1D)
            with _named(name):
                cls.convert(module, rule, seed=seed, number=number, scale=scale, bias=bias)
            converted.append(module)
            number += sum(len(each.arrays) for each in module.modules() if isinstance(each, Analog))
    except BaseException:
        _restore(converted, before)
        raise
    _leave_nested_tensors(model)
    clipped = [name for name, module, _ in chosen if getattr(module, "clipped", 0.0) > _MANY]
    if clipped:
        words = f"devices cannot hold many weights of {listed(clipped)}: scale='fit' makes them fit"
        warnings.warn(words, stacklevel=2)
    return Conversion(tuple(_rows(model, reasons)))


def _chosen(model: torch.nn.Module, rules: Any) -> tuple[list[tuple[str, torch.nn.Module, AnyRule]], dict[str, str]]:
    """Name, module and rule of each layer to convert, and for the others why they stay digital."""
    patterns = rules if isinstance(rules, Mapping) else {"*": rules}
    names = [name for name, _ in model.named_modules(remove_duplicate=False)]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise ValueError(f"rules must name layers of the model; {shown(pattern)} matches none"
                             f"{nearest(pattern, names)}")  # fmt: skip
    chosen: list[tuple[str, torch.nn.Module, AnyRule]] = []
    reasons: dict[str, str] = {}
    inside: tuple[str, ...] = ()
    for name, module in model.named_modules():
        if any(name.startswith(f"{outer}." if outer else outer) and name != outer for outer in inside):
            continue  # the output projection of an attention
        match = next((pattern for pattern in patterns if fnmatchcase(name, pattern)), None)
        rule = None if match is None else patterns[match]
        if isinstance(module, Analog):
            inside = (*inside, name)
            if rule is not None and match == name:
                raise ValueError(f"rules must not name {shown(name)}, which is analog already")
        elif match is None or rule is None:
            reasons[name] = "not matched" if match is None else "None was asked for"
        elif _kind(module) in ANALOG or _is_conv1d(module):
            inside = (*inside, name) if isinstance(module, torch.nn.MultiheadAttention) else inside
            chosen.append((name, module, rule))
        elif match == name:
            kinds = listed(sorted(cls.__name__ for cls in _KINDS))
            raise ValueError(f"{name} must be one of {kinds}, not {type(module).__name__}")
        else:
            subclass = isinstance(module, tuple(ANALOG))
            reasons[name] = "a class of its own, which may compute otherwise" if subclass else "no crossbar for it"
    return chosen, reasons


def _kind(module: torch.nn.Module) -> type[torch.nn.Module]:
    """The class of a module, without what a parametrisation makes of it."""
    return type(module).__bases__[0] if parametrize.is_parametrized(module) else type(module)


def _is_conv1d(module: torch.nn.Module) -> bool:
    """Whether a module is the transposed linear layer of transformers, which need not be installed."""
    return type(module).__name__ == "Conv1D" and type(module).__module__ == "transformers.pytorch_utils"


def _problem(name: str, module: torch.nn.Module, model: torch.nn.Module, untie: bool) -> str:
    """Why a layer that was chosen cannot be analog; empty if it can."""
    if parametrize.is_parametrized(module) or any(
        type(hook).__name__ in ("WeightNorm", "SpectralNorm") for hook in module._forward_pre_hooks.values()
    ):
        return "its weight is computed from others (parametrize, weight_norm): remove that first"
    own = dict(module.named_parameters())
    for each, parameter in own.items():
        if isinstance(parameter, torch.nn.parameter.UninitializedParameter):
            return f"{each} is not there yet: run a batch through the lazy layer first"
        if parameter.is_sparse or parameter.is_complex() or not parameter.is_floating_point():
            return f"{each} must be a dense tensor of floats, not {parameter.dtype}, {parameter.layout}"
    if untie:
        return ""
    inside = set(map(id, module.modules()))
    for other, their in model.named_modules():
        if id(their) not in inside:
            for each, parameter in their.named_parameters(recurse=False):
                if any(parameter is mine for mine in own.values()):
                    return f"shares its weight with {other}.{each}: keep it digital with None, or give untie=True"
    return ""


def _untie(module: torch.nn.Module) -> None:
    """Give a module parameters of its own."""
    for each in module.modules():
        for name, parameter in list(each.named_parameters(recurse=False)):
            copy = torch.nn.Parameter(parameter.detach().clone(), requires_grad=parameter.requires_grad)
            setattr(each, name, copy)


Parameters = list[tuple[torch.nn.Module, str, torch.nn.Parameter, torch.Tensor]]


def _parameters_of(module: torch.nn.Module) -> Parameters:
    """The parameters of a module with their values, to be put back."""
    own = [
        (each, name, parameter) for each in module.modules() for name, parameter in each.named_parameters(recurse=False)
    ]
    return [(each, name, parameter, parameter.detach().clone()) for each, name, parameter in own]


@torch.no_grad()
def _restore(converted: list[torch.nn.Module], before: list[tuple[torch.nn.Module, Parameters]]) -> None:
    """Undo a conversion that failed."""
    for module in converted:
        for each in list(module.modules()):
            if isinstance(each, Analog):
                each.to_digital([array.weights for array in each.arrays])
    for _, parameters in before:
        for each, name, parameter, value in parameters:
            parameter.copy_(value)
            setattr(each, name, parameter)


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Let errors begin with the name of the layer."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}" if name else str(error)) from error


def _leave_nested_tensors(model: torch.nn.Module) -> None:
    """Keep encoders from packing padded sequences into nested tensors, which no crossbar takes."""
    for module in model.modules():
        if isinstance(module, torch.nn.TransformerEncoder) and any(isinstance(m, Analog) for m in module.modules()):
            module.use_nested_tensor = module.enable_nested_tensor = False


def _rows(model: torch.nn.Module, reasons: Mapping[str, str]) -> Iterator[tuple[str, str, str, str]]:
    for name, module in model.named_modules():
        if isinstance(module, Analog):
            shapes = ", ".join(" × ".join(map(str, array.shape)) for array in module.arrays)
            if module.clipped > _FEW:
                shapes += f"; devices clip {100 * module.clipped:.0f} % of the weights"
            yield name or "(the model)", module.replaced.__name__, "analog", shapes
        elif any(True for _ in module.parameters(recurse=False)):
            yield name or "(the model)", type(module).__name__, "digital", reasons.get(name, "not matched")
