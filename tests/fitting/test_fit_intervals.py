"""Draws from what is unknown of parameters where the read noise may be 0."""

import numpy as np
import pytest
from scipy.stats import truncnorm

import tikitaka as tt
from tikitaka.fitting.data import data_of
from tikitaka.fitting.form import Form
from tikitaka.fitting.intervals import draws_along
from tikitaka.fitting.optimise import maximise
from tikitaka.fitting.profile import path_of_read_noise

FORM = Form("constant")


def test_draws_follow_the_path_of_the_read_noise() -> None:
    """r = σ_r² is normal about its estimate, above 0; the rest is on the path, plus its own normal part."""
    r, sd = 1e-6, 2e-6
    t = np.array([np.log(0.01), np.log(0.01), np.log(0.005), 0.5 * np.log(r)])
    places = np.array([0.0, 10e-6])
    points = np.array([t, t + np.array([0.0, 0.0, -0.5, 0.0])])
    spread = np.diag([0.01**2, 0.02**2, 0.0, 1.0])
    spread[0, -1] = spread[-1, 0] = 0.005  # explained by the read noise but for 0.01² − 0.005²
    found = draws_along(FORM, t, spread, (places, points, sd), 20_000, 7)
    assert np.array_equal(found[0], t)
    variances = np.exp(2 * found[1:, -1])
    law = truncnorm(-r / sd, np.inf, loc=r, scale=sd)
    for share in (0.1, 0.5, 0.9):
        assert np.quantile(variances, share) == pytest.approx(law.ppf(share), rel=0.05)
    assert found[1:, 2] - t[2] == pytest.approx(-0.05e6 * variances, abs=1e-9)
    assert found[1:, 0].std() == pytest.approx(np.sqrt(0.01**2 - 0.005**2), rel=0.03)
    assert found[1:, 1].std() == pytest.approx(0.02, rel=0.03)


def chip(read: float, seed: int) -> tt.Measured:
    """Five cycles of constant steps of 1 with a noise of 0.9 per pulse, read with the noise `read`."""
    rng = np.random.default_rng(seed)
    sweeps, x = [], 0.0
    for cycle in range(1, 6):
        for sign in (1, -1):
            path = x + np.cumsum(sign + 0.9 * rng.standard_normal(90))
            x = path[-1]
            sweeps.append(tt.Sweep("chip", cycle, np.full(90, sign), path + read * rng.standard_normal(90)))
    return tt.Measured(tuple(sweeps))


def test_the_path_is_the_best_fit_at_each_read_noise() -> None:
    """Where pulses and reads are hard to tell apart, what one variance loses the other gains: σ² + 2σ_r² stays."""
    data = data_of(chip(0.2, 1).sweeps)
    estimate = maximise(data, FORM, [np.log([0.01, 0.01, 0.01, 0.002])])
    places, points, sd = path_of_read_noise(data, estimate)
    assert (np.diff(places) > 0).all()
    assert sd > 0
    noise = np.exp(2 * points[:, 2])
    total = noise[:-1] + 2 * places[:-1]
    assert total == pytest.approx(np.full(len(total), total[0]), rel=0.03)


def test_a_read_noise_that_may_be_zero_is_bounded_by_its_profile() -> None:
    """Its logarithm is not known at all there, so an interval of it would end anywhere."""
    measured = chip(0.02, 3)
    fit = tt.fit_device(measured, models=["constant"], noise=["additive"], replicates=0, threads=1)
    member = fit.members[0]
    drawn = np.exp(member.curves.t[1:, -1]) * member.data.size
    assert drawn.max() < 3 * fit.values["read_noise"].high
    assert np.quantile(drawn, 0.8) < fit.values["read_noise"].high < 0.6
    assert fit.values["read_noise"].low == 0.0
