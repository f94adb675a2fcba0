"""Files whose rows are sweeps: words, then the reads."""

import numpy as np

from tikitaka._internal.shown import listed
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
    kinds = _two_kinds(rows)
    for row in rows:
        device, cycle = remainder(row.label)
        values = row.values
        if numbered:
            cycle, values = int(values[0]), values[1:]
        which = kinds.get(_kind(row.label), direction_of(row.label) or sign)
        if kinds:
            device = ""
        traces.append(Trace(device or name, values, cycle=cycle, sign=which))
    found = Found(traces, None)
    lengths = [len(trace.values) for trace in traces]
    reads = f"{min(lengths):,}" if min(lengths) == max(lengths) else f"{min(lengths):,} to {max(lengths):,}"
    found.account = [f"{len(rows):,} rows, each a sweep of {reads} reads"]
    if kinds:
        words = listed(f"{kind!r} {'up' if which > 0 else 'down'}" for kind, which in kinds.items())
        found.account.append(f"directions by the words before the rows and where they lead: {words}")
    return found


def _kind(label: str) -> str:
    return " ".join("".join(each if each.isalpha() else " " for each in label.casefold()).split())


def _two_kinds(rows: list[Row]) -> dict[str, int]:
    """The signs of two kinds of rows, if the one kind rises and the other falls; empty if they do not."""
    rises: dict[str, list[float]] = {}
    for row in rows:
        rises.setdefault(_kind(row.label), []).append(trend(row.values))
    if len(rises) != 2 or any(direction_of(kind) for kind in rises):
        return {}
    means = {kind: float(np.mean(np.sign(found))) for kind, found in rises.items()}
    if sorted(np.sign(each) for each in means.values()) != [-1, 1]:
        return {}
    return {kind: int(np.sign(mean)) for kind, mean in means.items()}
