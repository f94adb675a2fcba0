"""Long calls into the core in parts, between which Python sees Ctrl-C."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np

__all__ = ["train_in_parts"]

_WORK = 2e8  # input vectors × weights of a part: about 0.2 s


def train_in_parts(
    core: Any,
    layers: Sequence[Any],
    loss: str,
    x: Any,
    targets: Any,
    order: Any,
    batch: Any,
    lr_scale: Any,
    threads: Any,
) -> tuple[float, int]:
    """`core.train` on the examples `order` (None: all) of `x`, in several calls if one would take long.

    It is one call if that is not certain to be accepted: the core checks all examples of a call before it changes
    anything. Returns the sum of the losses and the number of wrong classes.
    """
    losses, wrong = 0.0, 0
    for some_x, some_targets, some in _parts(core, layers, x, targets, order, batch, loss == "cross-entropy"):
        sums = core.train(some_x, some_targets, order=some, batch=batch, lr_scale=lr_scale, threads=threads)
        losses, wrong = losses + sums[0], wrong + sums[1]
    return losses, wrong


def _parts(
    core: Any, layers: Sequence[Any], x: Any, targets: Any, order: Any, batch: Any, classes: bool
) -> Sequence[tuple[Any, Any, Any]]:
    """x, targets and order of each call."""
    whole = [(x, targets, order)]
    if not isinstance(batch, Integral) or batch < 1 or not isinstance(x, np.ndarray) or x.ndim not in (2, 3):
        return whole
    weights = sum(layer.vectors * layer.shape[0] * layer.shape[1] for layer in layers if layer.shape)
    count = len(x) if order is None else np.size(order)
    steps = x.shape[1] if x.ndim == 3 or (x.dtype.kind in "iu" and np.ndim(targets) == 2) else 1
    size = int(batch) * max(1, round(_WORK / max(1, weights * steps * int(batch))))
    if count <= size or not _certain(x, targets, order, core.outputs, classes):
        return whole
    if order is None:
        return [(x[k : k + size], targets[k : k + size], None) for k in range(0, count, size)]
    values = x if x.dtype.kind in "iu" else np.ascontiguousarray(x, dtype=np.float32)
    places = np.asarray(order)
    return [(values, targets, places[k : k + size]) for k in range(0, count, size)]


def _certain(x: Any, targets: Any, order: Any, outputs: int, classes: bool) -> bool:
    """Whether nothing about the examples can be refused."""
    if not isinstance(targets, np.ndarray) or len(targets) != len(x) or not targets.size or x.dtype.kind not in "fiu":
        return False
    if order is not None:
        places = np.asarray(order)
        if places.ndim != 1 or places.dtype.kind not in "iu" or places.min() < 0 or places.max() >= len(x):
            return False
    if classes and (targets.dtype.kind not in "iu" or targets.min() < 0 or targets.max() >= outputs):
        return False
    largest = float(np.finfo(np.float32).max)
    floats = [array for array in (x, targets) if array.dtype.kind == "f"]
    return all(-largest <= array.min() and array.max() <= largest for array in floats)
