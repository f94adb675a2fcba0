"""What the claims sweep: states, update noise, noise of products, errors of the reference, on the same devices for all.

Everything else is as in the prototype runs that the defaults come from: soft-bounds devices with bound 0.6, step and
bound spread 0.3, asymmetry 0.1 and additive cycle noise 0.3; a reference of A for the rules that have an A; exact
products, but for the sweep of their noise, which has the converters and managements of GV16.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from tikitaka.config import AnalogSgd, Periphery, RuleConfig, SoftBounds, Ttv1, Ttv2

__all__ = ["ANALOG", "Axis", "Panel", "axes"]

ANALOG = ("sgd", "ttv1", "ttv2")
"""Rules whose tolerances are compared."""

Learner = AnalogSgd | Ttv1 | Ttv2


@dataclass(frozen=True)
class Panel:
    """A setting that an axis is swept at."""

    states: float = 20
    """states of the devices"""
    noise: Literal["additive", "multiplicative"] = "additive"
    """form of the cycle noise"""
    name: str | None = None
    """title of its figure"""


@dataclass(frozen=True)
class Axis:
    """A property of the hardware, and how far it is swept."""

    label: str
    """what it is called in figures"""
    unit: str
    """unit of its values"""
    field: str
    """path of the field that it sets"""
    values: dict[str, tuple[float, ...]]
    """values by scale, from the easiest for training to the hardest"""
    panels: dict[str, tuple[Panel, ...]]
    """settings by scale"""
    apply: Callable[[Learner, float], RuleConfig]
    """sets a rule to a value"""
    rules: tuple[str, ...] = ANALOG
    """rules that it concerns"""
    logarithmic: bool = True
    """whether crossings are interpolated in the logarithm of the values"""

    def rule(self, rule: Learner, panel: Panel, value: float) -> RuleConfig:
        """`rule` on the devices of `panel` at `value` of the axis."""
        return self.apply(replace(rule, device=SoftBounds(states=panel.states, noise=panel.noise)), value)


def _device(field: str) -> Callable[[Learner, float], RuleConfig]:
    return lambda rule, value: replace(rule, device=replace(rule.device, **{field: value}))  # type: ignore[type-var]


def _reference(rule: Learner, value: float) -> RuleConfig:
    return replace(rule, reference=replace(rule.reference, spread=value))


_ALONE = (Panel(),)

axes: dict[str, Axis] = {
    "states": Axis(
        "states of a device",
        "",
        "rule.device.states",
        {"quick": (1000, 100, 20, 5), "full": (4000, 300, 100, 40, 20, 10, 5)},
        {"quick": _ALONE, "full": _ALONE},
        _device("states"),
    ),
    "update-noise": Axis(
        "cycle noise σ_c",
        "steps",
        "rule.device.cycle_noise",
        {"quick": (0.3, 1, 3, 10), "full": (0.1, 0.3, 1, 3, 10, 30, 100)},
        {
            "quick": (Panel(20, name="20 states, additive"), Panel(50, name="50 states, additive")),
            "full": tuple(
                Panel(states, noise, f"{states:,} states, {noise}")
                for noise in ("additive", "multiplicative")
                for states in (20, 50, 200)
            ),
        },
        _device("cycle_noise"),
    ),
    "mvm-noise": Axis(
        "output noise σ of products",
        "output units",
        "rule.periphery.forward.output_noise",
        {"quick": (0.02, 0.06, 0.2, 0.6), "full": (0.01, 0.03, 0.06, 0.15, 0.4, 1, 2)},
        {
            "quick": (Panel(50, name="50 states"),),
            "full": (Panel(20, name="20 states"), Panel(1000, name="1,000 states")),
        },
        lambda rule, value: replace(rule, periphery=Periphery.full(value)),
    ),
    "reference": Axis(
        "error σ_R of the reference of A",
        "weight units",
        "rule.reference.spread",
        {"quick": (0, 0.1, 0.3), "full": (0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5)},
        {
            "quick": (Panel(50, name="50 states"),),
            "full": (Panel(20, name="20 states"), Panel(200, name="200 states")),
        },
        _reference,
        rules=("ttv1", "ttv2"),
        logarithmic=False,
    ),
}
"""Axes by claim."""
