"""Symmetric quantisation of weights to a few bits."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tikitaka._internal.validation import check_int

__all__ = ["codes", "rounded"]

F32 = NDArray[np.float32]


def codes(weights: F32, bits: int) -> tuple[NDArray[Any], float]:
    """Whole numbers q and a step s with weights ≈ s·q, rounded to the nearest (a tie to the even one).

    s = max|W| / (2^(bits − 1) − 1), so that the 2^bits − 2 steps of `bits` bits (2 to 24) cover ±max|W| and 0 is
    one of the levels. The codes are int8 up to 8 bits, int16 up to 16, else int32. Raises ValueError for other
    numbers of bits.
    """
    bits = check_int("bits", bits, 2, 24)
    kind = np.int8 if bits <= 8 else np.int16 if bits <= 16 else np.int32
    largest = float(np.abs(weights).max(initial=0.0))
    step = largest / (2 ** (bits - 1) - 1)
    if step == 0.0:  # all weights are zero
        return np.zeros(weights.shape, dtype=kind), 0.0
    return np.rint(weights.astype(np.float64) / step).astype(kind), step


def rounded(weights: F32, bits: int) -> F32:
    """`weights` rounded to the levels of `codes`, as float32."""
    q, step = codes(weights, bits)
    return np.asarray(q * np.float64(step), dtype=np.float32)
