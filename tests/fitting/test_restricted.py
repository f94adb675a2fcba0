"""Noises of the fit without the bias of its likelihood."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

import tikitaka as tt
from tikitaka.fitting.data import data_of
from tikitaka.fitting.form import Form
from tikitaka.fitting.optimise import curvature, maximise
from tikitaka.fitting.restricted import restricted
from tikitaka.fitting.start import first_starts

F64 = NDArray[np.float64]

LINE = Form("linear", read_noise=False)


def chip(seed: int, pulses: int = 40, noise: float = 0.02) -> tt.Measured:
    """Two sweeps of soft bounds, read exactly."""
    rng, sweeps, x = np.random.default_rng(seed), [], -0.4
    for sign in (1, -1):
        values = []
        for _ in range(pulses):
            x += sign * 0.04 * (1 - 1.5 * sign * x) + noise * rng.standard_normal()
            values.append(x)
        sweeps.append(tt.Sweep("A", 1, np.full(pulses, sign), 50 + 30 * np.array(values)))
    return tt.Measured(tuple(sweeps))


def noises(seed: int) -> tuple[float, float, int]:
    """The pulse noise of the likelihood and of the restricted one, and the number of increments."""
    data = data_of(chip(seed).of("A"))
    likely = maximise(data, LINE, [start[: len(LINE.limits[0])] for start in first_starts(data)])
    found = restricted(data, likely, curvature(data, likely))
    assert found.nll == likely.nll
    assert np.array_equal(found.t[:-2], likely.t[:-2])
    return float(likely.p[-2]) * data.size, float(found.p[-2]) * data.size, int(data.counts.sum()) - len(data.starts)


def test_it_is_the_variance_about_a_line() -> None:
    """Exact reads make a line a regression of increments on states, in which RSS/(n − p) is known: here the likelihood
    has n − 1 for n, as its penalty says, and the restricted one takes off the four parameters to first order."""
    likely, found, n = noises(1)
    assert found / likely == pytest.approx(np.exp(4 / (2 * (n - 1))), rel=3e-3)
    assert found / likely == pytest.approx(np.sqrt((n - 1) / (n - 1 - 4)), rel=5e-3)


def test_it_has_no_bias() -> None:
    """200 chips: the mean of σ̂² is σ² within five standard errors, where the likelihood is 3 % below (false alarm below
    10⁻⁶; the seeds are fixed)."""
    pairs = [noises(seed)[:2] for seed in range(200)]
    likely, found = (np.array(each) ** 2 / (30 * 0.02) ** 2 for each in zip(*pairs, strict=True))
    error = found.std() / np.sqrt(len(found))
    # The penalty −ln σ leaves one degree of freedom too many: 1/(n − p − 1) for 1/(n − p).
    assert found.mean() == pytest.approx(1 + 1 / 73, abs=5 * error)
    assert found.mean() - likely.mean() == pytest.approx(4 / 77, rel=0.2)


def test_a_step_that_the_likelihood_does_not_bear_is_shortened() -> None:
    """A covariance that is 1,000 times too large asks for a step of 0.3; some of it costs less than it gains."""
    data = data_of(chip(1).of("A"))
    likely = maximise(data, LINE, [start[: len(LINE.limits[0])] for start in first_starts(data)])
    bend = curvature(data, likely)
    found = restricted(data, likely, replace(bend, covariance=1000 * bend.covariance))
    assert 0 < found.t[-2] - likely.t[-2] < 0.05
