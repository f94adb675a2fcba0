"""Strategies: values that are wrong, odd or huge for almost any argument, and nearly valid ones."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

__all__ = ["anything", "arrays", "near"]

HUGE: list[Any] = [np.uint64(2**64 - 1), 2**31 - 1, 2**31, 2**32, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**30]
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
    """Arrays of up to three dimensions, any type and layout, with some extreme numbers."""
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
    """A value that may be wrong; without `huge`, whole numbers that would only take long are omitted."""
    whole = WHOLE + (HUGE if huge else [])
    return st.one_of(*map(st.sampled_from, (whole, REAL, TEXTS, OTHERS)), arrays())


SAME_SHAPE: list[Callable[[Any], Any]] = [
    np.asfortranarray,
    lambda a: a[::-1],
    lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    lambda a: np.broadcast_to(a[:1], a.shape),  # strides of 0
    lambda a: a.astype(a.dtype.newbyteorder()),
    lambda a: np.frombuffer(b"\1" + a.tobytes(), a.dtype, offset=1).reshape(a.shape),  # unaligned, read-only
    lambda a: a.astype("f8"),
    lambda a: a.astype("i8"),
    lambda a: a.astype("u1"),
    lambda a: a.astype("O"),
    lambda a: a.tolist(),
    lambda a: a > 0,
]
OTHER_SHAPE: list[Callable[[Any], Any]] = [
    lambda a: a[:0],
    lambda a: a[:-1],
    lambda a: a[..., :-1],
    lambda a: a[..., :0],
    lambda a: a[np.newaxis],
    lambda a: a[0],
    lambda a: np.concatenate([a, a]),
    np.ravel,
    np.transpose,
]
PATHS: list[Callable[[Path], Any]] = [
    lambda p: p.with_name("é\u202e ~*?" + p.name),
    lambda p: p.with_name("\0" + p.name),
    lambda p: p.with_name("\udc80" + p.name),
    lambda p: p.with_name("x" * 300 + p.name),
    lambda p: p.with_suffix(".other"),
    lambda p: p / "below" / p.name,
    lambda p: p.parent,
    lambda p: p.parent / "no" / "such" / p.name,
    lambda p: Path("/proc/self") / p.name,
    str,
    lambda p: str(p).encode(),
]


def near(value: Any, *, huge: bool = True) -> st.SearchStrategy[Any]:
    """A value that is nearly `value`: of another layout, type or shape, or with one part that may be anything."""
    other = anything(huge=huge)
    if isinstance(value, np.ndarray):
        return st.one_of(_shaped(value), _spoilt(value))
    if isinstance(value, Mapping):
        kept = st.sampled_from(list(value)) if value else st.just("a")
        changed = st.deferred(
            lambda: kept.flatmap(lambda k: near(value.get(k), huge=huge).map(lambda v: {**value, k: v}))
        )
        removed = kept.map(lambda k: {name: each for name, each in value.items() if name != k})
        more = st.tuples(st.sampled_from(["a", "", 1, None]), other).map(lambda pair: {**value, pair[0]: pair[1]})
        return st.one_of(changed, removed, more)
    if isinstance(value, list | tuple) and value:
        kind, at = type(value), st.integers(0, len(value) - 1)
        changed = at.flatmap(lambda k: near(value[k], huge=huge).map(lambda v: kind([*value[:k], v, *value[k + 1 :]])))
        return st.one_of(changed, at.map(lambda k: value[:k]), st.just(value + value), st.just(iter(value)))
    if is_dataclass(value) and not isinstance(value, type):
        return st.sampled_from([f.name for f in fields(value) if f.init] or [""]).flatmap(
            lambda name: near(getattr(value, name, None), huge=huge).map(lambda v: _replaced(value, name, v))
        )
    if isinstance(value, Path):
        return st.sampled_from(PATHS).map(lambda change: change(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        numbers = [value + 1, value - 1, -value, float(value), np.int16(value), np.float32(value), str(value), [value]]
        return st.sampled_from([*numbers, np.array(value), np.array([value])])
    return other


@st.composite
def _shaped(draw: st.DrawFn, value: Any) -> Any:
    try:
        return draw(st.sampled_from(SAME_SHAPE + OTHER_SHAPE))(value)
    except (ValueError, IndexError):
        return value  # too few dimensions


@st.composite
def _spoilt(draw: st.DrawFn, value: Any) -> Any:
    wild = [*WILD, -1.0, 2.0**40] if value.dtype.kind == "f" else [-1, 99, 2**40, -(2**63)]
    if value.size == 0 or value.dtype.kind not in "fi":
        return value
    spoilt = value.copy()
    with np.errstate(all="ignore"):
        spoilt.flat[draw(st.integers(0, value.size - 1))] = draw(st.sampled_from(wild))
    return spoilt


def _replaced(value: Any, name: str, part: Any) -> Any:
    try:
        return replace(value, **{name: part}) if name else value
    except Exception:
        return value  # refused with a clear error, which the tests of the constructors check
