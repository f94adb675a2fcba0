"""The entries of a table of costs, and what may take their place."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np

from tikitaka._internal.shown import listed, shown
from tikitaka._internal.validation import check_kind, nearest
from tikitaka.costs.band import Band

__all__ = ["Entry", "Override", "overridden"]

_MOST = 1e12
_LEAST = {  # of numbers that divide or are raised to a power
    "digital_gflops": 1e-6,
    "lines_per_adc": 1.0,
    "adc_bit_factor": 1.0,
    "adc_bit_factor_above_9": 1.0,
}
_MOST_FACTOR = 16.0
_CHEAPER = {"digital_gflops", "lines_per_adc"}  # the more, the less it costs


@dataclass(frozen=True)
class Entry:
    """A number of the table, as a band, with its unit and source."""

    name: str
    """its name in the table"""
    low: float
    """the lowest credible value"""
    usual: float
    """the value to expect"""
    high: float
    """the highest credible value"""
    unit: str
    """its unit"""
    about: str
    """what it is the number of"""
    source: str
    """where the values come from; (est.) marks an estimate"""

    @property
    def cheap_to_dear(self) -> Band:
        """The values in the order of what they cost: of a speed, the highest is the cheapest."""
        return Band(
            *((self.high, self.usual, self.low) if self.name in _CHEAPER else (self.low, self.usual, self.high))
        )


Override = float | Sequence[float] | Mapping[str, Any] | Entry
"""A number, three numbers (low, usual, high), or a table with some of low, usual, high, unit and source."""


def overridden(entry: Entry, value: Any, source: str = "given") -> Entry:
    """`entry` with other values, from `source` unless `value` names its own.

    Raises ValueError or TypeError that names the entry.
    """
    name = entry.name
    if isinstance(value, Entry):
        value = {"low": value.low, "usual": value.usual, "high": value.high, "unit": value.unit, "source": value.source}
    if isinstance(value, Mapping):
        return _from_table(entry, value, source)
    if isinstance(value, np.ndarray) and value.ndim == 1:
        value = value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        if len(value) != 3:
            raise ValueError(f"{name} must be a number or three of them (low, usual, high), not {shown(value)}")
        low, usual, high = (_number(name, each) for each in value)
    elif isinstance(value, Real) and not isinstance(value, bool):
        low = usual = high = _number(name, value)
    else:
        raise TypeError(f"{name} must be a number or three of them (low, usual, high), not {shown(value)}")
    if not low <= usual <= high:
        raise ValueError(f"{name} must have low ≤ usual ≤ high, not {low:g}, {usual:g}, {high:g}")
    return replace(entry, low=low, usual=usual, high=high, source=source)


def _from_table(entry: Entry, values: Mapping[str, Any], source: str) -> Entry:
    known = ("low", "usual", "high", "unit", "about", "source")
    for key in values:
        if key not in known:
            raise ValueError(f"{entry.name} must have {listed(known)}, not {shown(key)}{nearest(str(key), known)}")
    for key in ("unit", "about", "source"):
        if key in values:
            check_kind(f"{entry.name}.{key}", values[key], str)
    if values.get("unit", entry.unit) != entry.unit:
        raise ValueError(f"{entry.name}.unit must be {entry.unit}, not {shown(values['unit'])}")
    if "usual" not in values:
        raise ValueError(f"{entry.name} must have a usual value")
    usual = values["usual"]
    three = [values.get("low", usual), usual, values.get("high", usual)]
    return overridden(entry, three, values.get("source", source))


def _number(name: str, value: Any) -> float:
    check_kind(name, value, Real)
    low, high = _LEAST.get(name, 0.0), _MOST_FACTOR if name.startswith("adc_bit_factor") else _MOST
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not low <= number <= high:  # NaN is in no range
        raise ValueError(f"{name} must be from {low:g} to {high:g}, not {shown(value)}")
    return number
