"""The base class of configs: frozen dataclasses that the core validates."""

from tikitaka import _core
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
                raise ValueError(f"{name} must be from {low:,.15g} to {high:,.15g}, not {value:,}")
        _core.validate(kind, self)
