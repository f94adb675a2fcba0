"""Files and arrays of measured pulses, read into one table."""

from tikitaka.measurement.arrays import measured
from tikitaka.measurement.jump_table import is_jump_table, read_jump_table
from tikitaka.measurement.read import read_measured
from tikitaka.measurement.table import Measured, Sweep

__all__ = ["Measured", "Sweep", "is_jump_table", "measured", "read_jump_table", "read_measured"]
