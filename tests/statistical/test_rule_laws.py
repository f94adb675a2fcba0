"""Laws of the rules with fast arrays, against closed forms.

Each threshold is 5 standard errors: false in 6·10⁻⁷ of seeds.
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from support.layers import normal


@pytest.mark.parametrize("mean", [0.0, 0.3, -0.6])
@pytest.mark.parametrize("kind", [tt.Ttv2, tt.Agad])
def test_a_rests_where_steps_balance_gradients(kind: Any, mean: float) -> None:
    """Under independent gradients g, soft bounds of many states rest at −b·E[g]/E|g| from the symmetry point.

    AGAD's A, whose sign flips far faster than A follows, stays near that point.
    """
    rows, samples, bound = 400, 8_000, 0.6
    device = tt.SoftBounds(states=300, cycle_noise=0.0, step_spread=0.0, bound_spread=0.0, asymmetry=0.0)
    rule = kind(fast_lr=0.004, transfer_lr=0.0, device=device, reference=tt.Reference())
    layer = tt.AnalogLayer(rule, np.zeros((rows, 1)), seed=1)
    gradients = normal(samples, rows, seed=2) + np.float32(mean)
    layer.update(np.ones((samples, 1)), gradients)
    size = math.sqrt(2 / math.pi) * math.exp(-(mean**2) / 2) + mean * math.erf(mean / math.sqrt(2))
    rest = -bound * mean / size
    # each pulse adds a variance of step² and takes 2·step/b of the rest
    error = math.sqrt(0.004 * bound / 2 / rows)
    if kind is tt.Ttv2:
        assert abs(layer.state()["a"].mean() - rest) < 5 * error + 0.01 * abs(rest)
    else:
        assert abs(layer.state()["a"].mean()) < 5 * error + 0.1 * abs(rest)


@pytest.mark.parametrize(("share", "period"), [(0.5, 10), (0.2, 10), (1.0, 4)])
def test_noise_of_the_tracked_reference_repeats(share: float, period: int) -> None:
    """In a period H gets p·σ²·(1 + pβ/(2 − β)): the reference is wrong by the same in each of its reads."""
    rows, noise, rate = 2000, 0.1, 1e-4
    periphery = tt.Periphery(read=tt.IoSettings(output_noise=noise))
    rule = tt.Agad(
        fast_lr=0.0,
        transfer_lr=rate,
        transfer_every=1,
        flip_rate=1 / period,
        reference_rate=share,
        device=tt.ConstantStep(),
        periphery=periphery,
    )
    layer = tt.AnalogLayer(rule, np.zeros((rows, 4)), seed=3)

    def periods(count: int) -> np.ndarray[Any, Any]:
        sweep = np.zeros((4 * period * count, 4)), np.zeros((4 * period * count, rows))
        layer.update(*sweep)
        return layer.state()["h"].astype(float)

    before = periods(12)
    gained = (periods(1) - before) / (rate * noise)
    expected = period * (1 + period * share / (2 - share))
    assert abs(np.mean(gained**2) / expected - 1) < 5 * math.sqrt(2 / gained.size)


def test_random_signs_flip_at_their_rate() -> None:
    rule = tt.Cttv2(fast_lr=0.0, transfer_lr=1.0, transfer_every=1, chopper="random", flip_rate=0.2)
    layer = tt.AnalogLayer(rule, np.zeros((1, 50)), seed=4)
    flips, reads, before = 0, 0, layer.state()["chopper"]
    for _ in range(200):
        layer.update(np.zeros((50, 50)), np.zeros((50, 1)))
        after = layer.state()["chopper"]
        flips, reads, before = flips + int((after != before).sum()), reads + 50, after
    assert abs(flips - 0.2 * reads) < 5 * math.sqrt(reads * 0.2 * 0.8)


RULES: dict[str, tt.TransferRule] = {
    "ttv2": tt.Ttv2(),
    "cttv2": tt.Cttv2(),
    "cttv2, random": tt.Cttv2(flip_rate=0.2, chopper="random"),
    "agad": tt.Agad(),
    "agad, random": tt.Agad(flip_rate=0.2, chopper="random"),
}


@pytest.mark.parametrize("states", [5, 20, 300])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_automatic_rates_move_weights_as_float_does(rule: tt.TransferRule, states: float) -> None:
    """A steady gradient among noise: C moves by −lr·E[g] per sample, within a tenth (the lag of A and a step of H)."""
    rows, cols, samples, lr = 100, 4, 24_000, 2e-4
    device = tt.SoftBounds(states=states, cycle_noise=0.0, step_spread=0.0, bound_spread=0.0, asymmetry=0.0)
    slow = tt.ConstantStep(weight_step=1e-4, bound=100.0)
    rule = replace(rule, lr=lr, device=device, slow_device=slow, transfer_every=5, reference=tt.Reference())
    layer = tt.AnalogLayer(rule, np.zeros((rows, cols)), seed=5)
    x = np.sign(normal(samples, cols, seed=6))
    # x·δ has the mean 0.1 at each crosspoint of column 0
    delta = normal(samples, rows, seed=7) + np.float32(0.1) * x[:, :1]
    layer.update(x, delta)
    moved = layer.weights.mean(axis=0)
    expected = -lr * 0.1 * samples
    assert moved[0] == pytest.approx(expected, rel=0.1)
    assert np.all(np.abs(moved[1:]) < 0.1 * abs(expected))


@pytest.mark.parametrize(
    ("kind", "scales"),
    [(tt.Ttv2, (1.0, 0.3, 0.1, 0.03)), (tt.Cttv2, (1.0, 0.7, 0.5, 0.3)), (tt.Agad, (1.0, 0.5, 0.3, 0.15))],
)
def test_automatic_rates_move_rows_of_any_errors_as_float_does(kind: Any, scales: tuple[float, ...]) -> None:
    """Rows with errors of different sizes: C moves by −lr·E[g] in each, within a tenth.

    Where signs flip, rows of still smaller errors turn around too slowly for that.
    """
    rows, samples, lr = 160, 60_000, 2e-3
    sizes = np.repeat(np.array(scales, dtype=np.float32), rows // 4)
    device = tt.SoftBounds(states=20, cycle_noise=0.0, step_spread=0.0, bound_spread=0.0, asymmetry=0.0)
    slow = tt.ConstantStep(weight_step=1e-5, bound=100.0)
    rule = kind(
        lr=lr,
        device=device,
        slow_device=slow,
        transfer_every=5,
        after_pulse="subtract",
        reference=tt.Reference("ideal"),
    )
    layer = tt.AnalogLayer(rule, np.zeros((rows, 4)), seed=5)
    moved = []
    for half in (6, 16):  # the first fills A, whose memory is long where errors are small
        x = np.sign(normal(samples, 4, seed=half))
        delta = sizes * (normal(samples, rows, seed=half + 1) + np.float32(0.1) * x[:, :1])
        before = layer.weights
        layer.update(x, delta)
        moved = (layer.weights - before)[:, 0].reshape(4, -1).mean(axis=1)
    assert moved == pytest.approx(-lr * 0.1 * samples * np.array(scales), rel=0.1)


@pytest.mark.parametrize("kind", [tt.Ttv2, tt.Cttv2, tt.Agad])
def test_reads_move_no_row_by_more_than_a_quarter_of_the_range_of_c(kind: Any) -> None:
    """At a rate far too high, A at its bound moves C by a quarter of its range per read, in rows of any errors."""
    bound, step = 0.6, 1e-3
    fast = tt.SoftBounds(states=200, bound=bound, cycle_noise=0.0, step_spread=0.0, bound_spread=0.0, asymmetry=0.0)
    slow = tt.ConstantStep(weight_step=step, bound=bound, cycle_noise=0.0, step_spread=0.0, bound_spread=0.0)
    rule = kind(lr=1e3, device=fast, slow_device=slow, transfer_every=1, reference=tt.Reference("ideal"))
    layer = tt.AnalogLayer(rule, np.zeros((3, 2)), seed=1)
    largest = np.zeros(3)
    for _ in range(400):
        before = layer.weights
        layer.update(np.ones((1, 2)), np.array([[0.5, 0.1, 0.02]]))
        largest = np.maximum(largest, np.abs(layer.weights - before).max(axis=1))
    most = 0.25 * bound * (2 if kind is tt.Agad else 1)  # AGAD subtracts what A held before the sign flipped
    assert np.all(largest <= most + step)
    assert largest[0] > 0.5 * most


@pytest.mark.parametrize("kind", [tt.Ttv2, tt.Cttv2, tt.Agad])
def test_noise_of_a_moves_c_by_a_twentieth_of_its_range(kind: Any) -> None:
    """At a rate far too high and under gradients of mean 0, a read of A moves C by 0.05·b_C on average (rms).

    A tracked reference adds its own noise, for which the limit makes up.
    """
    rows, cols, every, bound, sweeps = 400, 8, 5, 0.6, 40
    fast = tt.SoftBounds(states=10, bound=bound, cycle_noise=0.0, step_spread=0.0, bound_spread=0.0, asymmetry=0.0)
    slow = tt.ConstantStep(weight_step=1e-4, bound=bound, cycle_noise=0.0, step_spread=0.0, bound_spread=0.0)
    arrays = {"device": fast, "slow_device": slow, "reference": tt.Reference("ideal")}
    rule = kind(lr=1e3, transfer_every=every, after_pulse="subtract", **arrays)
    layer = tt.AnalogLayer(rule, np.zeros((rows, cols)), seed=1)
    squares = []
    for sweep in range(2 * sweeps):
        layer.weights = np.zeros((rows, cols))  # far from the bounds of C
        samples = every * cols
        layer.update(np.ones((samples, cols)), np.sign(normal(samples, rows, seed=sweep)))
        if sweep >= sweeps:
            squares.append(np.mean(layer.weights**2))
    assert math.sqrt(np.mean(squares)) == pytest.approx(0.05 * bound, rel=0.1)
