"""Arrays by name, as JSON, NPY, NPZ and MATLAB files hold them."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tikitaka._internal.mat import read_mat
from tikitaka._internal.npz import read_npy, read_npz
from tikitaka._internal.shown import listed, shown
from tikitaka.measurement.arrays import traces_in
from tikitaka.measurement.direction import Trace
from tikitaka.measurement.found import Found, unit_of
from tikitaka.measurement.grid import Column, Grid, Row, number, word_column
from tikitaka.measurement.layout import from_grid
from tikitaka.measurement.options import Options
from tikitaka.measurement.rows import from_rows
from tikitaka.measurement.text import text_of
from tikitaka.measurement.words import Heading, Unit, heading, parse_unit, remainder

__all__ = ["from_json", "from_mat", "from_npy", "from_npz"]

F64 = NDArray[np.float64]

_FEW = 20


def from_json(content: bytes, options: Options, name: str, sign: int) -> Found:
    """The traces in a JSON file: lists by name, records, or lists of numbers."""
    try:
        data = json.loads(text_of(content))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"it is not valid JSON: {error}") from None
    devices = _objects(data)
    if devices is not None:
        return _of_devices(devices, options, name, sign)
    if isinstance(data, list) and data and all(isinstance(each, dict) for each in data):
        names = tuple(dict.fromkeys(str(key) for each in data for key in each))
        if not names:
            raise ValueError("it must hold lists of numbers, not records without fields")
        columns = tuple(_column([each.get(key) for each in data]) for key in names)
        return from_grid(Grid(names, columns, f"{len(data):,} records"), options, name, sign)
    if isinstance(data, list):
        return _of_array(_deep(data), options, name, sign)
    if not isinstance(data, dict):
        raise ValueError(f"it must hold lists of numbers, not {shown(data)}")
    return _of_names(data, options, name, sign)


def from_npz(path: Path, options: Options, name: str, sign: int) -> Found:
    """The traces in an .npz file."""
    return _of_names(read_npz(path), options, name, sign)


def from_mat(content: bytes, options: Options, name: str, sign: int) -> Found:
    """The traces in a .mat file; ModuleNotFoundError without SciPy."""
    return _of_names(read_mat(content), options, name, sign)


def from_npy(content: bytes, options: Options, name: str, sign: int) -> Found:
    """The traces in an .npy file."""
    array = read_npy(content)
    if array.dtype.names:
        columns = tuple(_column(array[field].reshape(-1).tolist()) for field in array.dtype.names)
        return from_grid(Grid(array.dtype.names, columns, "fields"), options, name, sign)
    return _of_array(array, options, name, sign)


def _deep(data: Any) -> Any:
    try:
        return np.array(data, dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        return data


def _of_array(data: Any, options: Options, name: str, sign: int) -> Found:
    """Traces of a plain array: a list, a table of columns if it is tall, rows that are sweeps if it is wide."""
    if isinstance(data, np.ndarray) and data.ndim <= 2:
        if data.dtype.kind not in "iufb":
            raise ValueError(f"it must hold numbers, not values of type {data.dtype}")
        table = np.atleast_1d(data.astype(np.float64))
        table = table[:, None] if table.ndim == 1 else table
        if not table.size:
            raise ValueError("it is empty")
        table[np.isinf(table)] = np.nan
        if table.shape[1] < _FEW <= table.shape[0] or table.shape[1] < table.shape[0]:
            where = f"an array of shape {data.shape}"
            return from_grid(Grid(("",) * table.shape[1], tuple(table.T), where), options, name, sign)
        return from_rows([Row("", row) for row in table], options, name, sign)
    return from_rows([Row("", row) for row in _traces("the list", data)], options, name, sign)


def _traces(name: str, data: Any) -> list[F64]:
    try:
        return traces_in(name, data)
    except TypeError as error:  # the contents of a file are wrong, not the type of an argument
        raise ValueError(str(error)) from None


def _column(values: list[Any]) -> Column:
    numbers = [number(each) if each is None or isinstance(each, int | float | str) else None for each in values]
    if None not in numbers:
        return np.array(numbers, dtype=np.float64)
    return word_column(["" if each is None else str(each) for each in values])


def _of_names(data: Mapping[str, Any], options: Options, name: str, sign: int) -> Found:
    """Traces of arrays by name: an up and a down array, columns of a table, or devices."""
    inner = {str(key): each for key, each in data.items() if isinstance(each, dict)}
    groups = {key: found for key, each in data.items() if (found := _objects(each)) is not None}
    for key, devices in groups.items():
        inner |= {name if len(groups) == 1 else f"{key} {name}": each for name, each in devices.items()}
    unit = _stated_unit(data)
    if unit is not None:
        inner = {key: {"unit": data.get("unit", data.get("units")), **each} for key, each in inner.items()}
    arrays = {key: each for key, each in data.items() if _is_array(each) and key not in groups}
    if inner and not any(heading(key).sign for key in arrays):
        return _of_devices(inner, options, name, sign)
    lists = {key: each for key, each in arrays.items() if _size(each) >= _FEW}
    if not lists:
        raise ValueError(f"it must hold lists of at least {_FEW} numbers; its keys are {listed(data) or 'none'}")
    known = {key: heading(key) for key in lists}
    if options.up or options.down:
        pairs = {int(s): [str(k) for k in keys] for s, keys in ((1, options.up), (-1, options.down))}
        for key in (*pairs[1], *pairs[-1]):
            if key not in lists:
                raise ValueError(f"up and down must be among the keys {listed(lists)}, not {shown(key)}")
    else:
        pairs = {side: _named(known, side) for side in (1, -1)}
    if options.columns:
        return _of_columns(lists, known, options, name)
    counting = options.seconds_per_pulse is not None or any(_counts(key) for key in arrays)
    if counting and len({_size(each) for each in lists.values()}) == 1 and all(map(_flat, lists.values())):
        columns = tuple(_column(list(np.asarray(each, dtype=object))) for each in lists.values())
        table = from_grid(Grid(tuple(map(str, lists)), columns, "lists by name"), options, name, sign)
        table.unit = table.unit or unit
        return table
    if pairs[1] or pairs[-1]:
        return _up_down(data, lists, known, pairs, name)
    if len({_size(each) for each in lists.values()}) == 1 and all(np.ndim(each) == 1 for each in lists.values()):
        columns = tuple(_column(list(np.asarray(each, dtype=object))) for each in lists.values())
        grid = Grid(tuple(lists), columns, "lists by name")
        return from_grid(grid, options, name, sign)
    if len(lists) == 1:
        (values,) = lists.values()
        return _of_array(_deep(values) if isinstance(values, list) else values, options, name, sign)
    return _of_devices(lists, options, name, sign)


def _of_columns(lists: Mapping[str, Any], known: dict[str, Heading], options: Options, name: str) -> Found:
    """Traces of the arrays that `columns` names."""
    traces: list[Trace] = []
    for device, column in options.columns:
        key = str(column)
        if key not in lists:
            raise ValueError(f"columns must be among the keys {listed(lists)}, not {shown(column)}")
        owner = device or remainder(key)[0] or name
        traces += [Trace(owner, each, sign=known[key].sign) for each in _traces(f"key {shown(key)}", lists[key])]
    found = Found(traces, unit_of([known[str(column)].unit for _, column in options.columns]))
    found.account = [f"arrays by name: {listed(column for _, column in options.columns)}"]
    return found


def _of_devices(data: Mapping[str, Any], options: Options, name: str, sign: int) -> Found:
    parts = []
    for key, each in data.items():
        if isinstance(each, dict):
            parts.append(_of_names(each, options, str(key), sign))
        else:
            parts.append(_of_array(_deep(each), options, str(key), sign))
    units = {(part.unit.quantity, part.unit.factor) if part.unit else None for part in parts}
    if len(units) > 1:
        raise ValueError("all devices must have values of one unit")
    found = Found([trace for part in parts for trace in part.traces], parts[0].unit, parts[0].read_voltage)
    found.account = [f"devices by name: {listed(data)}", *parts[0].account]
    return found


def _objects(value: Any) -> dict[str, Any] | None:
    """The objects of a list by their names, or numbers, if each holds lists of numbers; None for anything else."""
    if not isinstance(value, list) or not value or not all(isinstance(each, dict) for each in value):
        return None
    if not all(any(isinstance(inner, list) and _size(inner) >= _FEW for inner in each.values()) for each in value):
        return None
    named: dict[str, Any] = {}
    for place, each in enumerate(value, 1):
        words = [text for key, text in each.items() if _names_device(str(key)) and isinstance(text, str | int)]
        name = str(words[0]) if words else str(place)
        while name in named:
            name = f"{name} ({place})"
        named[name] = each
    return named


def _stated_unit(data: Mapping[str, Any]) -> Unit | None:
    """The unit that a key of a file says."""
    return next((parse_unit(str(data[key])) for key in ("unit", "units") if key in data), None)


def _counts(key: Any) -> bool:
    return "pulse" in str(key).casefold() and heading(str(key)).quantity in ("counter", "pulse")


def _flat(value: Any) -> bool:
    return value.ndim == 1 if isinstance(value, np.ndarray) else not any(isinstance(each, list) for each in value)


def _names_device(key: str) -> bool:
    return key.casefold() == "name" or heading(key).quantity == "device"


def _is_array(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "iuf" and value.ndim <= 2
    return isinstance(value, list) and bool(value)


def _size(value: Any) -> int:
    if isinstance(value, np.ndarray):
        return int(value.size)
    return sum(len(each) if isinstance(each, list) else 1 for each in value)


def _named(known: dict[str, Heading], side: int) -> list[str]:
    """The keys of the arrays of one direction: of a quantity, if any says one."""
    keys = [key for key, one in known.items() if one.sign == side and one.quantity != "derived"]
    for kinds in (("G",), ("R",), ("I",)):
        found = [key for key in keys if known[key].quantity in kinds]
        if found:
            return found
    return [key for key in keys if known[key].quantity in ("", "pulse")]


def _up_down(
    data: Mapping[str, Any],
    lists: Mapping[str, Any],
    known: dict[str, Heading],
    pairs: dict[int, list[str]],
    name: str,
) -> Found:
    traces: list[Trace] = []
    said = []
    cut = _repeats(data)
    initial = False
    for side, keys in pairs.items():
        for key in keys:
            arrays = _traces(f"key {shown(key)}", lists[key])
            owner = remainder(key)[0] if len(keys) > 1 else ""
            if cut and len(arrays) == 1 and len(arrays[0]) in (cut[0] * cut[1], cut[0] * (cut[1] + 1)):
                reads = len(arrays[0]) // cut[0]
                initial = initial or reads == cut[1] + 1
                arrays = list(arrays[0].reshape(cut[0], reads))
            for each in arrays:
                trace = Trace(owner or name, each, sign=side)
                trace.initial = initial
                traces.append(trace)
            word = "up" if side > 0 else "down"
            said.append(
                f"{shown(key)} is {word}: {len(arrays):,} sweep{'s' * (len(arrays) != 1)} of {len(arrays[0]):,} reads"
            )
    units = {(one.unit.quantity, one.unit.factor): one.unit for key, one in known.items() if one.unit and key in lists}
    kinds = {known[key].quantity for key in (*pairs[1], *pairs[-1]) if key in known} & {"G", "R", "I"}
    unit = next(iter(units.values())) if len(units) == 1 else _stated_unit(data) or _basic(kinds, lists, pairs)
    found = Found(traces, unit, _read_voltage(data))
    found.account = ["arrays by name: " + "; ".join(said)]
    return found


def _basic(kinds: set[str], lists: Mapping[str, Any], pairs: dict[int, list[str]]) -> Any:
    """The basic unit of a quantity that names no unit, where its values are of the size of measured ones."""
    if len(kinds) != 1:
        return None
    (kind,) = kinds
    values = np.abs(np.concatenate([np.ravel(_deep(lists[key])) for key in (*pairs[1], *pairs[-1])]))
    middle = float(np.nanmedian(values)) if values.size else 0.0
    sizes = {"G": (1e-12, 2e-2), "R": (50.0, 1e13), "I": (1e-14, 1e-2)}[kind]
    if not sizes[0] <= middle <= sizes[1]:
        return None
    return Unit({"G": "S", "R": "ohm", "I": "A"}[kind], kind, 1.0)


def _repeats(data: Mapping[str, Any]) -> tuple[int, int] | None:
    """Repetitions and pulses of each, if the file says them."""
    found = []
    for key in ("repeats", "N"):
        value = data.get(key)
        if isinstance(value, np.ndarray) and value.size == 1:
            value = value.item()
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return None
        found.append(int(value))
    return (found[0], found[1]) if 1 <= found[0] <= 10**6 and 1 <= found[1] <= 10**8 else None


def _read_voltage(data: Mapping[str, Any]) -> float | None:
    for key, value in data.items():
        plain = value.item() if isinstance(value, np.ndarray) and value.size == 1 else value
        named = isinstance(key, str) and heading(key).quantity == "read_V" and not isinstance(plain, bool)
        if named and isinstance(plain, int | float) and 1e-9 < abs(plain) < 1e4:
            return float(plain)
    return None
