"""How small may the tiles be that a layer is cut into?"""

from dataclasses import replace

from tikitaka.config import Periphery
from tikitaka.experiments.axis import ALONE, Axis, rules_with
from tikitaka.experiments.tolerance_study import ToleranceStudy

__all__ = ["study"]

study = ToleranceStudy(
    Axis(
        name="tile-size",
        question="Tiles that a layer is cut into: how small may they be?",
        label="rows and columns of a tile",
        unit="lines",
        field="rule.tile",
        values={"quick": (1024, 256, 64), "full": (1024, 512, 256, 128, 64, 32)},
        panels={"quick": ALONE, "full": ALONE},
        apply=lambda rule, value: replace(rule, tile=int(value), periphery=Periphery.full()),
        rules=rules_with("tile"),
    )
)
