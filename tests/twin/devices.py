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
        shapes = (constants.get(name, 0.0) for name in ("up_shape", "down_shape"))
        self.up_shape, self.down_shape = (np.asarray(shape, float) for shape in shapes)

    def pulse(self, w: F64, up: Any, xi: Any = 0.0) -> F64:
        """The states after one pulse, up where `up` and down elsewhere, with normals `xi`."""
        rise, fall = self.step(w, True, xi), self.step(w, False, xi)
        return np.clip(np.where(up, w + rise, w - fall), self.lower, self.upper)

    def step(self, w: F64, up: bool, xi: Any = 0.0) -> F64:
        """What a pulse changes, positive in its direction, before it is clamped: R24 eq. (4); GV16."""
        model: Any = self.model
        alpha = self.up if up else self.down
        if isinstance(model, tt.JumpTable):
            return alpha * self._jump(w, up, model.cycle_noise * xi)
        share = self.share(w, up)
        if isinstance(model, tt.NeuroSim):
            return alpha * share + model.cycle_to_cycle * 2 * model.bound * xi
        if model.noise == "multiplicative":
            return alpha * share * (1 + model.cycle_noise * xi)
        return alpha * (share + model.cycle_noise * xi)

    def share(self, w: F64, up: bool) -> F64:
        """The mean step as a share of that at weight 0."""
        model: Any = self.model
        bound, shape = (self.upper, self.up_shape) if up else (self.lower, self.down_shape)
        place = (w - self.lower) / (self.upper - self.lower)
        if isinstance(model, tt.ConstantStep):
            return np.ones_like(w)
        if isinstance(model, tt.SoftBounds):
            return (bound - w) / bound
        if isinstance(model, tt.LinearStep | tt.NeuroSim):
            return 1 - shape * w / bound
        if isinstance(model, tt.PowerStep):
            return np.maximum(1 - w / bound, 0) ** shape
        if isinstance(model, tt.ExponentialStep):
            z = 2 * model.scale * w / (self.upper - self.lower) + model.offset
            return _exponential(model, z, up) / _middle(_exponential(model, model.offset, d) for d in (True, False))
        assert isinstance(model, tt.TableStep)
        table = model.up if up else model.down
        return _interpolated(table, place) / _middle(_interpolated(t, _zero(model)) for t in (model.up, model.down))

    def _jump(self, w: F64, up: bool, xi: Any) -> F64:
        """A quantile of the step, by rows of weights and columns of normals."""
        model: Any = self.model
        xi = np.broadcast_to(np.asarray(xi, float), w.shape)
        place = (w - self.lower) / (self.upper - self.lower)
        rows = np.array([_interpolated(row, (xi + 3) / 6) for row in (model.up if up else model.down)])
        height = np.clip(place, 0, 1) * (len(rows) - 1)
        low = np.minimum(height.astype(int), len(rows) - 2)
        below, above = (np.take_along_axis(rows, k[None], 0)[0] for k in (low, low + 1))
        return (below + (height - low) * (above - below)) / _mean_jump(model)

    def symmetry_point(self) -> F64:
        """Where an up and a down step cancel on average: R24 eq. (8), or by bisection for other models."""
        if isinstance(self.model, tt.SoftBounds):
            return (self.up - self.down) / (self.up / self.upper - self.down / self.lower)
        low, high = self.lower.copy(), self.upper.copy()
        for _ in range(60):
            middle = (low + high) / 2
            rises = self.up * self._mean_share(middle, True) > self.down * self._mean_share(middle, False)
            low, high = np.where(rises, middle, low), np.where(rises, high, middle)
        return (low + high) / 2

    def _mean_share(self, w: F64, up: bool) -> F64:
        if not isinstance(self.model, tt.JumpTable):
            return self.share(w, up)
        model: Any = self.model
        xi = np.linspace(-6, 6, 1201)
        weights = np.exp(-(xi**2) / 2)
        rows = model.up if up else model.down  # a step is linear in the rows, so their means have its mean between them
        means = [weights @ _interpolated(row, (model.cycle_noise * xi + 3) / 6) / weights.sum() for row in rows]
        place = (w - self.lower) / (self.upper - self.lower)
        return np.asarray(_interpolated(means, place) / _mean_jump(model))


def _interpolated(entries: Any, place: Any) -> Any:
    return np.interp(place, np.linspace(0, 1, len(entries)), entries)


def _exponential(model: tt.ExponentialStep, z: Any, up: bool) -> Any:
    amplitude, rate = (model.up_amplitude, model.up_rate) if up else (model.down_amplitude, -model.down_rate)
    return np.maximum(1 - amplitude * np.exp(rate * z), 0)


def _zero(model: Any) -> float:
    """Weight 0 as a share of the mean range."""
    lower, upper = model.lower_bound or -model.bound, model.upper_bound or model.bound
    return float(-lower / (upper - lower))


def _mean_jump(model: tt.JumpTable) -> float:
    xi = np.linspace(-6, 6, 1201)
    weights = np.exp(-(xi**2) / 2)
    means = (
        _interpolated([weights @ _interpolated(row, (model.cycle_noise * xi + 3) / 6) for row in rows], _zero(model))
        for rows in (model.up, model.down)
    )
    return _middle(means) / float(weights.sum())


def _middle(values: Any) -> float:
    return float(np.mean(list(values)))


def mean_step(model: tt.Device) -> float:
    """δ = range of the bounds / n_states."""
    states = model.states or (1200 if isinstance(model, tt.ConstantStep) else 20)
    span = (model.upper_bound or model.bound) - (model.lower_bound or -model.bound)
    return model.weight_step or span / states


Fires = Callable[[F64, F64, float], tuple[Bools, Bools]]
"""Source of trains: called with (x, delta, lr), once for each update."""
