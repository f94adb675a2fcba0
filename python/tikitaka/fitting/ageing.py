"""What changes from cycle to cycle: faster and slower cycles, and steps that age."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tikitaka.fitting.data import Data
from tikitaka.fitting.optimise import Estimate, scores

__all__ = ["CycleEffect", "cycle_effect", "end_spread"]

F64 = NDArray[np.float64]

_LAST = 5  # reads of the end of a sweep
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
    numbers, factors, variances = [], [], []
    longest = 1
    for data, estimate in cases:
        along = _direction(estimate, sign)
        cycles = np.unique(data.cycles)
        longest = max(longest, len(cycles))
        rows = []
        for cycle in cycles:
            best, variance = _factor(data.part(data.cycles == cycle), estimate, along)
            if variance < _MOST**2 and abs(best) < _MOST - 0.01:
                rows.append((float(cycle), best, variance))
        if len(rows) > 2:
            number, factor, error = np.array(rows).T
            weights = 1 / (error + 1e-3)
            numbers.append(number - np.average(number, weights=weights))
            factors.append(factor - np.average(factor, weights=weights))
            variances.append(error)
    if not numbers:
        return CycleEffect(float("nan"), 0.0, float("nan"), longest)
    at, by = np.concatenate(numbers), np.concatenate(factors)
    slope = float(at @ by / (at @ at))
    rest = by - slope * at
    freedom = max(len(by) - len(numbers) - 1, 1)
    spread = float(np.sqrt(max(0.0, float(rest @ rest) / freedom - float(np.median(np.concatenate(variances))))))
    return CycleEffect(spread, slope, float(np.sqrt(rest @ rest / freedom / (at @ at))), longest)


def end_spread(data: Data, read_noise: float, sign: int) -> float:
    """Standard deviation between cycles of where sweeps of one direction end, without the noise of reads.

    An end is the mean of the last five reads; in the unit of the data, as is `read_noise`. NaN with fewer than three.
    """
    ends = [
        float(np.nanmean(values[-_LAST:]))
        for values, signs in data.sweeps()
        if len(values) >= _LAST and (signs[-_LAST:] == sign).all() and not np.isnan(values[-_LAST:]).all()
    ]
    if len(ends) < 3:
        return float("nan")
    return float(np.sqrt(max(0.0, float(np.var(ends, ddof=1)) - read_noise**2 / _LAST)))


def _factor(part: Data, estimate: Estimate, along: F64) -> tuple[float, float]:
    """The most likely ln of the factor, and its variance from the curvature of the likelihood."""
    from scipy.optimize import minimize_scalar

    def loss(by: float) -> float:
        return float(scores(part, estimate.form, estimate.t + by * along).sum())

    found = minimize_scalar(loss, bounds=(-_MOST, _MOST), method="bounded", options={"xatol": 1e-4})
    best = float(found.x)
    curve = (loss(best + 1e-3) + loss(best - 1e-3) - 2 * loss(best)) / 1e-6
    return best, 1 / max(curve, 1e-9)


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
