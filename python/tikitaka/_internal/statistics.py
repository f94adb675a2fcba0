"""Standard deviations over seeds or chips, and their notation."""

from collections.abc import Sequence
from statistics import stdev

__all__ = ["plus_minus", "standard_deviation"]


def standard_deviation(numbers: Sequence[float]) -> float | None:
    """The sample standard deviation of `numbers`; None for a single number."""
    return stdev(numbers) if len(numbers) > 1 else None


def plus_minus(mean: float, deviation: float | None, digits: int = 2) -> str:
    """A mean with its standard deviation, in the same unit, as "1.85 ± 0.10"; the mean alone if `deviation` is None."""
    return f"{mean:.{digits}f}" if deviation is None else f"{mean:.{digits}f} ± {deviation:.{digits}f}"
