"""Device models: the effect of one pulse on the weight of a device."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from tikitaka.config.base import Config

__all__ = ["ConstantStep", "Device", "SoftBounds"]


class Device(Config):
    """A device model with its parameters."""

    kind: str
    """its kind, as in files"""


@dataclass(frozen=True, repr=False)
class SoftBounds(Device):
    """Devices whose steps shrink towards their bounds: R24 eqs. (4)-(6).

    A pulse moves the weight w up by α₊((w_max − w)/w_max + σ_c ξ) or down by α₋((w_min − w)/w_min + σ_c ξ),
    ξ ~ N(0, 1), and the result is clamped to [w_min, w_max]. Give `states` or `weight_step`, not both.

    >>> from dataclasses import replace
    >>> import tikitaka as tt
    >>> device = tt.SoftBounds(states=20, cycle_noise=0.3)
    >>> replace(device, cycle_noise=1.0).cycle_noise
    1.0
    >>> print(f"{tt.Crossbar(1, 1, device).weight_step:.2f}")  # 2 · bound / states
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


@dataclass(frozen=True, repr=False)
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


devices: dict[str, type[Device]] = {device.kind: device for device in Device.__subclasses__()}
"""Device models by kind."""
