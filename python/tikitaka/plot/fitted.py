"""The picture of a fitted device: what was measured, and what the fit makes of it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tikitaka.plot.style import GREY, sheet, style

__all__ = ["FittedPanels", "fitted_device"]

F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FittedPanels:
    """The numbers of the picture."""

    name: str
    """the device whose traces are drawn"""
    unit: str
    """unit of conductances; "" if unknown"""
    traces: tuple[tuple[F64, F64, F64], ...]
    """reads of some sweeps, with the lower and the upper end of the 95 % band of simulated sweeps, (reads,) each"""
    responses: tuple[tuple[F64, F64, F64], ...]
    """for some devices conductances, mean changes by an up pulse, and by a down pulse, (places,) each"""
    zero: float
    """conductance at weight 0"""
    errors: F64
    """errors of predictions of reads, in units of their standard deviation"""
    points: tuple[tuple[float, float], ...]
    """steps up and down of each device at weight 0"""


def fitted_device(panels: FittedPanels, path: str | Path) -> None:
    """Four panels in `path`: traces of one device with the 95 % band of the fit, steps of all devices against their
    conductance, errors of prediction against the standard normal, and the steps of each device at weight 0.

    Raises ModuleNotFoundError without matplotlib, ValueError for another ending than .png, .svg and .pdf, and OSError
    if the picture cannot be written.
    """
    scale, name = _prefix(panels)
    unit = f" ({name})" if name else ""
    with sheet(path, 6.2) as figure:
        (trace, step), (error, point) = figure.subplots(2, 2)
        begin = 0
        for k, (values, low, high) in enumerate(panels.traces):
            pulses = np.arange(begin, begin + len(values))
            trace.fill_between(
                pulses, scale * low, scale * high, color="0.8", linewidth=0, label="95 % of the fit" if k == 0 else None
            )
            trace.plot(
                pulses, scale * values, color=style(0)["color"], linewidth=0.9, label="reads" if k == 0 else None
            )
            begin += len(values)
        trace.set(title=f"sweeps of {_short(panels.name)}", xlabel="pulses", ylabel=f"conductance{unit}")
        trace.legend(loc="best")
        for at, up, down in panels.responses:
            step.plot(scale * at, scale * up, color=style(0)["color"], linewidth=0.9)
            step.plot(scale * at, scale * down, color=style(1)["color"], linewidth=0.9)
        step.axhline(0, color=GREY, linewidth=0.8)
        step.axvline(scale * panels.zero, color=GREY, linewidth=1, linestyle=":")
        step.set(title="mean change by a pulse", xlabel=f"conductance{unit}", ylabel=f"change{unit}")
        step.plot([], [], color=style(0)["color"], label="up")
        step.plot([], [], color=style(1)["color"], label="down")
        step.plot([], [], color=GREY, linestyle=":", label="weight 0")
        step.legend(loc="best")
        error.hist(panels.errors, bins=np.linspace(-4, 4, 41).tolist(), density=True, color="0.75", label="measured")
        z = np.linspace(-4, 4, 161)
        error.plot(z, np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi), color=style(1)["color"], label="normal")
        error.set(title="errors of prediction", xlabel="error (standard deviations)", ylabel="density")
        error.set_ylim(top=0.6)
        error.legend(loc="upper left")
        up, down = scale * np.array(panels.points).T
        point.plot(up, down, linestyle="none", marker="o", color=style(0)["color"])
        ends = [float(min(up.min(), down.min())), float(max(up.max(), down.max()))]
        point.plot(ends, ends, color=GREY, linewidth=1, linestyle="--", label="equal steps")
        point.set(title="devices at weight 0", xlabel=f"step up{unit}", ylabel=f"step down{unit}")
        point.legend(loc="best")
        for panel in (trace, step, error, point):
            panel.grid()


def _prefix(panels: FittedPanels) -> tuple[float, str]:
    """A factor for conductances, and the unit that goes with it."""
    largest = max(float(np.nanmax(np.abs(values))) for values, _, _ in panels.traces)
    if panels.unit != "S":
        return 1.0, panels.unit
    for factor, name in ((1.0, "S"), (1e3, "mS"), (1e6, "µS"), (1e9, "nS")):
        if factor * largest >= 1:
            return factor, name
    return 1e12, "pS"


def _short(name: str) -> str:
    return name if len(name) < 24 else f"…{name[-20:]}"
