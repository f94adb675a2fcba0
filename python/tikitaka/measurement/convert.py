"""Values in S, from the units and quantities of their source."""

import numpy as np

from tikitaka.measurement.direction import Trace
from tikitaka.measurement.found import Found
from tikitaka.measurement.options import Options
from tikitaka.measurement.words import Unit

__all__ = ["convert"]

_OVERFLOW = 9e36  # instruments write 9.9e37 or 9.91e37 for what they cannot measure


def convert(found: Found, options: Options, account: list[str], warnings: list[str]) -> tuple[str, str]:
    """Values in S, if their unit is known; the unit, and that of the source."""
    unit, voltage = options.unit or found.unit, options.read_voltage
    voltage = found.read_voltage if voltage is None else voltage
    if unit is None and options.read_voltage is not None:
        unit = Unit("A", "I", 1.0)
    _drop_overflows(found.traces, warnings)
    if options.window is not None:
        _limit(found.traces, options.window, warnings)
    if unit is None or not unit.quantity:
        account.append("values in arbitrary units, as they are (unit= says which)")
        return "", unit.name if unit else ""
    with np.errstate(all="ignore"):
        for trace in found.traces:
            values = trace.values * unit.factor
            if unit.quantity == "R":
                values = 1 / values
            elif unit.quantity == "I" and voltage is not None:
                values = values / voltage
            trace.values = np.where(np.isfinite(values), values, np.nan)
    name = "S"
    if unit.quantity == "R":
        account.append(f"resistance in {unit.name}: G = 1/R")
    elif unit.quantity == "I" and voltage is not None:
        account.append(f"current in {unit.name}, read at {voltage:g} V: G = I/V")
    elif unit.quantity == "I":
        name = "A"
        account.append(f"current in {unit.name}, as it is: pass read_voltage= for a conductance")
    else:
        account.append(f"conductance in {unit.name}")
    _check_sign(found.traces, unit, voltage)
    return name, unit.name


def _check_sign(traces: list[Trace], unit: Unit, voltage: object) -> None:
    values = np.concatenate([trace.values for trace in traces])
    bad = values[values < 0]
    if bad.size:
        what = {"G": "conductances", "R": "resistances", "I": "currents"}[unit.quantity]
        hint = 'for values relative to a reference, pass unit=""'
        if bad.size > len(values) / 2 and unit.quantity == "I":
            hint = "pass the voltage they are read at with its sign, such as read_voltage=-0.1"
        raise ValueError(
            f"{what} must not be negative, and {bad.size:,} of {len(values):,} are, down to {bad.min():.3g} "
            f"{'S' if voltage is not None or unit.quantity != 'I' else 'A'}; {hint}"
        )


def _drop_overflows(traces: list[Trace], warnings: list[str]) -> None:
    """Take the numbers that instruments write in place of a value, such as 9.9e37, for missing reads."""
    count = 0
    for trace in traces:
        bad = np.abs(trace.values) >= _OVERFLOW
        if bad.any():
            count += int(bad.sum())
            trace.values = np.where(bad, np.nan, trace.values)
    if count:
        warnings.append(f"{count:,} reads of {_OVERFLOW:.0e} or more, which stand for overflow, are missing")


def _limit(traces: list[Trace], window: tuple[float, float], warnings: list[str]) -> None:
    outside = 0
    for trace in traces:
        bad = (trace.values < window[0]) | (trace.values > window[1])
        outside += int(bad.sum())
        trace.values = np.where(bad, np.nan, trace.values)
    warnings.append(f"{outside:,} reads outside the window {window[0]:g} to {window[1]:g} are left out")
