"""How well parameters are known: the inverse Hessian, widened where whole cycles differ by more than their noise."""

import numpy as np
from numpy.typing import NDArray

from tikitaka.fitting.data import Data
from tikitaka.fitting.form import Form
from tikitaka.fitting.optimise import Curvature

__all__ = ["covariance", "draws", "draws_along", "interval"]

F64 = NDArray[np.float64]

_CYCLES = 6  # from which the differences between cycles are known well enough


def covariance(data: Data, bend: Curvature, multiplicative: bool) -> F64:
    """Covariance of the transformed parameters (parameters, parameters).

    The inverse Hessian C. With six cycles or more it is widened, parameter by parameter, to the covariance C G C of
    whole cycles if that is larger; G is the sum of g gᵀ of the gradients g of the cycles. That is what a bootstrap of
    whole cycles gives to first order (sandwich estimate: White, Econometrica 50:1 (1982)). With multiplicative noise,
    whose likelihood is only approximate, single sweeps count if there are fewer than six cycles.
    """
    inner = bend.covariance
    cycles, of = np.unique(data.cycles, return_inverse=True)
    if len(cycles) < _CYCLES and multiplicative:
        cycles = of = np.arange(len(data.cycles))
    if len(cycles) < _CYCLES:
        return inner
    g = np.zeros((len(cycles), inner.shape[0]))
    np.add.at(g, of, bend.gradients)
    outer = inner @ (g.T @ g) @ inner * len(cycles) / (len(cycles) - 1)
    with np.errstate(all="ignore"):
        ratio = np.sqrt(np.diag(outer) / np.diag(inner))
    wider = np.clip(np.nan_to_num(ratio, nan=1.0), 1.0, 10.0)
    return np.asarray(inner * wider[:, None] * wider[None])


def draws(form: Form, t: F64, spread: F64, count: int, seed: int) -> F64:
    """The estimate, then `count` draws from its uncertainty, within the limits of the form (1 + count, parameters)."""
    found = t + _normal(spread, count, np.random.default_rng(seed))
    return np.asarray(np.clip(np.concatenate([t[None], found]), *form.limits))


def draws_along(form: Form, t: F64, spread: F64, path: tuple[F64, F64, float], count: int, seed: int) -> F64:
    """As `draws`, where the read noise may be 0: its variance is drawn from a normal law about its estimate, cut off
    below 0; other parameters follow `path` (`path_of_read_noise`), plus what is unknown of them at a given read noise.
    """
    from scipy.special import ndtr, ndtri

    rng = np.random.default_rng(seed)
    places, points, sd = path
    mean = np.exp(2 * t[-1])
    below = ndtr(-mean / sd) if sd > 0 else 0.0
    r = np.maximum(mean + sd * ndtri(below + (1 - below) * rng.random(count)), np.exp(2 * form.limits[0][-1]))
    others = spread[:-1, :-1] - np.outer(spread[:-1, -1], spread[-1, :-1]) / max(spread[-1, -1], 1e-300)
    found = np.empty((count, len(t)))
    for k in range(len(t) - 1):
        found[:, k] = np.interp(r, places, points[:, k])
    found[:, :-1] += _normal(others, count, rng)
    found[:, -1] = 0.5 * np.log(r)
    return np.asarray(np.clip(np.concatenate([t[None], found]), *form.limits))


def _normal(spread: F64, count: int, rng: np.random.Generator) -> F64:
    """Normal draws with this covariance (count, parameters)."""
    values, vectors = np.linalg.eigh(spread)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return np.asarray(rng.standard_normal((count, len(spread))) @ root.T)


def interval(values: F64) -> tuple[float, float]:
    """The 2.5 % and the 97.5 % quantile of draws, without those that are NaN."""
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan"), float("nan")
    ordered = np.sort(known)  # infinite draws are in order, and are not interpolated
    low, high = int(0.025 * (len(known) - 1)), int(np.ceil(0.975 * (len(known) - 1)))
    return float(ordered[low]), float(ordered[high])
