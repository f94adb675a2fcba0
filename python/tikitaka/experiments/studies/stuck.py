"""How many devices may be stuck?"""

from tikitaka.experiments.axis import ALONE, Axis, reliability_field, rules_with
from tikitaka.experiments.tolerance_study import ToleranceStudy

__all__ = ["study"]

study = ToleranceStudy(
    Axis(
        name="stuck",
        question="Devices that are stuck somewhere within their bounds: how many may there be?",
        label="share of stuck devices",
        unit="",
        field="rule.reliability.stuck",
        values={"quick": (0, 0.1, 0.3), "full": (0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)},
        panels={"quick": ALONE, "full": ALONE},
        apply=reliability_field("stuck"),
        rules=rules_with("reliability"),
        logarithmic=False,
    )
)
