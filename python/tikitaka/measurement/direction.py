"""Which pulse came before which read: patterns, trends and turning points."""

import re
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tikitaka._internal.shown import shown

__all__ = ["Trace", "pattern_length", "pattern_signs", "runs_of", "trend", "turning_signs"]

F64 = NDArray[np.float64]
I8 = NDArray[np.int8]

_LONG = 100_000_000  # pulses of a pattern
_TURN = 0.3  # share of the range by which a trace must come back to have turned


class Trace:
    """Reads in a row, whose pulses may not be known yet."""

    def __init__(
        self, device: str, values: F64, *, cycle: int | None = None, sign: int = 0, signs: I8 | None = None
    ) -> None:
        self.device = device
        self.values = values
        self.cycle = cycle
        self.sign = sign  # of all its pulses; 0 if unknown or mixed
        self.signs = signs  # of each pulse, if they are known
        self.initial = False  # whether the first read comes before any pulse
        self.skipped = 0  # missing reads before the first
        self.cycles: NDArray[np.int64] | None = None  # of each read, if a pattern says it
        self.counts: NDArray[np.int64] | None = None  # pulses before each read; None: one
        self.counted_by: int | None = None  # the column that says them
        self.siblings: list[Trace] = []  # the parts that it was cut into together with
        self.rests: NDArray[np.bool_] | None = None  # rows of reads without a pulse, by a counter

    def spread(self) -> int:
        """Give every pulse a row, with a missing read where none followed it; returns how many are missing."""
        if self.counts is None:
            return 0
        rows = np.maximum(self.counts, 1)
        ends = np.cumsum(rows)
        values = np.full(int(ends[-1]), np.nan)
        values[ends - 1] = self.values
        if self.signs is None and self.sign and not self.counts.all():
            self.signs = np.full(len(self.values), self.sign, np.int8)
        if self.signs is not None:
            self.signs = np.repeat(np.where(self.counts > 0, self.signs, 0).astype(np.int8), rows)
        self.rests = np.repeat(self.counts == 0, rows)
        missing = len(values) - len(self.values)
        self.values, self.counts = values, None
        return missing


