"""The base class of configs: frozen dataclasses that the core validates."""

from collections.abc import Iterator
from dataclasses import MISSING, fields
from typing import Any, get_type_hints

from tikitaka import _core
from tikitaka._internal.display import table
from tikitaka._internal.shown import grouped
from tikitaka._internal.validation import check_types

__all__ = ["Config"]


class Config:
    """A config, validated by the core; ValueError or TypeError names the field and what is allowed."""

    def __post_init__(self) -> None:
        check_types(self)
        kind = getattr(self, "kind", type(self).__name__.lower())
        for name, (low, high) in _core.bounds(kind).items():
            value = getattr(self, name)
            if isinstance(value, int) and not low <= value <= high:  # it may not fit the core's integers
                raise ValueError(f"{name} must be from {low:,.15g} to {high:,.15g}, not {grouped(value)}")
        _core.validate(kind, self)

    def __repr__(self) -> str:
        """The call that makes the config, without fields at their defaults."""
        values = (
            f"{name}={value!r}" for name, value, default in _values(self) if default is MISSING or value != default
        )
        return f"{type(self).__name__}({', '.join(values)})"

    def _repr_html_(self) -> str:
        hints = get_type_hints(type(self), include_extras=True)
        meanings = {name: hint.__metadata__[0] for name, hint in hints.items() if hasattr(hint, "__metadata__")}
        rows = ((name, repr(value), meanings.get(name, "")) for name, value, _ in _values(self))
        return table(type(self).__name__, ("field", "value", "meaning"), rows)


def _values(config: Any) -> Iterator[tuple[str, Any, Any]]:
    """Name, value and default of each field that can be given."""
    return ((f.name, getattr(config, f.name), f.default) for f in fields(config) if f.init)
