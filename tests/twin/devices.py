"""Devices: their steps, bounds and symmetry points; the closest decisions."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tikitaka as tt

F64 = NDArray[np.float64]
Bools = NDArray[np.bool_]
MAX_HALVINGS = 10  # bound management gives up after a factor of 1024


class Ties:
    """How close the decisions of a run came to a tie, where a float32 simulator may legitimately differ."""

    def __init__(self) -> None:
        self.closest = math.inf

    def note(self, distances: Any) -> None:
        """Distances of values from a change of decision, in its unit (levels, thresholds, slots)."""
        self.closest = min(self.closest, np.min(np.abs(distances), initial=math.inf))


class Devices:
    """The constants of an array of devices, each (rows, cols), and their answer to a pulse."""

    def __init__(self, model: tt.Device, constants: Mapping[str, Any]) -> None:
        names = ("up_step", "down_step", "upper_bound", "lower_bound")
        self.model = model
        self.up, self.down, self.upper, self.lower = (np.asarray(constants[name], float) for name in names)

    def pulse(self, w: F64, up: Any, xi: Any = 0.0) -> F64:
        """The states after one pulse, up where `up` and down elsewhere, with normals `xi`: R24 eq. (4); GV16."""
        sigma = self.model.cycle_noise
        if isinstance(self.model, tt.ConstantStep):
            rise, fall = self.up * (1 + sigma * xi), self.down * (1 + sigma * xi)
        else:
            slope_up, slope_down = (self.upper - w) / self.upper, (self.lower - w) / self.lower
            if self.model.noise == "multiplicative":
                rise, fall = self.up * slope_up * (1 + sigma * xi), self.down * slope_down * (1 + sigma * xi)
            else:
                rise, fall = self.up * (slope_up + sigma * xi), self.down * (slope_down + sigma * xi)
        return np.clip(np.where(up, w + rise, w - fall), self.lower, self.upper)

    def symmetry_point(self) -> F64:
        """Where an up and a down step cancel on average, R24 eq. (8)."""
        return (self.up - self.down) / (self.up / self.upper - self.down / self.lower)


def mean_step(model: tt.Device) -> float:
    """δ = 2b / n_states."""
    states = model.states or (1200 if isinstance(model, tt.ConstantStep) else 20)
    return model.weight_step or 2 * model.bound / states


Fires = Callable[[F64, F64, float], tuple[Bools, Bools]]
"""Source of trains: called with (x, delta, lr), once for each update."""