def trend(values: F64) -> float:
    """By how much `values` rise from the median of their first fifth to that of their last."""
    known = values[~np.isnan(values)]
    part = max(1, len(known) // 5)
    return float(np.median(known[-part:]) - np.median(known[:part])) if len(known) > 1 else 0.0


def runs_of(signs: I8) -> list[tuple[int, int, int]]:
    """Blocks of pulses of one sign: (first read, end, sign); reads without a pulse belong to the block around them."""
    places = np.flatnonzero(signs)
    if not places.size:
        return []
    changes = np.flatnonzero(np.diff(signs[places])) + 1
    starts = [0, *(int(places[k]) for k in changes)]
    ends = [*starts[1:], len(signs)]
    return [(start, end, int(signs[places[k]])) for start, end, k in zip(starts, ends, [0, *changes], strict=True)]


def pattern_length(pattern: str) -> int:
    """Number of pulses, and reads without one, of a pattern; ValueError if it is none."""
    return sum(count for _, count in _blocks(pattern))


def pattern_signs(pattern: str, reads: int) -> tuple[I8, NDArray[np.int64]]:
    """The sign before each of `reads` reads, and the number of its repetition from 1.

    A pattern lists blocks: `1000u` up, `1000d` down, `20r` reads without pulses, `+-400` 400 alternating pulses that
    begin with up. It repeats until the reads end. Raises ValueError for anything else.

    >>> signs, cycles = pattern_signs("2u,1d", 5)
    >>> signs.tolist(), cycles.tolist()
    ([1, 1, -1, 1, 1], [1, 1, 1, 2, 2])
    """
    parts = []
    for kind, count in _blocks(pattern):
        block = np.full(count, {"u": 1, "d": -1, "r": 0}.get(kind, 1), np.int8)
        if kind not in "udr":
            block[1::2] = -1
            block *= -1 if kind == "-+" else 1
        parts.append(block)
    once = np.concatenate(parts)
    places = np.arange(reads)
    return once[places % len(once)], places // len(once) + 1


def _blocks(pattern: str) -> list[tuple[str, int]]:
    blocks: list[tuple[str, int]] = []
    for part in pattern.replace(" ", "").split(","):
        match = re.fullmatch(r"(\d{1,9})([udr])|(\+-|-\+|±)(\d{1,9})", part, re.IGNORECASE)
        if match is None:
            raise ValueError(
                f"pattern must be blocks such as 1000u,1000d or 200u,200d,+-400 (up, down, alternating; 20r: reads "
                f"only), not {shown(pattern)}"
            )
        blocks.append(((match[2] or match[3]).lower(), int(match[1] or match[4])))
    length = sum(count for _, count in blocks)
    if not 1 <= length <= _LONG:
        raise ValueError(f"pattern must have from 1 to {_LONG:,} pulses, not {length:,}")
    return blocks


def turning_signs(values: F64) -> tuple[I8, bool, str, bool] | None:
    """The signs of a trace that rises and falls; whether its first read comes before any pulse; what was found, in
    words; and whether all blocks of a direction are of one length.

    A trace turns where it comes back by 30 % of its range or more. None if it never does.
    """
    known = ~np.isnan(values)
    if known.sum() < 10:
        return None
    filled = np.interp(np.arange(len(values)), np.flatnonzero(known), values[known])
    smooth, noise = _smooth(filled)
    low, high = np.quantile(smooth, [0.005, 0.995])
    size = high - low
    if not size > 0 or not np.isfinite(size):
        return None
    state = (smooth > high - _TURN * size).astype(np.int8) - (smooth < low + _TURN * size)
    places = np.flatnonzero(state)
    changes = np.flatnonzero(np.diff(state[places])) + 1
    groups = np.split(places, changes)
    if len(groups) < 2:
        return None
    turns = [_extreme(smooth, int(group[0]), int(group[-1]) + 1, int(state[group[0]]), noise) for group in groups]
    first_sign = int(state[groups[1][0]])
    if abs(smooth[0] - smooth[turns[0]]) > _TURN * size:
        first_sign = -first_sign
    else:
        turns = turns[1:]
    if turns and abs(smooth[-1] - smooth[turns[-1]]) <= _TURN * size:
        turns = turns[:-1]
    if not turns:
        return None
    ends, initial = _regular([turn + 1 for turn in turns], len(values))
    signs = np.zeros(len(values), np.int8)
    edges = [0, *ends, len(values)]
    for k, (start, end) in enumerate(pairwise(edges)):
        signs[start:end] = first_sign * (-1) ** k
    if initial:
        signs[0] = 0
    lengths = np.diff(edges) - np.array([initial] + [0] * (len(edges) - 2))
    same = len(set(lengths.tolist())) == 1
    each = f"{lengths[0]:,} pulses each" if same else f"{lengths.min():,} to {lengths.max():,} pulses"
    even = all(np.ptp(part) <= 0.1 * part.mean() for part in (lengths[::2], lengths[1::2]))
    return signs, initial, f"{len(lengths):,} blocks of {each}, {'up' if first_sign > 0 else 'down'} first", even


def _smooth(values: F64) -> tuple[F64, float]:
    """A running mean that leaves noise of 1 % of the range or, if the trace is short, more; and that noise."""
    sigma = float(np.median(np.abs(np.diff(values, 2)))) / (0.6745 * 6**0.5)  # second differences of white noise
    size = float(np.ptp(np.quantile(values, [0.005, 0.995])))
    if not size > 0:
        return values, 0.0
    width = int(min(max(1.0, (100 * sigma / size) ** 2), max(1, len(values) // 20))) | 1
    padded = np.concatenate([np.repeat(values[0], width // 2), values, np.repeat(values[-1], width // 2)])
    sums = np.cumsum(np.concatenate([[0.0], padded]))
    return (sums[width:] - sums[:-width]) / width, sigma / width**0.5


def _extreme(values: F64, start: int, end: int, side: int, noise: float) -> int:
    """The last read at the extreme of a part of a trace, within three times its noise: saturated parts are flat."""
    part = side * values[start:end]
    return start + int(np.flatnonzero(part >= part.max() - 3 * noise)[-1])


def _regular(ends: list[int], reads: int) -> tuple[list[int], bool]:
    """The ends of blocks of equal length, if they are as close to those found as noise allows; else as found."""
    blocks = len(ends) + 1
    for initial in (False, True):
        length, rest = divmod(reads - initial, blocks)
        exact = [initial + length * (k + 1) for k in range(blocks - 1)]
        if not rest and all(abs(a - b) <= max(3, 0.15 * length) for a, b in zip(exact, ends, strict=True)):
            return exact, initial
    return ends, False
