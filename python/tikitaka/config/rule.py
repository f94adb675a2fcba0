"""Training rules with their parameters."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import Annotated, Any, Literal

import numpy as np

from tikitaka import _core
from tikitaka._internal.shown import shown
from tikitaka.config.base import Config
from tikitaka.config.device import Device, SoftBounds
from tikitaka.config.periphery import Periphery
from tikitaka.config.pulse_trains import PulseTrains
from tikitaka.config.reference import Reference
from tikitaka.config.reliability import Reliability

__all__ = [
    "Agad",
    "AnalogSgd",
    "Cttv2",
    "DigitalSgd",
    "Erider",
    "MixedPrecision",
    "Rider",
    "Rl",
    "Rlv2",
    "RuleConfig",
    "Tiles",
    "TransferRule",
    "Ttv1",
    "Ttv2",
]


TileSize = int | tuple[int, int] | None
"""The size above which a layer is cut into tiles, physical arrays side by side."""


def tile_of(value: Any) -> int | tuple[int, int]:
    """`tile` as a number of rows and columns, or (rows, columns), from any whole numbers.

    Raises TypeError for anything else and ValueError for numbers that are not from 1 to 10⁹.
    """
    if isinstance(value, Integral):
        sides = [value]
    elif isinstance(value, Sequence | np.ndarray) and not isinstance(value, str) and np.shape(value) == (2,):
        sides = list(value)
    else:
        sides = []
    if not sides or any(isinstance(side, bool) or not isinstance(side, Integral) for side in sides):
        raise TypeError(f"tile must be a whole number or two, (rows, columns), not {shown(value)}")
    rows, *cols = (int(side) for side in sides)
    if not all(1 <= side <= 10**9 for side in (rows, *cols)):
        raise ValueError(f"tile must be from 1 to 1,000,000,000, not {shown(value)}")
    return (rows, *cols) if cols else rows  # type: ignore[return-value]


class RuleConfig(Config):
    """A training rule with its parameters."""

    kind: str

    def __post_init__(self) -> None:
        tile = getattr(self, "tile", None)
        if tile is not None:
            object.__setattr__(self, "tile", tile_of(tile))
        super().__post_init__()

    def describe(
        self,
        rows: int,
        cols: int,
        *,
        x: float = 1.0,
        delta: float = 0.1,
        samples: int | None = None,
        lr_scale: float = 1.0,
    ) -> str:
        """The meaning of the settings on an array of `rows` × `cols`, with any warnings last.

        `x` and `delta` are the largest |x| and |δ| to expect, `samples` the planned number of training
        samples, `lr_scale` the factor of the schedule. Raises ValueError for impossible numbers.
        """
        return _core.describe(self, rows, cols, x=x, delta=delta, samples=samples, lr_scale=lr_scale)[0].rstrip("\n")

    def warnings(
        self,
        rows: int,
        cols: int,
        *,
        x: float = 1.0,
        delta: float = 0.1,
        samples: int | None = None,
        lr_scale: float = 1.0,
    ) -> tuple[str, ...]:
        """The warnings of `describe` alone: trains that saturate, thresholds that are never reached."""
        return tuple(_core.describe(self, rows, cols, x=x, delta=delta, samples=samples, lr_scale=lr_scale)[1])


@dataclass(frozen=True, repr=False)
class DigitalSgd(RuleConfig):
    """Exact stochastic gradient descent, W ← W − lr·δxᵀ: the digital reference of every analog result."""

    kind: Literal["float"] = field(default="float", init=False, repr=False)
    lr: Annotated[float, "learning rate; times the schedule"] = 0.05


@dataclass(frozen=True, repr=False)
class AnalogSgd(RuleConfig):
    """SGD on one array by stochastic pulsed updates (GV16)."""

    kind: Literal["sgd"] = field(default="sgd", init=False, repr=False)
    lr: Annotated[float, "learning rate; times the schedule"] = 0.003
    device: Annotated[Device, "devices of the array"] = SoftBounds()
    periphery: Annotated[Periphery, "converters and noise"] = Periphery()
    reliability: Annotated[Reliability, "stuck devices, wear, relaxation, write noise"] = Reliability()
    pulse_trains: Annotated[PulseTrains, "pulse trains"] = PulseTrains()
    reference: Annotated[Reference, "reference of the array"] = Reference()
    tile: Annotated[TileSize, "largest physical array: rows and columns, or one number for both"] = None
    count_pulses: Annotated[bool, "keep a counter of pulses per crosspoint"] = False


@dataclass(frozen=True, repr=False)
class MixedPrecision(RuleConfig):
    """Mixed precision: gradients add up exactly in digital, whole steps of C become pulses (Nandakumar et al. 2020)."""

    kind: Literal["mp"] = field(default="mp", init=False, repr=False)
    lr: Annotated[float, "learning rate; times the schedule"] = 0.2
    transfer_every: Annotated[int, "mini-batches between transfers of all that has added up"] = 1
    device: Annotated[Device, "devices of the array"] = SoftBounds()
    periphery: Annotated[Periphery, "converters and noise"] = Periphery()
    reliability: Annotated[Reliability, "stuck devices, wear, relaxation, write noise"] = Reliability()
    reference: Annotated[Reference, "reference of the array"] = Reference()
    average: Annotated[Literal["uniform", "exponential"], "weighting of the reads of C that make averages"] = "uniform"
    average_memory: Annotated[float, "reads of a column that count in an exponential average"] = 100.0
    average_every: Annotated[int, "mini-batches per read of a column, in turn, for its average"] = 1
    average_bound: Annotated[float, "ADC range ± of the reads of C, as those for averages (weight units)"] = 1.5
    tile: Annotated[TileSize, "largest physical array: rows and columns, or one number for both"] = None
    count_pulses: Annotated[bool, "keep a counter of pulses per crosspoint"] = False


@dataclass(frozen=True, repr=False)
class _OneRate(RuleConfig):
    """Rules whose rates follow from one."""

    lr: Annotated[float, "learning rate as that of float, from which the others follow; times the schedule"] = 0.2


@dataclass(frozen=True, repr=False)
class TransferRule(RuleConfig):
    """What rules with fast arrays share: gradients go to a fast array A, and what it holds moves on to C."""

    fast_lr: Annotated[float | None, "learning rate lr_A of A (default: from lr)"] = None
    transfer_lr: Annotated[
        float | None, "learning rate of the transfer from A to C (default: from lr); times the schedule"
    ] = None
    transfer_every: Annotated[int, "samples ns between transfers of one line"] = 2


@dataclass(frozen=True, repr=False)
class _Lines(TransferRule):
    """Rules that may count mini-batches and read rows."""

    transfer_unit: Annotated[Literal["sample", "batch"], "what transfer_every counts"] = "sample"
    transfer_line: Annotated[Literal["column", "row"], "lines of A that are read"] = "column"


@dataclass(frozen=True, repr=False)
class _Filter(_Lines, _OneRate):
    """Rules whose reads of A gather in the digital filter H."""

    transfer_lr: Annotated[
        float | None, "transfer rate λ_H, thresholds per unit of A read (default: from lr); times the schedule"
    ] = None
    transfer_every: Annotated[int, "samples ns between reads of one line of A"] = 2
    after_pulse: Annotated[Literal["zero", "subtract", "keep"], "the new value of H after it has sent a pulse"] = "zero"
    keep: Annotated[float, "fraction of H kept with after_pulse = keep"] = 0.0
    max_pulses: Annotated[int, "most pulses one crossing of the threshold may send, where transfer_lr is given"] = 1
    rates: Annotated[
        Literal["auto", "r24", "r24-matched"], "rates from lr, devices and signals, or by the formulas of R24"
    ] = "auto"
    learning_rate: Annotated[float, "learning rate λ of R24 with rates = r24; times the schedule"] = 0.1
    granularity: Annotated[float, "η₀ of R24: pulses of A for the largest gradient, in trains"] = 1.0
    reads: Annotated[float, "γ₀ of R24: reads to gather before a pulse"] = 200.0
    memory: Annotated[float, "time constant of R24's running means of max|x| and max|δ| (samples)"] = 100.0


@dataclass(frozen=True, repr=False)
class _Arrays(RuleConfig):
    """The arrays of rules with fast arrays, and the averages of what the network sees."""

    device: Annotated[Device, "devices of A, and of C unless it has its own"] = SoftBounds()
    slow_device: Annotated[Device | None, "devices of C where they differ from those of A"] = None
    periphery: Annotated[Periphery, "converters and noise"] = Periphery()
    reliability: Annotated[Reliability, "stuck devices, wear, relaxation, write noise"] = Reliability()
    pulse_trains: Annotated[PulseTrains, "pulse trains"] = PulseTrains()
    reference: Annotated[Reference, "reference of A"] = Reference("ideal")
    slow_reference: Annotated[Reference, "reference of C"] = Reference()
    average: Annotated[Literal["uniform", "exponential"], "weighting of the reads of C that make averages"] = "uniform"
    average_memory: Annotated[float, "reads of a line that count in an exponential average"] = 100.0
    average_every: Annotated[int, "transfers of a line per read of it for its average"] = 1
    average_bound: Annotated[float, "ADC range ± of the reads of C, as those for averages (weight units)"] = 1.5
    tile: Annotated[TileSize, "largest physical array: rows and columns, or one number for both"] = None
    count_pulses: Annotated[bool, "keep a counter of pulses per crosspoint"] = False


@dataclass(frozen=True, repr=False)
class _Chopped(RuleConfig):
    """The signs of A's lines."""

    chopper: Annotated[Literal["regular", "random"], "how the signs of lines flip"] = "regular"
    flip_rate: Annotated[float, "flips ρ of the sign of a line per read of it"] = 0.1


