"""How few states does each training rule need?"""

from tikitaka.experiments.axis import ALONE, CLAIMED, Axis, device_field
from tikitaka.experiments.tolerance_study import ToleranceStudy

__all__ = ["study"]

study = ToleranceStudy(
    Axis(
        name="states",
        question="Conductance states: how few does each rule need?",
        label="states of a device",
        unit="",
        field="rule.device.states",
        values={"quick": (1000, 100, 20, 5), "full": (4000, 1000, 300, 100, 40, 20, 10, 5)},
        panels={"quick": ALONE, "full": ALONE},
        text_values=(1200, 300, 100, 40, 20, 10, 5),
        compared=CLAIMED,
        apply=device_field("states"),
    )
)
