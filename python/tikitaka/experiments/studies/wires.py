"""How well must wires conduct?"""

from dataclasses import replace

from tikitaka.experiments.axis import ALONE, Axis, rules_with
from tikitaka.experiments.tolerance_study import ToleranceStudy

__all__ = ["study"]

study = ToleranceStudy(
    Axis(
        name="wires",
        question="Wires between devices, in arrays as large as the layers: how well must they conduct?",
        label="conductance of a wire over that of a weight of 1",
        unit="",
        field="rule.periphery.wire_ratio",
        values={"quick": (1e6, 1e5, 1e4), "full": (3e6, 1e6, 3e5, 1e5, 3e4)},
        panels={"quick": ALONE, "full": ALONE},
        apply=lambda rule, value: replace(rule, periphery=replace(rule.periphery, wire_ratio=value)),
        rules=rules_with("periphery"),
    )
)
