"""Axes of the hardware that the studies of tolerances sweep, on the same devices for all rules.

All other settings are fixed: devices of one's own, or soft-bounds devices with bound 0.6, step and
bound spread 0.3, asymmetry 0.1 and additive cycle noise 0.3; a reference of A for the rules that have an A; exact
products, except in the sweep of their noise, which has the converters and management of GV16.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from tikitaka.config import Device, RuleConfig, SoftBounds, rules

__all__ = ["ALONE", "USUAL", "Axis", "Panel", "device_field", "reliability_field", "rules_with"]

AnalogRule = Any
"""A rule config with devices: each kind has its own class with further fields."""


USUAL = ("float", "sgd", "ttv1", "ttv2")
"""Kinds of rules that studies compare unless told otherwise."""


def rules_with(field: str) -> tuple[str, ...]:
    """The kinds of rules that have a field of this name."""
    return tuple(kind for kind, rule in rules.items() if hasattr(rule, field))


@dataclass(frozen=True)
class Panel:
    """A setting that an axis is swept at."""

    states: float = 20
    """states of the devices"""
    noise: Literal["additive", "multiplicative"] = "additive"
    """form of the cycle noise"""
    name: str | None = None
    """title of its figure"""
    device: Device | None = None
    """devices of one's own, which replace the two above"""


@dataclass(frozen=True)
class Axis:
    """A property of the hardware, and how far it is swept."""

    name: str
    """name of the study"""
    question: str
    """what the study asks"""
    label: str
    """its name in figures"""
    unit: str
    """unit of its values"""
    field: str
    """path of the field that it sets"""
    values: dict[str, tuple[float, ...]]
    """values by scale, from the easiest for training to the hardest"""
    panels: dict[str, tuple[Panel, ...]]
    """settings by scale"""
    apply: Callable[[AnalogRule, float], RuleConfig]
    """sets a rule to a value"""
    rules: tuple[str, ...] = rules_with("device")
    """rules that the axis applies to"""
    logarithmic: bool = True
    """whether crossings are interpolated on a logarithmic scale"""

    def rule(self, rule: AnalogRule, panel: Panel, value: float) -> RuleConfig:
        """`rule` on the devices of `panel` at `value` of the axis; ValueError if they do not have its field."""
        device = SoftBounds(states=panel.states, noise=panel.noise) if panel.device is None else panel.device
        *tables, name = self.field.split(".")
        if tables[-1] == "device" and not hasattr(device, name):
            raise ValueError(f"device must have {name}, which the study {self.name} sweeps; {device.kind} has none")
        return self.apply(replace(rule, device=device), value)


def device_field(name: str) -> Callable[[AnalogRule, float], RuleConfig]:
    """An `Axis.apply` that sets the field `name` of the devices."""

    def apply(rule: AnalogRule, value: float) -> RuleConfig:
        other = {"weight_step": None} if name == "states" else {}  # a device has one of the two
        changed: RuleConfig = replace(rule, device=replace(rule.device, **{name: value}, **other))
        return changed

    return apply


def reliability_field(name: str) -> Callable[[AnalogRule, float], RuleConfig]:
    """An `Axis.apply` that sets the field `name` of the reliability of the devices."""

    def apply(rule: AnalogRule, value: float) -> RuleConfig:
        changed: RuleConfig = replace(rule, reliability=replace(rule.reliability, **{name: value}))
        return changed

    return apply


ALONE = (Panel(),)
"""The panels of a figure with a single one, without a title."""
