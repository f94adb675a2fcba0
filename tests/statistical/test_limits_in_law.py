"""What limits a rule: the derived variances and numbers of pulses against simulated arrays."""

import math
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from tikitaka.experiments.limits import pulses_per_read, resting_variance, sgd_noise

LINES = 32
X, DELTA = 0.5, 0.1
STEP = 0.001


def exercised(rule: Any, updates: int = 12_000) -> tuple[float, float]:
    """The variance of A, and the pulses of C per read and device, under inputs and errors of random signs."""
    layer, random = tt.AnalogLayer(rule, np.zeros((LINES, LINES)), seed=1), np.random.default_rng(0)

    def sent(count: int) -> None:
        signs = random.choice([-1.0, 1.0], size=(2, count, LINES))
        layer.update(X * signs[0], DELTA * signs[1])

    sent(4_000)
    before, squares = layer.ledger, []
    for _ in range(20):
        sent(updates // 20)
        squares.append(float((layer.state()["a"] ** 2).mean()))
    after = layer.ledger
    pulses = after["slow"]["pulses"] - before["slow"]["pulses"]
    reads = LINES * (after["fast"]["line_reads"] - before["fast"]["line_reads"])
    return float(np.mean(squares)), pulses / reads


def devices(states: float, noise: float) -> dict[str, Any]:
    fast = tt.SoftBounds(states=states, cycle_noise=noise, step_spread=0, bound_spread=0, asymmetry=0)
    return {"device": fast, "slow_device": tt.ConstantStep(states=1.2 / STEP), "transfer_every": 1}


@pytest.mark.parametrize(("states", "noise"), [(20, 0.0), (20, 0.3), (20, 1.0), (40, 2.0)])
def test_a_rests_with_the_derived_variance(states: float, noise: float) -> None:
    """In updates of less than a pulse; clamping at the bounds takes a little away where steps are large."""
    variance, _ = exercised(tt.Ttv1(fast_lr=0.2, transfer_lr=0.001, **devices(states, noise)))
    assert variance == pytest.approx(resting_variance(0.6, 1.2 / states, noise), rel=0.08)


@pytest.mark.parametrize(("states", "noise"), [(20, 0.3), (20, 1.0), (100, 2.0)])
def test_ttv1_sends_as_many_pulses_as_reads_ask_for(states: float, noise: float) -> None:
    rate = 0.01
    variance, pulses = exercised(tt.Ttv1(fast_lr=0.3, transfer_lr=rate, **devices(states, noise)))
    assert pulses == pytest.approx(rate / STEP * math.sqrt(2 * variance / math.pi), rel=0.03)


@pytest.mark.parametrize(
    ("rate", "fast_lr", "states", "noise", "tolerance"),
    [
        (0.25, 1.0, 20, 0.3, 0.15),  # a random walk: the overshoot over the threshold delays the next crossing
        (3.0, 1.0, 20, 0.3, 0.15),
        (3.0, 1.0, 20, 1.0, 0.15),
        (30.0, 1.0, 200, 2.0, 0.15),  # trunc(|H|) pulses per read
    ],
)
def test_h_sends_as_many_pulses_as_derived(
    rate: float, fast_lr: float, states: float, noise: float, tolerance: float
) -> None:
    """A forgets within a third of a sweep, so that reads are independent, as the derivation takes them to be."""
    rule = tt.Ttv2(fast_lr=fast_lr, transfer_lr=rate, max_pulses=1_000, **devices(states, noise))
    variance, pulses = exercised(rule)
    assert pulses == pytest.approx(pulses_per_read(rate, variance), rel=tolerance)


def test_sgd_rests_with_the_derived_variance() -> None:
    """Under a quadratic loss of curvature h and gradients of ±a, less than a pulse each: δ(1 + σ_c²)·a/(2h)."""
    lr, curvature, size, noise, weights = 0.01, 0.2, 0.02, 1.0, 2_048
    device = tt.ConstantStep(states=1.2 / STEP, cycle_noise=noise)
    layer = tt.AnalogLayer(tt.AnalogSgd(lr=lr, device=device), np.zeros((weights, 1)), seed=2)
    random, squares = np.random.default_rng(1), []
    for update in range(6_000):
        errors = curvature * layer.weights[:, 0] + size * random.choice([-1, 1], size=weights)
        layer.update(np.ones(1), errors)
        if update > 2_000 and update % 100 == 0:
            squares.append(float((layer.weights**2).mean()))
    assert np.mean(squares) == pytest.approx(sgd_noise(STEP, noise) * size / (2 * curvature), rel=0.03)
