"""Tolerances: how far the hardware may degrade before the error exceeds a limit, with a confidence interval."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

__all__ = ["Tolerance", "crossing", "missing", "ratio", "student", "tolerance"]

_T95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""Two-sided 95 % points of Student's t for 1, 2, … degrees of freedom (any table)."""

_NORMAL = 1.960


@dataclass(frozen=True)
class Tolerance:
    """The value up to which a rule stays within the limit, with a 95 % interval of the mean over seeds.

    The interval only covers the seeds: the limit is taken as known, and the error as linear between two values. If
    seeds do not cross the limit within the sweep, `beyond` names the end, whose value replaces their crossing, and
    `tolerance` is a bound: "easy" (over the limit even at the easiest value: it tolerates less) or "hard" (within the
    limit at the hardest: it tolerates more). If this happens at both ends, `beyond` is "both" and `tolerance` None.
    """

    tolerance: float | None
    """mean over seeds, in the unit of the values; a bound if `beyond` is set"""
    low: float | None
    """lower end of the interval; None if there is none"""
    high: float | None
    """its upper end"""
    beyond: str | None
    """the end of the sweep beyond which seeds cross: "easy", "hard" or "both"; None: no end"""
    each: list[float | None]
    """by seed; None if beyond the sweep"""


def _bracket(
    errors: Mapping[float, float], values: Sequence[float], limit: float, start: int
) -> tuple[int, set[float]]:
    """The last value within the limit next to one that is not, from index `start` on: its index (−1: none), and the
    values whose errors are needed to determine it."""
    at = start
    while True:
        if at >= 0 and values[at] not in errors:
            return at, {values[at]}
        if at >= 0 and errors[values[at]] > limit:
            at -= 1
        elif at + 1 == len(values):
            return at, set()
        elif values[at + 1] not in errors:
            return at, {values[at + 1]}
        elif errors[values[at + 1]] > limit:
            return at, set()
        else:
            at += 1


def _start(errors: Mapping[float, float], values: Sequence[float], limit: float) -> int:
    """The index of the last value before the first one outside the limit, from the easy end; −1 if there is none.

    Later values may be within the limit again by chance; they do not count as tolerated.
    """
    outside = (k for k, value in enumerate(values) if errors[value] > limit)
    return next(outside, len(values)) - 1


def missing(errors: Sequence[Mapping[float, float]], values: Sequence[float], limit: float) -> list[set[float]]:
    """Values whose errors are still needed, by seed: those next to the crossing of the first seed, whose errors are
    all known, and further ones if a seed crosses elsewhere. `values` go from easy to hard."""
    start = _start(errors[0], values, limit)
    return [_bracket(each, values, limit, start)[1] for each in errors]


def crossing(
    errors: Mapping[float, float], values: Sequence[float], limit: float, start: int, *, logarithmic: bool = True
) -> float | str:
    """Where the error of a seed crosses the limit, interpolated; or the end of the sweep beyond which it crosses."""
    at, unknown = _bracket(errors, values, limit, start)
    if unknown:
        raise ValueError(f"the error at {unknown.pop()} is needed")
    if at < 0:
        return "easy"
    if at + 1 == len(values):
        return "hard"
    a, b = values[at], values[at + 1]
    share = (limit - errors[a]) / (errors[b] - errors[a])
    return a * (b / a) ** share if logarithmic else a + (b - a) * share


def tolerance(
    errors: Sequence[Mapping[float, float]], values: Sequence[float], limit: float, *, logarithmic: bool = True
) -> Tolerance:
    """The tolerance over seeds: the mean of the crossings (of their logarithms, if `logarithmic`).

    `errors` by value for each seed, in the unit of `limit`; ValueError when one that is needed is `missing`.
    """
    start = _start(errors[0], values, limit)
    ends = [crossing(each, values, limit, start, logarithmic=logarithmic) for each in errors]
    each = [end if isinstance(end, float) else None for end in ends]
    left = {end for end in ends if isinstance(end, str)}
    if len(left) > 1:
        return Tolerance(None, None, None, "both", each)
    at_end = {"easy": float(values[0]), "hard": float(values[-1])}
    known = [end if isinstance(end, float) else at_end[end] for end in ends]
    to, back = (math.log, math.exp) if logarithmic else (float, float)
    middle, half = _mean([to(value) for value in known])
    if left:
        return Tolerance(back(middle), None, None, left.pop(), each)
    low, high = (None, None) if half is None else (back(middle - half), back(middle + half))
    return Tolerance(back(middle), low if low is None else max(low, 0.0), high, None, each)


def _mean(numbers: Sequence[float]) -> tuple[float, float | None]:
    """The mean, and half the width of its 95 % interval."""
    n = len(numbers)
    if n < 2:
        return fmean(numbers), None
    return fmean(numbers), student(n) * stdev(numbers) / math.sqrt(n)


def student(n: int) -> float:
    """Half the width of the 95 % interval of the mean of `n` numbers (2 or more), in standard errors."""
    return _T95[n - 2] if n - 2 < len(_T95) else _NORMAL


def ratio(better: Tolerance, other: Tolerance, values: Sequence[float]) -> dict[str, Any]:
    """How much more the first tolerates than the other, as a factor with its 95 % interval.

    If one of them is a bound, so is the factor: "bound" is "at least" or "at most". `ratio` is None if it is
    undetermined: for contradictory bounds, or a tolerance of 0.
    """
    nothing = {"ratio": None, "low": None, "high": None, "bound": None}
    if not (better.tolerance and other.tolerance):
        return nothing
    # A bound of the first and one of the other, as bounds of the factor.
    bounds = {{"hard": "at least", "easy": "at most"}.get(str(better.beyond))}
    bounds |= {{"easy": "at least", "hard": "at most"}.get(str(other.beyond))}
    bounds -= {None}
    if len(bounds) > 1:
        return nothing
    factor = better.tolerance / other.tolerance
    factor = factor if values[-1] > values[0] else 1 / factor
    low = high = None
    if not bounds and all((better.low, better.high, other.low, other.high)):
        halves = [math.log(t.high / t.low) / 2 for t in (better, other) if t.high and t.low]
        half = math.hypot(*halves)
        low, high = factor / math.exp(half), factor * math.exp(half)
    return {"ratio": factor, "low": low, "high": high, "bound": bounds.pop() if bounds else None}
