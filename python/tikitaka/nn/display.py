"""Layers as lines and tables: what networks and models show of themselves."""

from collections.abc import Callable, Sequence
from itertools import islice

from tikitaka._internal.display import table
from tikitaka._internal.shown import shortened, shown
from tikitaka.nn.arrays import array_names
from tikitaka.nn.layers import Layer

__all__ = ["html", "lines", "size"]

_FIRST, _LAST = 15, 5  # layers of a deep network that are shown


def size(layers: Sequence[Layer], inputs: int, outputs: int) -> str:
    """The numbers of inputs, outputs and weights in words."""
    shapes = [layer.shape for layer in layers if layer.shape is not None]
    return f"{inputs} inputs, {outputs} outputs, {sum(rows * columns for rows, columns in shapes):,} weights"


def lines(title: str, layers: Sequence[Layer], rules: Sequence[object] = ()) -> str:
    """`title`, then a line for each layer: its description and, if it has an array, name, size and rule."""
    rows = (f"  {number}: {'  '.join(cells)}" for number, *cells in _rows(layers, rules, shown))
    return "\n".join([title, *rows])


def html(title: str, layers: Sequence[Layer], rules: Sequence[object] = ()) -> str:
    """The same as an HTML table."""
    columns = ("", "layer", "array", "size", "rule")
    return table(title, columns if rules else columns[:-1], _rows(layers, rules, lambda value: shortened(repr(value))))


def _rows(layers: Sequence[Layer], rules: Sequence[object], write: Callable[[object], str]) -> list[list[str]]:
    names, each, rows = iter(array_names(layers)), iter(rules), []
    for number, layer in enumerate(layers):
        row = [str(number), write(layer)]
        if layer.shape is not None:
            row += [next(names), "{} × {}".format(*layer.shape), *map(write, islice(each, 1))]
        rows.append(row)
    hidden = len(rows) - _FIRST - _LAST
    return rows if hidden <= 1 else [*rows[:_FIRST], ["…", f"{hidden:,} more layers"], *rows[-_LAST:]]
