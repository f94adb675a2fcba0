"""Intervals by the profile of the likelihood: all other parameters are fitted again for each value of one of them."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tikitaka.fitting.data import Data
from tikitaka.fitting.optimise import Estimate, maximise

__all__ = ["path_of_read_noise", "profile_bound", "profile_read_noise"]

F64 = NDArray[np.float64]

_DROP = 1.92073  # half the 95 % quantile of χ² with one degree of freedom
_ONE = 1.35277  # half the 90 % quantile
_SIDE = 1.64485  # standard deviations that 95 % do not exceed
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
    return float(np.exp(_most_read_noise(data, estimate)))


def _most_read_noise(data: Data, estimate: Estimate) -> float:
    def worse(value: float) -> float:
        return _with_read_noise(data, estimate, value).nll - estimate.nll - _ONE

    most = float(estimate.form.limits[1][-1])
    end = _cross(worse, float(estimate.t[-1]), most)
    return most if end is None else end


def _with_read_noise(data: Data, estimate: Estimate, value: float) -> Estimate:
    return maximise(data, estimate.form, [estimate.t], fixed={-1: value}, tolerance=1e-9)


def path_of_read_noise(data: Data, estimate: Estimate) -> tuple[F64, F64, float]:
    """The best fit for each variance r = σ_r² of a read: r, in windows² and rising (points,); the transformed
    parameters there (points, parameters); and the standard deviation of r.

    The log-likelihood is close to a parabola in r, not in ln σ_r, which it knows nothing of where σ_r may be 0. The
    path goes in straight lines from r = 0 by the estimate to the r that 95 % exclude from above, and on to twice that.
    """
    most = _most_read_noise(data, estimate)
    end = _with_read_noise(data, estimate, most).t
    r = np.exp(2 * np.array([estimate.t[-1], most]))
    places, points = [r[0], r[1], 2 * r[1] - r[0]], [estimate.t, end, 2 * end - estimate.t]
    if r[0] > 1e-3 * r[1]:
        zero = _with_read_noise(data, estimate, float(estimate.form.limits[0][-1])).t
        places, points = [0.0, *places], [zero, *points]
    return np.array(places), np.array(points), float(r[1] - r[0]) / _SIDE


def _cross(worse: Callable[[float], float], best: float, end: float) -> float | None:
    """Where `worse` becomes positive between `best` and `end`; None if nowhere."""
    from scipy.optimize import brentq

    if worse(best) > 0:
        return best
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
