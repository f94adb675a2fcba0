"""Programmed mode: an optimiser of PyTorch moves the weights, and pulses carry the moves to the devices.

Gradients δᵀx are exact, products go through the crossbar. At a step the optimiser has moved the mirror by ΔW; the
array gets the whole device steps of ΔW + H as pulses, and the residual H keeps the rest (Wu et al., arXiv 2609.36584):

    n = trunc((ΔW + H)/δ_C);  H ← ΔW + H − n·δ_C;  |n| pulses of the sign of n on each device;  the mirror shows C
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray

from tikitaka._core import Crossbar
from tikitaka._internal.shown import shown
from tikitaka._internal.validation import check_types
from tikitaka.config import Device, Periphery, Reference, Reliability, SoftBounds
from tikitaka.config.convert import to_dict
from tikitaka.torch.array import Array
from tikitaka.torch.product import Source, floats
from tikitaka.torch.vectors import VECTORS, Operation

__all__ = ["Programmed", "ProgrammedArray"]

F32 = NDArray[np.float32]

_MOST = 1_000_000  # pulses of a device at a step


@dataclass(frozen=True)
class Programmed:
    """Weights that an optimiser moves and pulses program, with the rest of each move kept in digital (`residual`)."""

    device: Annotated[Device, "devices of the array"] = field(default_factory=SoftBounds)
    periphery: Annotated[Periphery, "converters and noise"] = field(default_factory=Periphery)
    reference: Annotated[Reference, "reference of the array"] = field(default_factory=Reference)
    reliability: Annotated[Reliability, "faults and drift; an update is a vector that passes forward in training"] = (
        field(default_factory=Reliability)
    )
    residual: Annotated[bool, "keep what is less than a step for later"] = True

    def __post_init__(self) -> None:
        check_types(self)


class ProgrammedArray(Array):
    """An array in programmed mode: its core is a `tikitaka.Crossbar`, H its residual (rows, columns)."""

    rule: Any

    shown: F32 | None = None
    """what the mirror shows, if its type rounds the weights"""

    def _made(self, weights: F32) -> Any:
        settings: Programmed = self.rule
        rows, columns = weights.shape
        core = Crossbar(
            rows,
            columns,
            settings.device,
            periphery=settings.periphery,
            reliability=settings.reliability,
            reference=settings.reference,
            seed=self.seed,
            array=2 * self.number + 1,
        )
        core.weights = weights
        self._residual = np.zeros_like(weights)
        self._vectors = 0
        return core

    def forward(self, x: F32, operation: Operation = VECTORS) -> tuple[int, F32]:
        """As that of any array; time goes by."""
        self._vectors += len(x) * operation.patches
        return super().forward(x, operation)

    def lstm_forward(self, inputs: F32, h: F32, c: F32, learns: bool) -> tuple[int, Any]:
        """As that of any array; time goes by."""
        self._vectors += inputs.shape[0] * inputs.shape[1] * learns
        return super().lstm_forward(inputs, h, c, learns)

    def source(self, _weight: torch.Tensor, matrix: Callable[[], torch.Tensor]) -> Source:
        """The weights (rows, columns) themselves, whose gradient is δᵀx."""
        return Source(matrix(), learns=True)

    def learn(self, _rate: float, weights: Callable[[], F32]) -> bool:
        """Send the pulses that bring the array towards the weights (rows, columns) that the optimiser asks for.

        Raises ValueError where one of them is not finite. Returns True: the mirror is to show what came of it.
        """
        self.forget()
        asked = weights()
        if not np.isfinite(asked).all():
            raise ValueError("weights must be finite: the optimiser has made NaN or infinity of some")
        change = (asked - (self.weights if self.shown is None else self.shown)) / np.float32(self.scale)
        due, step = change + self._residual, np.float32(self.core.weight_step)
        counts = np.clip(np.trunc(due / step), -_MOST, _MOST)
        self._residual = due - counts * step if self.rule.residual else np.zeros_like(due)
        self.core.pulse(counts.astype(np.int64))
        self.core.elapse(self._vectors)
        self._vectors = 0
        return True

    def state(self) -> dict[str, torch.Tensor]:
        """As that of any array, with the residual."""
        return super().state() | {"residual": torch.from_numpy(self._residual.copy())}

    def restore(self, state: Mapping[str, torch.Tensor]) -> None:
        """As that of any array, with the residual."""
        state = dict(state)
        residual = state.pop("residual", None)
        if residual is None or residual.shape != self.shape:
            raise ValueError(f"residual must be a tensor of shape {self.shape}, not {shown(residual)}")
        super().restore(state)
        self._residual = floats(residual).copy()

    def average(self) -> F32 | None:
        """None: the weights of an optimiser are not averaged."""
        return None

    def average_while(self, on: bool) -> bool:
        """False: there is no average."""
        return False

    def describe(self, samples: int | None) -> str:
        """The size of a pulse."""
        rows, columns = self.shape
        step = self.core.weight_step * self.scale
        return (
            f"programmed on {rows} × {columns}: pulses of {step:.3g}, residual {'on' if self.rule.residual else 'off'}"
        )

    def _rule(self) -> dict[str, Any]:
        return {"kind": "programmed"} | to_dict(self.rule)
