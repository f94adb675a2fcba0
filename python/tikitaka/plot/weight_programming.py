"""The figure of the study of weight programming: the error of each rule over states, with the numbers of R24."""

from collections.abc import Sequence
from pathlib import Path

from tikitaka.plot.rows import Row, check_rows, columns, draw_line, set_scale
from tikitaka.plot.style import rule_name, rule_style, sheet

__all__ = ["weight_programming"]


def weight_programming(rows: Sequence[Row], path: str | Path) -> None:
    """The error of each rule over the states of its devices, and open marks for R24, as a picture in `path`.

    `rows` are those of the study. Raises ModuleNotFoundError without matplotlib, ValueError for rows of another study
    and OSError if the picture cannot be written.
    """
    rules = check_rows(rows, "states")
    with sheet(path, 4.0) as figure:
        panel = figure.subplots()
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
        panel.set_ylabel("100·rms(W − target) (weight units)")
        set_scale(panel, rows, "states")
        panel.grid()
        named = dict(sorted(zip(*panel.get_legend_handles_labels()[::-1], strict=True)))
        figure.legend(named.values(), named, loc="outside upper center", ncols=4)
