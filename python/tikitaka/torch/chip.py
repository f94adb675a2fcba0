"""What a whole model on crossbars tells and gives: extracted weights, counts of operations, settings in words."""

import copy
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tikitaka._internal.validation import one_of
from tikitaka.torch.module import Analog, analog_modules

__all__ = ["averaging", "describe", "extract", "ledger"]

F32 = NDArray[np.float32]


def extract(model: torch.nn.Module, which: str = "read", *, draw: int = 0) -> torch.nn.Module:
    """A copy of `model` of plain modules of PyTorch with the weights of its crossbars.

    `which` is "read" (through the read periphery, with the noise of `draw`), "average" (the average of reads during the
    training, which `averaging` starts) or "exact". Raises ValueError for another, and if there is no average.
    """
    one_of("which", which, ("read", "average", "exact"))
    weights = {name: _weights(module, which, draw) for name, module in analog_modules(_checked(model))}
    digital = copy.deepcopy(model)
    for name, module in list(analog_modules(digital)):
        module.to_digital(weights[name])
    return digital


def averaging(model: torch.nn.Module, on: bool = True) -> None:
    """Start or end averaging what the network sees, in every array whose rule can; ValueError if none can."""
    able = 0
    for _, module in analog_modules(_checked(model)):
        for array in module.arrays:
            able += array.average_while(on)
    if not able:
        raise ValueError("model must have a rule that keeps an average, as ttv2 does")


def ledger(model: torch.nn.Module) -> dict[str, Any]:
    """Operations so far of each array by name, and under "total" the sum of all."""
    each = {
        f"{name}.{place}" if len(module.arrays) > 1 else name: array.ledger()
        for name, module in analog_modules(_checked(model))
        for place, array in enumerate(module.arrays)
    }
    return each | {"total": _sum(list(each.values()))}


def describe(model: torch.nn.Module, samples: int | None = None) -> str:
    """The settings of each array in words, with warnings; `samples` is the planned number of training vectors."""
    parts = [
        f"{name}, array {array.number}\n{array.describe(samples)}"
        for name, module in analog_modules(_checked(model))
        for array in module.arrays
    ]
    return "\n\n".join(parts)


def _weights(module: Analog, which: str, draw: int) -> list[F32]:
    """The weights (rows, columns) of each array: "read" by the read periphery, the "average" of reads, or "exact"."""
    module.check()
    if which == "exact":
        return [array.weights for array in module.arrays]
    if which == "read":
        return [array.read(draw) for array in module.arrays]
    averages = [array.average() for array in module.arrays]
    if any(average is None for average in averages):
        raise ValueError(
            "which must be 'read' or 'exact' where an array keeps no average: tikitaka.torch.averaging starts it"
        )
    return averages  # type: ignore[return-value]


def _checked(model: torch.nn.Module) -> torch.nn.Module:
    if not any(isinstance(module, Analog) for module in model.modules()):
        raise ValueError("model must have analog modules: call tikitaka.torch.convert first")
    return model


def _sum(ledgers: list[Any]) -> Any:
    if isinstance(ledgers[0], dict):
        names = dict.fromkeys(name for each in ledgers for name in each)
        return {name: _sum([each[name] for each in ledgers if name in each]) for name in names}
    return sum(ledgers)
