"""The spread from device to device, in any form that a device has it, and a part of it made larger or smaller.

A device differs from the mean device by six deviations: those of its step up and down, of its upper and lower bound,
and of the slope of its steps up and down. Their joint spread is given by single numbers (step_spread, bound_spread,
asymmetry), by a `Spread` with a correlation, or by a list of measured devices. A `Part` is a linear map of the
deviations: it scales some of them and leaves the others as they are.
"""

import math
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tikitaka.config import Device

__all__ = ["ASYMMETRY", "BOUND", "SLOPE", "STEP", "Part"]

F64 = NDArray[np.float64]

_NAMES = ("up_step", "down_step", "upper_bound", "lower_bound", "up_slope", "down_slope")
_STEPS, _BOUNDS = slice(0, 2), slice(2, 4)
_LEAST = 0.02
"""The smallest bound of a device that a larger spread leads to, as a share of the mean device's."""


_ROUNDING = 1e-14
"""Variance below which a part is not there."""


@dataclass(frozen=True)
class Part:
    """A part of the spread: the deviations along some directions of the six."""

    field: str | None
    """the field of devices without a joint spread that holds it; None if they have none"""
    directions: tuple[tuple[float, ...], ...]
    """orthonormal directions, (n, 6)"""

    def size(self, device: Device) -> float | None:
        """Root mean square over the directions of the standard deviation along them; None if the device has none.

        For two equal directions it is the spread of each: of the step up and the step down in common.
        """
        covariance = _covariance(device)
        if covariance is None:
            value = None if self.field is None else getattr(device, self.field, None)
            return None if value is None else float(value)
        along = np.array(self.directions)
        variance = float(np.einsum("ni,ij,nj->", along, covariance, along)) / len(along)
        scale = math.sqrt(2) if len(along) == 1 else 1.0  # of the mean of two, not of their sum over √2
        return math.sqrt(variance) / scale if variance > _ROUNDING else 0.0

    def scaled(self, device: Any, factor: float) -> Any:
        """`device` with this part of its spread times `factor`."""
        along = np.array(self.directions)
        change = np.eye(6) + (factor - 1) * along.T @ along
        if getattr(device, "measured", ()):
            rows = _deviations(device.measured)
            mean = rows.mean(axis=0)
            return replace(device, measured=_rows(mean + (rows - mean) @ change.T))
        covariance = _covariance(device)
        if covariance is not None:
            return replace(device, spread=_spread(device.spread, change @ covariance @ change.T))
        assert self.field is not None
        return replace(device, **{self.field: factor * getattr(device, self.field)})


_HALF = math.sqrt(0.5)
STEP = Part("step_spread", ((_HALF, _HALF, 0, 0, 0, 0),))
"""Steps up and down of a device, larger or smaller together."""
ASYMMETRY = Part("asymmetry", ((_HALF, -_HALF, 0, 0, 0, 0),))
"""Steps up larger and steps down smaller, or the reverse."""
BOUND = Part("bound_spread", ((0, 0, 1, 0, 0, 0), (0, 0, 0, 1, 0, 0)))
"""Upper and lower bounds."""
SLOPE = Part(None, ((0, 0, 0, 0, 1, 0), (0, 0, 0, 0, 0, 1)))
"""Slopes of the steps up and down."""


def _covariance(device: Any) -> F64 | None:
    """Covariance (6, 6) of the deviations; None for a device without a joint spread."""
    if getattr(device, "measured", ()):
        return np.atleast_2d(np.cov(_deviations(device.measured), rowvar=False, bias=True))
    spread = getattr(device, "spread", None)
    if spread is None:
        return None
    sizes = np.array([getattr(spread, name) for name in _NAMES], dtype=np.float64)
    correlation = np.array(spread.correlation, dtype=np.float64) if spread.correlation else np.eye(6)
    return np.outer(sizes, sizes) * correlation


def _spread(spread: Any, covariance: F64) -> Any:
    """`spread` with another covariance of its deviations."""
    sizes = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    some = np.where(sizes > 0, sizes, 1.0)
    correlation = np.clip(covariance / np.outer(some, some), -1.0, 1.0)
    np.fill_diagonal(correlation, 1.0)
    correlation = (correlation + correlation.T) / 2
    given = () if np.array_equal(correlation, np.eye(6)) else tuple(tuple(map(float, row)) for row in correlation)
    known = {f.name for f in fields(spread)}
    assert {*_NAMES, "correlation"} <= known
    return replace(spread, **dict(zip(_NAMES, map(float, sizes), strict=True)), correlation=given)


def _deviations(measured: Any) -> F64:
    """Rows of measured devices as deviations: steps as logarithms of factors, bounds as factors, slopes as they are."""
    rows = np.array(measured, dtype=np.float64)
    rows[:, _STEPS] = np.log(rows[:, _STEPS])
    return rows


def _rows(deviations: F64) -> tuple[tuple[float, ...], ...]:
    """The inverse of `_deviations`."""
    rows = deviations.copy()
    rows[:, _STEPS] = np.exp(rows[:, _STEPS])
    rows[:, _BOUNDS] = np.maximum(rows[:, _BOUNDS], _LEAST)
    return tuple(tuple(map(float, row)) for row in rows)