@dataclass(frozen=True, repr=False)
class _Tracked(_Chopped):
    """The reference that is measured on the way."""

    reference_rate: Annotated[float, "share β of a read in the mean that becomes the reference"] = 0.5
    warm_up: Annotated[bool, "a line fills H only once it has a reference"] = True


@dataclass(frozen=True, repr=False)
class Ttv1(_Arrays, TransferRule, _OneRate):
    """Tiki-Taka: gradients gather on a fast array A and move to C column by column (GH20, US 11,562,249)."""

    kind: Literal["ttv1"] = field(default="ttv1", init=False, repr=False)
    gamma: Annotated[float, "share γ of A in the weights the network sees, W = γA + C"] = 0.0
    read_vectors: Annotated[
        Literal["one-hot", "hadamard"], "vectors A is read with (hadamard: at transfer_lr / order)"
    ] = "one-hot"


@dataclass(frozen=True, repr=False)
class Ttv2(_Arrays, _Filter):
    """Tiki-Taka v2: reads of A gather in a digital buffer H; a full element sends one pulse to C (R24 eq. 10)."""

    kind: Literal["ttv2"] = field(default="ttv2", init=False, repr=False)


@dataclass(frozen=True, repr=False)
class Cttv2(_Chopped, _Arrays, _Filter):
    """Tiki-Taka v2 with a chopper, or TTv3: A's lines change sign, so errors of its reference cancel (R24 eq. 11)."""

    kind: Literal["cttv2"] = field(default="cttv2", init=False, repr=False)


