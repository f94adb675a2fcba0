"""How the step of a device depends on its weight, and a device whose step depends on it more or less.

Each form of the dependence is a pair of fields, for pulses up and down. A factor of 0 makes steps equal at all weights.
"""

import math
from dataclasses import fields, replace
from typing import Any

import numpy as np

from tikitaka import _core
from tikitaka.assessment import spreads
from tikitaka.config import Device, devices

__all__ = ["nonlinearity", "spread", "with_nonlinearity", "with_spread"]

_PAIRS = (
    ("up_slope", "down_slope"),
    ("up_power", "down_power"),
    ("up_amplitude", "down_amplitude"),
    ("up_nonlinearity", "down_nonlinearity"),
)
"""Fields that are 0 for steps that do not depend on the weight."""

_LINEAR = "linear-step"
"""The kind with a free slope, as which soft bounds, whose slope is 1, get another slope."""


def nonlinearity(device: Device) -> float | None:
    """Root mean square of the two fields of its form; of tables the relative spread of the mean steps over the range.

    None for a device whose step cannot depend on the weight.
    """
    for pair in _PAIRS:
        if hasattr(device, pair[0]):
            return math.hypot(*(getattr(device, name) for name in pair)) / math.sqrt(2)
    if _has_tables(device):
        return math.sqrt(np.mean([_relative_spread(getattr(device, name)) ** 2 for name in ("up", "down")]))
    return 1.0 if device.kind == "soft-bounds" and _LINEAR in devices else None


def with_nonlinearity(device: Any, factor: float) -> Any:
    """`device` with `factor` times its nonlinearity, within what its fields allow.

    Soft bounds become linear steps of slope `factor`, and stay what they are for more than 1. A table is drawn towards
    its mean over the range.
    """
    for pair in _PAIRS:
        if hasattr(device, pair[0]):
            bounds = _core.bounds(device.kind)
            limits = {name: bounds.get(name, (-math.inf, math.inf)) for name in pair}
            values = {name: factor * getattr(device, name) for name in pair}
            return replace(device, **{n: min(max(v, limits[n][0]), limits[n][1]) for n, v in values.items()})
    if _has_tables(device):
        return replace(device, **{name: _flattened(getattr(device, name), factor) for name in ("up", "down")})
    if factor >= 1:
        return device
    values = {f.name: getattr(device, f.name) for f in fields(device) if f.init}
    linear: Any = devices[_LINEAR]
    return linear(**values, up_slope=factor, down_slope=factor)


def spread(device: Device) -> float | None:
    """The spread of the nonlinearity from device to device; None if it has none."""
    value = getattr(device, "nonlinearity_spread", None)
    return spreads.SLOPE.size(device) if value is None else float(value)


def with_spread(device: Any, factor: float) -> Any:
    """`device` with `factor` times the spread of its nonlinearity."""
    if hasattr(device, "nonlinearity_spread"):
        return replace(device, nonlinearity_spread=factor * device.nonlinearity_spread)
    return spreads.SLOPE.scaled(device, factor)


def _has_tables(device: Any) -> bool:
    return isinstance(getattr(device, "up", None), tuple) and isinstance(getattr(device, "down", None), tuple)


def _means(table: Any) -> Any:
    """The mean step at each node."""
    nodes = np.asarray(table, dtype=np.float64)
    return nodes.mean(axis=1) if nodes.ndim == 2 else nodes


def _relative_spread(table: Any) -> float:
    means = _means(table)
    return float(np.std(means) / abs(np.mean(means)))


def _flattened(table: Any, factor: float) -> Any:
    nodes, means = np.asarray(table, dtype=np.float64), _means(table)
    wanted = np.mean(means) + factor * (means - np.mean(means))
    if nodes.ndim == 2:
        return tuple(tuple(map(float, row)) for row in nodes + (wanted - means)[:, None])
    return tuple(map(float, np.maximum(wanted, 0.0)))
