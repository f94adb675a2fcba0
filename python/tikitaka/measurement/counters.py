"""Columns that count pulses, or say when they came: how many pulses there were before each read."""

import re
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tikitaka.measurement.direction import Trace
from tikitaka.measurement.grid import Grid, Words
from tikitaka.measurement.options import Options
from tikitaka.measurement.words import Heading

__all__ = ["Counter", "counted", "counters", "paired"]

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

_FEW = 5  # rows that show how a column counts, and the least between two restarts
_ROUND = 5  # whose multiples are usual numbers of pulses: 0 to 60 begins before any pulse, 0 to 59 after the first
_WHOLE = 1e-6  # by which counts may differ from whole numbers
_EARLY, _DRIFT = 0.25, 0.02  # by which times may differ from those of pulses, in pulses and in shares of a step
_READS = 20  # reads after a pulse, from which a column is taken to number something else
_MOST = 10_000  # pulses between two reads, from which a column is taken to count something else
_GROUPS = "train|burst|block|group"  # words for several pulses
_PAUSE = 10.0  # usual steps of time from which a longer one is a pause


class Counter(NamedTuple):
    """A column that counts pulses."""

    place: int
    """its index"""
    numbers: F64
    """the pulses up to each row (rows,)"""
    kind: str
    """pulses, rows or times: what the heading says that it counts"""
    sign: int
    """+1 or −1 if the heading has a word for up or down, else 0"""
    cut: bool
    """whether traces are cut where it starts again; not where a pattern says all pulses"""


def counters(grid: Grid, headings: list[Heading], taken: set[int], options: Options) -> list[Counter]:
    """The columns besides those `taken` that count pulses or rows by their headings, or with `seconds_per_pulse` times.

    Raises ValueError for `seconds_per_pulse` without a column of times.
    """
    found = []
    cut, seconds = options.pattern is None, options.seconds_per_pulse
    for place, (one, column) in enumerate(zip(headings, grid.columns, strict=True)):
        if isinstance(column, Words) or place in taken or not np.nanmax(np.abs(column), initial=0.0) < 1e15:
            continue
        text = one.text.casefold()
        if seconds is not None:
            if one.quantity == "t" and (one.unit is not None or not re.search(r"[(\[/]", text)):
                size = one.unit.factor if one.unit else 1.0
                found.append(
                    Counter(place, (column - np.nanmin(column, initial=np.inf)) * (size / seconds), "times", 0, cut)
                )
        elif _may_count(one, text) and not (column < 0).any() and (column > 1.5).any():
            found.append(Counter(place, column, "pulses" if "pulse" in text else "rows", one.sign, cut))
    if seconds is not None and not found:
        raise ValueError("seconds_per_pulse needs a column of times, such as t (s)")
    return found


def _may_count(one: Heading, text: str) -> bool:
    """Whether a heading may be that of a counter: not of ADC counts of a direction, nor of trains of pulses."""
    known = one.quantity in ("counter", "pulse") and not re.search(_GROUPS, text)
    return known and ("pulse" in text or not one.sign)


def paired(counters: list[Counter], headings: list[Heading], values: list[int]) -> dict[int, Counter]:
    """The counter of each column of values: of pulses rather than of rows, of its direction if headings say that, then
    the nearest to its left, or where values stand left of their counters to its right."""
    some = [counter for counter in counters if counter.kind == "pulses"] or counters
    found = {}
    rightwards = bool(some) and bool(values) and some[0].place > min(values) and len(some) > 1
    for place in values:
        own = [counter for counter in some if counter.sign == headings[place].sign != 0]
        own = own or [counter for counter in some if not counter.sign] or some
        left = [counter for counter in own if counter.place < place]
        right = [counter for counter in own if counter.place > place]
        near = right[:1] or left[-1:] if rightwards else left[-1:] or right[:1]
        if near:
            found[place] = near[0]
    return found


