"""Numbers with intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tikitaka.fitting.intervals import interval

__all__ = ["Value"]


@dataclass(frozen=True)
class Value:
    """A number with its 95 % interval."""

    estimate: float
    """the estimate; NaN if there is none"""
    low: float
    """lower end of the interval"""
    high: float
    """upper end of the interval"""
    unit: str = ""
    """its unit; "" for a number"""

    @classmethod
    def of(cls, estimate: float, replicates: NDArray[np.float64], unit: str = "") -> "Value":
        """An estimate with the 2.5 % and the 97.5 % quantile of replicates."""
        return cls(estimate, *interval(replicates), unit)

    @classmethod
    def spread(cls, values: NDArray[np.float64], unit: str = "") -> "Value":
        """The median of devices, and between which values 95 % of them lie."""
        return cls(float(np.nanmedian(values)), *interval(values), unit)

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.estimate:.3g} [{self.low:.3g}, {self.high:.3g}]{unit}"
