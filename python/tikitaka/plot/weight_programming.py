"""The figure of the study of weight programming: the error of each rule over states, with the numbers of R24."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tikitaka.plot.rows import Row, check_rows, columns, draw_line, set_scale
from tikitaka.plot.style import rule_name, rule_style, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["weight_programming"]


def weight_programming(rows: Sequence[Row], path: str | Path) -> None:
    """The error of each rule over the states of its devices, and open marks for R24, as a picture in `path`.

    `rows` are those of the study. Raises ModuleNotFoundError without matplotlib, ValueError for rows of another study
    and OSError if the picture cannot be written.
    """
    rules = check_rows(rows, "states")
    errors = list(dict.fromkeys(row.get("reference_error", 0.0) for row in rows))
    with sheet(path, 4.0) as figure:
        panels = figure.subplots(1, len(errors), sharey=True, squeeze=False)[0]
        for panel, error in zip(panels, errors, strict=True):
            at_error = [row for row in rows if row.get("reference_error", 0.0) == error]
            _draw(panel, at_error, rules)
            if len(errors) > 1:
                panel.set_title(f"error of the reference {error:g}")
        panels[0].set_ylabel("100·rms(W − target) (weight units)")
        labels = [panel.get_legend_handles_labels()[::-1] for panel in panels]
        named = dict(sorted(pair for of_panel in labels for pair in zip(*of_panel, strict=True)))
        figure.legend(named.values(), named, loc="outside upper center", ncols=4)


def _draw(panel: "Axes", rows: Sequence[Row], rules: list[str]) -> None:
    """The lines of one panel."""
    for rule in rules:
        of_rule = [row for row in rows if row["rule"] == rule]
        look = rule_style(rule, rules)
        draw_line(panel, of_rule, "states", **look, label=rule_name(rule))
        published = [row for row in of_rule if row.get("r24_percent") is not None]
        if published:
            x, y = columns(published, "states", "r24_percent")
            look = {**look, "linestyle": "none", "markerfacecolor": "white", "markersize": 7.5, "zorder": 1.9}
            panel.plot(x, y, **look, label=f"{rule_name(rule)} in R24")
    panel.set_xlabel("states")
    set_scale(panel, rows, "states")
    panel.grid()
