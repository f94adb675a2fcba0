"""Values and messages at a length that fits a screen."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

__all__ = ["grouped", "listed", "shortened", "shown"]

_VALUE = 120  # characters of a value
_MESSAGE = 1500  # characters of a message: less than a screen of 80 × 24
_HUGE = 10**40  # whole numbers from here on are shown by their size
_SOME = 12  # names of a list, and items of a collection, that are shown


def shown(value: Any) -> str:
    """`repr(value)` in 120 characters or so: an array by its type and shape, the first items of a long collection.

    The repr of a huge collection is never made.

    >>> shown([1.5, "a"]), shown(list(range(10_000)))
    ("[1.5, 'a']", 'a list of 10,000, [0, 1, 2, …]')
    """
    try:
        return _shown(value)
    except Exception:  # the repr of a foreign object may raise anything
        return f"a {type(value).__name__}"


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size > _SOME:
        return f"an array of shape {value.shape} and type {value.dtype}"
    if isinstance(value, str | bytes | bytearray) and len(value) > _VALUE:
        return f"{value[:80]!r}… ({len(value):,} characters)"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _HUGE:
        return grouped(value)
    if isinstance(value, list | tuple | set | frozenset | Mapping) and len(value) > _SOME:
        items = ", ".join(_short(each, 20) for each, _ in zip(value, range(3), strict=False))
        brackets = "[]" if isinstance(value, list) else "()" if isinstance(value, tuple) else "{}"
        return f"a {type(value).__name__} of {len(value):,}, {brackets[0]}{items}, …{brackets[1]}"
    if type(value) in (list, tuple):
        items = ", ".join(_short(each, _VALUE // 2) for each in value)
        items += "," if len(value) == 1 and type(value) is tuple else ""
        return _cut(f"[{items}]" if type(value) is list else f"({items})", _VALUE)
    if type(value) is dict:
        pairs = (f"{_short(name, 40)}: {_short(each, _VALUE // 2)}" for name, each in value.items())
        return _cut(f"{{{', '.join(pairs)}}}", _VALUE)
    return _cut(repr(value), _VALUE)


def _short(value: Any, length: int) -> str:
    return _cut(_shown(value), length)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def grouped(number: int) -> str:
    """A whole number with its thousands separated; of a huge one its size.

    >>> grouped(-12345), grouped(10**5000)
    ('-12,345', 'a number of 16,610 bits')
    """
    return f"{number:,}" if abs(number) < _HUGE else f"a number of {number.bit_length():,} bits"


def listed(names: Iterable[object], separator: str = ", ") -> str:
    """Names between separators: of a long list the first ones, and how many more there are.

    >>> listed(["a", "b"]), listed(range(100))
    ('a, b', '0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 88 more')
    """
    known = list(names)
    text = separator.join(_cut(str(name), _VALUE) for name in known[:_SOME])
    return text if len(known) <= _SOME else f"{text} and {len(known) - _SOME:,} more"


def shortened(message: str) -> str:
    """`message` without its middle, if it is longer than a screen."""
    half = _MESSAGE // 2
    return message if len(message) <= _MESSAGE else f"{message[:half]} … {message[-half:]}"
