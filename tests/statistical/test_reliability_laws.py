"""Shares, spreads, diffusion and write noise against their closed forms, within 5 standard errors."""

from typing import Any

import numpy as np
import pytest

import tikitaka as tt

SHAPE = (200, 250)
N = SHAPE[0] * SHAPE[1]
WIDE = tt.ConstantStep(weight_step=0.001, bound=50.0)


def array(**reliability: Any) -> tt.Crossbar:
    return tt.Crossbar(*SHAPE, WIDE, reliability=tt.Reliability(**reliability), seed=4)


def test_the_share_of_stuck_devices() -> None:
    weights = array(stuck=0.135, stuck_range=1.0).weights
    stuck = weights[weights != 0]
    assert abs(len(stuck) / N - 0.135) < 5 * np.sqrt(0.135 * 0.865 / N)
    assert abs(stuck.mean()) < 5 / np.sqrt(3 * len(stuck))  # uniform in ±1: variance 1/3
    assert stuck.var() == pytest.approx(1 / 3, abs=5 * np.sqrt(4 / 45 / len(stuck)))
    assert np.abs(stuck).max() <= 1


def test_endurance_is_lognormal() -> None:
    """The number of pulses that devices have borne, by the steps that they have taken."""
    made = tt.Crossbar(
        *SHAPE, tt.ConstantStep(weight_step=0.1, bound=1000.0), seed=4,
        reliability=tt.Reliability(endurance=50, endurance_spread=0.4),
    )  # fmt: skip
    for _ in range(20):
        made.pulse(np.full(SHAPE, 20))
    borne = np.log(made.weights / 0.1)
    assert np.median(borne) == pytest.approx(np.log(50), abs=0.02)  # whole pulses: ±1 %
    assert borne.std() == pytest.approx(0.4, abs=0.015)


def test_relaxation_times_and_rest_points_differ_between_devices() -> None:
    made = array(retention=1000, retention_spread=0.3, rest=0.2, rest_spread=0.05, relax_every=100)
    made.weights = np.full(SHAPE, 10.0)
    made.elapse(500)
    first = made.weights.astype(float)
    made.elapse(10**6)
    rest = made.weights.astype(float)
    assert rest.mean() == pytest.approx(0.2, abs=5 * 0.05 / np.sqrt(N))
    assert rest.std() == pytest.approx(0.05, rel=5 / np.sqrt(2 * N))
    log_times = np.log(-500 / np.log((first - rest) / (10 - rest)))
    assert log_times.mean() == pytest.approx(np.log(1000), abs=5 * 0.3 / np.sqrt(N))
    assert log_times.std() == pytest.approx(0.3, rel=5 / np.sqrt(2 * N))
    assert abs(np.corrcoef(log_times.ravel(), rest.ravel())[0, 1]) < 5 / np.sqrt(N)


@pytest.mark.parametrize("retention", [None, 400.0])
@pytest.mark.parametrize("steps", [1, 5])
def test_diffusion(retention: float | None, steps: int) -> None:
    """Var = σ²τ/2·(1 − e^(−2n/τ)), or σ²n: one step of n updates has the law of several."""
    made = array(retention=retention, diffusion=0.01, relax_every=100)
    for _ in range(steps):
        made.elapse(1000 // steps)
    variance = 1e-4 * (1000 if retention is None else 200 * (1 - np.exp(-5)))
    assert made.weights.var() == pytest.approx(variance, rel=5 * np.sqrt(2 / N))
    assert abs(made.weights.mean()) < 5 * np.sqrt(variance / N)


def test_write_noise_does_not_add_up() -> None:
    """What is seen has the error of the last pulse alone; its mean is what the pulses made."""
    made = array(write_noise=0.02)
    for n in range(1, 6):
        made.pulse(np.full(SHAPE, 3))
        seen = made.weights - 0.003 * n
        assert seen.std() == pytest.approx(0.02, rel=5 / np.sqrt(2 * N))
        assert abs(seen.mean()) < 5 * 0.02 / np.sqrt(N)
    before = made.weights.copy()
    made.pulse(np.full(SHAPE, 1))
    assert abs(np.corrcoef(before.ravel(), made.weights.ravel())[0, 1]) < 5 / np.sqrt(N)


def test_write_noise_of_updates_is_independent_of_its_pulses() -> None:
    trains = tt.PulseTrains(max_length=1, length_management=False, update_management=False)
    made = tt.Crossbar(
        *SHAPE, WIDE, pulse_trains=trains, reliability=tt.Reliability(write_noise=0.02), seed=4
    )  # fmt: skip
    made.update(np.ones(SHAPE[1]), np.ones(SHAPE[0]), 0.001)  # every device fires
    seen = made.weights - 0.001
    assert seen.std() == pytest.approx(0.02, rel=5 / np.sqrt(2 * N))
    assert abs(seen.mean()) < 5 * 0.02 / np.sqrt(N)
    first = seen.copy()
    made.update(np.ones(SHAPE[1]), np.ones(SHAPE[0]), 0.001)
    again = made.weights - 0.002
    assert abs(np.corrcoef(first.ravel(), again.ravel())[0, 1]) < 5 / np.sqrt(N)
