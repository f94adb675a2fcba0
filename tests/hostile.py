"""Strategies: values that are wrong, odd or huge for almost any argument, and arrays of every layout."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

__all__ = ["anything", "arrays"]

HUGE = [2**31 - 1, 2**31, 2**32, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**30]
WHOLE = [0, 1, 2, 3, 7, -1, -2, -(2**31), -(2**63), -(2**64)]
REAL = [0.0, -0.0, 0.5, 1.5, -1.0, 1e-45, 1e-310, 1e30, 1e39, 1e308, float("nan"), float("inf"), -float("inf")]
TEXTS = [
    "",
    " ",
    "a",
    "ttv2",
    "decay",
    "digits",
    "fcn",
    "é" * 3,
    "\u202e",
    "\0",
    "a\0b",
    "\udc80",
    "x" * 300,
    "..",
    "no/such",
]
OTHERS: list[Any] = [
    None,
    True,
    b"bytes",
    1j,
    (),
    [],
    [[]],
    [[1.0], [2.0, 3.0]],
    ["a", None],
    {},
    {"kind": "sgd"},
    {1: 2},
    object(),
    int,
    len,
    range(3),
    Path("no/such"),
    Path("\0"),
    np.float32("nan"),
    np.int8(-3),
    np.uint64(2**64 - 1),
    np.datetime64(1, "s"),
    np.ma.masked_array([1.0, 2.0], [True, False]),
    memoryview(b"abc"),
]
KINDS = ["f4", "f8", "f2", ">f4", "i1", "i8", "u1", "u8", "?", "c8", "S2", "U2", "O", "M8[s]"]
LAYOUTS: list[Callable[[Any], Any]] = [
    lambda a: a,
    lambda a: a.T,
    lambda a: a[::-1],
    lambda a: a[..., ::2],
    np.asfortranarray,
    lambda a: np.broadcast_to(a, (2, *a.shape)),
    lambda a: np.lib.stride_tricks.as_strided(a, a.shape, (0,) * a.ndim),  # all values are the first
    lambda a: np.frombuffer(b"\1" + a.tobytes() + b"\1" * 8, np.uint8)[1:][: a.nbytes // 4 * 4].view("f4"),  # unaligned
    lambda a: a.tolist(),
]
FILLS = [0, 1, 2, -1, 0.25, 127]
WILD = [float("nan"), float("inf"), -float("inf"), 3e38, 1e-45, 1e300]


@st.composite
def arrays(draw: st.DrawFn) -> Any:
    """Arrays of up to three dimensions, any kind and layout, with wild numbers here and there."""
    shape = tuple(draw(st.lists(st.sampled_from([0, 1, 2, 3, 4, 6]), max_size=3)))
    array = np.full(shape, draw(st.sampled_from(FILLS)), "f8")
    if array.size and draw(st.booleans()):
        array.flat[draw(st.integers(0, array.size - 1))] = draw(st.sampled_from(WILD))
    with np.errstate(all="ignore"):
        array = (
            array.astype("i8").astype(kind) if (kind := draw(st.sampled_from(KINDS)))[0] == "M" else array.astype(kind)
        )
    if draw(st.booleans()) or kind == "O":
        array.flags.writeable = draw(st.booleans())
        return array
    try:
        return draw(st.sampled_from(LAYOUTS))(array)
    except (ValueError, IndexError):
        return array  # too few dimensions for the layout


def anything(*, huge: bool = True) -> st.SearchStrategy[Any]:
    """A value that may be wrong; `huge` whole numbers are left out where they would only be waited for."""
    whole = WHOLE + (HUGE if huge else [])
    return st.one_of(*map(st.sampled_from, (whole, REAL, TEXTS, OTHERS)), arrays())
