"""The arrays of a network by name and index, and values assigned to them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any, TypeVar, Union

from tikitaka._internal.shown import listed, shown
from tikitaka._internal.validation import check_kind, nearest
from tikitaka.nn.layers import Layer

__all__ = ["DEFAULT", "PerArray", "array_names", "check_layers", "each_of", "per_array"]

T = TypeVar("T")

PerArray = Union[T, Sequence[T], Mapping[str, T], Mapping[int, T], Mapping[int | str, T]]  # noqa: UP007  # a T first
"""One for all arrays, one for each in order, or a mapping by name, index and `DEFAULT`."""

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


def each_of(what: str, values: Any, names: list[str], kind: type[T]) -> list[T]:
    """The `kind` of each array of `names`, from one for all, a sequence of one for each, or a mapping for `per_array`.

    Raises ValueError, beginning with `what`, for another number of them, and TypeError for anything but a `kind`.
    """
    if isinstance(values, Mapping):
        each = per_array(what, values, names)
    elif isinstance(values, Sequence) and not isinstance(values, str):
        each = list(values)
    else:
        each = [values] * len(names)
    if len(each) != len(names):
        raise ValueError(f"{what} must be one for all arrays or one for each of {len(names)}, not {len(each)}")
    for value in each:
        check_kind(what, value, kind)
    return each


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
