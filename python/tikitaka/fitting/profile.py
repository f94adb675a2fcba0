"""Intervals of bounds by the profile of the likelihood: all other parameters are fitted again for each bound."""

from collections.abc import Callable

import numpy as np

from tikitaka.fitting.data import Data
from tikitaka.fitting.optimise import Estimate, maximise

__all__ = ["profile_bound", "profile_read_noise"]

_DROP = 1.92073  # half the 95 % quantile of χ² with one degree of freedom
_ONE = 1.35277  # half the 90 % quantile
_NEAR = 1e-3  # slopes below which a line ends nowhere


def profile_bound(data: Data, estimate: Estimate, side: int) -> tuple[float, float] | None:
    """The 95 % interval of the lower (0) or the upper (1) bound in windows from the middle; infinite where the
    likelihood does not exclude it. None for shapes whose bound is no parameter, and where it cannot be found.

    A bound is in the interval if the best fit with it has a log-likelihood of at most 1.92 less than the best of all.
    """
    if estimate.form.shape not in ("linear", "power"):
        return None
    inward = -1.0 if side else 1.0  # sign of the slope h of a line that ends at this bound
    place = 3 - side  # where it is among the parameters: those of up steps come first
    best = float(estimate.t[place])
    low, high = (float(each[place]) for each in estimate.form.limits)

    def worse(value: float) -> float:
        found = maximise(data, estimate.form, [estimate.t], fixed={place: value}, tolerance=1e-9)
        return found.nll - estimate.nll - _DROP

    ends = [_cross(worse, best, end) for end in (low, high)]
    if estimate.form.shape == "power":
        sign = 1.0 if side else -1.0
        found = [sign * (np.exp(end) if end is not None else out) for end, out in zip(ends, (0.0, np.inf), strict=True)]
    else:
        found = [
            -1 / end if end is not None and end * inward > _NEAR else (np.inf if side else -np.inf) for end in ends
        ]
    return float(min(found)), float(max(found))


def profile_read_noise(data: Data, estimate: Estimate) -> float:
    """The read noise, in windows, that 95 % exclude from above: the log-likelihood falls by 1.35 (one-sided)."""

    def worse(value: float) -> float:
        return maximise(data, estimate.form, [estimate.t], fixed={-1: value}, tolerance=1e-9).nll - estimate.nll - _ONE

    end = _cross(worse, float(estimate.t[-1]), float(estimate.form.limits[1][-1]))
    return float(np.exp(estimate.form.limits[1][-1] if end is None else end))


def _cross(worse: Callable[[float], float], best: float, end: float) -> float | None:
    """Where `worse` becomes positive between `best` and `end`; None if nowhere."""
    from scipy.optimize import brentq

    width, near = 0.05, best
    direction = np.sign(end - best) or 1.0
    while True:
        far = best + direction * width
        if (far - end) * direction >= 0:
            far = end
        if worse(far) > 0:
            return float(brentq(worse, near, far, xtol=1e-3))
        if far == end:
            return None
        near, width = far, 2 * width
