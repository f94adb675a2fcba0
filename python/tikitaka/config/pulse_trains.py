"""Stochastic pulse trains."""

from dataclasses import dataclass
from typing import Annotated

from tikitaka.config.base import Config

__all__ = ["PulseTrains"]


@dataclass(frozen=True, repr=False)
class PulseTrains(Config):
    """Stochastic pulse trains of the outer-product update (GV16)."""

    max_length: Annotated[int, "longest train BL_max (slots)"] = 31
    update_management: Annotated[bool, "balance row and column probabilities by max|x| and max|δ|"] = True
    length_management: Annotated[bool, "shorten trains to what the update needs (BL management)"] = True
