"""Training rules with their parameters."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from tikitaka import _core
from tikitaka.config.base import Config
from tikitaka.config.device import Device, SoftBounds
from tikitaka.config.periphery import Periphery
from tikitaka.config.pulse_trains import PulseTrains
from tikitaka.config.reference import Reference

__all__ = ["AnalogSgd", "DigitalSgd", "RuleConfig", "Ttv1", "Ttv2"]


class RuleConfig(Config):
    """A training rule with its parameters."""

    kind: str

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
    pulse_trains: Annotated[PulseTrains, "pulse trains"] = PulseTrains()
    reference: Annotated[Reference, "reference of the array"] = Reference()
    count_pulses: Annotated[bool, "keep a counter of pulses per crosspoint"] = False


@dataclass(frozen=True, repr=False)
class Ttv1(RuleConfig):
    """Tiki-Taka: gradients gather on a fast array A and move to C column by column (GH20, US 11,562,249)."""

    kind: Literal["ttv1"] = field(default="ttv1", init=False, repr=False)
    fast_lr: Annotated[float, "learning rate lr_A of A"] = 0.5
    transfer_lr: Annotated[float, "learning rate of the transfer from A to C; times the schedule"] = 0.1
    transfer_every: Annotated[int, "samples ns between transfers of one column"] = 2
    gamma: Annotated[float, "share γ of A in the weights the network sees, W = γA + C"] = 0.0
    read_vectors: Annotated[
        Literal["one-hot", "hadamard"], "vectors A is read with (hadamard: at transfer_lr / order)"
    ] = "one-hot"
    device: Annotated[Device, "devices of A, and of C unless it has its own"] = SoftBounds()
    slow_device: Annotated[Device | None, "devices of C where they differ from those of A"] = None
    periphery: Annotated[Periphery, "converters and noise"] = Periphery()
    pulse_trains: Annotated[PulseTrains, "pulse trains"] = PulseTrains()
    reference: Annotated[Reference, "reference of A"] = Reference("ideal")
    slow_reference: Annotated[Reference, "reference of C"] = Reference()
    count_pulses: Annotated[bool, "keep a counter of pulses per crosspoint"] = False


@dataclass(frozen=True, repr=False)
class Ttv2(RuleConfig):
    """Tiki-Taka v2: reads of A gather in a digital buffer H; a full element sends one pulse to C (R24 eq. 10)."""

    kind: Literal["ttv2"] = field(default="ttv2", init=False, repr=False)
    fast_lr: Annotated[float, "learning rate lr_A of A"] = 0.8
    transfer_lr: Annotated[float, "transfer rate λ_H (thresholds per unit of A read); times the schedule"] = 1.0
    transfer_every: Annotated[int, "samples ns between reads of one line of A"] = 2
    transfer_unit: Annotated[Literal["sample", "batch"], "what transfer_every counts"] = "sample"
    transfer_line: Annotated[Literal["column", "row"], "lines of A that are read"] = "column"
    after_pulse: Annotated[Literal["zero", "subtract", "keep"], "the new value of H after it has sent a pulse"] = "zero"
    keep: Annotated[float, "fraction of H kept with after_pulse = keep"] = 0.0
    max_pulses: Annotated[int, "most pulses one crossing of the threshold may send"] = 1
    rates: Annotated[Literal["manual", "r24"], "fast_lr and transfer_lr as given, or by the formulas of R24"] = "manual"
    learning_rate: Annotated[float, "learning rate λ of R24 with rates = r24; times the schedule"] = 0.1
    granularity: Annotated[float, "η₀ of R24: pulses of A for the largest gradient, in trains"] = 1.0
    reads: Annotated[float, "γ₀ of R24: reads to gather before a pulse"] = 200.0
    memory: Annotated[float, "time constant of R24's running means of max|x| and max|δ| (samples)"] = 100.0
    device: Annotated[Device, "devices of A, and of C unless it has its own"] = SoftBounds()
    slow_device: Annotated[Device | None, "devices of C where they differ from those of A"] = None
    periphery: Annotated[Periphery, "converters and noise"] = Periphery()
    pulse_trains: Annotated[PulseTrains, "pulse trains"] = PulseTrains()
    reference: Annotated[Reference, "reference of A"] = Reference("ideal")
    slow_reference: Annotated[Reference, "reference of C"] = Reference()
    average: Annotated[Literal["uniform", "exponential"], "weighting of the reads of C that make averages"] = "uniform"
    average_memory: Annotated[float, "reads of a line that count in an exponential average"] = 100.0
    average_every: Annotated[int, "transfers of a line per read of it for its average"] = 1
    average_bound: Annotated[float, "ADC range ± of the reads of C that make averages (weight units)"] = 1.5
    count_pulses: Annotated[bool, "keep a counter of pulses per crosspoint"] = False


rules: dict[str, type[RuleConfig]] = {rule.kind: rule for rule in RuleConfig.__subclasses__()}
"""Rule configs by kind."""
