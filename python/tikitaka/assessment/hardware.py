"""The hardware that an assessment trains on: devices, their reference, and the circuits around the arrays."""

from dataclasses import dataclass, field, replace
from typing import Any

from tikitaka._core import Crossbar
from tikitaka.config import Device, Periphery, Reference, RuleConfig

__all__ = ["Hardware"]

_REFERENCE_STEP = 0.06
"""Step (weight units) of the devices that the grids of learning rates are made for: 20 states at bound 0.6."""


@dataclass(frozen=True)
class Hardware:
    """Devices with everything else that a rule needs to know about the chip."""

    device: Device
    """devices of all arrays"""
    reference: Reference = field(default_factory=lambda: Reference("ideal"))
    """reference of the arrays that a rule reads relative to one"""
    periphery: Periphery = field(default_factory=Periphery)
    """converters and noise of products and reads"""

    @property
    def step(self) -> float:
        """Mean step of one pulse at weight 0 (weight units)."""
        given, states = (getattr(self.device, name, None) for name in ("weight_step", "states"))
        lower, upper = self.bounds
        if given is not None:
            return float(given)
        return (upper - lower) / states if states else float(f"{Crossbar(1, 1, self.device).weight_step:.6g}")

    @property
    def bounds(self) -> tuple[float, float]:
        """Mean lower and upper bound of the weights (weight units)."""
        bound = float(getattr(self.device, "bound", 1.0))
        lower, upper = getattr(self.device, "lower_bound", None), getattr(self.device, "upper_bound", None)
        return (-bound if lower is None else lower, bound if upper is None else upper)

    @property
    def states(self) -> float:
        """Mean number of states: the range of the mean device over its step at weight 0."""
        given = getattr(self.device, "states", None)
        lower, upper = self.bounds
        return float(given) if given is not None else float(f"{(upper - lower) / self.step:.6g}")

    @property
    def usual_states(self) -> float:
        """States of a device with this step and the range ±0.6, for which the grids of learning rates are made."""
        return float(f"{20 * _REFERENCE_STEP / self.step:.6g}")

    def under(self, rule: Any) -> RuleConfig:
        """`rule` on this hardware, in all the fields that it has; a rule without devices is unchanged.

        A rule that reads an array without a reference keeps it so.
        """
        changes: dict[str, Any] = {name: getattr(self, name) for name in ("device", "periphery") if hasattr(rule, name)}
        if hasattr(rule, "reference") and rule.reference.method != "none":
            changes["reference"] = self.reference
        found: RuleConfig = replace(rule, **changes)
        return found
