"""The filter of the crate against a slow twin in NumPy, read for read."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tikitaka import _core
from tikitaka.fitting.form import FORMS, NODES, Form, jacobian, natural, steps

F64 = NDArray[np.float64]

PARAMETERS = {
    "constant": [0.03, 0.02],
    "linear": [0.03, 0.02, -1.2, 0.9],
    "power": [0.03, 0.02, 0.8, -0.9, 1.6, 0.7],
    "exponential": [0.03, 0.02, -0.8, 0.7, 1.5, -0.6],
    "table": [0.03, 0.025, 0.02, 0.02, 0.015, 0.01, 0.01, 0.012, 0.02, 0.02, 0.025, 0.03],
}


def sweeps(seed: int) -> tuple[F64, NDArray[np.int8], NDArray[np.int64]]:
    """Three sweeps of up, down and no pulses, with missing reads, the first of a sweep among them."""
    rng = np.random.default_rng(seed)
    values = np.clip(0.02 * rng.standard_normal(150).cumsum(), -0.55, 0.55)
    values[[3, 4, 60, 61, 149]] = np.nan
    signs = rng.choice([-1, 0, 1], 150, p=[0.45, 0.1, 0.45]).astype(np.int8)
    return values, signs, np.array([0, 60, 63])


def slope(shape: str, p: F64, sign: int, x: float) -> float:
    """The derivative of the step, numerically; exact enough where the step has no corner."""
    by = 1e-7
    ends = steps(shape, p[None], sign, np.array([x - by, x + by]))[0]
    return float(ends[1] - ends[0]) / (2 * by)


def twin(form: Form, p: F64, values: F64, signs: NDArray[np.int8]) -> tuple[float, F64]:
    """The negative log-likelihood of one sweep and the innovations z, by the equations of a textbook."""
    first = int(np.flatnonzero(~np.isnan(values))[0])
    m, v = values[first], p[-1] ** 2
    total, z = 0.0, np.full(len(values), np.nan)
    for k in range(first + 1, len(values)):
        s = int(signs[k])
        if s:
            f, rise = steps(form.shape, p[None], s, np.array([m]))[0, 0], slope(form.shape, p, s, m)
            q2 = p[-2] ** 2 * (f**2 + rise**2 * v if form.multiplicative else 1.0)
            m, v = m + s * f, (1 + s * rise) ** 2 * v + q2
        if not np.isnan(values[k]):
            e, total_variance = values[k] - m, v + p[-1] ** 2
            total += 0.5 * (np.log(total_variance) + e**2 / total_variance)
            z[k] = e / np.sqrt(total_variance)
            gain = v / total_variance
            m, v = m + gain * e, (1 - gain) * v
    return total, z


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.shape}-{form.noise}")
def test_the_filter_equals_its_twin(form: Form) -> None:
    values, signs, starts = sweeps(1)
    noise = 0.4 if form.multiplicative else 0.012
    p = np.array([*PARAMETERS[form.shape], noise, 0.03])
    found, gradient = _core.likelihood_of_sweeps(form.shape, form.multiplicative, p, (values, signs, starts))
    z = _core.states_of_sweeps(form.shape, form.multiplicative, p, (values, signs, starts))[0]
    for k, (low, high) in enumerate(zip(starts, [*starts[1:], len(values)], strict=True)):
        total, errors = twin(form, p, values[low:high], signs[low:high])
        assert found[k] == pytest.approx(total, rel=1e-6)
        assert np.allclose(z[low:high], errors, atol=1e-6, equal_nan=True)
    assert gradient is not None
    for k in range(len(p)):
        moved = np.eye(len(p))[k] * 1e-6
        ends = [
            _core.likelihood_of_sweeps(form.shape, form.multiplicative, p + by, (values, signs, starts))[0]
            for by in (-moved, moved)
        ]
        assert np.allclose(gradient[:, k], (ends[1] - ends[0]) / 2e-6, rtol=1e-3, atol=1e-2)


def test_smoothed_states_are_those_of_the_whole_covariance() -> None:
    """A line without noise of its own parameters is linear and Gaussian: the mean given all reads, in one system."""
    rng = np.random.default_rng(2)
    values, signs = 0.1 * rng.standard_normal(12), np.ones(12, dtype=np.int8)
    p = np.array([0.02, 0.02, -1.0, 1.0, 0.05, 0.08])
    smoothed, variances = _core.states_of_sweeps("linear", False, p, (values, signs, np.array([0])))[3:]
    # minimise Σ (y − x)²/σ_r² + Σ (x_k − (1 + ah) x_(k−1) − a)²/q²
    information = np.eye(12) / p[5] ** 2
    target = values / p[5] ** 2
    for k in range(1, 12):
        row = np.zeros(12)
        row[k], row[k - 1] = 1.0, -(1 + p[0] * p[2])
        information += np.outer(row, row) / p[4] ** 2
        target += row * p[0] / p[4] ** 2
    assert np.allclose(smoothed, np.linalg.solve(information, target), atol=1e-12)
    assert np.allclose(variances, np.diag(np.linalg.inv(information)), atol=1e-12)


def test_transformed_parameters_and_their_derivatives() -> None:
    for form in FORMS:
        low, high = form.limits
        t = np.clip(np.linspace(-1, 1, form.parameters), low, high)
        p = natural(form, t)
        numeric = (natural(form, t + 1e-6) - natural(form, t - 1e-6)) / 2e-6
        assert np.allclose(jacobian(form, t), numeric, rtol=1e-6)
        assert len(p) == form.parameters == form.free
    assert len(PARAMETERS["table"]) == 2 * NODES
    assert Form("linear", read_noise=False).free == 5


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ([0.1, 0.1, 0.1], "parameters must have 2"),
        ([0.1, 0.1, -0.1, 0.1], "pulse noise must be"),
        ([0.1, np.inf, 0.1, 0.1], "parameters must be finite"),
        ([0.1, 0.1, 0.1, -1.0], "read noise must be"),
    ],
)
def test_parameters_are_checked(parameters: list[float], words: str) -> None:
    values, signs, starts = sweeps(1)
    with pytest.raises(ValueError, match=words):
        _core.likelihood_of_sweeps("constant", False, np.array(parameters), (values, signs, starts))


@pytest.mark.parametrize("starts", [[], [1], [0, 0], [0, 150], [0, -1]])
def test_starts_are_checked(starts: list[int]) -> None:
    values, signs, _ = sweeps(1)
    with pytest.raises(ValueError, match="starts must rise from 0"):
        _core.likelihood_of_sweeps(
            "constant", False, np.array([0.1, 0.1, 0.1, 0.1]), (values, signs, np.array(starts, dtype=np.int64))
        )
