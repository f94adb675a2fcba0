"""The figure of the study of extraction: test error of every extracted model."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tikitaka._internal.shown import shown
from tikitaka.plot.style import bar, plain_log, sheet, style

__all__ = ["extraction"]


def extraction(rows: Sequence[Mapping[str, Any]], path: str | Path) -> None:
    """Test error of every extracted model, a panel per setting and a mark per schedule, as a picture in `path`.

    `rows` are those of `tikitaka.experiments.extraction`; bars are standard deviations. Raises ModuleNotFoundError
    without matplotlib, ValueError for rows of another study and OSError if the picture cannot be written.
    """
    for i, row in enumerate(rows):
        for key in ("setting", "schedule", "model", "error_percent", "spread"):
            if key not in row:
                raise ValueError(f"rows[{i}] must be a row of the study of extraction, with {shown(key)}")
    if not rows:
        raise ValueError("rows must contain at least one row")
    settings = list(dict.fromkeys(row["setting"] for row in rows))
    schedules = list(dict.fromkeys(row["schedule"] for row in rows))
    models = list(dict.fromkeys(row["model"] for row in rows))
    with sheet(path, 0.9 + len(settings) * (0.5 + 0.24 * len(models))) as figure:
        # stacked, because the names of the models are long
        panels = figure.subplots(len(settings), 1, sharex=True, squeeze=False)[:, 0]
        for panel, setting in zip(panels, settings, strict=True):
            for k, schedule in enumerate(schedules):
                cells = {row["model"]: row for row in rows if (row["setting"], row["schedule"]) == (setting, schedule)}
                at = [position for position, model in enumerate(models) if model in cells]
                panel.errorbar(
                    [cells[models[position]]["error_percent"] for position in at],
                    [position + 0.3 * (k - (len(schedules) - 1) / 2) for position in at],
                    xerr=[bar(cells[models[position]]["spread"]) for position in at],
                    **{**style(k), "linestyle": "none"},
                    label=f"schedule {schedule}",
                )
            panel.set_title(setting, loc="left")
            panel.set_yticks(range(len(models)), models)
            panel.invert_yaxis()
            panel.grid(axis="x")
        if min(row["error_percent"] for row in rows) > 0:
            # one read of a very noisy chip may have twenty times the error of the others
            for panel in panels:
                plain_log(panel.xaxis)
        panels[-1].set_xlabel("test error (%)")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
