"""Small figures as SVG inside a page: intervals in rows, and curves. Colours are those of the page's style.

Figures are 360 units wide, so that text of 12 units can be read on a phone; a page shows them larger where there is
room. Every text is escaped.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["WIDTH", "Bar", "Curve", "curves", "rows"]

WIDTH = 360.0
_EDGE = 12.0
_FOOT = 40.0
_LINE = 15.0
_ROW = 20.0


@dataclass(frozen=True)
class Bar:
    """A mean with its interval, in a row under a heading."""

    heading: str
    """text above the row; "": it belongs to the row before"""
    label: str
    """text at the left of the row"""
    mean: float
    """the mean"""
    low: float | None
    """lower end of the interval"""
    high: float | None
    """upper end of the interval"""
    strong: bool = True
    """whether it is drawn filled"""


@dataclass(frozen=True)
class Curve:
    """Points joined by a line, with intervals where they are known."""

    points: Sequence[tuple[float, float]]
    """x and y"""
    ends: Sequence[tuple[float, float] | None] = ()
    """the interval of y at each point"""
    style: str = "line"
    """a class of the page's style"""


def rows(bars: Sequence[Bar], label: str, title: str, marks: Iterable[tuple[float, str]] = ()) -> str:
    """Intervals in rows over a common axis called `label`; `marks` are vertical lines with a text each."""
    known = list(marks)
    ends = [end for bar in bars for end in (bar.mean, bar.low, bar.high) if end is not None]
    low, high = _range([*ends, *(at for at, _ in known)])
    left, right = 58.0, WIDTH - _EDGE - 4
    ticks = _ticks(low, high)

    def x(value: float) -> float:
        return left + (right - left) * (value - low) / (high - low)

    y, drawn = 18.0 + (_LINE if known else 0), []
    top = y - 10
    for bar in bars:
        if bar.heading:
            y += 4
            drawn.append(_text(_EDGE, y, bar.heading, "head"))
            y += _LINE
        drawn.append(_text(_EDGE, y + 4, bar.label))
        if bar.low is not None and bar.high is not None:
            drawn.append(_path([(x(bar.low), y), (x(bar.high), y)], "bar" if bar.strong else "bar weak"))
        drawn.append(
            f'<circle class="{"dot" if bar.strong else "dot weak"}" cx="{x(bar.mean):.1f}" cy="{y:.1f}" r="4.5"/>'
        )
        y += _ROW
    bottom = y - 6
    frame = [_path([(x(tick), top), (x(tick), bottom)], "grid") for tick in ticks]
    frame += [_text(x(tick), bottom + 15, _number(tick), "tick") for tick in ticks]
    for at, words in known:
        side = "end" if x(at) > WIDTH / 2 else "start"
        frame += [_path([(x(at), top), (x(at), bottom)], "mark"), _text(x(at), top - 5, words, f"note {side}")]
    frame.append(_text((left + right) / 2, bottom + 33, label, "tick"))
    return _figure(bottom + _FOOT, title, [*frame, *drawn])


def curves(
    each: Sequence[Curve],
    x_label: str,
    y_label: str,
    title: str,
    *,
    line: float | None = None,
    logarithmic: bool = False,
    least: float | None = None,
    height: float = 210.0,
) -> str:
    """Curves over common axes; `line` is a horizontal line, `least` the smallest end of the vertical axis."""
    to = (lambda value: math.log10(value)) if logarithmic else float
    xs = [to(point[0]) for curve in each for point in curve.points]
    ys = [point[1] for curve in each for point in curve.points]
    ys += [end for curve in each for pair in curve.ends if pair is not None for end in pair]
    low, high = _range([*ys, *([] if line is None else [line]), *([] if least is None else [least])])
    low = low if least is None else max(low, least)
    first, last = min(xs), max(xs) if max(xs) > min(xs) else min(xs) + 1
    left, right, top, bottom = 46.0, WIDTH - _EDGE - 10, 26.0, height - _FOOT

    def x(value: float) -> float:
        return left + (right - left) * (to(value) - first) / (last - first)

    def y(value: float) -> float:
        return bottom - (bottom - top) * (value - low) / (high - low)

    drawn = [_text(_EDGE, 13, y_label)]
    for tick in _ticks(low, high, 4):
        drawn += [
            _path([(left, y(tick)), (right, y(tick))], "grid"),
            _text(left - 6, y(tick) + 4, _number(tick), "end"),
        ]
    if logarithmic:
        marks = sorted({point[0] for curve in each for point in curve.points})
    else:
        marks = [tick for tick in _ticks(first, last, 4) if first <= tick <= last]
    drawn += [_text(x(tick), bottom + 16, _number(tick), "tick") for tick in marks]
    drawn.append(_text((left + right) / 2, bottom + 34, x_label, "tick"))
    if line is not None:
        drawn.append(_path([(left, y(line)), (right, y(line))], "mark"))
    for k, curve in enumerate(each):
        drawn.append(_path([(x(a), y(b)) for a, b in curve.points], f"{curve.style} c{k % 5}"))
        for (a, b), pair in zip(curve.points, curve.ends, strict=False):
            if pair is not None:
                drawn.append(_path([(x(a), y(pair[0])), (x(a), y(pair[1]))], "bar"))
                drawn.append(_dot(x(a), y(b), "dot"))
    return _figure(height, title, drawn)


def _figure(height: float, title: str, parts: Iterable[str]) -> str:
    words = escape(title)
    return (
        f'<svg viewBox="0 0 {WIDTH:.0f} {height:.0f}" role="img" aria-label="{words}"><title>{words}</title>'
        + "".join(parts)
        + "</svg>"
    )


def _text(x: float, y: float, words: str, style: str = "") -> str:
    of = f' class="{style}"' if style else ""
    return f'<text{of} x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'


def _dot(x: float, y: float, style: str) -> str:
    return f'<circle class="{style}" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>'


def _path(points: Sequence[tuple[float, float]], style: str) -> str:
    return f'<path class="{style}" d="M{" L".join(f"{x:.1f} {y:.1f}" for x, y in points)}"/>'


def _range(values: Sequence[float]) -> tuple[float, float]:
    """A range around values, a little larger."""
    low, high = min(values), max(values)
    rest = 0.05 * (high - low) or max(abs(high), 1.0) * 0.5
    return low - rest, high + rest


def _ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from `low` to `high`."""
    step = 10 ** math.floor(math.log10((high - low) / most))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (factor * step) <= most)
    return [round(k * step, 10) for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
