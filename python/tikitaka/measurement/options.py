"""Options of the readers, checked."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from tikitaka._internal.shown import listed, shown
from tikitaka._internal.validation import check_int, check_kind
from tikitaka.measurement.words import Unit, parse_unit

__all__ = ["ColumnName", "Columns", "Options", "options_of"]

ColumnName = int | str
"""a column: its number from 1, its heading, or in a spreadsheet its letter"""

Columns = ColumnName | Sequence[ColumnName]


@dataclass(frozen=True)
class Options:
    """What the user says about the values."""

    columns: tuple[tuple[str, ColumnName], ...] = ()
    """columns of values with names of their devices; "" without a name"""
    up: tuple[ColumnName, ...] = ()
    """columns of reads after up pulses"""
    down: tuple[ColumnName, ...] = ()
    """columns of reads after down pulses"""
    device: str | None = None
    """name of the device, if the source has only one"""
    pattern: str | None = None
    """signs of the pulses"""
    unit: Unit | None = None
    """unit of the values"""
    read_voltage: float | None = None
    """voltage that a current is read at, in V"""
    flip: bool = False
    """whether negative pulses raise the conductance"""
    mirrored_down: bool | None = None
    """whether down traces are stored backwards; None: found out"""
    initial_read: bool | None = None
    """whether the first read of each trace was made before any pulse"""
    seconds_per_pulse: float | None = None
    """time from pulse to pulse, in s, where a column of times says how many there were between reads"""
    sheet: str | int | None = None
    """sheet of a spreadsheet, by name or number from 1"""
    skip: int = 0
    """lines to skip at the start"""
    window: tuple[float, float] | None = None
    """the lowest and the highest value that counts, in the unit of the source"""
    decimal: str | None = None
    """"." or ",\""""


def options_of(**given: Any) -> Options:
    """Options from arguments; ValueError or TypeError, beginning with the name of the argument, for wrong ones."""
    checked = dict(given)
    checked["columns"] = _columns(given.get("columns"))
    for name in ("up", "down"):
        checked[name] = tuple(column for _, column in _columns(given.get(name), name))
    if checked["columns"] and (checked["up"] or checked["down"]):
        raise ValueError("columns must not be given together with up and down, which are columns, too")
    if given.get("device") is not None:
        check_kind("device", given["device"], str)
    if given.get("pattern") is not None:
        check_kind("pattern", given["pattern"], str)
    checked["unit"] = _unit(given.get("unit"))
    if given.get("read_voltage") is not None:
        check_kind("read_voltage", given["read_voltage"], Real)
        checked["read_voltage"] = float(given["read_voltage"])
        if not 1e-9 <= abs(checked["read_voltage"]) <= 1e4:
            raise ValueError(f"read_voltage must be in V and not 0, not {shown(given['read_voltage'])}")
    check_kind("flip", given.get("flip", False), bool)
    for name in ("mirrored_down", "initial_read"):
        if given.get(name) is not None:
            check_kind(name, given[name], bool)
    if given.get("seconds_per_pulse") is not None:
        check_kind("seconds_per_pulse", given["seconds_per_pulse"], Real)
        checked["seconds_per_pulse"] = float(given["seconds_per_pulse"])
        if not 0 < checked["seconds_per_pulse"] < math.inf:
            raise ValueError(f"seconds_per_pulse must be above 0, not {shown(given['seconds_per_pulse'])}")
    checked["skip"] = check_int("skip", given.get("skip", 0), 0, 10**9)
    sheet = given.get("sheet")
    if sheet is not None and not isinstance(sheet, str):
        checked["sheet"] = check_int("sheet", sheet, 1, 10_000)
    checked["window"] = _window(given.get("window"))
    if given.get("decimal") not in (None, ".", ","):
        raise ValueError(f'decimal must be "." or ",", not {shown(given["decimal"])}')
    return Options(**checked)


def _columns(value: Any, name: str = "columns") -> tuple[tuple[str, ColumnName], ...]:
    """Pairs of device and column from a column, a list of them, a dict by device, or text such as `A1=2,A2=4`."""
    if value is None:
        return ()
    if isinstance(value, str) and re.fullmatch(r"\s*[^=,]+=[^=,]+(,[^=,]+=[^=,]+)*", value):
        value = dict(part.split("=") for part in value.split(","))
    elif isinstance(value, str | Integral):
        value = [value]
    if isinstance(value, Mapping):
        pairs = list(value.items())
    elif isinstance(value, Sequence | range) and not isinstance(value, bytes):
        pairs = [("", each) for each in value]
    else:
        raise TypeError(f"{name} must be columns by number or heading, or a dict of them by device, not {shown(value)}")
    found: list[tuple[str, ColumnName]] = []
    for device, column in pairs:
        check_kind(f"a device of {name}", device, str)
        many = column if isinstance(column, list | tuple | range) else [column]
        for each in many:
            if isinstance(each, str) and each.strip().isdecimal() and len(each.strip()) < 9:
                each = int(each)
            if not isinstance(each, str):
                each = check_int(f"a column of {name}", each, 1, 10**9)
            found.append((device.strip(), each))
    if not found:
        raise ValueError(f"{name} must name at least one column")
    return tuple(found)


def _unit(value: Any) -> Unit | None:
    if value is None:
        return None
    check_kind("unit", value, str)
    unit = Unit("", "", 1.0) if value == "" else parse_unit(value)
    if unit is None or unit.quantity not in ("", "G", "R", "I"):
        known = "S, mS, uS, nS, ohm, kohm, Mohm, A, uA, nA"
        raise ValueError(f'unit must be one such as {known}, or "" for values without one, not {shown(value)}')
    return unit


def _window(value: Any) -> tuple[float, float] | None:
    if value is None:
        return None
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise TypeError(f"window must be a pair (lowest, highest), not {shown(value)}")
    try:
        low, high = (float(each) for each in value)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"window must be a pair of numbers, not {shown(value)}") from None
    if not low < high:
        raise ValueError(f"window must be (lowest, highest), in the unit of the source, not {listed((low, high))}")
    return low, high
