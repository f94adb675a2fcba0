"""Figures from results; needs the extra `plot` (matplotlib)."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tikitaka.train import Metrics
from tikitaka.whole import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["curves", "extraction"]

# Okabe and Ito's colours, told apart by colour-blind readers too
_BLUE, _ORANGE = "#0072B2", "#D55E00"
_COLOURS = (_BLUE, _ORANGE, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def curves(
    runs: Mapping[str, Sequence[Metrics]],
    path: str | Path,
    *,
    text: bool = False,
    lines: Mapping[str, float] | None = None,
) -> None:
    """Test loss and test error after every epoch, a curve per run, as a picture in `path`.

    `runs` are metrics by name; `text` says that losses are per character; `lines` are losses by name, drawn across the
    panel of losses to compare with. Raises ModuleNotFoundError without matplotlib, ValueError without an epoch and
    OSError when the picture cannot be written.
    """
    from matplotlib.figure import Figure  # an extra; without pyplot, which would look for a display
    from matplotlib.ticker import MaxNLocator

    for name, metrics in runs.items():
        if not metrics:
            raise ValueError(f"{name} has no epoch to plot yet")
    figure = Figure(figsize=(10.0, 4.4), layout="constrained")
    losses, errors = figure.subplots(1, 2)
    for k, (name, metrics) in enumerate(runs.items()):
        epochs = [m.epoch for m in metrics]
        style: dict[str, Any] = {"color": _COLOURS[k % len(_COLOURS)], "marker": "osD^v<>"[k % 7], "markersize": 4}
        losses.plot(epochs, [m.test_loss for m in metrics], label=name, **style)
        errors.plot(epochs, [100 * m.test_error for m in metrics], **style)
    for k, (name, loss) in enumerate((lines or {}).items()):
        losses.axhline(loss, color="0.4", linestyle=("--", ":", "-.")[k % 3], linewidth=1, label=name)
    losses.set_ylabel(f"test loss (nats per {'character' if text else 'example'})")
    errors.set_ylabel(f"wrong {'next characters' if text else 'classes'} (%)")
    for panel in (losses, errors):
        panel.set_xlabel("epoch")
        panel.set_yscale("symlog" if min(panel.dataLim.intervaly) <= 0 else "log")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.yaxis.set_major_formatter("{x:.3g}")
        panel.yaxis.set_minor_formatter("{x:.3g}")
        panel.grid(which="both", alpha=0.3)
    figure.legend(loc="outside upper center", ncols=min(len(runs) + len(lines or {}), 4))
    _write(figure, path)


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
    _write(figure, path)


def _write(figure: "Figure", path: str | Path) -> None:
    picture = io.BytesIO()
    figure.savefig(picture, format=Path(path).suffix[1:], dpi=150)
    write_whole(path, picture.getvalue())
