"""How far numbers of several seeds or chips lie apart, and how that is written."""

from collections.abc import Sequence
from statistics import stdev

__all__ = ["plus_minus", "standard_deviation"]


def standard_deviation(numbers: Sequence[float]) -> float | None:
    """The sample standard deviation of `numbers`; None for a single one, which says nothing about it."""
    return stdev(numbers) if len(numbers) > 1 else None


def plus_minus(mean: float, apart: float | None, digits: int = 2) -> str:
    """A mean with its spread, in the unit of both, as "1.85 ± 0.10"; the mean alone where the spread is None."""
    return f"{mean:.{digits}f}" if apart is None else f"{mean:.{digits}f} ± {apart:.{digits}f}"
