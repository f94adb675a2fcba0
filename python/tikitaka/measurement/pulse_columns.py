"""Columns that say what each pulse was: words, voltages, widths."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tikitaka.measurement.direction import trend
from tikitaka.measurement.grid import Words
from tikitaka.measurement.words import direction_of

__all__ = ["one_kind_of_pulse", "signs_of_voltage", "signs_of_words"]

F64 = NDArray[np.float64]
I8 = NDArray[np.int8]

_READ = {"read", "r", "none", "0", "no", "rest", "wait"}
_SHORT = {"u": 1, "d": -1, "+": 1, "-": -1, "p": 1, "+1": 1, "-1": -1, "pos": 1, "neg": -1}
_READ_SHARE = 0.3  # of the highest voltage, below which it does not pulse
_READ_ROWS = 0.3  # share of the rows that are reads, where there are rows of reads
_BLOCK = 5  # rows of a word that show a trend
_SAME = 0.02  # by which equal amplitudes or widths may differ


def signs_of_words(column: Words) -> I8 | None:
    """The sign of each row of a column of words such as up, LTD, READ; None if they do not say a direction."""
    known = {word: direction_of(word) or _SHORT.get(word.casefold().strip(), 0) for word in column.names}
    if set(known.values()) - {0} == set() or any(
        not sign and word.casefold().strip() not in _READ for word, sign in known.items()
    ):
        return None
    table = np.array([*known.values(), 0], np.int8)  # the last for blank cells
    return table[column.codes]


def signs_of_blocks(column: Words, values: F64) -> I8 | None:
    """The sign of each row, if values rise in all blocks of one of two words and fall in those of the other.

    None if they do not.
    """
    edges = [0, *(np.flatnonzero(np.diff(column.codes)) + 1).tolist(), len(column.codes)]
    rises: dict[int, list[float]] = {0: [], 1: []}
    for start, end in pairwise(edges):
        if end - start >= _BLOCK and column.codes[start] >= 0:
            rises[int(column.codes[start])].append(trend(values[start:end]))
    signs = {code: set(np.sign(found).tolist()) for code, found in rises.items()}
    if sorted(map(tuple, signs.values())) != [(-1.0,), (1.0,)]:
        return None
    return np.array([int(*signs[0]), int(*signs[1]), 0], np.int8)[column.codes]


def signs_of_voltage(voltages: F64, unit: str) -> I8 | None:
    """The signs of pulses by their voltages; None if all have one sign.

    There was no pulse where the voltage is 0, blank or, for rows of reads between the pulses, far below that of all
    others. Raises ValueError if the pulses of a sign have different amplitudes.
    """
    known = np.nan_to_num(voltages)
    size = np.abs(known)
    small = size < _READ_SHARE * size.max(initial=0.0)
    of_reads = size[small & (size > 0)]
    if of_reads.size > _READ_ROWS * size.size and np.ptp(of_reads) <= _SAME * of_reads.max():
        known = np.where(small, 0.0, known)
    signs = np.sign(known).astype(np.int8)
    for side in (1, -1):
        one_kind_of_pulse(known[signs == side], "voltage", unit)
    return signs if (signs > 0).any() and (signs < 0).any() else None


def one_kind_of_pulse(values: F64, what: str, unit: str) -> None:
    """Raise ValueError if pulses have different amplitudes or, per direction, widths."""
    size = np.abs(values[~np.isnan(values) & (values != 0)])
    if not size.size:
        return
    low, high = float(size.min()), float(size.max())
    different = len(np.unique(np.round(np.log(size) / _SAME))) if high > (1 + _SAME) * low else 1
    if different > (2 if what == "width" else 1):  # up and down pulses may have different widths
        raise ValueError(
            f"pulses must be identical, and these have {different} different {what}s from {low:g} to {high:g} {unit}: "
            "a programming curve, not the response to repeated pulses. Measure with one amplitude and one width for up "
            "pulses and one for down pulses"
        )
