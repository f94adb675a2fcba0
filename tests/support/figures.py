"""The contents of figures, for tests: their axes are inspected, and no file is written."""

from collections.abc import Callable

import pytest
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure


def axes_of(monkeypatch: pytest.MonkeyPatch, draw: Callable[[], object]) -> list[Axes]:
    """The axes of the single figure that `draw` would write."""
    drawn: list[Figure] = []
    with monkeypatch.context() as patch:
        patch.setattr(Figure, "savefig", lambda self, *_, **__: drawn.append(self))
        patch.setattr("tikitaka.plot.style.atomic_write", lambda *_: None)
        draw()
    (figure,) = drawn
    return figure.axes


def errorbars(panel: Axes) -> dict[str, ErrorbarContainer]:
    """Error bars of a panel by label."""
    return {str(bars.get_label()): bars for bars in panel.containers if isinstance(bars, ErrorbarContainer)}


def spreads(bars: ErrorbarContainer, axis: int) -> list[float]:
    """Half the length of each bar along axis 0 (x) or 1 (y)."""
    (lines,) = bars.lines[2]
    return [float(segment[1, axis] - segment[0, axis]) / 2 for segment in lines.get_segments()]