def counted(trace: Trace, counter: Counter | None, rows: I64 | slice) -> list[Trace]:
    """`trace`, read in these rows of a table, with the pulses between its reads; where nothing says the direction of
    its pulses, cut where the counter starts again.

    Raises ValueError for times that cannot be those of pulses.
    """
    if counter is None:
        return [trace]
    if counter.kind == "rows" and not isinstance(rows, slice) and (np.diff(rows) != 1).any():
        return [trace]  # rows of several devices in turns
    counts, starts = _pulses(counter, rows)
    if counts is None:
        if counter.kind == "times":
            steps = np.abs(np.diff(counter.numbers[rows]))
            each = f"{np.nanmin(steps, initial=np.inf):.4g} to {np.nanmax(steps, initial=0.0):.4g}"
            raise ValueError(f"seconds_per_pulse must fit the times, whose steps are {each} pulses with it")
        return [trace]
    trace.counted_by = counter.place
    if trace.signs is not None:
        trace.counts = np.where(trace.signs != 0, np.maximum(counts, 1), counts)
        return [trace]
    if len(starts) == 1 or not counter.cut:
        trace.counts, trace.initial = counts, bool(counts[0] == 0)
        return [trace]
    parts: list[Trace] = []
    for start, end in pairwise([*starts, len(counts)]):
        part = Trace(trace.device, trace.values[start:end], cycle=trace.cycle, sign=trace.sign)
        part.counts, part.initial, part.counted_by = counts[start:end], bool(counts[start] == 0), counter.place
        part.siblings = parts
        parts.append(part)
    return parts


def _pulses(counter: Counter, rows: I64 | slice) -> tuple[I64 | None, list[int]]:
    """The pulses before each row by a counter, and the rows from which it counts anew.

    None if the column does not count pulses there. After its end there is a pulse before each row.
    """
    every = counter.numbers[rows]
    numbers = every[: np.count_nonzero(~np.isnan(every))]
    if len(numbers) < _FEW or np.isnan(numbers).any():
        return None, []
    steps = np.diff(numbers)
    backwards = np.count_nonzero(steps < 0) > len(steps) / 2  # as where a trace is mirrored
    if backwards:
        numbers, steps = -numbers, -steps
    forward = steps[steps > 0]
    stride = float(np.median(forward)) if forward.size else 0.0
    usual = round(stride)
    starts = [0, *(int(k) + 1 for k in np.flatnonzero(steps < 0))]
    reads = len(steps) / max(len(forward), 1)  # after each pulse
    if reads > (2 if counter.kind == "rows" else _READS) or not 1 <= usual <= _MOST:
        return None, []
    if min(map(int, np.diff([*starts, len(numbers)]))) < _FEW:
        return None, []
    counts = np.ones(len(every), np.int64)
    if counter.kind == "times":
        known = forward[forward < _PAUSE * stride]
        if (np.abs(known - np.round(known)) > np.maximum(_EARLY, _DRIFT * known)).any():
            return None, []
        counts[1 : len(numbers)] = np.where(steps < _PAUSE * stride, np.round(steps), usual)
        counts[starts] = 1
        return counts, starts
    whole = np.abs(numbers - np.round(numbers)).max() <= _WHOLE
    if (not whole and np.abs(forward - stride).max() > 0.5 * stride) or (
        counter.kind == "rows" and np.abs(forward - stride).max() > 0.5
    ):
        return None, []
    first = np.round(numbers[starts]).astype(np.int64)
    if not backwards and ((first < 0).any() or (first[1:] > max(usual, first[0])).any()):
        return None, []
    counts[1 : len(numbers)] = np.diff(np.round(numbers)) if whole else usual
    lengths = np.diff([*starts, len(numbers)])
    for start, number, length in zip(starts, first, lengths, strict=True):
        if backwards or not whole:
            counts[start] = usual
        elif number > 0:
            counts[start] = min(number, usual)
        else:
            before = counter.kind == "pulses" and (usual > 1 or length % _ROUND == 1)
            counts[start] = 0 if before else 1
    return counts, starts
