"""Statistical (but for a few tests marked exact or frozen): the compiled core follows the laws of the equations.

Every threshold comes from a known variance or distribution. Most tests bound standard scores by Z = 6: a score of a
correct core passes it with probability 2·10⁻⁹, all tests of this file together with less than 10⁻⁴, and the seeds are
fixed. Where a test says otherwise, its own rate stands beside it.

R24 is Rasch et al., Nature Communications 15:7133; GV16 is Gokmen & Vlasov, Front. Neurosci. 10:333; X26 is Xiao et
al., arXiv 2602.21321.
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import twin
from numpy.typing import NDArray

import tikitaka as tt
from tikitaka import _core

F64 = NDArray[np.float64]
Z = 6.0
KS = 2.7  # √n·D beyond this has probability 2·exp(−2·2.7²) = 9·10⁻⁷ (Kolmogorov)


def phi(z: F64) -> F64:
    """The normal distribution function."""
    return np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in z.ravel()])


def ks(z: Any) -> float:
    """√n times the Kolmogorov-Smirnov distance of a sample from N(0, 1)."""
    z = np.sort(np.asarray(z, float), axis=None)
    n, cdf = len(z), phi(z)
    return math.sqrt(n) * max(np.max(np.arange(1, n + 1) / n - cdf), np.max(cdf - np.arange(n) / n))


def assert_normal(sample: Any, mean: Any, sd: float) -> None:
    """Mean and variance of independent normals: scores of the sample mean and of the sum of squares (χ²)."""
    z = (np.asarray(sample, float) - mean) / sd
    assert abs(z.mean()) * math.sqrt(z.size) < Z
    assert abs((z**2).mean() - 1) * math.sqrt(z.size / 2) < Z


def assert_uncorrelated(a: Any, b: Any) -> None:
    """Scores of the sample correlation, N(0, 1/n) for independent normals."""
    a, b = np.ravel(a), np.ravel(b)
    assert abs(np.corrcoef(a, b)[0, 1]) * math.sqrt(a.size) < Z


# --- random numbers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2**63])
def test_normals_are_normal(seed: int) -> None:
    z = _core.normals(seed, 1 << 18).astype(float)
    assert_normal(z, 0, 1)
    assert ks(z) < KS
    assert abs((z**3).mean()) * math.sqrt(z.size / 15) < Z  # E z⁶ = 15
    assert abs((z**4).mean() - 3) * math.sqrt(z.size / 96) < Z  # Var z⁴ = 96
    for lag in (1, 2, 3, 16, 64):
        assert_uncorrelated(z[:-lag], z[lag:])
        assert_uncorrelated(z[:-lag] ** 2, z[lag:] ** 2)


def test_normals_have_tails() -> None:
    """Counts beyond a limit are Poisson; Z deviations above a mean of 57 have probability 10⁻⁷."""
    z = np.abs(_core.normals(3, 1 << 23))
    for limit in (3.0, 4.0, 4.5):
        expected = z.size * math.erfc(limit / math.sqrt(2))
        assert abs((z > limit).sum() - expected) < Z * math.sqrt(expected)


def test_normals_are_frozen() -> None:
    """Frozen: a change of these bits changes every result and needs a note in CHANGELOG.md."""
    np.testing.assert_array_equal(
        _core.normals(42, 4).view(np.uint32), np.array([1049563058, 3200534785, 1061231327, 1063279030], np.uint32)
    )


def test_seeds_are_independent() -> None:
    assert_uncorrelated(_core.normals(1, 100_000), _core.normals(2, 100_000))


# --- devices ----------------------------------------------------------------------------------------------------------


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


# --- pulsed updates ---------------------------------------------------------------------------------------------------

X = np.array([0.8, -0.8, 0.5, 0.0, -0.3])
DELTA = np.array([-0.75, 0.75, 0.4, 0.2])
PULSES = {1: 0.6, 5: 2.4, 31: 9.3}  # of the largest crosspoint, per update: no probability reaches 1
STEP = 2.0**-10  # sums of steps are exact in float32
UPDATES = 20_000


@pytest.mark.parametrize("length_management", [True, False])
@pytest.mark.parametrize("update_management", [True, False])
@pytest.mark.parametrize("max_length", PULSES)
@pytest.mark.parametrize("cycle_noise", [0.0, 0.5])
def test_mean_and_variance_of_updates(
    cycle_noise: float, max_length: int, update_management: bool, length_management: bool
) -> None:
    """GV16: on ideal devices the mean is lr·δxᵀ; the variance is the binomial part plus step²σ_c²E[pulses].

    With p the probability of a coincidence, a slot gives B(1 + σ_c ξ) steps, B ~ Bernoulli(p), and the cumulants κ of
    the BL slots add up. The mean of T updates has variance κ₂/T, the variance about the known mean (κ₄ + 2κ₂²)/T, which
    is the χ² interval where κ₄ = 0.
    """
    trains = tt.PulseTrains(max_length, update_management, length_management)
    core = tt.Crossbar(
        4, 5, tt.ConstantStep(weight_step=STEP, bound=1e4, cycle_noise=cycle_noise), pulse_trains=trains, seed=5
    )
    lr = PULSES[max_length] * STEP / (0.8 * 0.75)
    planned = twin.plan(X, DELTA, lr, STEP, trains)
    p = np.outer(planned.rows, planned.cols)
    assert p.max() < 1
    weights = [core.weights]
    for t in range(UPDATES):
        core.update(X, DELTA, lr if t % 2 else -lr)  # to and fro: float32 keeps its precision
        weights.append(core.weights)
    changes = np.diff(np.array(weights, float), axis=0) / STEP
    changes[::2] *= -1
    changes *= np.sign(np.outer(DELTA, X))
    assert np.all(changes[:, p == 0] == 0)
    changes, p = changes[:, p > 0], p[p > 0]

    mean = (np.abs(np.outer(DELTA, X)) * lr / STEP)[:, X != 0].ravel()
    np.testing.assert_allclose(planned.slots * p, mean)  # the plan itself is unbiased
    s2 = cycle_noise**2
    m1, m2, m3, m4 = p, p * (1 + s2), p * (1 + 3 * s2), p * (1 + 6 * s2 + 3 * s2**2)
    k2 = planned.slots * (p * (1 - p) + s2 * p)
    k4 = planned.slots * (m4 - 4 * m3 * m1 - 3 * m2**2 + 12 * m2 * m1**2 - 6 * m1**4)
    z_mean = (changes.mean(axis=0) - mean) / np.sqrt(k2 / UPDATES)
    z_variance = (((changes - mean) ** 2).mean(axis=0) - k2) / np.sqrt((k4 + 2 * k2**2) / UPDATES)
    assert np.max(np.abs(z_mean)) < Z
    assert np.max(np.abs(z_variance)) < Z


@pytest.mark.parametrize("lr", [0.004, 0.05])  # k = 2.4 and 30 pulses, the latter more than BL_max
@pytest.mark.parametrize("length_management", [True, False])
@pytest.mark.parametrize("update_management", [True, False])
def test_trains_fire_with_their_probabilities(update_management: bool, length_management: bool, lr: float) -> None:
    """Row i fires with A|δ_i| and column j with B|x_j| (GV16), independent of each other and from slot to slot.

    Firings are binomial; products of two independent ones are too, which is what correlations are tested by.
    """
    x, delta = np.array([0.9, -0.4, 0.0, 0.1]), np.array([0.2, -0.1, 0.02])
    trains = tt.PulseTrains(10, update_management, length_management)
    core = tt.Crossbar(3, 4, tt.ConstantStep(weight_step=0.0003, bound=1e4), pulse_trains=trains, seed=17)
    lr = np.float32(lr)
    planned, fired = twin.plan(x, delta, lr, core.weight_step, trains), []
    for _ in range(4000):
        fired.append(np.concatenate(core.next_pulse_trains(x, delta, lr), axis=1))
        core.update(x, delta, lr)
    fired, p = np.array(fired, float), np.concatenate([planned.rows, planned.cols])
    assert fired.shape == (4000, planned.slots, 7)

    def assert_binomial(hits: F64, p: F64) -> None:
        n, open_ = len(hits), (p > 1e-9) & (p < 1 - 1e-6)
        np.testing.assert_array_equal(hits[:, ~open_], np.broadcast_to(p[~open_].round(), (n, (~open_).sum())))
        score = (hits.mean(axis=0) - p)[open_] / np.sqrt(p * (1 - p) / n)[open_]
        assert np.max(np.abs(score)) < Z

    flat = fired.reshape(-1, 7)
    assert_binomial(flat, p)
    i, j = np.triu_indices(7, 1)
    assert_binomial(flat[:, i] * flat[:, j], p[i] * p[j])
    # neighbouring slots and neighbouring updates, in pairs that do not overlap
    assert_binomial(fired[:, 0] * fired[:, 1], p * p)
    assert_binomial(fired[::2, 0] * fired[1::2, 0], p * p)


def test_updates_that_need_too_long_a_train_are_cut() -> None:
    """GV16: from k > BL_max on, δ above δ_max·BL_max/k fire in every slot, the others as they should."""
    trains = tt.PulseTrains(max_length=4)
    core = tt.Crossbar(3, 1, tt.ConstantStep(weight_step=STEP, bound=1e4), pulse_trains=trains, seed=6)
    delta, lr, n = np.array([1.0, 0.5, 0.1]), 8 * STEP, 5000
    for _ in range(n):
        core.update([1.0], delta, lr)
    pulses = core.weights[:, 0] / STEP / n
    assert np.all(pulses[:2] == 4)
    variance = 4 * 0.2 * 0.8 / n
    assert abs(pulses[2] - 0.8) < Z * math.sqrt(variance)


class Recorder(twin.Float):
    """A twin's rule that keeps what it is to learn from."""

    def update(self, x: F64, delta: F64, lr_scale: float) -> None:
        self.x, self.delta = x, delta


