"""Quantities with a low, a usual and a high value, and how they are written."""

import math
from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["Band", "prefixed", "quantity", "ranged", "share", "total"]

_PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}


class Band(NamedTuple):
    """A quantity: if every number of the table is at its cheap end, at its usual value, and at its dear end."""

    low: float
    """at the cheap end"""
    usual: float
    """at usual values"""
    high: float
    """at the dear end"""


def total(bands: Iterable[Band]) -> Band:
    """The sum, whose ends are the sums of the ends: all numbers are cheap, or dear, together."""
    each = list(bands)
    return Band(*(math.fsum(band[k] for band in each) for k in range(3)))


def share(part: Band, whole: Band) -> float:
    """The share of the usual value, from 0 to 1."""
    return part.usual / whole.usual if whole.usual else 0.0


def quantity(value: float, unit: str) -> str:
    """A value to three digits, with a prefix of the unit; of mm², which takes none, in plain digits.

    >>> quantity(4.2e-7, "J"), quantity(0, "s"), quantity(0.01234, "mm²")
    ('420 nJ', '0 s', '0.0123 mm²')
    """
    if unit == "mm²" or value == 0:
        return f"{_digits(value)} {unit}"
    scaled, prefix = _scaled(value)
    return f"{_digits(scaled)} {prefix}{unit}"


def prefixed(value: float, unit: str) -> str:
    """A round value as short as it can be, with a prefix of the unit.

    >>> prefixed(1e-9, "J"), prefixed(0.05, "s")
    ('1 nJ', '50 ms')
    """
    scaled, prefix = _scaled(value)
    return f"{scaled:.3g} {prefix}{unit}"


def ranged(band: Band, unit: str) -> str:
    """The usual value, with the ends in brackets where they differ from it."""
    usual, low, high = (quantity(value, unit) for value in (band.usual, band.low, band.high))
    return usual if low == high else f"{usual} ({low} to {high})"


def _scaled(value: float) -> tuple[float, str]:
    """A value above 0 as a number from 1 to 1000, where prefixes reach so far, and the prefix."""
    value = float(f"{value:.2e}")  # first, since 999.9 would become 1000
    power = min(max(3 * math.floor(math.log10(value) / 3 + 1e-12), -15), 9)
    return value / 10.0**power, _PREFIXES[power]


def _digits(value: float) -> str:
    if value == 0 or value >= 100:
        return f"{value:,.0f}"
    return f"{value:.{max(2 - math.floor(math.log10(value) + 1e-12), 0)}f}" if value >= 1e-4 else f"{value:.2e}"
