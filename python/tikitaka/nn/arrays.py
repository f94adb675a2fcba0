"""The arrays of a network by name and index, and values assigned to them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any, TypeVar

from tikitaka._internal.shown import listed, shown
from tikitaka._internal.validation import nearest
from tikitaka.nn.layers import Layer

__all__ = ["DEFAULT", "array_names", "check_layers", "per_array"]

T = TypeVar("T")

DEFAULT = "default"
"""The key for all arrays without a key of their own."""


def check_layers(layers: Iterable[Layer]) -> tuple[Layer, ...]:
    """`layers` as a tuple; TypeError unless each of them is a description of `tikitaka.nn`."""
    if isinstance(layers, str | bytes) or not isinstance(layers, Iterable):
        raise TypeError(f"layers must be a sequence of descriptions of tikitaka.nn, not {shown(layers)}")
    checked = tuple(layers)
    for i, layer in enumerate(checked):
        if not isinstance(layer, Layer):
            raise TypeError(f"layers must be descriptions of tikitaka.nn, but layers[{i}] is {shown(layer)}")
    return checked


def array_names(layers: Iterable[Layer]) -> list[str]:
    """The name of each array of `layers` in order: its kind and its number, from 1, among the arrays of that kind.

    >>> from tikitaka.nn import LSTM, Linear, Tanh
    >>> array_names([LSTM(20, 8), LSTM(8, 8), Tanh(), Linear(8, 20)])
    ['lstm1', 'lstm2', 'linear1']

    Raises TypeError for anything but layers.
    """
    counts: Counter[str] = Counter()
    names = []
    for layer in check_layers(layers):
        if layer.shape is not None:
            counts[layer.kind] += 1
            names.append(f"{layer.kind}{counts[layer.kind]}")
    return names


def per_array(what: str, values: Mapping[Any, T], names: list[str]) -> list[T]:
    """The value of each array of `names`, from a mapping by name or index, negative from the end, and `DEFAULT`.

    An index may be a string, as in files. Raises ValueError, beginning with `what`, for a key that names no array, two
    that name the same, and an array without a value; TypeError for a key of another type.
    """
    key_by_index: dict[int, Any] = {}
    for key in values:
        if key == DEFAULT:
            continue
        index = _index(what, key, names)
        if index in key_by_index:
            raise ValueError(f"{what} must name each array once, not as both {key_by_index[index]!r} and {shown(key)}")
        key_by_index[index] = key
    without = [name for index, name in enumerate(names) if index not in key_by_index]
    if without and DEFAULT not in values:
        raise ValueError(f"{what} must have a value for each array or a {DEFAULT!r}; without one: {listed(without)}")
    return [values[key_by_index.get(index, DEFAULT)] for index in range(len(names))]


def _index(what: str, key: Any, names: list[str]) -> int:
    n = len(names)
    words = f"{what} must have arrays as keys ({listed(names)}, or an index from {-n} to {n - 1}), not {shown(key)}"
    if isinstance(key, bool) or not isinstance(key, Integral | str):
        raise TypeError(words)
    if key in names:
        return names.index(str(key))
    try:
        index = int(key)
    except ValueError:
        raise ValueError(words + nearest(str(key), names)) from None
    if not -n <= index < n:
        raise ValueError(words)
    return index % n
