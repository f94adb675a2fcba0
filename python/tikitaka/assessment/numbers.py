"""Numbers of a report as text."""

from collections.abc import Mapping
from typing import Any

__all__ = ["above", "amount", "between", "value_between"]

Plain = Mapping[str, Any]


def amount(value: float | None, unit: str = "") -> str:
    """A number of three digits with its unit.

    >>> amount(0.12345, "steps"), amount(1234.5), amount(-0.6), amount(None)
    ('0.123 steps', '1,234', '−0.6', '–')
    """
    if value is None:
        return "–"
    number = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{number} {unit}".rstrip().replace("-", "−")


def between(found: Plain, unit: str = "") -> str:
    """A mean with its interval.

    >>> between({"mean": 1.23, "low": 0.9, "high": 1.5}, "points")
    '1.2 [0.9, 1.5] points'
    """
    return _between(found, unit, ".1f")


def above(found: Plain) -> str:
    """A difference to float with its interval.

    >>> above({"mean": 1.23, "low": None, "high": None})
    'float +1.2 points'
    """
    return f"float {_between(found, 'points', '+.1f')}"


def value_between(found: Plain, unit: str) -> str:
    """The value of a property with its interval."""
    words = amount(found["value"])
    if found["low"] is not None:
        low, high = sorted((found["low"], found["high"]))
        words += f" [{amount(low)}, {amount(high)}]"
    return f"{words} {unit}".rstrip()


def _between(found: Plain, unit: str, form: str) -> str:
    words = f"{found['mean']:{form}}"
    if found["low"] is not None:
        words += f" [{found['low']:{form}}, {found['high']:{form}}]"
    return f"{words} {unit}".rstrip().replace("-", "−")
