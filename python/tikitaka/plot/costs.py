"""The figure of a bill: where energy and time go."""

from pathlib import Path
from typing import TYPE_CHECKING

from tikitaka._internal.validation import check_kind
from tikitaka.costs import Bill
from tikitaka.costs.band import prefixed, ranged
from tikitaka.plot.style import GREY, check_picture, sheet, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["costs"]

_DECADES = 7  # parts below this range of the largest are off the axis
_PANELS = (("energy_j", "energy", "J"), ("time_s", "time", "s"))


def costs(bill: Bill, path: str | Path) -> None:
    """Energy and time of each part of `bill` in `path`: a dot at the usual value, a line from low to high, and the
    share of the usual total.

    Raises ModuleNotFoundError without matplotlib, TypeError for anything but a bill, ValueError for one of nothing and
    for another ending than .png, .svg and .pdf, and OSError if the picture cannot be written.
    """
    check_kind("bill", bill, Bill)
    check_picture(path)
    shares = {of: bill.largest(of, len(bill.parts[of])) for of, _, _ in _PANELS}
    if not all(shares.values()):
        raise ValueError("bill must be of a training: this one has no energy or no time")
    rows = [len(each) for each in shares.values()]
    with sheet(path, 1.7 + 0.29 * sum(rows)) as figure:
        panels = figure.subplots(2, 1, height_ratios=[n + 1 for n in rows])
        for k, (panel, (of, name, unit)) in enumerate(zip(panels, _PANELS, strict=True)):
            whole = bill.energy_j if of == "energy_j" else bill.time_s
            _draw(panel, bill, of, shares[of], unit, k)
            panel.set_title(f"{name}: {ranged(whole, unit)}", loc="left")


def _draw(panel: "Axes", bill: Bill, of: str, shares: dict[str, float], unit: str, number: int) -> None:
    """A row for each part, the largest on top."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    look = style(number)
    most = max(band.high for band in bill.parts[of].values())
    least = most
    for row, (name, share) in enumerate(shares.items()):
        low, usual, high = bill.parts[of][name]
        low, usual, high = (max(value, most * 10.0**-_DECADES) for value in (low, usual, high))
        least = min(least, low)
        panel.plot([low, high], [row, row], color=GREY, linewidth=2.2, solid_capstyle="butt", zorder=2)
        panel.plot([usual], [row], color=look["color"], marker=look["marker"], markersize=7, zorder=3)
        text = f"{100 * share:.0f} %" if share >= 0.01 else "< 1 %"
        panel.annotate(text, (1.01, row), xycoords=("axes fraction", "data"), va="center", ha="left", fontsize=10.5)
    panel.set_xscale("log")
    panel.set_xlim(10**-0.25 * least, 10**0.25 * most)
    panel.set_ylim(len(shares) - 0.4, -0.6)
    panel.set_yticks(range(len(shares)), list(shares))
    panel.tick_params(axis="y", length=0)
    panel.xaxis.set_major_locator(LogLocator(numticks=12))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: prefixed(value, unit)))
    panel.grid(axis="x")
