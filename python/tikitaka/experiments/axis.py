"""Axes of the hardware that the studies of tolerances sweep, on the same devices for all rules.

All other settings are fixed: devices of one's own, or soft-bounds devices with bound 0.6, step and
bound spread 0.3, asymmetry 0.1 and additive cycle noise 0.3; a reference of A for the rules that have an A; exact
products, except in the sweep of their noise, which has the converters and management of GV16.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from tikitaka.config import ConstantStep, Device, RuleConfig, SoftBounds, rules
from tikitaka.experiments.learning_rates import check_names

__all__ = [
    "ALONE",
    "CLAIMED",
    "SYMMETRIC",
    "USUAL",
    "Axis",
    "Panel",
    "device_field",
    "reliability_field",
    "rules_with",
]

AnalogRule = Any
"""A rule config with devices: each kind has its own class with further fields."""


USUAL = ("float", "sgd", "ttv1", "ttv2")
"""Kinds of rules that studies compare unless told otherwise."""


SYMMETRIC = "sgd-symmetric"
"""SGD on the devices that it needs: constant steps, as large up as down, with the same spreads and noise."""

CLAIMED = ("sgd", SYMMETRIC, "ttv1", "ttv2", "agad")
"""What the studies of the abstract's claims compare."""


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
    text_values: tuple[float, ...] = ()
    """values at full scale for texts, whose trainings take longer; (): the same"""
    compared: tuple[str, ...] = USUAL
    """rules that are compared unless told otherwise, of those that it applies to"""
    logarithmic: bool = True
    """whether crossings are interpolated on a logarithmic scale"""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of rules that can be compared."""
        return (*self.rules, SYMMETRIC) if "sgd" in self.rules else self.rules

    @property
    def usual(self) -> tuple[str, ...]:
        """The rules that are compared unless told otherwise."""
        return tuple(name for name in self.compared if name in self.names)

    def kinds(self, names: Sequence[str] | None, *, alone: bool) -> tuple[str, ...]:
        """The names of rules to compare, the usual ones for None; ValueError for other names.

        `alone` says that all are trained on devices of one's own: then there is no `SYMMETRIC`, nor among the usual.
        """
        known = self.rules if alone else self.names
        kinds = self.usual if names is None else tuple(names)
        if kinds == self.usual:
            kinds = tuple(name for name in kinds if name in known)
        check_names("rules", kinds, known)
        return kinds

    def rule(self, name: str, rule: AnalogRule, panel: Panel, value: float) -> RuleConfig:
        """`rule` on the devices of `panel` at `value` of the axis, on symmetric ones if `name` is `SYMMETRIC`.

        ValueError if the devices do not have the field of the axis.
        """
        device = _device(name, panel) if panel.device is None else panel.device
        *tables, swept = self.field.split(".")
        if tables[-1] == "device" and not hasattr(device, swept):
            raise ValueError(f"device must have {swept}, which the study {self.name} sweeps; {device.kind} has none")
        return self.apply(replace(rule, device=device), value)


def _device(name: str, panel: Panel) -> Device:
    """The devices of a panel without devices of one's own."""
    if name == SYMMETRIC:  # of equal steps, where both forms of noise are the same
        noisy = SoftBounds()
        return ConstantStep(
            states=panel.states,
            cycle_noise=noisy.cycle_noise,
            step_spread=noisy.step_spread,
            bound_spread=noisy.bound_spread,
        )
    return SoftBounds(states=panel.states, noise=panel.noise)


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
