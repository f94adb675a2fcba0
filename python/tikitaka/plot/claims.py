"""Figures of tolerances: the error of each rule against the swept value, with float and the tolerances."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tikitaka._internal.shown import shown
from tikitaka.plot.rows import Row, check_rows, check_spread, draw_line, number, rows_of, set_scale, table
from tikitaka.plot.style import GREY, columns, rule_name, rule_style, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["claim"]

_MEASURES = {"error_percent": ("test error (%)", "point"), "loss": ("test loss (nats per character)", "nat")}
"""By the name of what is measured: its label, and the unit of distances from float."""


_MOST_LIMITS = 6
"""Losses are drawn up to so many times the wider limit above float."""


def claim(result: Mapping[str, Any], path: str | Path) -> None:
    """The figure of a `result` of a study of tolerances, as a picture in `path`.

    A result contains `rows`, each with rule, value, error_percent and spread (a sample standard deviation over seeds;
    None for one seed), the panel if there are several, and optionally given_up (the number of trainings that were given
    up or diverged); `label` and `unit` of the swept value; `float`, the digital twin, with error_percent and
    spread; `tolerances`, each with rule, points, tolerance (None: beyond the sweep), low and high. With `measure`
    "loss", rows and `float` have a loss (nats per character) instead of error_percent, and points are nats. It is drawn
    against value, on a logarithmic axis if values are above 0 and span a decade or more: a line per rule with its
    spread as bars and open marks for trainings that were given up, float ± spread as a band, float + points dashed, and
    tolerances as larger open marks on it; losses far above all limits are cut off. `derived` tolerances, each with
    rule, points and value, are dotted vertical lines. `tikitaka.experiments.draw` draws results of any study.

    Raises ModuleNotFoundError without matplotlib, ValueError, naming the part that is wrong, for any other result, and
    OSError if the picture cannot be written.
    """
    rows = rows_of(result)
    measure = result.get("measure", "error_percent")
    if measure not in _MEASURES:
        raise ValueError(f"measure must be one of {', '.join(_MEASURES)}, not {shown(measure)}")
    rules = check_rows(rows, "value", measure)
    panels = list(dict.fromkeys(row.get("panel") for row in rows))
    exact, tolerances = result.get("float"), table(result, "tolerances")
    if exact is not None:
        number(exact, measure, "float")
        check_spread(exact, "float")
    _check_tolerances(tolerances, rules, panels, exact)
    expected = table(result, "derived")
    for i, each in enumerate(expected):
        _check_rule(each, rules, f"derived[{i}]")
        for key in ("points", "value"):
            number(each, key, f"derived[{i}]")
    across = min(len(panels), 2 if len(panels) == 4 else 3)
    lines = -(-len(panels) // across)
    with sheet(path, 3.9 if len(panels) == 1 else 0.7 + 3.4 * lines) as figure:
        grid = figure.subplots(lines, across, sharex=True, sharey=True, squeeze=False)
        axes = grid.ravel()[: len(panels)]
        for empty in grid.ravel()[len(panels) :]:
            empty.remove()
        for panel, name in zip(axes, panels, strict=True):
            if name is not None:
                panel.set_title(str(name))
            if exact is not None:
                if exact["spread"] is not None:
                    low, high = (exact[measure] + sign * exact["spread"] for sign in (-1, 1))
                    panel.axhspan(low, high, color=GREY, alpha=0.25, linewidth=0)
                panel.axhline(exact[measure], color=GREY, linewidth=1.2, label=rule_name("float"))
            for rule in rules:
                of_rule = [row for row in rows if row["rule"] == rule and row.get("panel") == name]
                draw_line(panel, of_rule, "value", measure, **rule_style(rule, rules), label=rule_name(rule))
        for panel in axes[-across:]:
            panel.set_xlabel(_label(result))
        for panel in axes[::across]:
            panel.set_ylabel(_MEASURES[measure][0])
        set_scale(axes[0], rows, "value", measure)
        if measure == "loss" and tolerances and exact is not None:  # that of a training that diverged says nothing
            limit = max(each["points"] for each in tolerances)
            low, high = axes[0].get_ylim()
            axes[0].set_ylim(max(low, exact[measure] - limit), min(high, exact[measure] + _MOST_LIMITS * limit))
        for panel, name in zip(axes, panels, strict=True):
            panel.grid()
            here = [each for each in tolerances if each.get("panel") in (None, name)]
            for line in expected:
                if line.get("panel") == name and line["points"] == max(each["points"] for each in expected):
                    at = max(line["value"], panel.get_xlim()[0])
                    panel.axvline(at, color=rule_style(line["rule"], rules)["color"], linestyle=":", linewidth=1.4)
            if here and exact is not None:
                _tolerances(panel, here, exact[measure], rules, _MEASURES[measure][1])
        named = {label: handle for panel in axes for handle, label in zip(*_legend(panel), strict=True)}
        if any(row.get("given_up") for row in rows):
            look = {"color": GREY, "marker": "o", "markerfacecolor": "white", "linestyle": "none"}
            (named["training given up"],) = axes[0].plot([], [], **look)
        if expected:
            (named["derived tolerance"],) = axes[0].plot([], [], color=GREY, linestyle=":", linewidth=1.4)
        figure.legend(named.values(), named, loc="outside upper center", ncols=columns(list(named)))


def _tolerances(panel: "Axes", tolerances: Sequence[Row], exact: float, rules: list[str], unit: str) -> None:
    """The thresholds, with the crossing of each rule and a legend in the panel."""
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
    title = f"within float + {points:g} {unit}{'' if points == 1 else 's'}"
    panel.legend(handles=marks, title=title, loc="best", frameon=True, framealpha=0.85, edgecolor="none")


def _legend(panel: "Axes") -> tuple[list[Any], list[str]]:
    handles, labels = panel.get_legend_handles_labels()
    of_tolerances = {text.get_text() for text in legend.get_texts()} if (legend := panel.get_legend()) else set()
    kept = [(h, text) for h, text in zip(handles, labels, strict=True) if text not in of_tolerances]
    return [h for h, _ in kept], [text for _, text in kept]


def _label(result: Mapping[str, Any]) -> str:
    label, unit = result.get("label") or result.get("axis") or "value", result.get("unit")
    return f"{label} ({unit})" if unit else str(label)


def _check_tolerances(
    tolerances: Sequence[Row], rules: list[str], panels: list[Any], exact: Mapping[str, float] | None
) -> None:
    if tolerances and exact is None:
        raise ValueError("a result with tolerances must have a float, because they are points above it")
    for i, each in enumerate(tolerances):
        where = f"tolerances[{i}]"
        _check_rule(each, rules, where)
        if each.get("panel") not in (None, *panels):
            raise ValueError(f"{where}.panel must be one of the panels of rows, not {shown(each['panel'])}")
        number(each, "points", where)
        for key in ("tolerance", "low", "high"):
            if each.get(key) is not None:
                number(each, key, where)
        if "tolerance" not in each:
            raise ValueError(f"{where} has no 'tolerance' (null: beyond the sweep)")


def _check_rule(row: Row, rules: list[str], where: str) -> None:
    if row.get("rule") not in rules:
        raise ValueError(f"{where}.rule must be one of {', '.join(rules)}, not {shown(row.get('rule'))}")
