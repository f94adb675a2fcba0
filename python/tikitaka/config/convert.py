"""Configs from and to nested plain values, as in TOML and JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, is_dataclass
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from tikitaka._internal.shown import shown
from tikitaka._internal.validation import check_kind, hints_of, nearest, one_of, placed
from tikitaka.config.base import Config
from tikitaka.config.device import Device, devices
from tikitaka.config.periphery import Periphery
from tikitaka.config.preset import peripheries, presets, reliabilities
from tikitaka.config.reliability import Reliability
from tikitaka.config.rule import RuleConfig, rules

__all__ = ["doc_of", "from_dict", "kinds_of", "named", "over", "to_dict"]

T = TypeVar("T")


def to_dict(config: Any) -> dict[str, Any]:
    """A config as nested plain values, for TOML and JSON; `from_dict` is its inverse."""
    return {name: _plain(value) for name, value in asdict(config).items()}


def _plain(value: Any) -> Any:
    """`value` with lists for tuples, as files give them back."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def from_dict(cls: type[T], values: Mapping[str, Any], where: str = "") -> T:
    """A config of class `cls` from nested plain values; absent fields take their defaults.

    If a field can hold one of several classes, the key "kind" chooses (absent: that of the field's default). The key
    "preset" begins with one of `presets`, `peripheries` or `reliabilities`, which the other keys override; the name
    alone may replace the table. Raises ValueError for an unknown field, kind or preset, with the nearest name that
    is known, and for a value out of range, TypeError for a table or value in the wrong place; every message begins
    with the path of the field, under `where`.
    """
    if not isinstance(cls, type) or not is_dataclass(cls):
        raise TypeError(f"cls must be a config class, not {shown(cls)}")
    check_kind("where", where, str)
    if not isinstance(values, Mapping):
        raise TypeError(f"{where[:-1] or cls.__name__} must be a table of fields, not {shown(values)}")
    hints = hints_of(cls)
    known = {f.name: f for f in fields(cls) if f.init}
    arguments: dict[str, Any] = {}
    for name, value in values.items():
        if name == "kind" and name in hints:
            one_of(where + name, value, get_args(hints[name]))
        elif name not in known:
            raise ValueError(f"unknown field {shown(where + str(name))}{_meant(cls, str(name), list(known), where)}")
        else:
            arguments[name] = _field_from(hints[name], value, where + name, known[name].default)
    try:
        return cls(**arguments)
    except (ValueError, TypeError) as error:
        raise placed(error, where, known) from error


def over(table: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`table` with the values of `changes` instead of its own; states replace weight_step, and weight_step replaces
    states."""
    check_kind("changes", changes, Mapping)
    merged = dict(table)
    for one, other in (("states", "weight_step"), ("weight_step", "states")):
        if changes.get(one) is not None and other not in changes and other in merged:
            merged[other] = None
    for name, value in changes.items():
        below = merged.get(name)
        merged[name] = over(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def kinds_of(hint: Any) -> dict[str, type[Any]]:
    """The config classes a field of type `hint` can hold: by kind, or one under its own name; {} for plain values."""
    table: dict[str, type[Any]] = {}
    for part in _parts(hint):
        if part is Device:
            table |= devices
        elif part is RuleConfig:
            table |= rules
        elif isinstance(part, type) and issubclass(part, Config):
            table[part.__name__.lower()] = part
    return table


def named(hint: Any) -> dict[str, Any]:
    """The presets that a field of type `hint` can hold, by name; {} if there are none."""
    parts = _parts(hint)
    ready = ((Device, presets), (Periphery, peripheries), (Reliability, reliabilities))
    return {name: value for kind, values in ready if kind in parts for name, value in values.items()}


def _parts(hint: Any) -> tuple[Any, ...]:
    """The types that a field of type `hint` can hold; a collection counts as one, whatever its elements are."""
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _field_from(hint: Any, value: Any, where: str, default: Any) -> Any:
    if get_origin(hint) is Mapping:
        if not isinstance(value, Mapping):
            raise TypeError(f"{where} must be a table of tables, not {shown(value)}")
        return {name: _field_from(get_args(hint)[1], each, f"{where}.{name}", None) for name, each in value.items()}
    table, ready = kinds_of(hint), named(hint)
    if not table or value is None:
        return value
    kinds = list(table) if len(table) > 1 else []
    if isinstance(value, str) and (kinds or ready):
        value = {"preset" if one_of(where, value, [*kinds, *ready]) in ready else "kind": value}
    if not isinstance(value, Mapping):
        raise TypeError(
            f"{where} must be a table of fields{' or a name' if kinds or ready else ''}, not {shown(value)}"
        )
    if ready and "preset" in value:
        name = one_of(f"{where}.preset", value["preset"], ready)
        preset = to_dict(ready[name])
        value = over(preset, {key: each for key, each in value.items() if key != "preset"})
        if value.get("kind") != preset.get("kind"):
            raise ValueError(
                f"{where}.kind must be {preset['kind']}, as in the preset {name}, not {shown(value['kind'])}"
            )
    if not kinds:
        return from_dict(next(iter(table.values())), value, where + ".")
    kind = one_of(f"{where}.kind", value.get("kind", getattr(default, "kind", None)), kinds)
    return from_dict(table[kind], value, where + ".")


def _meant(cls: type[Any], name: str, known: list[str], where: str) -> str:
    """The end of a message about a field that `cls` does not have: a similar name, or that name in one of its
    tables."""
    deeper = next(_holders(cls, name, where), None)
    if deeper is not None:
        return f": did you mean {deeper}?"
    return nearest(name, known) or f": {cls.__name__} has {', '.join(known)}"


def _holders(cls: type[Any], name: str, where: str) -> Iterator[str]:
    """The paths of the fields called `name` in the tables of `cls`."""
    for f in fields(cls):
        for part in kinds_of(hints_of(cls)[f.name]).values():
            if any(inner.name == name and inner.init for inner in fields(part)):
                yield f"{where}{f.name}.{name}"
            yield from _holders(part, name, f"{where}{f.name}.")


def doc_of(cls: type[Any]) -> dict[str, str]:
    """The line of documentation of every field of a config class, by field name."""
    hints = get_type_hints(cls, include_extras=True)
    return {name: hint.__metadata__[0] for name, hint in hints.items() if hasattr(hint, "__metadata__")}
