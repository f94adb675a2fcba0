"""How fast may states relax while a network is trained?"""

from tikitaka.experiments.axis import ALONE, Axis, reliability_field, rules_with
from tikitaka.experiments.tolerance_study import ToleranceStudy

__all__ = ["study"]

study = ToleranceStudy(
    Axis(
        name="retention",
        question="States that relax while a network is trained: how fast may they?",
        label="updates τ in which states relax to 1/e",
        unit="updates",
        field="rule.reliability.retention",
        values={"quick": (1e6, 1e5, 1e4), "full": (1e7, 1e6, 3e5, 1e5, 3e4, 1e4, 3e3)},
        panels={"quick": ALONE, "full": ALONE},
        apply=reliability_field("retention"),
        rules=rules_with("reliability"),
    )
)
