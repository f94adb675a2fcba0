"""Device models: the effect of one pulse on the weight of a device."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from tikitaka import _core
from tikitaka.config.base import Config

__all__ = [
    "ConstantStep",
    "Device",
    "ExponentialStep",
    "JumpTable",
    "LinearStep",
    "NeuroSim",
    "OneSidedPair",
    "PowerStep",
    "SoftBounds",
    "Spread",
    "StepDevice",
    "TableStep",
]

Rows = tuple[tuple[float, ...], ...]


class Device(Config):
    """A device model with its parameters."""

    kind: str
    """its kind, as in files"""


@dataclass(frozen=True, repr=False)
class Spread(Config):
    """Device-to-device spreads with their correlations, as `tikitaka fit` finds them.

    Steps are log-normal, exp(σξ), or normal, 1 + σξ; bounds are normal about their means; slopes (powers of
    `PowerStep`) are normal. `correlation` is () or a 6 × 6 matrix in the order of the first six fields. With
    `proportional` a device whose bound is further away has larger steps towards it: the spreads of the steps are then
    those of the share of the way to the bound that a pulse covers, the rate of soft bounds.
    """

    up_step: Annotated[float, "spread of the up step: of its logarithm, or relative if normal"] = 0.0
    down_step: Annotated[float, "spread of the down step: of its logarithm, or relative if normal"] = 0.0
    upper_bound: Annotated[float, "spread of the upper bound (fraction of its mean)"] = 0.0
    lower_bound: Annotated[float, "spread of the lower bound (fraction of its mean)"] = 0.0
    up_slope: Annotated[float, "spread of the slope or power of up steps"] = 0.0
    down_slope: Annotated[float, "spread of the slope or power of down steps"] = 0.0
    distribution: Annotated[Literal["log-normal", "normal"], "distribution of the steps"] = "log-normal"
    proportional: Annotated[bool, "whether steps are in proportion to the bound that they lead to"] = False
    correlation: Annotated[Rows, "correlations of the six: six rows of six numbers, or none"] = ()


@dataclass(frozen=True, repr=False)
class OneSidedPair(Config):
    """Two devices per crosspoint that only step up, as phase-change memory does: w = g⁺ − g⁻.

    g is the state of a device above its lower bound. A pulse up steps g⁺, a pulse down steps g⁻, both by the up steps
    of the device model. Every `refresh_every` updates, though at most once after a mini-batch, all pairs are read.
    Where one device is above `upper_threshold` and the other above `lower_threshold`, both are reset, and pulses to one
    of them write the difference again (Nandakumar et al., Front. Neurosci. 14:406, 2020; the thresholds are aihwkit's).
    Fractions are of the range of the mean device.
    """

    refresh_every: Annotated[int, "updates of the array from one refresh to the next"] = 100
    upper_threshold: Annotated[float, "refresh where the larger device is above this (fraction of the range)"] = 0.75
    lower_threshold: Annotated[float, "refresh where also the smaller one is above this (fraction of the range)"] = 0.25
    reset_spread: Annotated[float, "σ: a reset leaves g at |N(0, σ²)| (fraction of the range)"] = 0.01


@dataclass(frozen=True, repr=False)
class StepDevice(Device):
    """What all models with a step and a bound in each direction share.

    Give `states` or `weight_step`, not both. α₊ = δ(1 + u) and α₋ = δ(1 − u) are the mean steps at weight 0, b₊ and b₋
    the mean bounds. Devices differ by `step_spread`, `bound_spread` and `asymmetry` as in R24 eqs. (5) and (6), or by a
    `spread`, or are drawn with replacement from a list of `measured` ones. A row of that list has factors of the up
    step, the down step, the upper and the lower bound of the mean device, and what is added to its slopes of up and
    down.
    """

    states: Annotated[float | None, "mean number of states, range of the bounds/weight_step (20 by default)"] = None
    weight_step: Annotated[float | None, "mean step δ of one pulse at weight 0 (weight units)"] = None
    bound: Annotated[float, "mean bound b: weights lie in about ±b (weight units)"] = 0.6
    upper_bound: Annotated[float | None, "mean upper bound where it is not b (weight units)"] = None
    lower_bound: Annotated[float | None, "mean lower bound where it is not −b (weight units)"] = None
    up_down: Annotated[float, "systematic asymmetry u of the mean steps, (α₊ − α₋)/(α₊ + α₋) at weight 0"] = 0.0
    cycle_noise: Annotated[float, "cycle-to-cycle noise σ_c of each step (fraction of the step)"] = 0.3
    noise: Annotated[
        Literal["additive", "multiplicative"], "form of the cycle noise: of a step at 0, or of the step"
    ] = "additive"
    step_spread: Annotated[float, "device-to-device spread σ_d of the step: γ = exp(σ_d ξ)"] = 0.3
    bound_spread: Annotated[float, "device-to-device spread σ_b of the bounds (fraction of the bound)"] = 0.3
    asymmetry: Annotated[float, "device-to-device up/down asymmetry σ_± (fraction of the step)"] = 0.1
    spread: Annotated[Spread | None, "spreads with correlations, instead of the three above"] = None
    measured: Annotated[Rows, "measured devices to draw from, instead of spreads: rows of six numbers"] = ()
    pair: Annotated[OneSidedPair | None, "two devices per crosspoint that only step up, w = g⁺ − g⁻"] = None


@dataclass(frozen=True, repr=False)
class SoftBounds(StepDevice):
    """Devices whose steps shrink towards their bounds: R24 eqs. (4)-(6).

    A pulse moves the weight w up by α₊((w_max − w)/w_max + σ_c ξ) or down by α₋((w_min − w)/w_min + σ_c ξ),
    ξ ~ N(0, 1), and the result is clamped to [w_min, w_max].

    >>> from dataclasses import replace
    >>> import tikitaka as tt
    >>> device = tt.SoftBounds(states=20, cycle_noise=0.3)
    >>> replace(device, cycle_noise=1.0).cycle_noise
    1.0
    >>> print(f"{tt.Crossbar(1, 1, device).weight_step:.2f}")  # 2 · bound / states
    0.06
    """

    kind: Literal["soft-bounds"] = field(default="soft-bounds", init=False, repr=False)


@dataclass(frozen=True, repr=False)
class ConstantStep(StepDevice):
    """Devices whose step does not depend on the weight; ideal by default (no noise, no spread), clamped at the bounds.

    Their gains are normal, γ = 1 + σ_d ξ. The RPU baseline of GV16 is `presets["gv16"]`.
    """

    kind: Literal["constant-step"] = field(default="constant-step", init=False, repr=False)
    states: Annotated[float | None, "mean number of states, range of the bounds/weight_step (1200 by default)"] = None
    cycle_noise: Annotated[float, "cycle-to-cycle noise σ_c of each step (fraction of the step)"] = 0.0
    step_spread: Annotated[float, "device-to-device spread σ_d of the step: γ = 1 + σ_d ξ"] = 0.0
    bound_spread: Annotated[float, "device-to-device spread σ_b of the bounds (fraction of the bound)"] = 0.0
    asymmetry: Annotated[float, "device-to-device up/down asymmetry σ_± (fraction of the step)"] = 0.0


@dataclass(frozen=True, repr=False)
class LinearStep(StepDevice):
    """Devices whose steps are linear in the weight between hard bounds, shrinking or growing.

    Mean steps are α₊(1 − γ₊w/b₊) up and α₋(1 − γ₋w/b₋) down. With γ = 1 they are soft bounds, with γ = 0 constant, and
    with γ < 0 they grow towards the bound that they lead to.
    """

    kind: Literal["linear-step"] = field(default="linear-step", init=False, repr=False)
    up_slope: Annotated[
        float, "share γ₊ of the up step that is lost from weight 0 to the upper bound; < 0: it grows"
    ] = 0.5
    down_slope: Annotated[
        float, "share γ₋ of the down step that is lost from weight 0 to the lower bound; < 0: it grows"
    ] = 0.5


@dataclass(frozen=True, repr=False)
class ExponentialStep(StepDevice):
    """Devices with an exponential of the weight, aihwkit's `ExpStep` (Gong et al., Nat. Commun. 9:2102, 2018).

    Mean steps are α₊v₊(w)/v up and α₋v₋(w)/v down, v₊ = max(0, 1 − A₊exp(γ₊z)), v₋ = max(0, 1 − A₋exp(−γ₋z)),
    z = 2a·w/(b₊ − b₋) + b. v is the mean of both at weight 0, where aihwkit's step is that of v = 1.
    """

    kind: Literal["exponential-step"] = field(default="exponential-step", init=False, repr=False)
    up_amplitude: Annotated[float, "amplitude A₊ of the exponential of up steps"] = 0.25
    down_amplitude: Annotated[float, "amplitude A₋ of the exponential of down steps"] = 0.25
    up_rate: Annotated[float, "rate γ₊ of the exponential of up steps"] = 2.0
    down_rate: Annotated[float, "rate γ₋ of the exponential of down steps"] = 2.0
    scale: Annotated[float, "factor a of the weight in z"] = 0.5
    offset: Annotated[float, "z at weight 0"] = 0.0


@dataclass(frozen=True, repr=False)
class PowerStep(StepDevice):
    """Devices whose steps fall as a power of the distance from the bound.

    Fusi and Abbott, Nat. Neurosci. 10:485 (2007); Frascaroli et al., Sci. Rep. 8:7178 (2018).
    Mean steps are α₊(1 − w/b₊)^p₊ up and α₋(1 − w/b₋)^p₋ down; p = 1 are soft bounds.
    """

    kind: Literal["power-step"] = field(default="power-step", init=False, repr=False)
    up_power: Annotated[float, "power p₊ of up steps"] = 2.0
    down_power: Annotated[float, "power p₋ of down steps"] = 2.0


@dataclass(frozen=True, repr=False)
class TableStep(StepDevice):
    """Devices whose mean step is a table, aihwkit's `PiecewiseStep`.

    `up` and `down` have 2 to 64 relative steps at equally spaced weights from the lower to the upper bound of a device,
    with lines between them. Only their ratios count: their mean at weight 0 is the step δ.
    """

    kind: Literal["table-step"] = field(default="table-step", init=False, repr=False)
    up: Annotated[tuple[float, ...], "relative up steps from the lower to the upper bound"] = (2.0, 0.0)
    down: Annotated[tuple[float, ...], "relative down steps from the lower to the upper bound"] = (0.0, 2.0)


@dataclass(frozen=True, repr=False)
class JumpTable(StepDevice):
    """Devices with a table of the whole distribution of their steps (CrossSim, XBTorch).

    A row of `up` or `down` is for one of 2 to 64 equally spaced weights from the lower to the upper bound of a device.
    Its entries are quantiles of the step at equally spaced standard normals ξ from −3 to 3, so the middle one is the
    median. `cycle_noise` multiplies ξ, and `noise` has no effect. The mean step at weight 0 is δ.
    """

    kind: Literal["jump-table"] = field(default="jump-table", init=False, repr=False)
    cycle_noise: Annotated[float, "factor of ξ: 1 takes the distributions as they are, 0 their medians"] = 1.0
    up: Annotated[Rows, "quantiles of up steps: a row per weight"] = ((1.1, 2.9), (-0.9, 0.9))
    down: Annotated[Rows, "quantiles of down steps: a row per weight"] = ((-0.9, 0.9), (1.1, 2.9))


@dataclass(frozen=True, repr=False)
class NeuroSim(Device):
    """NeuroSim's device model, from the numbers that papers in its terms print.

    Chen, Peng and Yu, IEEE Trans. Comput.-Aided Des. 37:3067 (2018).
    The window of conductance becomes weights ±`bound`, so its on/off ratio does not matter. Noise is additive, of one
    size for all devices, weights and directions. Steps are linear in the weight (`LinearStep`) with zeros that follow
    from the nonlinearities NL.
    """

    kind: Literal["neurosim"] = field(default="neurosim", init=False, repr=False)
    levels: Annotated[float, "pulses P_max from one end of the window to the other"] = 64.0
    up_nonlinearity: Annotated[float, "NL of the up curve: positive where steps shrink upwards"] = 1.0
    down_nonlinearity: Annotated[float, "NL of the down curve: negative where steps shrink downwards"] = -1.0
    bound: Annotated[float, "the window is ±bound (weight units)"] = 0.6
    cycle_to_cycle: Annotated[float, "standard deviation of a pulse (fraction of the window)"] = 0.02
    nonlinearity_spread: Annotated[float, "device-to-device standard deviation of both NL"] = 0.0
    pair: Annotated[OneSidedPair | None, "two devices per crosspoint that only step up, w = g⁺ − g⁻"] = None


_models: tuple[type[Any], ...] = (*StepDevice.__subclasses__(), NeuroSim)
_by_kind = {model.kind: model for model in _models}
devices: dict[str, type[Device]] = {kind: _by_kind[kind] for kind in _core.kinds("device")}
"""Device models by kind."""
