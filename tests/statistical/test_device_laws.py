"""Statistical: devices vary and step according to their equations.

R24 is Rasch et al., Nature Communications 15:7133; GV16 is Gokmen & Vlasov, Front. Neurosci. 10:333; X26 is Xiao et
al., arXiv 2602.21321.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
import twin
from support.laws import KS, assert_normal, assert_uncorrelated, ks


def test_device_to_device_variation() -> None:
    """R24 eqs. (5), (6): bounds b(1 + σ_b ξ), steps δ(γ ± ρ), ln γ = σ_d ξ, ρ = σ_± ξ, all ξ independent."""
    model = tt.SoftBounds(weight_step=0.02, bound=0.6, step_spread=0.3, bound_spread=0.1, asymmetry=0.02)
    p = tt.Crossbar(150, 200, model, seed=1).device_parameters
    up, down = p["up_step"] / 0.02, p["down_step"] / 0.02
    # the spreads are small enough for no device of this sample to reach a limit, so the laws are plain
    xi = [
        (p["upper_bound"] / 0.6 - 1) / 0.1,
        (-p["lower_bound"] / 0.6 - 1) / 0.1,
        np.log((up + down) / 2) / 0.3,
        (up - down) / 2 / 0.02,
    ]
    for k, sample in enumerate(xi):
        assert_normal(sample, 0, 1)
        assert ks(sample) < KS
        assert_uncorrelated(sample[1:], sample[:-1])
        assert_uncorrelated(sample[:, 1:], sample[:, :-1])
        for other in xi[:k]:
            assert_uncorrelated(sample, other)


@pytest.mark.parametrize("model", [tt.SoftBounds(bound=1.0, asymmetry=0.3), tt.SoftBounds(step_spread=2, asymmetry=1)])
def test_symmetry_points_and_limits_of_variation(model: tt.SoftBounds) -> None:
    """Exact: w* of R24 eq. (8) from each device's constants, also in the far tails, where bounds and steps end at 0."""
    core = tt.Crossbar(200, 200, model, seed=2)
    p = core.device_parameters
    devices = twin.Devices(model, p)
    assert np.min(devices.up) >= 0 <= np.min(devices.down)
    assert np.min(devices.upper) > 0 > np.max(devices.lower)
    both = (devices.up > 0) | (devices.down > 0)
    np.testing.assert_allclose(core.symmetry_point[both], devices.symmetry_point()[both], rtol=1e-4, atol=1e-6)
    assert np.all(core.symmetry_point <= p["upper_bound"] * (1 + 1e-6))
    assert np.all(core.symmetry_point >= p["lower_bound"] * (1 + 1e-6))
    w = core.symmetry_point.astype(float)
    quiet = twin.Devices(replace(model, cycle_noise=0), p)
    inside = both & (devices.up < devices.upper) & (devices.down < -devices.lower)  # a step stays in the bounds
    balance = quiet.pulse(w, True) + quiet.pulse(w, False) - 2 * w
    np.testing.assert_allclose(balance[inside], 0, atol=1e-6)
    np.testing.assert_allclose(p["symmetry_point"], core.symmetry_point)


@pytest.mark.parametrize("w", [-0.4, 0.0, 0.3])
@pytest.mark.parametrize("noise", ["additive", "multiplicative"])
def test_mean_and_variance_of_a_step(noise: Any, w: float) -> None:
    """R24 eq. (4): mean α·slope; standard deviation α σ_c (additive) or α·slope·σ_c (multiplicative)."""
    model = tt.SoftBounds(weight_step=0.02, step_spread=0, bound_spread=0, asymmetry=0, noise=noise)
    core = tt.Crossbar(300, 100, model, seed=3)
    for sign in (1, -1):
        core.weights = np.full((300, 100), w)
        before = core.weights.astype(float)
        for k in range(100):
            core.pulse_column(k, np.full(300, sign))
        slope = 1 - sign * w / 0.6
        step = (core.weights - before) * sign
        assert_normal(step, 0.02 * slope, 0.02 * 0.3 * (1.0 if noise == "additive" else slope))
        assert_uncorrelated(step[1:], step[:-1])
        assert_uncorrelated(step[:, 1:], step[:, :-1])


def test_mean_and_variance_of_a_constant_step() -> None:
    """GV16: α(1 + σ_c ξ) whatever the weight."""
    core = tt.Crossbar(300, 100, tt.ConstantStep(weight_step=0.01, cycle_noise=0.3), seed=4)
    core.weights = np.linspace(-0.4, 0.4, 30_000).reshape(300, 100)
    before = core.weights.astype(float)
    core.update(np.ones(100), np.ones(300), 0.01)  # k = 1: every device gets the one pulse
    assert core.ledger["pulses"] == 30_000
    assert_normal(core.weights - before, 0.01, 0.003)
