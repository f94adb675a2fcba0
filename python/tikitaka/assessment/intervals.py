"""Means with their 95 % intervals, and whether a difference is significant."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from tikitaka.experiments.tolerance import student

__all__ = ["Interval", "interval"]


@dataclass(frozen=True)
class Interval:
    """A mean over seeds with its 95 % interval, by Student's t."""

    mean: float
    """mean over seeds"""
    low: float | None
    """lower end; None for a single seed"""
    high: float | None
    """upper end; None for a single seed"""

    @property
    def significant(self) -> bool:
        """Whether the interval excludes zero; a single seed never does."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def interval(numbers: Sequence[float], least: float = 0.0) -> Interval:
    """The mean of `numbers` with its interval, which is `least` wide on either side where the numbers hardly differ.

    >>> found = interval([1.0, 2.0, 3.0])
    >>> found.mean, round(found.low, 2), round(found.high, 2), found.significant
    (2.0, -0.48, 4.48, False)
    """
    mean = fmean(numbers)
    if len(numbers) < 2:
        return Interval(mean, None, None)
    half = max(student(len(numbers)) * stdev(numbers) / math.sqrt(len(numbers)), least)
    return Interval(mean, mean - half, mean + half)
