"""The hardware that an assessment trains on: devices, their reference, and the circuits around the arrays."""

from dataclasses import dataclass, field, replace
from typing import Any

from tikitaka.config import Device, Periphery, Reference, RuleConfig
from tikitaka.config.size import bounds_of, states_of, step_of
from tikitaka.experiments.learning_rates import usual_states

__all__ = ["Hardware"]


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
        return step_of(self.device)

    @property
    def bounds(self) -> tuple[float, float]:
        """Mean lower and upper bound of the weights (weight units)."""
        return bounds_of(self.device)

    @property
    def states(self) -> float:
        """Mean number of states: the range of the mean device over its step at weight 0."""
        return states_of(self.device)

    @property
    def device_states(self) -> float:
        """The same of one device of a pair, as its config gives it."""
        device: Any = self.device
        return states_of(device if getattr(device, "pair", None) is None else replace(device, pair=None))

    @property
    def usual_states(self) -> float:
        """States of a device with this step and the range ±0.6, for which the grids of learning rates are made."""
        return usual_states(self.device)

    def under(self, rule: Any) -> RuleConfig:
        """`rule` on this hardware, in all the fields that it has; a rule without devices is unchanged.

        A rule that reads an array without a reference keeps it so.
        """
        changes: dict[str, Any] = {name: getattr(self, name) for name in ("device", "periphery") if hasattr(rule, name)}
        if hasattr(rule, "reference") and rule.reference.method != "none":
            changes["reference"] = self.reference
        found: RuleConfig = replace(rule, **changes)
        return found
