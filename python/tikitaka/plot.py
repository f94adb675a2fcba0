"""Figures from results; needs the extra `plot` (matplotlib)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["extraction"]

# Okabe and Ito's colours, told apart by colour-blind readers too
_BLUE, _ORANGE = "#0072B2", "#D55E00"


def extraction(rows: Sequence[Mapping[str, Any]], path: str | Path) -> None:
    """Test error of every extracted model, a panel per setting and a mark per schedule, as a picture in `path`.

    `rows` are those of `tikitaka.experiments.extraction`; bars are standard deviations. Raises ModuleNotFoundError
    without matplotlib and OSError when the picture cannot be written.
    """
    from matplotlib.figure import Figure  # an extra; without pyplot, which would look for a display
    from matplotlib.ticker import FixedLocator, NullFormatter, StrMethodFormatter

    settings = list(dict.fromkeys(row["setting"] for row in rows))
    schedules = list(dict.fromkeys(row["schedule"] for row in rows))
    models = list(dict.fromkeys(row["model"] for row in rows))
    figure = Figure(figsize=(4.2 * len(settings) + 1.5, 4.6), layout="constrained")
    panels = figure.subplots(1, len(settings), sharex=True, sharey=True, squeeze=False)[0]
    for panel, setting in zip(panels, settings, strict=True):
        for k, (schedule, colour, mark) in enumerate(zip(schedules, (_BLUE, _ORANGE), "os", strict=False)):
            cells = {row["model"]: row for row in rows if (row["setting"], row["schedule"]) == (setting, schedule)}
            panel.errorbar(
                [cells[model]["error_percent"] for model in models],
                [position + 0.16 * (2 * k - 1) for position in range(len(models))],
                xerr=[cells[model]["spread"] for model in models],
                fmt=mark,
                color=colour,
                capsize=3,
                markersize=6,
                label=schedule,
            )
        panel.set_title(setting)
        panel.set_xlabel("test error (%)")
        # one read of a very noisy chip may be twenty times worse than all else
        panel.set_xscale("log")
        panel.xaxis.set_major_locator(FixedLocator([0.5, 1, 2, 3, 5, 10, 20, 50, 100]))
        panel.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        panel.xaxis.set_minor_formatter(NullFormatter())
        panel.grid(axis="x", alpha=0.3)
    panels[0].set_yticks(range(len(models)), models)
    panels[0].invert_yaxis()
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, [f"schedule {label}" for label in labels], loc="outside upper center", ncols=len(labels))
    figure.savefig(path, dpi=150)
