"""The style of all figures, and writing them to files, with the same bytes for the same input."""

import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tikitaka._internal.atomic_write import atomic_write

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

__all__ = [
    "FORMATS",
    "GREY",
    "WIDTH",
    "bar",
    "check_picture",
    "columns",
    "plain_log",
    "rule_name",
    "rule_style",
    "sheet",
    "style",
]

FORMATS = (".png", ".svg", ".pdf")
"""Endings of picture files."""

WIDTH = 7.0
"""Width of every figure (inches): text of 11 points is then above 9 points at a width of 6 inches."""

GREY = "0.35"
"""Colour of bands, thresholds and bounds."""

# Okabe and Ito's colours, which colour-blind readers can distinguish; marks and dashes distinguish them in grey
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKS = "osD^v<>"
_LINES = ("-", "--", "-.", (0, (1, 1.2)), (0, (5, 1, 1, 1, 1, 1)))

_RULES = {
    "ttv2": "TTv2",
    "sgd": "SGD",
    "ttv1": "TTv1",
    "float": "float",
    "cttv2": "c-TTv2",
    "agad": "AGAD",
    "mp": "mixed precision",
    "rl": "RL",
    "rlv2": "RLv2",
    "rider": "RIDER",
    "sgd-symmetric": "SGD, symmetric steps",
    "erider": "E-RIDER",
    "tiles": "multi-tile",
}
"""Rules as the literature writes them; a rule has the same style in every figure."""

_SETTINGS: dict[str, Any] = {
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.labelsize": 11,
    "legend.fontsize": 10.5,
    "legend.title_fontsize": 10.5,
    "xtick.labelsize": 10.5,
    "ytick.labelsize": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "0.88",
    "lines.linewidth": 1.6,
    "lines.markersize": 5.5,
    "legend.frameon": False,
    "errorbar.capsize": 3,
    "svg.hashsalt": "tikitaka",
}
_METADATA: dict[str, dict[str, Any]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
}


def check_picture(path: str | Path) -> Path:
    """`path` as a Path; ValueError unless it has the ending of a picture."""
    path = Path(path)
    if path.suffix not in FORMATS:
        raise ValueError(f"{path} must end in {', '.join(FORMATS[:-1])} or {FORMATS[-1]}")
    return path


@contextmanager
def sheet(path: str | Path, height: float) -> "Iterator[Figure]":
    """An empty figure, `height` inches high, that is written to `path` when the block ends without an exception.

    The user's matplotlib settings do not affect it. Raises ModuleNotFoundError without matplotlib, ValueError
    for an ending that is not in `FORMATS` and OSError if the file cannot be written.
    """
    from matplotlib import style  # optional; without pyplot, which would need a display
    from matplotlib.figure import Figure

    path = check_picture(path)
    with style.context(_SETTINGS, after_reset=True):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        yield figure
        picture = io.BytesIO()
        figure.savefig(picture, format=path.suffix[1:], dpi=150, metadata=_METADATA[path.suffix])
    atomic_write(path, picture.getvalue())


def style(k: int) -> dict[str, Any]:
    """Colour, mark and dashes of curve number `k`."""
    return {
        "color": _COLOURS[k % len(_COLOURS)],
        "marker": _MARKS[k % len(_MARKS)],
        "linestyle": _LINES[k % len(_LINES)],
    }


def columns(labels: Sequence[str]) -> int:
    """As many columns of a legend above a figure as fit its width."""
    for count in range(min(len(labels), 5), 1, -1):
        rows, more = divmod(len(labels), count)  # the first columns have one label more
        firsts = [column * rows + min(column, more) for column in range(count + 1)]
        widths = [max(map(len, labels[first:end])) for first, end in pairwise(firsts)]
        if sum(widths) + 6 * count <= 72:  # characters, a line and its gaps taking six
            return count
    return 1


def bar(spread: float | None) -> float:
    """Half the length of an error bar; NaN, which is not drawn, for a single seed."""
    return math.nan if spread is None else float(spread)


def rule_style(rule: str, rules: list[str]) -> dict[str, Any]:
    """The style of a training rule by its kind; other rules come after those with a name, in the order of `rules`."""
    others = [name for name in rules if name not in _RULES]
    return style([*_RULES, *others].index(rule))


def rule_name(rule: str) -> str:
    """The name of a rule as the literature writes it."""
    return _RULES.get(rule, rule)


def plain_log(axis: "Axis") -> None:
    """Make an axis logarithmic, with plain numbers at 1, 2 and 5 of each decade, or at 1 alone for lack of room."""
    from matplotlib.axis import XAxis
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.axes.set(**{"xscale" if isinstance(axis, XAxis) else "yscale": "log"})
    low, high = sorted(axis.get_view_interval())
    spec = axis.axes.get_subplotspec() if isinstance(axis, XAxis) else None
    most = 2000 if spec is None or spec.get_gridspec().ncols == 1 else 60
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < most * low else (1.0,), numticks=30))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.set_minor_formatter(NullFormatter())
