"""Statistical, except for tests marked exact: noise and errors of the periphery, and of programming.

R24 is Rasch et al., Nature Communications 15:7133; GV16 is Gokmen & Vlasov, Front. Neurosci. 10:333; X26 is Xiao et
al., arXiv 2602.21321.
"""

import math

import numpy as np
import pytest

import tikitaka as tt
import twin
from support.laws import KS, Z, assert_normal, assert_uncorrelated, ks

# --- periphery --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("management", [False, True])
def test_output_noise_of_products(management: bool) -> None:
    """Wx + σ ξ, times max|x| under noise management; independent over outputs, samples, directions and arrays."""
    n, sigma = 20_000, 0.06
    part = tt.IoSettings(output_noise=sigma, noise_management=management)
    cores = [tt.Crossbar(4, 5, periphery=tt.Periphery(part, part), seed=12, array=array) for array in (0, 1)]
    noises = []
    for core in cores:
        core.weights = np.random.default_rng(1).uniform(-0.2, 0.2, (4, 5))
        w = core.weights.astype(float)
        for product, matrix in ((core.forward, w), (core.backward, w.T)):
            x = np.array([0.5, -2.5, 1.0, 0.0, 0.3])[: matrix.shape[1]]
            noise = product(np.tile(x, (n, 1))) - matrix @ x
            sd = sigma * (2.5 if management else 1.0)
            assert_normal(noise, 0, sd)
            assert ks(noise / sd) < KS
            assert_uncorrelated(noise[:, 1:], noise[:, :-1])
            assert_uncorrelated(noise[1:], noise[:-1])
            noises.append(noise[:, :4])
    for k, noise in enumerate(noises):
        for other in noises[:k]:
            assert_uncorrelated(noise, other)


def test_read_noise() -> None:
    """Each line read adds σ ξ to each value, for columns, rows and vectors."""
    core = tt.Crossbar(4, 4, periphery=tt.Periphery(read=tt.IoSettings(output_noise=0.05)), seed=13)
    core.weights = np.random.default_rng(2).uniform(-0.2, 0.2, (4, 4))
    w, u = core.weights.astype(float), np.array([0.5, -1.0, 0.0, 2.0])
    reads = np.array([[core.read_column(k), core.read_row(k), core.read(u)] for _ in range(3000) for k in range(4)])
    expected = np.array([[w[:, k], w[k], w @ u] for k in range(4)])
    noise = reads - np.tile(expected, (3000, 1, 1))
    assert_normal(noise, 0, 0.05)
    assert_uncorrelated(noise[1:], noise[:-1])
    assert_uncorrelated(noise[:, 1:], noise[:, :-1])
    assert_uncorrelated(noise[..., 1:], noise[..., :-1])


def test_evaluation_noise_is_another_stream() -> None:
    part = tt.IoSettings(output_noise=1.0)
    core = tt.Crossbar(5, 2, periphery=tt.Periphery(part, part), seed=14)
    x = np.zeros((20_000, 2))
    trained, first, second = core.forward(x), core.evaluate(x), core.evaluate(x, draw=20_000)
    np.testing.assert_array_equal(first, core.evaluate(x))  # exact: a draw is a pure function of its number
    for noise in (first, second):
        assert_normal(noise, 0, 1)
        assert_uncorrelated(noise, trained)
    assert_uncorrelated(first, second)


def test_errors_of_converters_are_uniform() -> None:
    """Inputs over many levels leave errors uniform in ± half a level: E e² = level²/12, Var e² = level⁴/180."""
    values, n = np.random.default_rng(3).uniform(-0.95, 0.95, 40_000), 40_000
    core = tt.Crossbar(
        n, 1, tt.ConstantStep(bound=2), periphery=tt.Periphery(read=tt.IoSettings(adc_bits=9, adc_bound=1.0))
    )
    core.weights = values[:, None]
    error = (core.read_column(0) - core.weights[:, 0].astype(float)) / twin.level(9, 1.0)
    assert abs(error.mean()) < Z * math.sqrt(1 / 12 / n)
    assert abs((error**2).mean() - 1 / 12) < Z * math.sqrt(1 / 180 / n)
    assert np.max(np.abs(error)) < 0.5 + 1e-4


# --- programming ------------------------------------------------------------------------------------------------------


def test_programming_errors() -> None:
    """Target + N(0, σ²), new each time, then clipped to the bounds."""
    core = tt.Crossbar(100, 200, tt.ConstantStep(bound=10), seed=15)
    target = np.random.default_rng(4).uniform(-0.5, 0.5, (100, 200))
    errors = []
    for _ in range(2):
        assert core.program(target, "error", error=0.04) == 0
        errors.append(core.weights - target)
        assert_normal(errors[-1], 0, 0.04)
        assert ks(errors[-1] / 0.04) < KS
        assert_uncorrelated(errors[-1][1:], errors[-1][:-1])
    assert_uncorrelated(*errors)
    narrow = tt.Crossbar(100, 200, tt.ConstantStep(bound=0.5), seed=15)
    narrow.program(target, "error", error=0.04)
    np.testing.assert_allclose(narrow.weights, np.clip(target + errors[0], -0.5, 0.5), atol=1e-6)


def test_closed_loop_programming_ends_within_half_a_step() -> None:
    """Reachable targets are approached: half of all pulses come near, and up to 1,000 are allowed."""
    model = tt.SoftBounds(states=100, bound_spread=0.1)
    core = tt.Crossbar(50, 60, model, reference=tt.Reference("ideal"), seed=16, count_pulses=True)
    p = core.device_parameters
    low, high = p["lower_bound"] - core.reference, p["upper_bound"] - core.reference
    share = np.random.default_rng(5).uniform(0.1, 0.9, (50, 60))
    target = low + share * (high - low)
    sent = core.program(target, "closed-loop")
    error = np.abs(core.weights - target)
    assert np.all(error <= core.weight_step / 2 + 1e-6)
    assert sent == core.ledger["pulses"] == core.pulses.sum()
    assert core.pulses.max() < 1000


def test_closed_loop_programming_stops_at_the_bounds() -> None:
    """Exact: a target out of reach takes all pulses and ends at the bound; one reached takes none."""
    core = tt.Crossbar(1, 3, tt.ConstantStep(weight_step=0.01, bound=0.5), count_pulses=True)
    assert core.program([[0.7, 0.3, 0.0]], "closed-loop", max_pulses=80) == 80 + 30
    np.testing.assert_allclose(core.weights, [[0.5, 0.3, 0.0]], atol=1e-6)
    np.testing.assert_array_equal(core.pulses, [[80, 30, 0]])
