"""Measured pulses in memory: sweeps of reads, and the account of how they were understood."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tikitaka._internal.display import table
from tikitaka._internal.shown import listed, shown
from tikitaka._internal.validation import check_int, check_kind

__all__ = ["Measured", "Sweep"]

_LONG = 100_000_000  # reads of a sweep


@dataclass(frozen=True, eq=False, repr=False)
class Sweep:
    """Consecutive reads of one device, each with the pulse before it.

    Read `values[k]` follows pulse `signs[k]`, and nothing but that pulse lies between `values[k - 1]` and `values[k]`.
    What happened before the first read of a sweep is not known, so its start is free: `signs[0]` is 0 for a read
    before any pulse, and otherwise the pulse before it, whose effect cannot be seen.

    Raises ValueError for empty arrays and arrays of different lengths, signs other than +1, −1 and 0, and infinite
    values; TypeError for anything but arrays of numbers.

    >>> import tikitaka as tt
    >>> tt.Sweep("A1", 1, signs=[0, 1, 1, -1], values=[1.0, 1.2, 1.3, 1.1])
    Sweep('A1', cycle 1: 4 reads, 2 up and 1 down pulses)
    """

    device: str
    """name of the device"""
    cycle: int
    """number of the cycle, from 1 if the file does not number them"""
    signs: NDArray[np.int8]
    """pulse before each read (reads,): +1 up, −1 down, 0 none"""
    values: NDArray[np.float64]
    """what was read (reads,), in the unit of the table; NaN if a read is missing"""

    def __post_init__(self) -> None:
        check_kind("device", self.device, str)
        object.__setattr__(self, "cycle", check_int("cycle", self.cycle, -(2**62), 2**62))
        signs, values = _numbers("signs", self.signs), _numbers("values", self.values)
        if len(signs) != len(values):
            raise ValueError(f"signs must be one for each of {len(values):,} values, not {len(signs):,}")
        if not np.isin(signs, (-1, 0, 1)).all():
            raise ValueError(f"signs must be +1, -1 or 0, not {shown(signs[~np.isin(signs, (-1, 0, 1))][0].item())}")
        if np.isinf(values).any():
            raise ValueError(
                f"values must be finite, or NaN where a read is missing, not {values[np.isinf(values)][0]}"
            )
        for name, array in (("signs", signs.astype(np.int8)), ("values", values.astype(np.float64))):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def up(self) -> int:
        """Number of up pulses."""
        return int(np.count_nonzero(self.signs == 1))

    @property
    def down(self) -> int:
        """Number of down pulses."""
        return int(np.count_nonzero(self.signs == -1))

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        counts = f"{len(self):,} reads, {self.up:,} up and {self.down:,} down pulses"
        return f"Sweep({shown(self.device)}, cycle {self.cycle}: {counts})"


def _numbers(name: str, value: object) -> NDArray[np.float64]:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} must be a list of numbers, not lists of unequal lengths") from error
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold numbers, not {shown(value)}")
    if array.ndim != 1 or not 1 <= array.size <= _LONG:
        raise ValueError(f"{name} must hold from 1 to {_LONG:,} numbers, not an array of shape {array.shape}")
    return array.astype(np.float64)


@dataclass(frozen=True, eq=False, repr=False)
class Measured:
    """Measured pulses: what [`measured`][tikitaka.measured] and [`read_measured`][tikitaka.read_measured] return.

    `print` shows the account: what was found, every decision that was made, and what looks unusual. Raises ValueError
    without sweeps, TypeError for anything but sweeps.
    """

    sweeps: tuple[Sweep, ...]
    """the sweeps, by device and cycle, in the order of the source"""
    unit: str = ""
    """unit of all values: S for conductances; "" if the unit is arbitrary, unknown or a count"""
    source_unit: str = ""
    """unit of the source, before conversion"""
    account: tuple[str, ...] = ()
    """what was understood, a line for each decision"""
    warnings: tuple[str, ...] = ()
    """what is unusual or was left out"""
    source: str = field(default="arrays")
    """where the values come from"""

    def __post_init__(self) -> None:
        for name in ("sweeps", "account", "warnings"):
            value = getattr(self, name)
            if not isinstance(value, Sequence) or isinstance(value, str):
                raise TypeError(f"{name} must be a tuple, not {shown(value)}")
            object.__setattr__(self, name, tuple(value))
        for each in self.sweeps:
            if not isinstance(each, Sweep):
                raise TypeError(f"sweeps must hold tt.Sweep only, not {shown(each)}")
        for name in ("unit", "source_unit", "source"):
            check_kind(name, getattr(self, name), str)
        if not self.sweeps:
            raise ValueError("sweeps must hold at least one sweep")

    @property
    def devices(self) -> tuple[str, ...]:
        """Names of the devices, in the order of the source."""
        return tuple(dict.fromkeys(each.device for each in self.sweeps))

    @property
    def cycles(self) -> int:
        """The number of cycles, of the device that has most of them."""
        numbers: dict[str, set[int]] = {}
        for each in self.sweeps:
            numbers.setdefault(each.device, set()).add(each.cycle)
        return max(map(len, numbers.values()))

    @property
    def up(self) -> int:
        """Number of up pulses of all devices."""
        return sum(each.up for each in self.sweeps)

    @property
    def down(self) -> int:
        """Number of down pulses of all devices."""
        return sum(each.down for each in self.sweeps)

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest value."""
        finite = [each.values[~np.isnan(each.values)] for each in self.sweeps]
        values = [each for each in finite if each.size]
        if not values:
            return float("nan"), float("nan")
        return float(min(each.min() for each in values)), float(max(each.max() for each in values))

    def of(self, device: str) -> tuple[Sweep, ...]:
        """The sweeps of one device; ValueError if there is none of that name."""
        found = tuple(each for each in self.sweeps if each.device == device)
        if not found:
            raise ValueError(f"device must be one of {listed(self.devices)}, not {shown(device)}")
        return found

    def __len__(self) -> int:
        return len(self.sweeps)

    def __repr__(self) -> str:
        return f"Measured({self._counts()})"

    def __str__(self) -> str:
        lines = [f"{self.source}: {self._counts()}"]
        lines += [f"understood: {line}" for line in self.account]
        lines += [f"warning: {line}" for line in self.warnings]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = [("", self._counts())]
        rows += [("understood", line) for line in self.account]
        rows += [("warning", line) for line in self.warnings]
        return table(self.source, ("", "measured pulses"), rows)

    def _counts(self) -> str:
        low, high = self.range
        devices, cycles = len(self.devices), self.cycles
        return (
            f"{devices:,} device{'s' * (devices != 1)}, {cycles:,} cycle{'s' * (cycles != 1)}, {self.up:,} up and "
            f"{self.down:,} down pulses, {low:.4g} to {high:.4g}{f' {self.unit}' if self.unit else ''}"
        )
