"""What a simulation is made of: devices, peripheries, pulse trains, references and training rules.

Every class here is a frozen dataclass that mirrors one struct of the compiled core field by field; the
core holds the defaults and the bounds, and refuses what lies outside them when an object is made.

>>> rule = Ttv2(device=SoftBounds(states=20))
>>> print(rule.describe(10, 129).splitlines()[1])
A: step 0.06, bounds ±0.6, 20 states on average; weight 0 is each device's symmetry point
>>> SoftBounds(states=-3)
Traceback (most recent call last):
ValueError: states is -3; allowed: 1 to 10000000
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Annotated, Any, Literal, Self, TypeVar, get_args, get_type_hints

from tikitaka import _core
from tikitaka.checked import check_kind, check_types, hints_of, nearest, one_of, placed

__all__ = [
    "AnalogSgd",
    "ConstantStep",
    "Device",
    "DigitalSgd",
    "IoSettings",
    "Periphery",
    "PulseTrains",
    "Reference",
    "RuleConfig",
    "SoftBounds",
    "Ttv1",
    "Ttv2",
    "devices",
    "doc_of",
    "from_dict",
    "kinds_of",
    "named",
    "over",
    "peripheries",
    "presets",
    "rules",
    "to_dict",
]

T = TypeVar("T")


class _Checked:
    """A config that the core has validated; ValueError or TypeError names the field and what is allowed."""

    def __post_init__(self) -> None:
        check_types(self)
        kind = getattr(self, "kind", type(self).__name__.lower())
        for name, (low, high) in _core.bounds(kind).items():
            value = getattr(self, name)
            if isinstance(value, int) and not low <= value <= high:  # it may not even fit the core's integers
                raise ValueError(f"{name} is {value}; allowed: {low:.15g} to {high:.15g}")
        _core.validate(kind, self)


class Device(_Checked):
    """A device model with its parameters."""


@dataclass(frozen=True)
class SoftBounds(Device):
    """Devices whose steps shrink towards their bounds: R24 eqs. (4)-(6).

    A pulse moves the weight w up by α₊((w_max − w)/w_max + σ_c ξ) or down by α₋((w_min − w)/w_min + σ_c ξ),
    ξ ~ N(0, 1), and the result is clamped to [w_min, w_max]. Give `states` or `weight_step`, not both.

    >>> from dataclasses import replace
    >>> device = SoftBounds(states=20, cycle_noise=0.3)
    >>> replace(device, cycle_noise=1.0).cycle_noise
    1.0
    >>> print(f"{_core.Crossbar(1, 1, device).weight_step:.2f}")  # 2 · bound / states
    0.06
    """

    kind: Literal["soft-bounds"] = field(default="soft-bounds", init=False, repr=False)
    states: Annotated[float | None, "mean number of states, 2·bound/weight_step (20 by default)"] = None
    weight_step: Annotated[float | None, "mean step δ of one pulse at weight 0 (weight units)"] = None
    bound: Annotated[float, "mean bound b: weights lie in about ±b (weight units)"] = 0.6
    cycle_noise: Annotated[float, "cycle-to-cycle noise σ_c of each step (fraction of the step)"] = 0.3
    step_spread: Annotated[float, "device-to-device spread σ_d of the step: γ = exp(σ_d ξ)"] = 0.3
    bound_spread: Annotated[float, "device-to-device spread σ_b of the bounds (fraction of the bound)"] = 0.3
    asymmetry: Annotated[float, "device-to-device up/down asymmetry σ_± (fraction of the step)"] = 0.1
    noise: Annotated[
        Literal["additive", "multiplicative"], "form of the cycle noise: of a step at 0, or of the step"
    ] = "additive"


@dataclass(frozen=True)
class ConstantStep(Device):
    """Devices whose step does not depend on the weight; ideal by default (no noise, no spread), clamped at the bounds.

    The RPU baseline of GV16 is `presets["gv16"]`. Give `states` or `weight_step`, not both.
    """

    kind: Literal["constant-step"] = field(default="constant-step", init=False, repr=False)
    states: Annotated[float | None, "mean number of states, 2·bound/weight_step (1200 by default)"] = None
    weight_step: Annotated[float | None, "mean step δ of one pulse (weight units)"] = None
    bound: Annotated[float, "mean bound b: weights lie in about ±b (weight units)"] = 0.6
    cycle_noise: Annotated[float, "cycle-to-cycle noise σ_c of each step (fraction of the step)"] = 0.0
    step_spread: Annotated[float, "device-to-device spread σ_d of the step: γ = 1 + σ_d ξ"] = 0.0
    bound_spread: Annotated[float, "device-to-device spread σ_b of the bounds (fraction of the bound)"] = 0.0
    asymmetry: Annotated[float, "device-to-device up/down asymmetry σ_± (fraction of the step)"] = 0.0


@dataclass(frozen=True)
class IoSettings(_Checked):
    """The periphery of one direction of matrix-vector products; everything off by default, which is the exact product.

    Values of the RPU baseline: GV16. A converter of b bits has 2^b − 2 steps over its range.
    """

    dac_bits: Annotated[int, "resolution of the input converters (bits, 2 to 24; 0 = off)"] = 0
    dac_bound: Annotated[float, "input range ± of the DAC (input units, after noise management)"] = 1.0
    adc_bits: Annotated[int, "resolution of the output converters (bits, 2 to 24; 0 = off)"] = 0
    adc_bound: Annotated[float, "output range ± of the ADC (output units)"] = 12.0
    output_noise: Annotated[float, "additive Gaussian noise σ of every output (output units)"] = 0.0
    noise_management: Annotated[bool, "divide the input by its largest |x| and multiply back"] = False
    bound_management: Annotated[bool, "halve the input and repeat while an output saturates"] = False


@dataclass(frozen=True)
class Periphery(_Checked):
    """The peripheries of forward products, backward products and single-line reads."""

    forward: Annotated[IoSettings, "y = Wx"] = IoSettings()
    backward: Annotated[IoSettings, "z = Wᵀδ"] = IoSettings()
    read: Annotated[IoSettings, "reads of one column or row"] = IoSettings()

    @classmethod
    def ideal(cls) -> Self:
        """Exact products and reads: no converters, no noise."""
        return cls()

    @classmethod
    def full(cls, output_noise: float = 0.06) -> Self:
        """Converters, noise σ = `output_noise` (output units) and management of GV16; reads at an ADC range of ±1."""
        return cls(
            forward=IoSettings(7, 1.0, 9, 12.0, output_noise, noise_management=True, bound_management=True),
            backward=IoSettings(7, 1.0, 9, 12.0, output_noise, noise_management=True),
            read=IoSettings(adc_bits=9, adc_bound=1.0, output_noise=output_noise),
        )


@dataclass(frozen=True)
class PulseTrains(_Checked):
    """Stochastic pulse trains of the outer-product update (GV16)."""

    max_length: Annotated[int, "longest train BL_max (slots)"] = 31
    update_management: Annotated[bool, "balance row and column probabilities by max|x| and max|δ|"] = True
    length_management: Annotated[bool, "shorten trains to what the update needs (BL management)"] = True


@dataclass(frozen=True)
class Reference(_Checked):
    """What an array's weights are read against: nothing, or the symmetry points of its devices (R24 eq. 8)."""

    method: Annotated[Literal["none", "ideal", "zero-shift"], "none, exact symmetry points, or found by pulses"] = (
        "none"
    )
    mean: Annotated[float, "mean μ_R of the error added to an ideal reference (weight units)"] = 0.0
    spread: Annotated[float, "standard deviation σ_R of that error (weight units)"] = 0.0
    pulses: Annotated[int, "alternating pulses sent to each device by zero-shift"] = 2000


