"""All examples of a data set are checked before a training, in one pass."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tikitaka.data import Dataset
from tikitaka.network import Network

__all__ = ["check_examples"]

_LARGEST = float(np.finfo(np.float32).max)
_BLOCK = 1 << 22  # values that are looked at together, so that little memory is needed


def check_examples(network: Network, dataset: Dataset) -> None:
    """Raise ValueError or TypeError unless all examples and targets of both parts suit `network`.

    The message names the part, the example and the position in it. Shapes, types, numbers that are not finite or beyond
    float32, codes and classes out of range are all found here, before any example is trained on.
    """
    for part, x, y in (
        ("training", dataset.train_x, dataset.train_y),
        ("test", dataset.test_x, dataset.test_y),
    ):
        of = f"the {part} part of {dataset.name}"
        if len(x) != len(y):
            raise ValueError(f"{of} must have a target for each of {len(x):,} examples, not {len(y):,}")
        _check_inputs(of, x, network)
        _check_targets(of, x, y, network)


def _check_inputs(of: str, x: NDArray[Any], network: Network) -> None:
    n = network.inputs
    if network.recurrent and x.dtype.kind in "iu" and x.ndim == 2:
        _check_range(f"x of {of}", x, n)
        return
    wanted = ("examples", "steps", n) if network.recurrent else ("examples", n)
    if x.ndim != len(wanted) or x.shape[-1] != n:
        raise ValueError(f"x of {of} must have shape ({', '.join(map(str, wanted))}), not {x.shape}")
    _check_numbers(f"x of {of}", x)


def _check_targets(of: str, x: NDArray[Any], y: NDArray[Any], network: Network) -> None:
    m = network.outputs
    steps = x.shape[:2] if network.recurrent else x.shape[:1]
    shape = steps if network.loss == "cross-entropy" else (*steps, m)
    if y.shape != shape:
        raise ValueError(f"y of {of} must have shape {shape}, not {y.shape}")
    if network.loss == "cross-entropy":
        _check_range(f"y of {of}", y, m)
    else:
        _check_numbers(f"y of {of}", y)


def _check_range(what: str, codes: NDArray[Any], most: int) -> None:
    if codes.dtype.kind not in "iub":
        raise TypeError(f"{what} must hold whole numbers, not {codes.dtype}")
    if codes.size and (int(codes.min()) < 0 or int(codes.max()) >= most):
        where = np.argwhere((codes < 0) | (codes >= most))[0]
        raise ValueError(f"{what} must be from 0 to {most - 1}, not {codes[tuple(where)]} ({_place(where)})")


def _check_numbers(what: str, values: NDArray[Any]) -> None:
    if values.dtype.kind in "iub":
        return
    if values.dtype.kind != "f":
        raise TypeError(f"{what} must hold numbers, not {values.dtype}")
    rows = max(1, _BLOCK // max(1, values[0].size))
    for first in range(0, len(values), rows):
        block = values[first : first + rows]
        bad = ~(np.abs(block) <= _LARGEST)
        if bad.any():
            where = np.argwhere(bad)[0]
            value, where[0] = block[tuple(where)], where[0] + first
            raise ValueError(f"{what} must hold finite numbers within float32, not {value} ({_place(where)})")


def _place(where: NDArray[np.intp]) -> str:
    example, *position = (int(k) for k in where)
    return f"example {example:,}" + (f", position {', '.join(f'{k:,}' for k in position)}" if position else "")
