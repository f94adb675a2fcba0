"""Statistical, except for tests marked exact: the effect of symmetry points, and errors of references.

R24 is Rasch et al., Nature Communications 15:7133; GV16 is Gokmen & Vlasov, Front. Neurosci. 10:333; X26 is Xiao et
al., arXiv 2602.21321.
"""

import math

import numpy as np
import pytest

import tikitaka as tt
import twin
from support.laws import F64, KS, Z, assert_normal, ks


def pair(devices: twin.Devices) -> tuple[F64, F64]:
    """Fixed point and contraction of one up and one down pulse on soft bounds, from R24 eq. (4).

    up: w ← (1 − a) w + α₊;  down: w ← (1 − b) w − α₋;  a = α₊/w_max, b = −α₋/w_min.
    """
    a, b = devices.up / devices.upper, -devices.down / devices.lower
    return ((1 - b) * devices.up - devices.down) / (a + b - a * b), (1 - a) * (1 - b)


def settled(core: tt.Crossbar) -> F64:
    """States after zero-shifting."""
    np.testing.assert_array_equal(core.weights, np.zeros(core.shape))
    return core.reference.astype(float)


@pytest.mark.parametrize("pulses", [2, 10, 100, 2000])
def test_alternating_pulses_settle_exponentially(pulses: int) -> None:
    """Exact: without cycle noise the states follow the closed form, n pairs from w₀: w + (w₀ − w)·qⁿ."""
    model = tt.SoftBounds(states=40, cycle_noise=0, asymmetry=0.2, bound_spread=0.1)
    core = tt.Crossbar(20, 30, model, seed=7)
    core.weights = np.full((20, 30), 0.2)
    w, q = pair(twin.Devices(model, core.device_parameters))
    core.zero_shift(pulses)
    np.testing.assert_allclose(settled(core), w + (0.2 - w) * q ** (pulses // 2), atol=2e-6)


def test_zero_shifting_finds_the_symmetry_point_up_to_a_step() -> None:
    """Exact: the error shrinks with the pulses down to Θ(δ) [X26], half a step for a pair that ends on a down pulse."""
    floor = {}
    for states in (40, 400):
        model = tt.SoftBounds(states=states, cycle_noise=0, asymmetry=0.2, bound_spread=0.1)
        errors = []
        for pulses in (0, states // 2, states, 100 * states):
            core = tt.Crossbar(20, 30, model, seed=7)
            core.weights = np.full((20, 30), 0.3)
            core.zero_shift(pulses)
            errors.append(np.sqrt(np.mean((settled(core) - core.symmetry_point) ** 2)))
        assert errors == sorted(errors, reverse=True)
        floor[states] = errors[-1] / core.weight_step
    assert floor[40] == pytest.approx(0.5, abs=0.1)
    assert floor[400] == pytest.approx(floor[40], rel=0.1)


def test_zero_shifting_with_cycle_noise() -> None:
    """The mean follows the same line; the variance settles at α²σ_c²((1 − b)² + 1)/(1 − q²), all devices alike."""
    model = tt.SoftBounds(states=200, cycle_noise=0.3, step_spread=0, bound_spread=0, asymmetry=0)
    core = tt.Crossbar(100, 200, model, seed=8)
    devices = twin.Devices(model, core.device_parameters)
    w, q = (float(v[0, 0]) for v in pair(devices))
    core.zero_shift(4000)
    b = core.weight_step / 0.6
    variance = (core.weight_step * 0.3) ** 2 * ((1 - b) ** 2 + 1) / (1 - q**2)
    assert abs(w) < core.weight_step
    assert_normal(settled(core), w, math.sqrt(variance))
    assert ks((settled(core) - w) / math.sqrt(variance)) < KS


def test_zero_mean_pulsing_carries_devices_to_the_symmetry_point() -> None:
    """Pulses of random sign: E w moves by −(a + b)/2·(w − w*) each, so that it decays to w* exponentially; R24 eq. (8).

    Student's t of 400 runs, for 600 devices at 3 times: 400 degrees of freedom pass Z in 4·10⁻⁹.
    """
    runs, model = 400, tt.SoftBounds(states=100, cycle_noise=0.3, asymmetry=0.2, bound_spread=0.1)
    core = tt.Crossbar(30, 20, model, seed=9)
    devices, target = twin.Devices(model, core.device_parameters), core.symmetry_point
    rate = 1 - (devices.up / devices.upper - devices.down / devices.lower) / 2
    start = 0.15
    signs = np.random.default_rng(10).choice([-1.0, 1.0], (runs, 60, 30))
    times = (5, 20, 60)
    states = {t: [] for t in times}
    for run in signs:
        core.weights = np.full((30, 20), start)
        for t, sign in enumerate(run, start=1):
            core.update(np.ones(20), sign, core.weight_step)  # one slot that fires everywhere
            if t in times:
                states[t].append(core.weights)
    assert core.ledger["pulses"] == runs * 60 * 600
    for t in times:
        sample = np.array(states[t], float)
        expected = target + (start - target) * rate**t
        score = (sample.mean(axis=0) - expected) / (sample.std(axis=0, ddof=1) / math.sqrt(runs))
        assert np.max(np.abs(score)) < Z


def test_reference_errors() -> None:
    """N(μ_R, σ_R²) about each exact symmetry point."""
    reference = tt.Reference("ideal", mean=0.03, spread=0.01)
    core = tt.Crossbar(100, 200, tt.SoftBounds(bound_spread=0.1), reference=reference, seed=11)
    error = core.reference.astype(float) - core.symmetry_point
    assert_normal(error, 0.03, 0.01)
    assert ks((error - 0.03) / 0.01) < KS
    exact = tt.Crossbar(100, 200, tt.SoftBounds(bound_spread=0.1), reference=tt.Reference("ideal"), seed=11)
    np.testing.assert_array_equal(exact.reference, exact.symmetry_point)
