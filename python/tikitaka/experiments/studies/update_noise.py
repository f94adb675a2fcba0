"""How much cycle noise of its updates does each training rule tolerate?"""

from tikitaka.experiments.axis import CLAIMED, Axis, Panel, device_field
from tikitaka.experiments.tolerance_study import ToleranceStudy

__all__ = ["study"]

study = ToleranceStudy(
    Axis(
        name="update-noise",
        question="Cycle noise of updates: how much does each rule tolerate?",
        label="cycle noise σ_c",
        unit="steps",
        field="rule.device.cycle_noise",
        values={"quick": (0.3, 1, 3, 10), "full": (0.1, 0.3, 1, 3, 10, 30, 100)},
        panels={
            "quick": (Panel(20, name="20 states, additive"), Panel(50, name="50 states, additive")),
            "full": tuple(
                Panel(states, noise, f"{states:,} states, {noise}")
                for noise in ("additive", "multiplicative")
                for states in (20, 200, 1200)
            ),
        },
        text_values=(0.3, 1, 3, 10, 30),
        compared=CLAIMED,
        apply=device_field("cycle_noise"),
    )
)
