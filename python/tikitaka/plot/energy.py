"""The figure of the study of energy: the error of each rule against what its training has taken so far."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tikitaka.costs.band import prefixed
from tikitaka.plot.rows import number, rows_of
from tikitaka.plot.style import GREY, plain_log, rule_name, sheet, style

__all__ = ["energy"]


def energy(result: Mapping[str, Any], path: str | Path) -> None:
    """Test error against energy and time on the chip, a mark per epoch, and float with its limit, in `path`.

    Raises ModuleNotFoundError without matplotlib, ValueError for anything but a result of the study and OSError if the
    picture cannot be written.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    rows = rows_of(result)
    exact = number(result.get("float"), "error_percent", "float")
    for i, row in enumerate(rows):
        curve = row.get("curve")
        if not isinstance(curve, list) or not curve or any(len(point) != 3 for point in curve):
            raise ValueError(f"rows[{i}].curve must be a list of (energy_j, time_s, error_percent)")
    with sheet(path, 3.8) as figure:
        panels = figure.subplots(1, 2, sharey=True)
        for panel, column, label, unit in zip(panels, (0, 1), ("energy", "time on the chip"), "Js", strict=True):
            for k, row in enumerate(rows):
                x, y = [point[column] for point in row["curve"]], [point[2] for point in row["curve"]]
                kind, comma, devices = row["rule"].partition(",")
                panel.plot(x, y, **{**style(k), "markersize": 4}, label=rule_name(kind) + comma + devices)
            panel.axhline(exact, color=GREY, linewidth=1.0)
            panel.axhline(exact + 1, color=GREY, linewidth=1.0, linestyle="--")
            panel.set_xscale("log")
            panel.xaxis.set_major_locator(LogLocator(subs=(1, 3), numticks=12))
            panel.xaxis.set_minor_locator(NullLocator())
            panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _, unit=unit: prefixed(value, unit)))
            panel.set_xlabel(f"{label} so far, at usual numbers")
            panel.grid()
        plain_log(panels[0].yaxis)
        panels[0].set_ylabel("test error (%)")
        panels[0].annotate("float", (1.0, exact), xycoords=("axes fraction", "data"), ha="right", va="top", color=GREY)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=4)