@pytest.mark.parametrize(
    "layer",
    [
        tt.nn.Conv2d(2, 4, 3, filters=3, kernel=2, stride=2, padding=1, scale=1.5),
        tt.nn.Conv2d(1, 3, 3, filters=2, kernel=2),
        tt.nn.LSTM(3, 2, scale=1.5),
    ],
    ids=["conv apart", "conv overlapping", "lstm"],
)
def test_mean_update_of_all_patches_and_steps(layer: tt.nn.Conv2d | tt.nn.LSTM) -> None:
    """On ideal devices the mean over seeds is −lr·Σδxᵀ over the patches or steps of a mini-batch, GV16 for each.

    No probability is clamped and no train cut. Pulses of different patches are independent, so variances add up; the
    mean over N seeds has 1/N of it. One score for each of at most 48 weights: all within Z but for 10⁻⁷.
    """
    seeds, lr, rng = 4000, 0.04, np.random.default_rng(31)
    weights = np.round(rng.uniform(-0.4, 0.4, layer.shape) / STEP) * STEP
    rule, trains = Recorder(tt.DigitalSgd(), weights), tt.PulseTrains()
    recurrent = isinstance(layer, tt.nn.LSTM)
    slow = twin.Lstm(layer, rule) if recurrent else twin.Conv2d(layer, rule)
    core = tt.Network([layer], tt.DigitalSgd(), loss="mse")
    x = rng.normal(size=(2, 3, 3) if recurrent else (2, core.inputs)).astype(np.float32)
    x /= np.abs(x).max()
    # targets that leave each output a δ of its own, which stays away from 0
    y = slow.forward(x.swapaxes(0, 1) if recurrent else x)
    errors = rng.choice([-1, 1], y.shape) * rng.uniform(0.5, 1.5, y.shape)
    targets = y - errors
    slow.backward(errors / core.outputs / 2, wanted=False)
    slow.learn(1.0)

    mean, variance = np.zeros(layer.shape), np.zeros(layer.shape)
    for x_s, delta_s in zip(rule.x, rule.delta, strict=True):
        planned = twin.plan(x_s, delta_s, lr, STEP, trains)
        p = np.outer(planned.rows, planned.cols)
        np.testing.assert_allclose(planned.slots * p * STEP, lr * np.abs(np.outer(delta_s, x_s)), atol=1e-12)
        assert np.all(p < 1)
        mean -= lr * np.outer(delta_s, x_s)
        variance += STEP**2 * planned.slots * p * (1 - p)

    config = tt.AnalogSgd(lr=lr, device=tt.ConstantStep(weight_step=STEP, bound=1e4), pulse_trains=trains)
    change = np.zeros(layer.shape)
    for seed in range(seeds):
        network = tt.Network([layer], config, loss="mse", seed=seed)
        network.weights = [weights]
        network.train(x, targets.swapaxes(0, 1) if recurrent else targets, batch=2)
        change += network.weights[0].astype(float) - weights
    score = (change / seeds - mean) / np.sqrt(variance / seeds)
    assert np.max(np.abs(score)) < Z
    assert np.max(np.abs(mean) / np.sqrt(variance / seeds)) > 10 * Z  # seen well above what it may be off


# --- symmetry points at work ------------------------------------------------------------------------------------------


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
    """Each line read adds σ ξ to each value, whether it goes by columns, by rows or by vectors."""
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
    """Wherever a device can hold its target: half of all pulses there come near, and it may take 1,000."""
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
