"""What a training has asked of its devices: pulses of each, against those that they endure."""

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tikitaka._internal import display
from tikitaka._internal.validation import check_kind
from tikitaka.network import Network

__all__ = ["Wear", "wear"]

PERCENTILES = (50, 90, 99, 99.9)
"""Percentiles of the pulses of a device that a report shows."""


@dataclass(frozen=True, repr=False)
class Wear:
    """The pulses that devices of one kind of array have had.

    `print` shows the mean, percentiles and the most; `worn(limit)` what would be left of devices that endure `limit`.
    """

    array: str
    """the layer and the array, such as linear1.a"""
    pulses: NDArray[np.int64]
    """pulses of each device, or of both devices of a pair (outputs, inputs)"""

    @property
    def most(self) -> int:
        """The most pulses of one device."""
        return int(self.pulses.max())

    def percentiles(self) -> dict[float, float]:
        """The pulses that so many percent of the devices have had at most."""
        return dict(zip(PERCENTILES, np.percentile(self.pulses, PERCENTILES).tolist(), strict=True))

    def worn(self, limit: float) -> float:
        """Share of the devices that have had `limit` pulses or more (0 to 1); TypeError unless it is a number."""
        check_kind("limit", limit, Real)
        return float(np.mean(self.pulses >= limit))

    def row(self) -> tuple[str, ...]:
        """Array, mean, percentiles and the most, as text."""
        return (self.array, f"{self.pulses.mean():,.1f}", *(f"{n:,.0f}" for n in self.percentiles().values()),
                f"{self.most:,}")  # fmt: skip

    def __repr__(self) -> str:
        names = [f"{name} {value}" for name, value in zip(_COLUMNS[1:], self.row()[1:], strict=True)]
        return f"Wear({self.array}: {', '.join(names)} pulses)"


_COLUMNS = ("array", "mean", *(f"{p:g} %" for p in PERCENTILES), "most")


@dataclass(frozen=True, repr=False)
class WearReport:
    """The wear of all arrays of a network; `print` shows a table."""

    arrays: tuple[Wear, ...]
    """that of each array"""

    def __repr__(self) -> str:
        rows = [_COLUMNS, *(wear.row() for wear in self.arrays)]
        widths = [max(len(row[k]) for row in rows) for k in range(len(_COLUMNS))]
        lines = [
            "  ".join(
                cell.rjust(width) if k else cell.ljust(width)
                for k, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            for row in rows
        ]
        return "\n".join(["pulses of a device, by array", *lines])

    def _repr_html_(self) -> str:
        return display.table("pulses of a device", _COLUMNS, [wear.row() for wear in self.arrays])


def wear(network: Network) -> WearReport:
    """The pulses of each device of `network`, by array: mean, percentiles, the most.

    The rules of the network must count pulses: `count_pulses=True`, or an `endurance`. Raises TypeError for anything
    but a network, and ValueError for one that counts none.
    """
    check_kind("network", network, Network)
    found: list[Wear] = []
    for index, name in enumerate(network.names):
        state: dict[str, Any] = network.layer_state(index)
        found += [
            Wear(f"{name}.{array.removesuffix('.pulses')}", np.asarray(values, np.int64))
            for array, values in state.items()
            if array.endswith(".pulses") and "counts" not in array
        ]
    if not found:
        raise ValueError("network must count pulses: give its rules count_pulses=True, or an endurance")
    return WearReport(tuple(found))
