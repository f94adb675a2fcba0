"""Tables with a row for each read."""

import re

import numpy as np
from numpy.typing import NDArray

from tikitaka.measurement.counters import Counter, counted
from tikitaka.measurement.direction import Trace
from tikitaka.measurement.found import Found, unit_of
from tikitaka.measurement.grid import Grid, Words
from tikitaka.measurement.words import Heading, remainder

__all__ = ["from_reads"]

I8 = NDArray[np.int8]

_READ = re.compile(r"(?i)([gri][\s_]*)?(read|repeat|rep)s?[\s_#]*\d+.*")


def from_reads(
    grid: Grid,
    headings: list[Heading],
    values: list[tuple[str, int]],
    labels: dict[str, int],
    signs: I8 | None,
    name: str,
    sign: int,
    counters: dict[int, Counter],
) -> Found:
    """The traces of a table with a row per read, with columns of values and of `labels`: device and cycle."""
    traces: list[Trace] = []
    groups = _groups(grid, labels)
    if len(values) > 1 and all(_READ.fullmatch(grid.names[place].strip()) for _, place in values):
        return _repeated(grid, headings, values, groups, signs, name)
    for device, place in values:
        column = grid.numbers(place)
        own = device or (remainder(grid.names[place])[0] if len(values) > 1 else "")
        for (row_device, cycle), rows in groups:
            known = " ".join(part for part in (row_device, own) if part) or name
            part = signs[rows] if signs is not None else None
            direction = headings[place].sign or sign if part is None else 0
            trace = Trace(known, column[rows], cycle=cycle, sign=direction, signs=part)
            traces += counted(trace, counters.get(place), rows)
    return Found(traces, unit_of([headings[place].unit for _, place in values]))


def _repeated(
    grid: Grid,
    headings: list[Heading],
    values: list[tuple[str, int]],
    groups: list[tuple[tuple[str, int | None], NDArray[np.int64]]],
    signs: I8 | None,
    name: str,
) -> Found:
    """Traces of a table with several reads after each pulse."""
    reads = np.stack([grid.numbers(place) for _, place in values], axis=1)
    traces: list[Trace] = []
    for (device, cycle), rows in groups:
        part = None
        if signs is not None:
            each = np.zeros((len(rows), len(values)), np.int8)
            each[:, 0] = signs[rows]
            part = each.reshape(-1)
        traces.append(Trace(device or name, reads[rows].reshape(-1), cycle=cycle, signs=part))
    found = Found(traces, unit_of([headings[place].unit for _, place in values]))
    found.account = [f"{len(values)} reads after each pulse"]
    return found


def _groups(grid: Grid, labels: dict[str, int]) -> list[tuple[tuple[str, int | None], NDArray[np.int64]]]:
    """The rows of each device and cycle, in the order of their first row."""
    key = np.zeros(grid.rows, np.int64)
    for place in labels.values():
        column = grid.columns[place]
        of_label = column.codes if isinstance(column, Words) else np.nan_to_num(column, nan=-1.0)
        different, codes = np.unique(of_label, return_inverse=True)
        key = key * len(different) + codes
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    parts = np.split(np.argsort(inverse, kind="stable"), np.cumsum(np.bincount(inverse))[:-1])
    if len(parts) > 100_000:
        raise ValueError(f"devices and cycles must be at most 100,000 together, not {len(parts):,}")
    found = []
    for k in np.argsort(first):
        row = int(first[k])
        device = _label(grid, labels.get("device"), row)
        cycle = None
        if "cycle" in labels:
            text = _label(grid, labels["cycle"], row)
            digits = "".join(each for each in text if each.isdecimal())
            cycle = int(digits[:15]) if digits else int(k) + 1
        found.append(((device, cycle), parts[k]))
    return found


def _label(grid: Grid, place: int | None, row: int) -> str:
    if place is None:
        return ""
    column = grid.columns[place]
    if isinstance(column, Words):
        return column.text(row)
    return "" if np.isnan(column[row]) else f"{column[row]:g}"
