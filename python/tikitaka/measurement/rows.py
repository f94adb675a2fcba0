"""Files whose rows are sweeps: words, then the reads."""

import re

import numpy as np

from tikitaka._internal.shown import listed, shown
from tikitaka.measurement.direction import Trace, trend
from tikitaka.measurement.found import Found
from tikitaka.measurement.grid import Row
from tikitaka.measurement.options import Options
from tikitaka.measurement.words import direction_of, remainder

__all__ = ["from_rows"]


def from_rows(rows: list[Row], options: Options, name: str, sign: int = 0) -> Found:
    """The traces of rows that are sweeps, with words before the values."""
    if options.columns or options.up or options.down:
        raise ValueError("columns must not be named, because each row of the file is a sweep")
    traces = []
    numbered = len(rows) > 1 and all(row.values[0].is_integer() and 0 <= row.values[0] < 1e6 for row in rows)
    numbered = numbered and not all(np.mod(row.values[1:], 1).max() == 0 for row in rows)
    numbered = numbered and all((np.abs(row.values[1:]) < row.values[0]).all() for row in rows if row.values[0] > 0)
    telling = _telling(rows)
    for row in rows:
        device, cycle = remainder(row.label)
        which = direction_of(row.label) or sign
        if telling:
            device, cycle, which = _read_label(row.label, telling)
        values = row.values
        if numbered:
            cycle, values = int(values[0]), values[1:]
        traces.append(Trace(device or name, values, cycle=cycle, sign=which))
    found = Found(traces, None)
    lengths = [len(trace.values) for trace in traces]
    reads = f"{min(lengths):,}" if min(lengths) == max(lengths) else f"{min(lengths):,} to {max(lengths):,}"
    found.account = [f"{len(rows):,} rows, each a sweep of {reads} reads"]
    if telling:
        words = listed(f"{shown(word)} {'up' if which > 0 else 'down'}" for word, which in telling.items())
        found.account.append(f"directions by the words before the rows and where they lead: {words}")
    return found


def _telling(rows: list[Row]) -> dict[str, int]:
    """A word that all rising rows and no others have, and one of the falling rows, with their signs.

    Empty if there are none, or if the rows have words for directions.
    """
    if any(direction_of(row.label) for row in rows):
        return {}
    labels: dict[int, list[set[str]]] = {1: [], -1: []}
    for row in rows:
        labels[1 if trend(row.values) > 0 else -1].append(set(re.findall(r"[^\W\d_]+", row.label.casefold())))
    found = {}
    for sign, mine in labels.items():
        words = set.intersection(*mine) - set().union(*labels[-sign]) if mine else set()
        if not words:
            return {}
        found[min(words)] = sign
    return found


def _read_label(label: str, telling: dict[str, int]) -> tuple[str, int | None, int]:
    """Device, cycle and direction of a label with one of the words that tell the direction."""
    word = next(word for word in telling if word in re.findall(r"[^\W\d_]+", label.casefold()))
    place = label.casefold().find(word)
    rest = label if place < 0 else f"{label[:place]} {label[place + len(word) :]}"
    device, cycle = remainder(rest)
    parts = device.split()
    numbers = [part for part in parts if part.isdecimal() and len(part) < 16]
    if cycle is None and numbers:
        cycle = int(numbers[-1])
        parts.remove(numbers[-1])
    return " ".join(parts), cycle, telling[word]
