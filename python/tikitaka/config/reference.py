"""The reference relative to which the weights of an array are read."""

from dataclasses import dataclass
from typing import Annotated, Literal

from tikitaka.config.base import Config

__all__ = ["Reference"]


@dataclass(frozen=True, repr=False)
class Reference(Config):
    """The reference of an array's weights: none, or the symmetry points of its devices (R24 eq. 8).

    `mean` and `spread` are of an ideal reference alone: ValueError where they are not 0 for another method.
    """

    method: Annotated[Literal["none", "ideal", "zero-shift"], "none, exact symmetry points, or found by pulses"] = (
        "none"
    )
    mean: Annotated[float, "mean μ_R of the error added to an ideal reference (weight units)"] = 0.0
    spread: Annotated[float, "standard deviation σ_R of that error (weight units)"] = 0.0
    pulses: Annotated[int, "alternating pulses sent to each device by zero-shift"] = 2000
