"""What changes from cycle to cycle: faster and slower cycles, and steps that age."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tikitaka.fitting.data import Data
from tikitaka.fitting.optimise import Curvature, Estimate

__all__ = ["CycleEffect", "cycle_effect"]

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class CycleEffect:
    """How ln(step) of one direction differs between cycles, over all devices."""

    spread: float
    """standard deviation between cycles, without the error of estimation and without ageing"""
    slope: float
    """change of ln(step) per cycle"""
    error: float
    """standard error of `slope`; NaN with fewer than three cycles"""
    cycles: int
    """cycles of the device that has most of them"""

    @property
    def ages(self) -> bool:
        """Whether the step changes beyond two standard errors and by 5 % at least."""
        return bool(abs(self.slope) > 2 * self.error and abs(self.slope) * (self.cycles - 1) > 0.05)


def cycle_effect(cases: list[tuple[Data, Estimate, Curvature]], sign: int) -> CycleEffect:
    """The factor of the step of one direction in each cycle, all other parameters fixed.

    One Newton step from the estimate, −g/H of the cycle, as in scoring tests.
    """
    numbers, factors, variances = [], [], []
    longest = 1
    for data, estimate, bend in cases:
        along = _direction(estimate, sign)
        cycles = np.unique(data.cycles)
        longest = max(longest, len(cycles))
        rows = []
        for cycle in cycles:
            mine = data.cycles == cycle
            curve = float(along @ bend.hessians[mine].sum(axis=0) @ along)
            if curve > 0:
                rows.append((float(cycle), -float(bend.gradients[mine].sum(axis=0) @ along) / curve, 1 / curve))
        if len(rows) > 2:
            at, by, error = np.array(rows).T
            weights = 1 / (error + 1e-3)
            numbers.append(at - np.average(at, weights=weights))
            factors.append(by - np.average(by, weights=weights))
            variances.append(error)
    if not numbers:
        return CycleEffect(float("nan"), 0.0, float("nan"), longest)
    at, by, error = np.concatenate(numbers), np.concatenate(factors), np.concatenate(variances)
    slope = float(at @ by / (at @ at))
    rest = by - slope * at
    freedom = max(len(by) - len(numbers) - 1, 1)
    spread = float(np.sqrt(max(0.0, float(rest @ rest) / freedom - float(np.median(error)))))
    return CycleEffect(spread, slope, float(np.sqrt(rest @ rest / freedom / (at @ at))), longest)


def _direction(estimate: Estimate, sign: int) -> F64:
    """The direction in transformed parameters that scales the step of one direction."""
    along = np.zeros(len(estimate.t))
    side = int(sign < 0)
    if estimate.form.shape == "table":
        nodes = (len(along) - 2) // 2
        along[side * nodes : (side + 1) * nodes] = 1.0
    else:
        along[side] = 1.0
    return along
