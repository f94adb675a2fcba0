"""How reliable devices are: stuck ones, wear, relaxation and write noise."""

from dataclasses import dataclass
from typing import Annotated

from tikitaka.config.base import Config

__all__ = ["Reliability"]


@dataclass(frozen=True, repr=False)
class Reliability(Config):
    """What devices do besides answering pulses; everything off by default, which costs nothing.

    Time is counted in updates of the array, one for each sample that it learns from.
    """

    stuck: Annotated[float, "share of devices that are stuck: no pulse moves them (0 to 1)"] = 0.0
    stuck_range: Annotated[
        float | None, "range ± of the states of stuck devices (weight units; default: their bounds)"
    ] = None
    endurance: Annotated[float | None, "pulses that the median device endures before it is stuck (default: all)"] = None
    endurance_spread: Annotated[float, "standard deviation of the logarithm of that between devices"] = 0.0
    retention: Annotated[
        float | None, "updates τ in which a state relaxes to 1/e of its distance from rest (default: never)"
    ] = None
    retention_spread: Annotated[float, "standard deviation of ln τ between devices"] = 0.0
    rest: Annotated[float, "mean state that devices relax to (weight units)"] = 0.0
    rest_spread: Annotated[float, "standard deviation of that state between devices (weight units)"] = 0.0
    diffusion: Annotated[float, "diffusion σ of states (weight units per square root of an update)"] = 0.0
    relax_every: Annotated[
        int, "updates after which states relax and diffuse, in closed form (more where rounding would keep them)"
    ] = 100
    write_noise: Annotated[
        float, "standard deviation σ of what is seen of a state, new with each pulse (weight units)"
    ] = 0.0
