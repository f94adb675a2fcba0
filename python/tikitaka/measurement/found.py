"""What a reader hands on: traces in the unit of their source, and what was understood."""

from tikitaka.measurement.direction import Trace
from tikitaka.measurement.words import Unit

__all__ = ["Found"]


class Found:
    """Traces of a source, in its unit, with what was understood."""

    def __init__(self, traces: list[Trace], unit: Unit | None, read_voltage: float | None = None) -> None:
        self.traces = traces
        self.unit = unit
        self.read_voltage = read_voltage
        self.account: list[str] = []
        self.warnings: list[str] = []
