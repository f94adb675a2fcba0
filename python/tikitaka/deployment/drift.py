"""Weights that drift after they were programmed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tikitaka import _core
from tikitaka._internal.validation import check_types

__all__ = ["Drift"]

F32 = NDArray[np.float32]


@dataclass(frozen=True)
class Drift:
    """Power-law drift, as of phase-change memory: w(t) = w(t₀)·(t/t₀)^−ν for t ≥ t₀ seconds after programming.

    Each device has its own ν ~ N(`exponent`, `spread`²). The defaults are round numbers of the size that is reported
    for phase-change memory, not those of one device [ours].

    Raises ValueError for an exponent that is not from −1 to 1, a spread from 0 to 1, a start from 1e-9 to 1e12.
    """

    exponent: float = 0.05
    """mean ν"""
    spread: float = 0.02
    """standard deviation of ν between devices"""
    start_s: float = 20.0
    """t₀: seconds after programming at which the weights are those that were programmed"""

    def __post_init__(self) -> None:
        check_types(self)
        for name, low, high in (("exponent", -1.0, 1.0), ("spread", 0.0, 1.0), ("start_s", 1e-9, 1e12)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} must be from {low:g} to {high:g}, not {value:g}")

    def _exponents(self, seed: int, shape: tuple[int, int]) -> F32:
        """ν of each device of an array of `shape` (rows, columns), a pure function of `seed`."""
        drawn = _core.normals(seed, shape[0] * shape[1]).reshape(shape)
        return np.asarray(self.exponent + self.spread * drawn, np.float32)

    def _weights(self, programmed: F32, exponents: F32, seconds: float) -> F32:
        """What became of weights `programmed` (outputs, inputs) after `seconds`, given the `exponents` of devices."""
        if seconds <= self.start_s:
            return programmed
        left = np.exp(-exponents.astype(np.float64) * np.log(seconds / self.start_s))
        return np.asarray(np.clip(programmed * left, -1e30, 1e30), np.float32)
