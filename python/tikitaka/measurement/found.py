"""What a reader hands on: traces in the unit of their source, and what was understood."""

from collections.abc import Sequence

from tikitaka._internal.shown import listed
from tikitaka.measurement.direction import Trace
from tikitaka.measurement.words import Unit

__all__ = ["Found", "together", "unit_of"]


class Found:
    """Traces of a source, in its unit, with what was understood."""

    def __init__(self, traces: list[Trace], unit: Unit | None, read_voltage: float | None = None) -> None:
        self.traces = traces
        self.unit = unit
        self.read_voltage = read_voltage
        self.account: list[str] = []
        self.warnings: list[str] = []


def together(parts: Sequence[Found], what: str) -> Found:
    """The traces of several parts, without their accounts; ValueError, naming `what` they are, for different units."""
    units = {(part.unit.quantity, part.unit.factor) if part.unit else None for part in parts}
    voltages = {part.read_voltage for part in parts}
    if len(units) > 1 or len(voltages) > 1:
        raise ValueError(f"all {what} must have values of one unit, read at one voltage")
    found = Found([trace for part in parts for trace in part.traces], parts[0].unit, parts[0].read_voltage)
    found.warnings = list(dict.fromkeys(line for part in parts for line in part.warnings))
    return found


def unit_of(units: Sequence[Unit | None]) -> Unit | None:
    """The one unit of several columns."""
    known = {(unit.quantity, unit.factor): unit for unit in units if unit is not None}
    if len(known) > 1:
        raise ValueError(f"all values must have one unit, not {listed(unit.name for unit in known.values())}")
    return next(iter(known.values()), None)
