"""The sweeps of one device as the filter takes them: one after another, in units of the window."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tikitaka.measurement.table import Sweep

__all__ = ["Data", "data_of"]

F64 = NDArray[np.float64]

_SHORT = 3  # reads below which a sweep says nothing
_MOST = 300_000  # reads of a device that are used
_PIECE = 1000  # reads of a piece, if there are more
_FAR = 3.0  # windows from the middle where a read is a spike


@dataclass(frozen=True, eq=False)
class Data:
    """Sweeps of one device, with x = (G − middle)/size."""

    values: F64
    """reads x (reads,); NaN where one is missing"""
    signs: NDArray[np.int8]
    """pulse before each read (reads,)"""
    starts: NDArray[np.int64]
    """where each sweep begins (sweeps,)"""
    cycles: NDArray[np.int64]
    """number of the cycle of each sweep (sweeps,), from 0 in the order of the source"""
    middle: float
    """middle of the window, in the unit of the source"""
    size: float
    """size of the window, in the unit of the source"""
    hard: tuple[float, float] = (-np.inf, np.inf)
    """hard bounds x (lower, upper) where sweeps stopped; ∓∞ without"""
    spikes: int = 0
    """reads far outside the window, which are taken for missing"""

    @property
    def arrays(self) -> tuple[F64, NDArray[np.int8], NDArray[np.int64]]:
        """What the crate takes."""
        return self.values, self.signs, self.starts

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Reads of each sweep (sweeps,)."""
        found: NDArray[np.int64] = np.diff(np.append(self.starts, len(self.values)))
        return found

    @property
    def counts(self) -> NDArray[np.int64]:
        """Reads of each sweep that the likelihood counts (sweeps,): all that are not missing, but the first."""
        known: NDArray[np.int64] = np.add.reduceat(~np.isnan(self.values), self.starts, dtype=np.int64)
        return known - (known > 0)

    def part(self, wanted: NDArray[np.bool_]) -> "Data":
        """The sweeps where `wanted` (sweeps,) is true."""
        reads = np.repeat(wanted, self.lengths)
        starts = np.concatenate([[0], np.cumsum(self.lengths[wanted])[:-1]]).astype(np.int64)
        return replace(
            self, values=self.values[reads], signs=self.signs[reads], starts=starts, cycles=self.cycles[wanted]
        )

    def half(self, odd: int) -> "Data":
        """The cycles with even (0) or odd (1) numbers."""
        return self.part(self.cycles % 2 == odd)

    def sweeps(self) -> list[tuple[F64, NDArray[np.int8]]]:
        """Values and signs of each sweep."""
        return list(zip(np.split(self.values, self.starts[1:]), np.split(self.signs, self.starts[1:]), strict=True))


def _thinned(sweeps: Sequence[Sweep]) -> list[Sweep]:
    """The sweeps, or of very many reads pieces at equal distances."""
    if sum(map(len, sweeps)) <= _MOST:
        return list(sweeps)
    pieces = [
        Sweep(each.device, each.cycle, each.signs[k : k + _PIECE], each.values[k : k + _PIECE])
        for each in sweeps
        for k in range(0, len(each), _PIECE)
    ]
    wanted = np.linspace(0, len(pieces) - 1, min(len(pieces), _MOST // _PIECE)).astype(int)
    return [pieces[k] for k in wanted]


def data_of(sweeps: Sequence[Sweep]) -> Data:
    """The sweeps of one device in units of its window, from the 0.5 % to the 99.5 % quantile of its reads.

    Reads more than three windows from its middle are spikes, and taken for missing. Sweeps of fewer than three reads
    are left out. Of more than 300,000 reads, pieces of 1,000 at equal distances are taken. Raises ValueError if nothing
    is left, or all reads are the same.
    """
    name = sweeps[0].device
    used = [each for each in _thinned(sweeps) if np.count_nonzero(~np.isnan(each.values)) >= _SHORT]
    if not used:
        raise ValueError(f"device {name!r}: no sweep has {_SHORT} reads or more")
    values = np.concatenate([each.values for each in used])
    low, high = np.nanquantile(values, [0.005, 0.995])
    if not high > low:
        raise ValueError(f"device {name!r}: values must change, not stay at {low:.4g}")
    order = {cycle: k for k, cycle in enumerate(dict.fromkeys(each.cycle for each in used))}
    middle, size = float(low + high) / 2, float(high - low)
    x = (values - middle) / size
    far = np.abs(x) > _FAR
    x[far] = np.nan
    return Data(
        x,
        np.concatenate([each.signs for each in used]),
        np.concatenate([[0], np.cumsum([len(each) for each in used])[:-1]]).astype(np.int64),
        np.array([order[each.cycle] for each in used]),
        middle,
        size,
        spikes=int(np.count_nonzero(far)),
    )
