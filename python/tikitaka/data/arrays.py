"""Checks of arrays from users: NumPy arrays, pandas columns, lists and anything else with `__array__`."""

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tikitaka._internal.arrays import converted
from tikitaka._internal.shown import shown
from tikitaka._internal.validation import check_int, check_kind

__all__ = ["array_of", "check_examples", "check_labelled", "full_scale_of", "image_shape", "inputs_of", "split"]

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]

Shape = tuple[int, int, int]

_MAX_UINT8 = 255.0
_CHANNELS = 4  # images have at most four: grey, grey with alpha, colour, colour with alpha


def array_of(name: str, value: Any, *, labels: bool = False) -> NDArray[Any]:
    """`value` as an array of finite numbers or, with `labels`, of strings.

    Raises TypeError for anything but an array of numbers, and ValueError for lists of unequal lengths and for numbers
    that are not finite; both messages begin with `name`.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name} must not be a masked array: drop or fill masked values, as by {name}.filled(0)")
    if hasattr(value, "toarray") and hasattr(value, "nnz"):
        raise TypeError(f"{name} must not be a sparse matrix: pass {name}.toarray()")
    if hasattr(value, "iloc") and np.ndim(value) == 2 and value.shape[1]:  # columns of other types are objects together
        columns = [value.iloc[:, k] for k in range(value.shape[1])]
        return np.stack([array_of(f"column {each.name!r} of {name}", each, labels=labels) for each in columns], axis=1)
    array = converted(name, value, "an array, or lists of equal lengths")
    allowed = "numbers, booleans or strings" if labels else "numbers or booleans"
    if labels and array.dtype.kind in "OUST":
        # NumPy silently turns a list of strings and numbers into strings
        return _strings(name, array if hasattr(value, "dtype") else np.asarray(value, dtype=object), allowed)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold {allowed}, not {_what(array)}")
    if array.dtype.kind == "f":
        bad = ~np.isfinite(array)
        if bad.any():
            raise ValueError(f"{name} must hold finite numbers, not {array[bad].flat[0]} ({_where(bad)})")
    return array


def _strings(name: str, array: NDArray[Any], allowed: str) -> NDArray[Any]:
    """`array` as an array of strings or, if all elements are bytes, of bytes; TypeError for any other element."""
    if array.dtype.kind in "US":
        return array
    kind = bytes if array.size and all(isinstance(each, bytes) for each in array.flat) else str
    other = np.array([not isinstance(each, kind) for each in array.flat], dtype=bool).reshape(array.shape)
    if other.any():
        raise TypeError(
            f"{name} must hold {allowed}, not objects such as {shown(array[other].flat[0])} ({_where(other)})"
        )
    return np.array(array.tolist(), dtype=kind)


def _what(array: NDArray[Any]) -> str:
    words = {"c": "complex numbers", "M": "dates", "m": "time differences", "V": "records"}
    if array.dtype.kind in "OUST":
        if array.dtype.kind != "O":
            return "strings"
        return f"objects such as {shown(next(array.flat, None))}: convert them first, for example by astype(float)"
    return f"{words.get(array.dtype.kind, 'values')} ({array.dtype})"


def _where(chosen: NDArray[np.bool_]) -> str:
    return f"example {int(np.argwhere(np.atleast_1d(chosen))[0, 0]):,}"


def check_examples(name: str, x: NDArray[Any], y: NDArray[Any]) -> None:
    """Raise ValueError unless `x` and `y` have the same number of examples, at least one."""
    x_name, y_name = (f"{name} {letter}".strip() for letter in "xy")
    for each, array in ((x_name, x), (y_name, y)):
        if array.ndim == 0:
            raise ValueError(f"{each} must be an array of examples, not the single value {shown(array.item())}")
        if array.size == 0:
            raise ValueError(f"{each} must hold at least one example of at least one value, not shape {array.shape}")
    if len(x) != len(y):
        raise ValueError(f"{y_name} must have as many examples as {x_name}, {len(x):,}, not {len(y):,}")


def check_labelled(name: str, x: Any, y: Any) -> None:
    """Raise ValueError if columns of pandas have the same index in another order in `x` and `y`, which are paired by
    position."""
    if not all(hasattr(each, "index") and hasattr(each.index, "equals") for each in (x, y)) or x.index.equals(y.index):
        return
    if len(x) == len(y) and x.index.isin(y.index).all():
        x_name, y_name = (f"{name} {letter}".strip() for letter in "xy")
        raise ValueError(
            f"{y_name} must have the index of {x_name}, not the same in another order: pass y.loc[x.index], or arrays "
            "to pair them by position"
        )


def image_shape(x: NDArray[Any], shape: Sequence[int] | None) -> Shape | None:
    """Rows, columns and channels of the images `x`, from `shape` or its own dimensions; None if it has no images.

    Raises ValueError for more dimensions than images have, for a `shape` that does not fit, and for dimensions that
    look like channels first unless `shape` confirms them.
    """
    dimensions = x.shape[1:]
    if len(dimensions) > 3:
        raise ValueError(
            f"x must have 1 to 4 dimensions, (examples, inputs) or (examples, rows, columns, channels), not {x.ndim}"
        )
    if shape is None:
        if len(dimensions) == 3 and dimensions[0] <= _CHANNELS < dimensions[2]:
            raise ValueError(
                f"x must have the channels last, and shape {x.shape} looks like channels first: "
                f"pass np.moveaxis(x, 1, -1), or shape={dimensions} to confirm it"
            )
        return _full(dimensions) if len(dimensions) > 1 else None
    if not isinstance(shape, tuple | list):
        raise TypeError(f"shape must be a tuple of whole numbers, not {shown(shape)}")
    if len(shape) not in (2, 3):
        raise ValueError(f"shape must be (rows, columns) or (rows, columns, channels), not {shown(shape)}")
    full = _full(tuple(check_int("shape", size, 1) for size in shape))
    fits = _full(dimensions) == full if len(dimensions) > 1 else math.prod(dimensions) == math.prod(full)
    if not fits:
        values = " × ".join(map(str, dimensions)) or "1"
        raise ValueError(f"shape must fit the examples, of {values} values, not be {shown(shape)}")
    return full


def _full(shape: tuple[int, ...]) -> Shape:
    rows, columns, channels = (*shape, 1)[:3]
    return int(rows), int(columns), int(channels)


def full_scale_of(x: NDArray[Any], shape: Shape | None, full_scale: float | None) -> float:
    """The value of `x` that becomes 1: `full_scale`, or by default 255 for uint8 images and 1 for anything else."""
    if full_scale is None:
        return _MAX_UINT8 if shape is not None and x.dtype == np.uint8 else 1.0
    check_kind("full_scale", full_scale, Real)
    with np.errstate(all="ignore"):
        usable = 0 < np.float32(full_scale) < np.inf
    if not usable:
        raise ValueError(f"full_scale must be a positive number, not {full_scale}")
    return float(full_scale)


def inputs_of(name: str, x: NDArray[Any], full_scale: float = 1.0) -> F32:
    """A copy of `x` / `full_scale` as float32 (examples, values); ValueError for values beyond float32."""
    with np.errstate(over="ignore"):
        flat = np.array(x, dtype=np.float32, order="C", copy=True).reshape(len(x), -1)
        if full_scale != 1.0:
            flat /= np.float32(full_scale)
    bad = ~np.isfinite(flat)
    if bad.any():
        raise ValueError(f"{name} must fit float32, up to 3.4e38, and does not ({_where(bad)})")
    return flat


def _permutation(n: int, seed: int) -> I64:
    """A random order of `n` examples: a pure function of (n, seed), equal on every version of NumPy.

    It is the order of epoch 0 in `tikitaka.training.order.shuffled`; trainings begin with epoch 1.
    """
    words = np.random.Philox(key=np.array([seed, 0], dtype=np.uint64)).random_raw(n)
    return np.argsort(words, kind="stable").astype(np.int64)


def split(n: int, test_share: float, seed: int) -> tuple[I64, I64]:
    """The indices of the training and test examples among `n`; the test part is `test_share` of them, rounded.

    Raises ValueError for a share or a seed out of range and if one of the parts would be empty.
    """
    check_kind("test_share", test_share, Real)
    if not 0 < test_share < 1:
        raise ValueError(f"test_share must be between 0 and 1, not {test_share}")
    order = _permutation(n, check_int("seed", seed, 0, 2**64 - 1))
    test = round(n * float(test_share))
    if not 0 < test < n:
        part = "training" if test else "test"
        raise ValueError(f"test_share must leave examples in both parts; {test_share} of {n:,} leaves no {part} part")
    return order[test:], order[:test]
