"""How large may errors of the reference of A be?"""

from dataclasses import replace

from tikitaka.config import Reference
from tikitaka.experiments.axis import Axis, Panel, rules_with
from tikitaka.experiments.tolerance_study import ToleranceStudy

__all__ = ["study"]

study = ToleranceStudy(
    Axis(
        name="reference",
        question="Errors of the reference of A: how large may they be?",
        label="error σ_R of the reference of A",
        unit="weight units",
        field="rule.reference.spread",
        values={"quick": (0, 0.1, 0.3), "full": (0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5)},
        panels={
            "quick": (Panel(50, name="50 states"),),
            "full": (Panel(20, name="20 states"), Panel(200, name="200 states")),
        },
        apply=lambda rule, value: replace(rule, reference=Reference("ideal", spread=value)),
        rules=rules_with("slow_reference"),
        text_values=(0, 0.05, 0.1, 0.2, 0.5),
        compared=("ttv1", "ttv2", "cttv2", "agad"),
        logarithmic=False,
    )
)
