"""Figures of claims: the error of each rule against what was swept, with float and the tolerances beside it."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tikitaka.plot.extraction import extraction
from tikitaka.plot.style import GREY, bar, plain_log, rule_name, rule_style, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["claim"]

Row = Mapping[str, Any]


def claim(result: Mapping[str, Any], path: str | Path) -> None:
    """The figure of a `result` of `tikitaka reproduce`, as a picture in `path`.

    A result of a sweep holds `rows`, each with rule, value, error_percent and spread (a sample standard deviation over
    seeds; None: of one seed), where there are several panels the panel, and maybe given_up (how many trainings were
    given up or diverged); `label` and `unit` of what was swept; `float`, the digital twin, with error_percent and
    spread; `tolerances`, each with rule, points, tolerance (None: beyond the sweep), low and high. It is drawn as error
    in % against value, on a logarithmic axis where values are above 0 and span a decade or more: a line per rule with
    its spread as bars, its mark open where trainings were given up, float ± spread as a band, float + points dashed,
    and tolerances as larger open marks where they cross that. The results of weight-programming (with the numbers of
    R24 Fig. 4) and extraction have figures of their own.

    Raises ModuleNotFoundError without matplotlib, ValueError for what is no such result, naming the part that is
    wrong, and OSError when the picture cannot be written.
    """
    if not isinstance(result, Mapping) or "claim" not in result:
        raise ValueError("a result of `tikitaka reproduce` is needed, with its claim and rows")
    rows = _table(result, "rows")
    if not rows:
        raise ValueError("rows must hold a row at least")
    if result["claim"] == "extraction":
        extraction(rows, path)
    elif result["claim"] == "weight-programming":
        _weight_programming(rows, path)
    else:
        _sweep(result, rows, path)


def _sweep(result: Mapping[str, Any], rows: Sequence[Row], path: str | Path) -> None:
    rules = _checked(rows, "value")
    panels = list(dict.fromkeys(row.get("panel") for row in rows))
    exact, tolerances = result.get("float"), _table(result, "tolerances")
    if exact is not None:
        _number(exact, "error_percent", "float")
        _spread(exact, "float")
    _check_tolerances(tolerances, rules, panels, exact)
    columns = min(len(panels), 2 if len(panels) == 4 else 3)
    lines = -(-len(panels) // columns)
    with sheet(path, 3.9 if len(panels) == 1 else 0.7 + 3.4 * lines) as figure:
        grid = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
        axes = grid.ravel()[: len(panels)]
        for empty in grid.ravel()[len(panels) :]:
            empty.remove()
        for panel, name in zip(axes, panels, strict=True):
            if name is not None:
                panel.set_title(str(name))
            if exact is not None:
                if exact["spread"] is not None:
                    low, high = (exact["error_percent"] + sign * exact["spread"] for sign in (-1, 1))
                    panel.axhspan(low, high, color=GREY, alpha=0.25, linewidth=0)
                panel.axhline(exact["error_percent"], color=GREY, linewidth=1.2, label=rule_name("float"))
            for rule in rules:
                of_rule = [row for row in rows if row["rule"] == rule and row.get("panel") == name]
                _line(panel, of_rule, "value", **rule_style(rule, rules), label=rule_name(rule))
        for panel in axes[-columns:]:
            panel.set_xlabel(_label(result))
        for panel in axes[::columns]:
            panel.set_ylabel("test error (%)")
        _scale(axes[0], rows, "value")
        for panel, name in zip(axes, panels, strict=True):
            panel.grid()
            here = [each for each in tolerances if each.get("panel") in (None, name)]
            if here and exact is not None:
                _tolerances(panel, here, exact["error_percent"], rules)
        named = {label: handle for panel in axes for handle, label in zip(*_legend(panel), strict=True)}
        if any(row.get("given_up") for row in rows):
            look = {"color": GREY, "marker": "o", "markerfacecolor": "white", "linestyle": "none"}
            (named["training given up"],) = axes[0].plot([], [], **look)
        figure.legend(named.values(), named, loc="outside upper center", ncols=min(len(named), 5))


def _weight_programming(rows: Sequence[Row], path: str | Path) -> None:
    rules = _checked(rows, "states")
    with sheet(path, 4.0) as figure:
        panel = figure.subplots()
        for rule in rules:
            of_rule = [row for row in rows if row["rule"] == rule]
            look = rule_style(rule, rules)
            _line(panel, of_rule, "states", **look, label=rule_name(rule))
            published = [row for row in of_rule if row.get("r24_percent") is not None]
            if published:
                x, y = _columns(published, "states", "r24_percent")
                look = {**look, "linestyle": "none", "markerfacecolor": "white", "markersize": 7.5, "zorder": 1.9}
                panel.plot(x, y, **look, label=f"{rule_name(rule)} in R24")
        panel.set_xlabel("states")
        panel.set_ylabel("100·rms(W − target) (weight units)")
        _scale(panel, rows, "states")
        panel.grid()
        named = dict(sorted(zip(*panel.get_legend_handles_labels()[::-1], strict=True)))
        figure.legend(named.values(), named, loc="outside upper center", ncols=4)


def _line(panel: "Axes", rows: Sequence[Row], key: str, **look: Any) -> None:
    if rows:
        x, y = _columns(rows, key, "error_percent")
        panel.errorbar(x, y, yerr=_columns(rows, key, "spread")[1], **look)
    given_up = [row for row in rows if row.get("given_up")]
    if given_up:  # no more than that the error is high: the training was not carried through
        x, y = _columns(given_up, key, "error_percent")
        panel.plot(x, y, **{**look, "linestyle": "none", "markerfacecolor": "white", "label": "_", "zorder": 3})


def _columns(rows: Sequence[Row], key: str, other: str) -> tuple[list[float], list[float]]:
    ordered = sorted(rows, key=lambda row: float(row[key]))
    return [float(row[key]) for row in ordered], [bar(row[other]) for row in ordered]


def _scale(panel: "Axes", rows: Sequence[Row], key: str) -> None:
    """Logarithmic axes (all panels share them) where the numbers are above 0 and span a decade or more."""
    for axis, name in ((panel.xaxis, key), (panel.yaxis, "error_percent")):
        values = [row[name] for row in rows]
        if min(values) > 0 and max(values) >= 10 * min(values):
            plain_log(axis)


def _tolerances(panel: "Axes", tolerances: Sequence[Row], exact: float, rules: list[str]) -> None:
    """The thresholds, and on them where each rule crosses them; what they are is said in a legend of the panel."""
    points = max(each["points"] for each in tolerances)
    panel.axhline(exact + points, color=GREY, linestyle="--", linewidth=1.2, label="_")
    panel.set_xlim(panel.get_xlim())  # an interval may be far wider than the sweep
    marks: list[Any] = []
    for each in (each for each in tolerances if each["points"] == points):
        look = {**rule_style(each["rule"], rules), "linestyle": "none", "markerfacecolor": "white", "markersize": 9}
        at = each["tolerance"]
        words = "none in range" if at is None else f"{at:,.0f}" if at >= 100 else f"{at:.3g}"
        words = f"{each.get('sign', '')} {words}".strip()
        label = f"{rule_name(each['rule'])}: {words}"
        if at is None or each.get("beyond"):
            marks += panel.plot([], [], **look, label=label)
            continue
        low, high = (at if each.get(key) is None else each[key] for key in ("low", "high"))
        bars = [[max(at - low, 0)], [max(high - at, 0)]]
        marks.append(panel.errorbar([at], [exact + each["points"]], xerr=bars, **look, label=label, zorder=4))
    title = f"within float + {points:g} point{'' if points == 1 else 's'}"
    panel.legend(handles=marks, title=title, loc="best", frameon=True, framealpha=0.85, edgecolor="none")


def _legend(panel: "Axes") -> tuple[list[Any], list[str]]:
    handles, labels = panel.get_legend_handles_labels()
    of_tolerances = {text.get_text() for text in legend.get_texts()} if (legend := panel.get_legend()) else set()
    kept = [(h, text) for h, text in zip(handles, labels, strict=True) if text not in of_tolerances]
    return [h for h, _ in kept], [text for _, text in kept]


def _label(result: Mapping[str, Any]) -> str:
    label, unit = result.get("label") or result.get("axis") or "value", result.get("unit")
    return f"{label} ({unit})" if unit else str(label)


def _table(result: Mapping[str, Any], key: str) -> Sequence[Row]:
    rows = result.get(key, ())
    if isinstance(rows, str) or not isinstance(rows, Sequence) or not all(isinstance(row, Mapping) for row in rows):
        raise ValueError(f"{key} of the result must be a list of tables, not {rows!r}")
    return rows


def _checked(rows: Sequence[Row], key: str) -> list[str]:
    """The rules of `rows`, each of which must hold the numbers that are drawn."""
    for i, row in enumerate(rows):
        if not isinstance(row.get("rule"), str):
            raise ValueError(f"rows[{i}] has no rule: a figure has a line per rule")
        for name in (key, "error_percent"):
            _number(row, name, f"rows[{i}]")
        _spread(row, f"rows[{i}]")
    return list(dict.fromkeys(row["rule"] for row in rows))


def _check_tolerances(
    tolerances: Sequence[Row], rules: list[str], panels: list[Any], exact: Mapping[str, float] | None
) -> None:
    if tolerances and exact is None:
        raise ValueError("tolerances are points above float, and the result has no float")
    for i, each in enumerate(tolerances):
        where = f"tolerances[{i}]"
        if each.get("rule") not in rules:
            raise ValueError(f"{where}.rule must be one of {', '.join(rules)}, not {each.get('rule')!r}")
        if each.get("panel") not in (None, *panels):
            raise ValueError(f"{where}.panel must be one of the panels of rows, not {each['panel']!r}")
        _number(each, "points", where)
        for key in ("tolerance", "low", "high"):
            if each.get(key) is not None:
                _number(each, key, where)
        if "tolerance" not in each:
            raise ValueError(f"{where} has no 'tolerance' (null: beyond the sweep)")


def _spread(row: Any, where: str) -> None:
    """Check the spread, which is null for a single seed."""
    if "spread" not in row or row["spread"] is not None:
        _number(row, "spread", where)


def _number(row: Any, key: str, where: str) -> float:
    if not isinstance(row, Mapping) or key not in row:
        raise ValueError(f"{where} has no {key!r}")
    value = row[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{where}.{key} must be a finite number, not {value!r}")
    return float(value)
