"""Curves of trainings: loss and error after every epoch."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from tikitaka._internal.validation import check_kind
from tikitaka.plot.style import GREY, plain_log, sheet, style
from tikitaka.training import Metrics

__all__ = ["curves"]


def curves(
    runs: Mapping[str, Sequence[Metrics]],
    path: str | Path,
    *,
    text: bool = False,
    lines: Mapping[str, float] | None = None,
) -> None:
    """Test loss and test error after every epoch, a curve per run, as a picture in `path`.

    Regressions have no wrong classes: their error is the root mean square error, in units of the targets.

    `runs` are metrics by name; `text` says that losses are per character; `lines` are losses by name, drawn as
    horizontal lines in the panel of losses. Raises ModuleNotFoundError without matplotlib, ValueError without an epoch
    or for another ending than .png, .svg or .pdf, and OSError if the picture cannot be written.
    """
    check_kind("runs", runs, Mapping)
    if not runs:
        raise ValueError("runs must contain at least one run")
    for name, metrics in runs.items():
        if not metrics:
            raise ValueError(f"{name} must contain at least one epoch, and has none to plot yet")
        for each in metrics:
            check_kind(f"metrics of {name}", each, Metrics)
    check_kind("lines", lines or {}, Mapping)
    with sheet(path, 3.6) as figure:
        from matplotlib.ticker import MaxNLocator

        values = all(math.isnan(m.test_error) for metrics in runs.values() for m in metrics)
        losses, errors = figure.subplots(1, 2)
        for k, (name, metrics) in enumerate(runs.items()):
            epochs = [m.epoch for m in metrics]
            losses.plot(epochs, [m.test_loss for m in metrics], label=name, **style(k))
            errors.plot(epochs, [m.test_rmse if values else 100 * m.test_error for m in metrics], **style(k))
        for k, (name, loss) in enumerate((lines or {}).items()):
            losses.axhline(loss, color=GREY, linestyle=("--", ":", "-.")[k % 3], linewidth=1.2, label=name)
        losses.set_ylabel("test loss" if values else f"test loss (nats per {'character' if text else 'example'})")
        classes = f"wrong {'next characters' if text else 'classes'} (%)"
        errors.set_ylabel("root mean square error (units of the targets)" if values else classes)
        for panel in (losses, errors):
            panel.set_xlabel("epoch")
            panel.set_yscale("symlog" if min(panel.dataLim.intervaly) <= 0 else "log")
            panel.xaxis.set_major_locator(MaxNLocator(integer=True))
            low, high = panel.dataLim.intervaly
            if high >= 4 * low > 0:
                plain_log(panel.yaxis)
            else:  # a short axis has none of these, so that every tick needs its number
                panel.yaxis.set_major_formatter("{x:.3g}")
                panel.yaxis.set_minor_formatter("{x:.3g}")
            panel.grid(which="both")
        figure.legend(loc="outside upper center", ncols=min(len(runs) + len(lines or {}), 4))
