"""What changes from cycle to cycle: faster and slower cycles, and steps that age."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tikitaka.fitting.data import Data
from tikitaka.fitting.optimise import Estimate, scores

__all__ = ["CycleEffect", "cycle_effect"]

F64 = NDArray[np.float64]

_MOST = 3.0  # of |ln| of the factor


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


def cycle_effect(cases: Sequence[tuple[Data, Estimate]], sign: int) -> CycleEffect:
    """The factor of the step of one direction that is most likely in each cycle, all other parameters fixed."""
    from scipy.optimize import minimize_scalar

    numbers, factors, variances = [], [], []
    longest = 1
    for data, estimate in cases:
        along = _direction(estimate, sign)
        cycles = np.unique(data.cycles)
        longest = max(longest, len(cycles))
        rows = []
        for cycle in cycles:
            mine = data.cycles == cycle
            part = data.part(mine)
            loss = lambda by: float(scores(part, estimate.form, estimate.t + by * along).sum())  # noqa: B023, E731
            found = minimize_scalar(loss, bounds=(-_MOST, _MOST), method="bounded", options={"xatol": 1e-4})
            by = float(found.x)
            curve = (loss(by + 1e-3) + loss(by - 1e-3) - 2 * loss(by)) / 1e-6
            if curve > 1 / _MOST**2 and abs(by) < _MOST - 0.01:
                rows.append((float(cycle), by, 1 / curve))
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
