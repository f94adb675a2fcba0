"""Checks of types, ranges and names, for arguments and for the fields of dataclasses."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from difflib import get_close_matches
from functools import cache
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from tikitaka._internal.shown import grouped, shown

__all__ = ["check_int", "check_kind", "check_types", "hints_of", "nearest", "one_of", "placed"]

_WORDS = {
    bool: "true or false",
    **dict.fromkeys((int, Integral), "a whole number"),
    **dict.fromkeys((float, Real), "a number"),
    str: "a string",
}
_KINDS: dict[Any, Any] = {bool: (bool, np.bool_), int: Integral, float: Real}


_hints = cache(get_type_hints)  # configs are made by the thousand


def hints_of(cls: Any) -> dict[str, Any]:
    """The type of every field of a dataclass, by name."""
    return _hints(cls)


def check_types(config: Any) -> None:
    """Check every field of a frozen dataclass; NumPy numbers become Python numbers, which files can represent.

    Raises TypeError for a value of another type, and ValueError for a name that is not in the list of its field;
    both begin with the name of the field. A whole number is accepted for a float.
    """
    for f in fields(config):
        if f.init:
            value = getattr(config, f.name)
            plain = _plain(hints_of(type(config))[f.name], value, f.name)
            if plain is not value:
                object.__setattr__(config, f.name, plain)


def _plain(hint: Any, value: Any, name: str) -> Any:
    if get_origin(hint) is tuple:
        return _numbers(hint, value, name)
    allowed = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    if any(get_origin(part) in (tuple, Mapping) for part in allowed):
        return value  # the config itself checks the contents of its collections
    if value is None and NoneType in allowed:
        return None
    wanted = next(part for part in allowed if part is not NoneType)
    if get_origin(wanted) is Literal:
        return one_of(name, value, get_args(wanted))
    kind = _KINDS.get(wanted, wanted)
    if not isinstance(value, kind) or (wanted in (int, float) and isinstance(value, bool)):
        raise TypeError(f"{name} must be {_WORDS.get(wanted, f'a {wanted.__name__}')}, not {shown(value)}")
    return value if wanted not in _KINDS or type(value) in (bool, int, float) else wanted(value)


def _numbers(hint: Any, value: Any, name: str) -> tuple[Any, ...]:
    """A tuple of numbers, or of rows of numbers, from any sequence or array of them."""
    inner = get_args(hint)[0]
    what = "rows of numbers" if get_origin(inner) is tuple else "numbers"
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise TypeError(f"{name} must be {what}, not {shown(value)}")
    return tuple(_plain(inner, each, f"{name}[{k}]") for k, each in enumerate(value))


def check_kind(name: str, value: Any, kind: type[Any]) -> None:
    """Raise TypeError unless `value` is a `kind`; a boolean is no number."""
    if not isinstance(value, kind) or (kind in (Integral, Real) and isinstance(value, bool)):
        raise TypeError(f"{name} must be {_WORDS.get(kind, f'a {kind.__name__}')}, not {shown(value)}")


def check_int(name: str, value: Any, least: int, most: int | None = None) -> int:
    """`value` as a Python int, which cannot overflow; TypeError unless it is a whole number, ValueError unless it is
    from `least` to `most`."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} must be a whole number, not {shown(value)}")
    number = int(value)
    if number < least or (most is not None and number > most):
        allowed = f"at least {least:,}" if most is None else f"from {least:,} to {most:,}"
        raise ValueError(f"{name} must be {allowed}, not {grouped(number)}")
    return number


def one_of(name: str, value: Any, known: Iterable[str]) -> str:
    """`value` if it is among `known`; else ValueError with the nearest name, or TypeError for anything but a string."""
    known = list(known)
    if isinstance(value, str) and value in known:
        return value
    words = f"{name} must be one of {', '.join(known)}, not {shown(value)}"
    if not isinstance(value, str):
        raise TypeError(words)
    raise ValueError(words + nearest(value, known))


def nearest(value: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: the most similar name among `known`, if any."""
    near = get_close_matches(value, list(known), n=1) if len(value) < 100 else None
    return f": did you mean {near[0]}?" if near else ""


def placed(error: Exception, where: str, names: Iterable[str]) -> Exception:
    """`error` with the path `where` (ending in a dot) before the field of `names` that it begins with."""
    words = str(error)
    if where:
        words = where + words if words.split(" ", 1)[0] in names else f"{where[:-1]}: {words}"
    return TypeError(words) if isinstance(error, TypeError) else ValueError(words)
