"""How much output noise of products does each training rule tolerate?"""

from dataclasses import replace

from tikitaka.config import Periphery
from tikitaka.experiments.axis import CLAIMED, Axis, Panel
from tikitaka.experiments.tolerance_study import ToleranceStudy

__all__ = ["study"]

study = ToleranceStudy(
    Axis(
        name="mvm-noise",
        question="Output noise of products: how much does each rule tolerate?",
        label="output noise σ of products",
        unit="output units",
        field="rule.periphery.forward.output_noise",
        values={"quick": (0.02, 0.06, 0.2, 0.6), "full": (0.01, 0.03, 0.06, 0.15, 0.4, 1, 2)},
        panels={
            "quick": (Panel(50, name="50 states"),),
            "full": (Panel(20, name="20 states"), Panel(1200, name="1,200 states")),
        },
        text_values=(0.03, 0.1, 0.3, 1),
        compared=CLAIMED,
        apply=lambda rule, value: replace(rule, periphery=Periphery.full(value)),
    )
)
