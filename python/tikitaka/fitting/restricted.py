"""Noises without the bias of a likelihood: what the step takes from the data is missing from their scatter.

The likelihood of noises and step together finds noises that are too small, as the variance about a fitted line is
without its n − p: a step with many parameters follows part of the noise. Restricted maximum likelihood (Patterson and
Thompson, Biometrika 58:545 (1971)) integrates over the parameters of the step instead, by Laplace's method:

    minimise  −ln L(θ) + ½ ln det H_s(θ)        H_s: the Hessian of −ln L in the parameters of the step

One Newton step from the most likely parameters is enough, since H_s changes little with the noises. Where H_s is not
positive, as at a kink of an exponential, Laplace's method does not hold, and noises stay as they are. Where it is
nearly singular, as with powers that hardly matter, ln det H_s may suggest a long step. It is halved until the
likelihood loses less than the determinant gains.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tikitaka.fitting.data import Data
from tikitaka.fitting.optimise import UNKNOWN, Curvature, Estimate, curvature, scores

__all__ = ["restricted"]

F64 = NDArray[np.float64]

_BY = 0.05  # logarithms of noises, over which the slope of H_s is taken
_MOST = 0.3  # that the logarithm of a noise is moved by
_TRIED = 6  # lengths of the step


def restricted(data: Data, estimate: Estimate, bend: Curvature, threads: int = 1) -> Estimate:
    """The estimate with the noises of the restricted likelihood; the step and `nll` stay those that are most likely."""
    form, t = estimate.form, estimate.t
    low, high = form.limits
    free = (t > low + 1e-9) & (t < high - 1e-9)
    step = np.flatnonzero(free[:-2])
    slopes = np.zeros_like(t)
    for place in (len(t) - 2, len(t) - 1):
        if free[place] and len(step):
            by = np.zeros_like(t)
            by[place] = _BY
            bends = [bend, *(curvature(data, replace(estimate, t=t + sign * by), threads) for sign in (1, -1))]
            values = [np.linalg.eigvalsh(each.hessian[np.ix_(step, step)]) for each in bends]
            if min(float(each.min()) for each in values) < 0:
                return estimate
            logs = [float(np.log(np.maximum(each, UNKNOWN)).sum()) for each in values]
            slopes[place] = (logs[1] - logs[2]) / (4 * _BY)
    move = np.zeros_like(t)
    move[-2:] = -(bend.covariance @ slopes)[-2:]
    move *= min(1.0, _MOST / max(float(np.abs(move).max()), 1e-300))
    before = float(scores(data, form, t, threads).sum())
    for _ in range(_TRIED):
        moved = np.clip(t + move, low, high)
        rise = float(scores(data, form, moved, threads).sum()) - before
        if rise + slopes @ (moved - t) < 0:
            return replace(estimate, t=moved)
        move /= 2
    return estimate
