"""Arrays from users, before the core converts them."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["converted", "numbers", "taken"]


def converted(name: str, value: Any, allowed: str) -> NDArray[Any]:
    """`value` as a NumPy array of whatever type; ValueError naming what is `allowed` for lists of unequal lengths,
    TypeError for an object that fails to become one."""
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} must be {allowed}") from error
    except Exception as error:  # the __array__ of another package may raise anything
        raise TypeError(f"{name} cannot become a NumPy array: {error}") from error


def numbers(name: str, value: ArrayLike) -> NDArray[np.float32]:
    """`value` as float32; TypeError for masked arrays and anything but real numbers."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name} must not be a masked array: drop or fill masked values, as by {name}.filled(0)")
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be real numbers, not of dtype {array.dtype}")
    return array.astype(np.float32)


def taken(
    x: ArrayLike, targets: ArrayLike, order: ArrayLike, codes: tuple[int, int]
) -> tuple[ArrayLike, ArrayLike, ArrayLike | None]:
    """The sequences of `order` only, so that a whole text is not converted for a few of them.

    `codes` are the numbers of codes of inputs and targets. Arguments that do not fit come back as they are: the core
    refuses them, and names the example.
    """
    given = x, targets, order
    if any(isinstance(each, np.ma.MaskedArray) for each in given):
        return given
    x, targets, order = np.asarray(x), np.asarray(targets), np.asarray(order)
    fits = order.ndim == 1 and order.dtype.kind in "iu" and order.size > 0 and x.ndim > 1
    if not fits or order.min() < 0 or not order.max() < len(x) == len(targets):
        return given
    some = x[order], targets[order]
    return (*some, None) if all(map(_sound, some, codes)) else given


def _sound(values: NDArray[Any], codes: int) -> bool:
    if values.dtype.kind == "f":
        return bool(np.isfinite(values).all())
    return values.dtype.kind in "iu" and values.size > 0 and bool(values.min() >= 0 and values.max() < codes)
