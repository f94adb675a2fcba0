"""Files and arrays of measured pulses, read into one table."""

from tikitaka.measurement.arrays import measured
from tikitaka.measurement.read import read_measured
from tikitaka.measurement.table import Measured, Sweep

__all__ = ["Measured", "Sweep", "measured", "read_measured"]
