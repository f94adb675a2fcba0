"""Columns that count pulses, or say when they came: how many pulses there were before each read."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tikitaka.measurement.direction import Trace
from tikitaka.measurement.grid import Grid, Words
from tikitaka.measurement.words import Heading

__all__ = ["Counter", "counted", "counter_of", "counters"]

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

_FEW = 5  # rows that show how a column counts
_WHOLE = 1e-6  # by which counts may differ from whole numbers
_EARLY = 0.25  # by which times may differ from those of pulses, in pulses
_READS = 20  # reads after a pulse, from which a column is taken to number something else
_MOST = 10_000  # pulses between two reads, from which a column is taken to count something else
_LONGEST = 50_000_000  # pulses of a trace


class Counter(NamedTuple):
    """A column that counts pulses."""

    place: int
    """its index"""
    numbers: F64
    """the pulses up to each row (rows,)"""
    of_pulses: bool
    """whether 0 is a read before any pulse; otherwise rows may be numbered from 0"""
    near: float = _WHOLE
    """by which they may differ from whole numbers"""


def counters(grid: Grid, headings: list[Heading], taken: set[int], seconds_per_pulse: float | None) -> list[Counter]:
    """The columns besides those `taken` that count pulses by their headings, or with `seconds_per_pulse` times.

    Raises ValueError for `seconds_per_pulse` without a column of times.
    """
    found = []
    for place, (one, column) in enumerate(zip(headings, grid.columns, strict=True)):
        if isinstance(column, Words) or place in taken:
            continue
        if seconds_per_pulse is not None:
            if one.quantity == "t":
                size = one.unit.factor if one.unit else 1.0
                found.append(Counter(place, (column - column[0]) * (size / seconds_per_pulse), False, _EARLY))
        elif one.quantity in ("counter", "pulse") and not (column < 0).any() and (column > 1.5).any():
            found.append(Counter(place, column, "pulse" in one.text.casefold()))
    if seconds_per_pulse is not None and not found:
        raise ValueError("seconds_per_pulse needs a column of times, such as t (s)")
    return found


def counter_of(counters: list[Counter], place: int) -> Counter | None:
    """The counter that belongs to a column of values: the nearest to its left, else the first, of pulses rather than of
    rows; None without any."""
    some = [counter for counter in counters if counter.of_pulses] or counters
    left = [counter for counter in some if counter.place < place]
    return left[-1] if left else some[0] if some else None


def counted(trace: Trace, counter: Counter | None, rows: I64 | slice) -> list[Trace]:
    """`trace`, read in these rows of a table, with the pulses between its reads; where nothing says the direction of
    its pulses, cut where the counter starts again."""
    counts, starts = _pulses(counter, rows) if counter is not None else (None, [])
    if counts is None or counts.sum() > _LONGEST:
        return [trace]
    if trace.signs is not None:
        pulsed = np.zeros(len(counts), bool)
        pulsed[starts] = True
        counts = np.where(pulsed & (trace.signs != 0), np.maximum(counts, 1), counts)
        trace.counts = counts
        return [trace]
    edges = [*starts, len(counts)]
    parts = []
    for start, end in pairwise(edges):
        part = Trace(trace.device, trace.values[start:end], cycle=trace.cycle, sign=trace.sign)
        part.counts = counts[start:end]
        part.initial = bool(counts[start] == 0)
        parts.append(part)
    return parts


def _pulses(counter: Counter, rows: I64 | slice) -> tuple[I64 | None, list[int]]:
    """The pulses before each row by a counter, and the rows from which it counts anew.

    None if the column does not count pulses there. After its end there is a pulse before each row.
    """
    every, of_pulses = counter.numbers[rows], counter.of_pulses
    numbers = every[: np.count_nonzero(~np.isnan(every))]
    if len(numbers) < _FEW or np.isnan(numbers).any():
        return None, []
    steps = np.diff(numbers)
    if np.count_nonzero(steps < 0) > len(steps) / 2:  # counted backwards, as where a trace is mirrored
        numbers, steps, of_pulses = -numbers, -steps, False
    forward = steps[steps > 0]
    stride = float(np.median(forward)) if forward.size else 0.0
    starts = [0, *(int(k) + 1 for k in np.flatnonzero(steps < 0))]
    usual = round(stride)
    reads = len(steps) / max(len(forward), 1)  # after each pulse
    if reads > (_READS if of_pulses else 2) or not 1 <= usual <= _MOST or _FEW * len(starts) > len(numbers):
        return None, []
    whole = np.abs(numbers - np.round(numbers)).max() <= counter.near
    if not whole and np.abs(forward - stride).max() > 0.5 * stride:
        return None, []
    first = np.round(numbers[starts])
    if of_pulses and ((first < 0).any() or (first[1:] > max(usual, first[0])).any()):
        return None, []
    counts = np.ones(len(every), np.int64)
    counts[1 : len(numbers)] = np.diff(np.round(numbers)) if whole else usual
    counts[starts] = np.minimum(first, usual) if of_pulses and whole else usual
    return counts, starts
