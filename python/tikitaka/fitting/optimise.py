"""The most likely parameters of one device, and how well they are known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tikitaka import _core
from tikitaka.fitting.data import Data
from tikitaka.fitting.form import NODES, Form, jacobian, natural

__all__ = ["UNKNOWN", "Curvature", "Estimate", "curvature", "maximise", "scores"]

F64 = NDArray[np.float64]

_ROUGH = 0.5  # sd of the second differences of a table's logarithms
_WIDE = 3.0  # sd in transformed units beyond which nothing is known
UNKNOWN = 1 / _WIDE**2
"""Curvature of the log-likelihood along a direction that nothing is known of."""


@dataclass(frozen=True, eq=False)
class Estimate:
    """The most likely parameters of one device."""

    form: Form
    """the form"""
    t: F64
    """transformed parameters (parameters,)"""
    nll: float
    """negative log-likelihood, without ½ ln 2π per read"""

    @property
    def p(self) -> F64:
        """Parameters in units of the window (parameters,)."""
        return natural(self.form, self.t)


def scores(data: Data, form: Form, t: F64, threads: int = 1) -> F64:
    """Negative log-likelihood of each sweep (sweeps,)."""
    return _core.likelihood_of_sweeps(
        form.shape, form.multiplicative, natural(form, t), data.arrays, gradient=False, threads=threads
    )[0]


def maximise(
    data: Data,
    form: Form,
    starts: Sequence[F64],
    threads: int = 1,
    *,
    fixed: Mapping[int, float] | None = None,
    tolerance: float = 1e-10,
) -> Estimate:
    """The most likely parameters: L-BFGS-B with exact gradients from each start, the best of which is kept.

    `fixed` are transformed parameters, by number, that stay as they are.

    Needs SciPy (the extra `fit`).
    """
    from scipy.optimize import Bounds, minimize

    low, high = form.limits
    for place, value in (fixed or {}).items():
        low[place] = high[place] = value
    total = max(int(data.counts.sum()), 1)

    def objective(t: F64) -> tuple[float, F64]:
        values, slopes = _core.likelihood_of_sweeps(
            form.shape, form.multiplicative, natural(form, t), data.arrays, threads=threads
        )
        assert slopes is not None
        penalty, rise = _penalty(form, t)
        value = (float(values.sum()) + penalty) / total
        gradient = (slopes.sum(axis=0) * jacobian(form, t) + rise) / total
        if not np.isfinite(value) or not np.isfinite(gradient).all():
            return 1e10, np.zeros_like(t)
        return value, gradient

    best: Estimate | None = None
    for start in starts:
        found = minimize(
            objective,
            np.clip(start, low, high),
            jac=True,
            method="L-BFGS-B",
            bounds=Bounds(low, high),
            options={"maxiter": 400, "ftol": tolerance, "gtol": 1e-7},
        )
        nll = float(found.fun) * total - _penalty(form, found.x)[0]
        if best is None or nll < best.nll:
            best = Estimate(form, np.asarray(found.x, dtype=np.float64), nll)
    assert best is not None
    return best


def _penalty(form: Form, t: F64) -> tuple[float, F64]:
    """What is minimised besides the negative log-likelihood, and its gradient.

    −ln σ of the pulse noise, which keeps it from 0 if little is known of it, and moves it by less than its standard
    error (Chung et al., Psychometrika 78:685 (2013)); and ½ Σ (second difference of the logarithms)²/0.5² of a table.
    """
    rise = np.zeros_like(t)
    rise[-2] = -1.0
    total = -float(t[-2])
    for side in (slice(0, NODES), slice(NODES, 2 * NODES)) if form.shape == "table" else ():
        second = np.diff(t[side], 2) / _ROUGH**2
        total += 0.5 * float(second @ second) * _ROUGH**2
        rise[side] += np.concatenate([second, [0, 0]]) + np.concatenate([[0, 0], second])
        rise[side] -= 2 * np.concatenate([[0], second, [0]])
    return total, rise


@dataclass(frozen=True, eq=False)
class Curvature:
    """How the likelihood bends around an estimate, in transformed parameters."""

    gradients: F64
    """by sweep (sweeps, parameters)"""
    hessians: F64
    """by sweep (sweeps, parameters, parameters)"""
    hessian: F64
    """the whole Hessian, with that of an sd of 3 and of the roughness of tables (parameters, parameters)"""
    covariance: F64
    """its inverse (parameters, parameters)"""


def curvature(data: Data, estimate: Estimate, threads: int = 1) -> Curvature:
    """Gradient and Hessian of each sweep, the latter from central differences of exact gradients."""
    form, t = estimate.form, estimate.t

    def gradient(at: F64) -> F64:
        slopes = _core.likelihood_of_sweeps(
            form.shape, form.multiplicative, natural(form, at), data.arrays, threads=threads
        )[1]
        assert slopes is not None
        return slopes * jacobian(form, at)

    width, by = len(t), 1e-4
    hessians = np.empty((len(data.starts), width, width))
    prior = np.eye(width) * UNKNOWN
    for k in range(width):
        moved = np.eye(width)[k] * by
        hessians[:, k] = (gradient(t + moved) - gradient(t - moved)) / (2 * by)
        prior[k] += (_penalty(form, t + moved)[1] - _penalty(form, t - moved)[1]) / (2 * by)
    hessians = (hessians + hessians.swapaxes(1, 2)) / 2
    whole = hessians.sum(axis=0) + (prior + prior.T) / 2
    return Curvature(gradient(t), hessians, whole, _inverse(form, t, whole))


def _inverse(form: Form, t: F64, hessian: F64) -> F64:
    """The inverse on the free parameters, with curvatures below that of an sd of 3 raised to it."""
    low, high = form.limits
    free = (t > low + 1e-9) & (t < high - 1e-9)
    covariance = np.zeros_like(hessian)
    if free.any():
        values, vectors = np.linalg.eigh(hessian[np.ix_(free, free)])
        values = np.maximum(values, UNKNOWN)
        covariance[np.ix_(free, free)] = (vectors / values) @ vectors.T
    return covariance