class RuleConfig(_Checked):
    """A training rule with its parameters, and what every one can say about itself."""

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
        """What the settings mean on an array of `rows` × `cols`, any warnings last.

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
        """The warnings alone of `describe`: trains that saturate, thresholds that are never reached."""
        return tuple(_core.describe(self, rows, cols, x=x, delta=delta, samples=samples, lr_scale=lr_scale)[1])


@dataclass(frozen=True)
class DigitalSgd(RuleConfig):
    """Exact stochastic gradient descent, W ← W − lr·δxᵀ: the digital reference of every analog result."""

    kind: Literal["float"] = field(default="float", init=False, repr=False)
    lr: Annotated[float, "learning rate; times the schedule"] = 0.05


@dataclass(frozen=True)
class AnalogSgd(RuleConfig):
    """SGD on one array by stochastic pulsed updates (GV16)."""

    kind: Literal["sgd"] = field(default="sgd", init=False, repr=False)
    lr: Annotated[float, "learning rate; times the schedule"] = 0.003
    device: Annotated[Device, "devices of the array"] = SoftBounds()
    periphery: Annotated[Periphery, "converters and noise"] = Periphery()
    pulse_trains: Annotated[PulseTrains, "pulse trains"] = PulseTrains()
    reference: Annotated[Reference, "reference of the array"] = Reference()
    count_pulses: Annotated[bool, "keep a counter of pulses per crosspoint"] = False


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class Ttv2(RuleConfig):
    """Tiki-Taka v2: reads of A gather in a digital buffer H; a full element sends one pulse to C (R24 eq. 10)."""

    kind: Literal["ttv2"] = field(default="ttv2", init=False, repr=False)
    fast_lr: Annotated[float, "learning rate lr_A of A"] = 0.8
    transfer_lr: Annotated[float, "transfer rate λ_H (thresholds per unit of A read); times the schedule"] = 1.0
    transfer_every: Annotated[int, "samples ns between reads of one line of A"] = 2
    transfer_unit: Annotated[Literal["sample", "batch"], "what transfer_every counts"] = "sample"
    transfer_line: Annotated[Literal["column", "row"], "lines of A that are read"] = "column"
    after_pulse: Annotated[Literal["zero", "subtract", "keep"], "what becomes of H where it sent a pulse"] = "zero"
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


rules: dict[str, type[RuleConfig]] = {"float": DigitalSgd, "sgd": AnalogSgd, "ttv1": Ttv1, "ttv2": Ttv2}
"""Rule configs by kind."""

devices: dict[str, type[Device]] = {"soft-bounds": SoftBounds, "constant-step": ConstantStep}
"""Device models by kind."""

presets: dict[str, Device] = {
    "ideal": ConstantStep(),
    "gv16": ConstantStep(weight_step=0.001, cycle_noise=0.3, step_spread=0.3, bound_spread=0.3, asymmetry=0.01),
    "r24": SoftBounds(bound=1.0, asymmetry=0.3),
}
"""Devices by name: noiseless, the RPU baseline of GV16, and the defaults of R24 at 20 states."""


peripheries: dict[str, Periphery] = {"ideal": Periphery.ideal(), "full": Periphery.full()}
"""Peripheries by name: exact, and with the converters, noise and management of GV16."""


def to_dict(config: Any) -> dict[str, Any]:
    """A config as nested plain values, for TOML and JSON; `from_dict` is its inverse."""
    return asdict(config)


def from_dict(cls: type[T], values: Mapping[str, Any], where: str = "") -> T:
    """A config of class `cls` from nested plain values; absent fields take their defaults.

    Where a field can hold one of several classes, the key "kind" chooses (absent: that of the field's default). The key
    "preset" begins with a device of `presets` or a periphery of `peripheries`, which the other keys override; the name
    alone may stand for the table. Raises ValueError for an unknown field, kind or preset, with the nearest name that
    is known, and for a value out of range, TypeError for a table or value in the wrong place; every message begins
    with the path of the field, under `where`.
    """
    if not isinstance(cls, type) or not is_dataclass(cls):
        raise TypeError(f"cls must be a config class, not {cls!r}")
    check_kind("where", where, str)
    if not isinstance(values, Mapping):
        raise TypeError(f"{where[:-1] or cls.__name__} must be a table of fields, not {values!r}")
    hints = hints_of(cls)
    known = {f.name: f for f in fields(cls) if f.init}
    made: dict[str, Any] = {}
    for name, value in values.items():
        if name == "kind" and name in hints:
            one_of(where + name, value, get_args(hints[name]))
        elif name not in known:
            raise ValueError(f"unknown field {where + str(name)!r}{_meant(cls, str(name), list(known), where)}")
        else:
            made[name] = _field_from(hints[name], value, where + name, known[name].default)
    try:
        return cls(**made)
    except (ValueError, TypeError) as error:
        raise placed(error, where, known) from error


def over(table: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Nested plain values with those `given` in their place; states take the place of step, and step of states."""
    check_kind("given", given, Mapping)
    merged = dict(table)
    for one, other in (("states", "weight_step"), ("weight_step", "states")):
        if given.get(one) is not None and other not in given and other in merged:
            merged[other] = None
    for name, value in given.items():
        below = merged.get(name)
        merged[name] = over(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def kinds_of(hint: Any) -> dict[str, type[Any]]:
    """The config classes a field of type `hint` can hold: by kind, or one under its own name; {} for plain values."""
    table: dict[str, type[Any]] = {}
    for part in get_args(hint) or (hint,):
        if part is Device:
            table |= devices
        elif part is RuleConfig:
            table |= rules
        elif isinstance(part, type) and issubclass(part, _Checked):
            table[part.__name__.lower()] = part
    return table


def named(hint: Any) -> dict[str, Any]:
    """The presets that a field of type `hint` can hold, by name; {} where there are none."""
    parts = get_args(hint) or (hint,)
    return {**(presets if Device in parts else {}), **(peripheries if Periphery in parts else {})}


def _field_from(hint: Any, value: Any, where: str, default: Any) -> Any:
    table, ready = kinds_of(hint), named(hint)
    if not table or value is None:
        return value
    kinds = list(table) if len(table) > 1 else []
    if isinstance(value, str) and (kinds or ready):
        value = {"preset" if one_of(where, value, [*kinds, *ready]) in ready else "kind": value}
    if not isinstance(value, Mapping):
        raise TypeError(f"{where} must be a table of fields{' or a name' if kinds or ready else ''}, not {value!r}")
    if ready and "preset" in value:
        name = one_of(f"{where}.preset", value["preset"], ready)
        preset = to_dict(ready[name])
        value = over(preset, {key: each for key, each in value.items() if key != "preset"})
        if value.get("kind") != preset.get("kind"):
            raise ValueError(f"{where}.kind is {value['kind']!r}, but the preset {name} is {preset['kind']}")
    if not kinds:
        return from_dict(next(iter(table.values())), value, where + ".")
    kind = one_of(f"{where}.kind", value.get("kind", getattr(default, "kind", None)), kinds)
    return from_dict(table[kind], value, where + ".")


def _meant(cls: type[Any], name: str, known: list[str], where: str) -> str:
    """What was meant by a field that `cls` does not have: one of a like name, or one of that name in a table of it."""
    deeper = next(_holders(cls, name, where), None)
    if deeper is not None:
        return f": did you mean {deeper}?"
    return nearest(name, known) or f": {cls.__name__} has {', '.join(known)}"


def _holders(cls: type[Any], name: str, where: str) -> Iterator[str]:
    """The paths of the fields called `name` in the tables of `cls`."""
    for f in fields(cls):
        for part in kinds_of(hints_of(cls)[f.name]).values():
            if any(inner.name == name and inner.init for inner in fields(part)):
                yield f"{where}{f.name}.{name}"
            yield from _holders(part, name, f"{where}{f.name}.")


def doc_of(cls: type[Any]) -> dict[str, str]:
    """The line of documentation of every field of a config class, by field name."""
    hints = get_type_hints(cls, include_extras=True)
    return {name: hint.__metadata__[0] for name, hint in hints.items() if hasattr(hint, "__metadata__")}
