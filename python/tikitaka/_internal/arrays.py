"""Arrays from users, before the core converts them."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["numbers", "taken"]


def numbers(name: str, value: ArrayLike) -> NDArray[np.float32]:
    """`value` as float32; TypeError for masked arrays and anything but real numbers."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name} must not be a masked array: drop or fill masked values, as by {name}.filled(0)")
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be real numbers, not of dtype {array.dtype}")
    return array.astype(np.float32)


def taken(x: ArrayLike, targets: ArrayLike, order: ArrayLike) -> tuple[ArrayLike, ArrayLike, ArrayLike | None]:
    """The sequences of `order` only, so that a whole text is not converted for a few of them; the core refuses
    arguments that do not fit."""
    if any(isinstance(each, np.ma.MaskedArray) for each in (x, targets, order)):
        return x, targets, order
    x, targets, order = np.asarray(x), np.asarray(targets), np.asarray(order)
    fits = order.ndim == 1 and order.dtype.kind in "iu" and order.size > 0 and x.ndim > 1
    if fits and order.min() >= 0 and order.max() < len(x) == len(targets):
        return x[order], targets[order], None
    return x, targets, order
