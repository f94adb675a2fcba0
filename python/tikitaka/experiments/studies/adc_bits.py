"""How fine must output converters be?"""

from dataclasses import replace
from typing import Any

from tikitaka.config import Periphery, RuleConfig
from tikitaka.experiments.axis import ALONE, Axis, rules_with
from tikitaka.experiments.tolerance_study import ToleranceStudy

__all__ = ["study"]


def _with_bits(rule: Any, bits: float) -> RuleConfig:
    """`rule` with the full periphery and converters of `bits` for products both ways and for reads."""
    full = Periphery.full()
    directions = {name: replace(getattr(full, name), adc_bits=int(bits)) for name in ("forward", "backward", "read")}
    changed: RuleConfig = replace(rule, periphery=replace(full, **directions))
    return changed


study = ToleranceStudy(
    Axis(
        name="adc-bits",
        question="Output converters of products and reads: how fine must they be?",
        label="bits of the ADCs",
        unit="bits",
        field="rule.periphery.forward.adc_bits",
        values={"quick": (9, 7, 5), "full": (11, 9, 8, 7, 6, 5, 4)},
        panels={"quick": ALONE, "full": ALONE},
        apply=_with_bits,
        rules=rules_with("periphery"),
        logarithmic=False,
    )
)
