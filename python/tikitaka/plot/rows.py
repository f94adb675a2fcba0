"""Rows of results: checked, and drawn as lines with bars."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tikitaka._internal.shown import shown
from tikitaka.plot.style import bar, plain_log

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Row", "check_rows", "check_spread", "columns", "draw_line", "number", "rows_of", "set_scale", "table"]

Row = Mapping[str, Any]


def rows_of(result: Mapping[str, Any]) -> Sequence[Row]:
    """The rows of a result of a study; ValueError for anything else."""
    if not isinstance(result, Mapping) or "claim" not in result:
        raise ValueError(
            f"result must be a result of `tikitaka reproduce`, with its claim and rows, not {shown(result)}"
        )
    rows = table(result, "rows")
    if not rows:
        raise ValueError("rows must contain at least one row")
    return rows


def table(result: Mapping[str, Any], key: str) -> Sequence[Row]:
    """The list of tables under `key`, () if there is none; ValueError for anything else."""
    return _tables(result.get(key, ()), f"{key} of the result")


def _tables(rows: Any, where: str) -> Sequence[Row]:
    if isinstance(rows, str) or not isinstance(rows, Sequence) or not all(isinstance(row, Mapping) for row in rows):
        raise ValueError(f"{where} must be a list of tables, not {shown(rows)}")
    return rows


def check_rows(rows: Sequence[Row], key: str, measure: str = "error_percent") -> list[str]:
    """The rules of `rows`; ValueError unless each row has the numbers that are drawn, `measure` against `key`."""
    for i, row in enumerate(_tables(rows, "rows")):
        if not isinstance(row.get("rule"), str):
            raise ValueError(f"rows[{i}] has no rule: a figure has a line per rule")
        for name in (key, measure):
            number(row, name, f"rows[{i}]")
        check_spread(row, f"rows[{i}]")
    return list(dict.fromkeys(row["rule"] for row in rows))


def check_spread(row: Any, where: str) -> None:
    """Check the spread, which is null for a single seed."""
    if "spread" not in row or row["spread"] is not None:
        number(row, "spread", where)


def number(row: Any, key: str, where: str) -> float:
    """The number under `key`; ValueError, beginning with `where`, for anything else."""
    if not isinstance(row, Mapping) or key not in row:
        raise ValueError(f"{where} has no {shown(key)}")
    value = row[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{where}.{key} must be a finite number, not {shown(value)}")
    return float(value)


def draw_line(panel: "Axes", rows: Sequence[Row], key: str, measure: str = "error_percent", **look: Any) -> None:
    """A line through the rows of a rule, with bars for their spread and open marks for trainings that were given up."""
    if rows:
        x, y = columns(rows, key, measure)
        panel.errorbar(x, y, yerr=columns(rows, key, "spread")[1], **look)
    given_up = [row for row in rows if row.get("given_up")]
    if given_up:  # only known to be high, because the training was given up
        x, y = columns(given_up, key, measure)
        panel.plot(x, y, **{**look, "linestyle": "none", "markerfacecolor": "white", "label": "_", "zorder": 3})


def columns(rows: Sequence[Row], key: str, other: str) -> tuple[list[float], list[float]]:
    """The values of the columns `key` and `other`, sorted by `key`."""
    ordered = sorted(rows, key=lambda row: float(row[key]))
    return [float(row[key]) for row in ordered], [bar(row[other]) for row in ordered]


def set_scale(panel: "Axes", rows: Sequence[Row], key: str, measure: str = "error_percent") -> None:
    """Make axes, shared by all panels, logarithmic if the numbers are above 0 and span a decade or more."""
    for axis, name in ((panel.xaxis, key), (panel.yaxis, measure)):
        values = [row[name] for row in rows]
        if min(values) > 0 and max(values) >= 10 * min(values):
            plain_log(axis)
