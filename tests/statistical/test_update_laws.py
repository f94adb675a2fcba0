"""Statistical: pulsed updates have the mean and the variance of their equations.

R24 is Rasch et al., Nature Communications 15:7133; GV16 is Gokmen & Vlasov, Front. Neurosci. 10:333; X26 is Xiao et
al., arXiv 2602.21321.
"""

import math

import numpy as np
import pytest

import tikitaka as tt
import twin
from support.laws import F64, Z

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

    Firings are binomial; so are products of two independent ones, by which correlations are tested.
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
    """GV16: from k > BL_max on, δ above δ_max·BL_max/k fire in every slot, the others at their nominal rates."""
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
    """A rule of the twin that records its inputs and errors."""

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