@dataclass(frozen=True, repr=False)
class Agad(_Tracked, _Arrays, _Filter):
    """Analog gradient accumulation with dynamic reference, TTv4: A's reference is measured on the way (R24 eq. 12)."""

    kind: Literal["agad"] = field(default="agad", init=False, repr=False)
    reference: Annotated[Reference, "reference of A"] = Reference()


@dataclass(frozen=True, repr=False)
class Rl(_Arrays, _Lines, _OneRate):
    """Residual learning: TTv1 whose network sees a share of A, which learns what C has not (W25 eqs. 10 to 13)."""

    kind: Literal["rl"] = field(default="rl", init=False, repr=False)
    gamma: Annotated[float, "share γ of A in the weights the network sees, W = γA + C"] = 0.1


@dataclass(frozen=True, repr=False)
class Rlv2(_Arrays, _Filter):
    """Residual learning v2: TTv2 whose network sees a share of A, with an H that leaks (W25 App. D)."""

    kind: Literal["rlv2"] = field(default="rlv2", init=False, repr=False)
    after_pulse: Annotated[Literal["zero", "subtract", "keep"], "the new value of H after it has sent a pulse"] = (
        "subtract"
    )
    gamma: Annotated[float, "share γ of A in the weights the network sees, W = γA + C"] = 0.1
    leak: Annotated[float, "fraction β of H that each read takes from its line"] = 0.01


@dataclass(frozen=True, repr=False)
class Rider(_Arrays, _Lines, _OneRate):
    """Residual learning against a reference that is measured at every read (X26 Alg. 2)."""

    kind: Literal["rider"] = field(default="rider", init=False, repr=False)
    reference: Annotated[Reference, "reference of A"] = Reference()
    gamma: Annotated[float, "share γ of A in the weights the network sees, W = C + γ(A − Q)"] = 0.1
    reference_rate: Annotated[float, "share η of a read in the mean Q"] = 0.05


@dataclass(frozen=True, repr=False)
class Erider(_Tracked, _Arrays, _Filter):
    """E-RIDER: AGAD whose network sees a share of A (X26 Alg. 3)."""

    kind: Literal["erider"] = field(default="erider", init=False, repr=False)
    reference: Annotated[Reference, "reference of A"] = Reference()
    gamma: Annotated[float, "share γ of A in the weights the network sees, W = C + γc⊙(A − P)"] = 0.1


@dataclass(frozen=True, repr=False)
class Tiles(_Arrays, _Lines):
    """Multi-tile residual learning: TTv1 from tile to tile, each of which learns what slower ones have not (L25)."""

    kind: Literal["tiles"] = field(default="tiles", init=False, repr=False)
    fast_lr: Annotated[float | None, "learning rate lr_A of the fastest tile (default: from the signals)"] = None
    transfer_lr: Annotated[float, "learning rate β of the transfer to C; times the schedule"] = 0.1
    transfer_unit: Annotated[Literal["sample", "batch"], "what transfer_every counts"] = "batch"
    fast_tiles: Annotated[int, "fast tiles before C"] = 3
    lr_ratio: Annotated[float, "rate of the transfer from a tile over that from the next slower one"] = 1.2
    every_ratio: Annotated[int, "batches per transfer of a tile over those of the next faster one"] = 5
    gamma: Annotated[float, "weight γ of a tile over that of the next slower one, W = C + Σ γⁿWₙ"] = 0.5
    warm_start: Annotated[int, "batches for which the fastest tile first writes to each slower one (0: none)"] = 0


AVERAGING = (TransferRule, MixedPrecision)
"""Kinds of rules that gather averages of their iterates."""

rules: dict[str, type[RuleConfig]] = {
    rule.kind: rule
    for rule in (DigitalSgd, AnalogSgd, Ttv1, Ttv2, Cttv2, Agad, MixedPrecision, Rl, Rlv2, Rider, Erider, Tiles)
}
"""Rule configs by kind."""
