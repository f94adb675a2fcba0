"""Regression tests for known mistakes of such simulators, one numbered section each.

Exact tests; the statistical ones are in statistical/test_lessons_in_law.py.
R24 is Rasch et al., Nature Communications 15:7133; GV16 is Gokmen & Vlasov, Front. Neurosci. 10:333.
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
import twin
from support.layers import normal, set_state

WIDE, TALL = (3, 11), (11, 3)
Z = 6.0  # standard scores; a normal passes it with probability 2·10⁻⁹


# --- 1. unequal steps: the update of A does not depend on C's step ----------------------------------------------------


@pytest.mark.parametrize(
    "rule", [tt.Ttv1(fast_lr=0.2), tt.Ttv2(fast_lr=0.2), tt.Ttv2(rates="r24")], ids=["1", "2", "r24"]
)
def test_1_a_does_not_depend_on_the_devices_of_c(rule: Any) -> None:
    steps = [tt.SoftBounds(states=states) for states in (20, 7, 2000)] + [tt.ConstantStep(states=50)]
    layers = [tt.AnalogLayer(replace(rule, slow_device=slow), np.zeros((4, 6)), seed=1) for slow in steps]
    x, delta = normal(60, 6, seed=2), normal(60, 4, seed=3)
    for layer in layers:
        layer.update(x, delta)
    first = layers[0].state()["a"]
    assert np.std(first) > 0.05
    for layer in layers[1:]:
        np.testing.assert_array_equal(layer.state()["a"], first)
        assert layer.ledger["fast"] == layers[0].ledger["fast"]


def test_1_each_array_moves_by_its_own_step() -> None:
    """Statistical: A by −lr_A·δxᵀ and C, at a transfer, by lr_C·v·uᵀ; variances are binomial, 4 scores."""
    n, lr_a, lr_c, slow = 4000, 0.004, 0.5, 0.0005
    device, slow_device = tt.ConstantStep(weight_step=0.002, bound=100), tt.ConstantStep(weight_step=slow, bound=100)
    rule = tt.Ttv1(fast_lr=lr_a, transfer_lr=lr_c, device=device, slow_device=slow_device, reference=tt.Reference())
    layer = tt.AnalogLayer(replace(rule, transfer_every=1), np.zeros((1, 1)), seed=4)
    for _ in range(n):
        set_state(layer, a=[[0.003]])
        layer.update([[0.5]], [[0.4]])
        moved_a = layer.state()["a"][0, 0] - 0.003
        assert min(abs(moved_a), abs(moved_a + 0.002)) < 1e-6  # one slot: no pulse or one, never of C's size
    # A fires with p = lr_A·0.5·0.4/0.002 = 0.4, then C gets lr_C·v/0.0005 pulses on average: 3 slots, or 1 with p = 1
    pulses_a, pulses_c = layer.ledger["fast"]["pulses"], layer.ledger["slow"]["pulses"]
    assert abs(pulses_a - 0.4 * n) < Z * math.sqrt(0.4 * 0.6 * n)
    np.testing.assert_allclose(layer.weights[0, 0], slow * pulses_c, rtol=1e-3)
    assert pulses_c == 3 * (n - pulses_a) + pulses_a


# --- 2. rows as well as columns, on wide and on tall arrays -----------------------------------------------------------


@pytest.mark.parametrize("shape", [WIDE, TALL, (1, 5), (5, 1)], ids=str)
def test_2_lines_are_lines_of_the_weights(shape: tuple[int, int]) -> None:
    rows, cols = shape
    core = tt.Crossbar(rows, cols, tt.SoftBounds(cycle_noise=0), reference=tt.Reference("ideal"), seed=5)
    core.weights = normal(rows, cols, seed=6, scale=0.2)
    w = core.weights
    for k in range(cols):
        np.testing.assert_array_equal(core.read_column(k), w[:, k])
        np.testing.assert_allclose(core.read(np.eye(cols)[k]), w[:, k])
    for i in range(rows):
        np.testing.assert_array_equal(core.read_row(i), w[i])
    with pytest.raises(ValueError, match="column"):
        core.read_column(cols)
    with pytest.raises(ValueError, match="row"):
        core.read_row(rows)


@pytest.mark.parametrize("shape", [WIDE, TALL], ids=str)
def test_2_pulses_go_to_one_line(shape: tuple[int, int]) -> None:
    rows, cols = shape
    core = tt.Crossbar(rows, cols, tt.ConstantStep(weight_step=0.01), seed=5, count_pulses=True)
    expected = np.zeros(shape)
    for k, n in ((0, rows), (cols - 1, rows)):
        counts = np.arange(n) - 1
        core.pulse_column(k, counts)
        expected[:, k] += counts
    for k, n in ((rows - 1, cols), (1, cols)):
        counts = 2 - np.arange(n)
        core.pulse_row(k, counts)
        expected[k] += counts
    np.testing.assert_allclose(core.weights, 0.01 * expected, atol=1e-6)
    assert core.ledger["pulses"] == core.pulses.sum() > 0


@pytest.mark.parametrize("shape", [WIDE, TALL], ids=str)
@pytest.mark.parametrize("line", ["column", "row"])
def test_2_transfers_sweep_the_lines(line: Any, shape: tuple[int, int]) -> None:
    """After one sweep H = λ·A for all lines read, in order, and C has a pulse where |H| ≥ 1."""
    rows, cols = shape
    lines = rows if line == "row" else cols
    device = tt.ConstantStep(weight_step=0.01)
    rule = tt.Ttv2(
        fast_lr=0, transfer_lr=2, transfer_every=1, transfer_line=line, device=device, reference=tt.Reference()
    )
    layer = tt.AnalogLayer(rule, np.zeros(shape), seed=7)
    a = normal(*shape, seed=8, scale=0.4).clip(-0.59, 0.59)
    set_state(layer, a=a)
    for k in range(lines):
        layer.update(np.ones(cols), np.ones(rows))
        seen = np.arange(rows)[:, None] <= k if line == "row" else np.arange(cols)[None] <= k
        h = np.where(seen, 2 * a, 0)
        np.testing.assert_allclose(layer.state()["h"], np.where(np.abs(h) < 1, h, 0))
        np.testing.assert_allclose(layer.weights, 0.01 * np.trunc(h), atol=1e-7)
    assert layer.ledger["fast"]["line_reads"] == lines
    assert layer.ledger["fast"]["adc_conversions"] == rows * cols


# --- 3. a one-column read is O(rows) and has its own converter range --------------------------------------------------


def test_3_a_read_costs_one_line() -> None:
    core = tt.Crossbar(7, 50, periphery=tt.Periphery.full(), seed=9)
    core.read_column(3)
    nothing = dict.fromkeys(core.ledger, 0)
    assert core.ledger == nothing | {"line_reads": 1, "dac_conversions": 1, "adc_conversions": 7}
    core.read_row(3)
    assert core.ledger == nothing | {"line_reads": 2, "dac_conversions": 2, "adc_conversions": 57}


def test_3_a_read_has_the_levels_of_a_device_and_not_those_of_an_array() -> None:
    """Weights in ±0.6: 307 levels of a 9-bit converter over ±1, but 27 of one over ±12."""
    w = np.linspace(-0.6, 0.6, 2001)[None].astype(np.float32)
    levels = {}
    for name, read in {"full": tt.Periphery.full(0).read, "array": tt.IoSettings(adc_bits=9, adc_bound=12.0)}.items():
        core = tt.Crossbar(1, 2001, tt.ConstantStep(), periphery=tt.Periphery(read=read))
        core.weights = w
        levels[name] = len(np.unique(core.read_row(0)))
        assert np.max(np.abs(core.read_row(0) - w)) <= twin.level(read.adc_bits, read.adc_bound) / 2 + 1e-6
    assert levels == {"full": 307, "array": 27}


# --- 4. a threshold crossing loses nothing unless asked to ------------------------------------------------------------


@pytest.mark.parametrize(("max_pulses", "transfer_lr"), [(1, 1.9), (5, 9.0)])
@pytest.mark.parametrize("line", ["column", "row"])
def test_4_subtract_conserves_h_and_what_was_written(line: Any, max_pulses: int, transfer_lr: float) -> None:
    """H + pulses sent = Σ λ·v, whatever v was; resetting to zero loses the excess over the pulses, by design."""
    rule = tt.Ttv2(
        fast_lr=0.3,
        transfer_lr=transfer_lr,
        transfer_every=1,
        transfer_line=line,
        after_pulse="subtract",
        max_pulses=max_pulses,
        slow_device=tt.ConstantStep(weight_step=2.0**-10, bound=100),
    )
    kept, lost = (tt.AnalogLayer(r, np.zeros((4, 6)), seed=10) for r in (rule, replace(rule, after_pulse="zero")))
    x, delta = normal(300, 6, seed=11), normal(300, 4, seed=12)
    read = {id(kept): np.zeros((4, 6)), id(lost): np.zeros((4, 6))}
    for t in range(300):
        k = t % (4 if line == "row" else 6)
        index = np.s_[k, :] if line == "row" else np.s_[:, k]
        for layer in (kept, lost):
            layer.update(x[t], delta[t])
            read[id(layer)][index] += transfer_lr * layer.state()["a"][index].astype(float)

    def held(layer: tt.AnalogLayer) -> Any:
        return layer.state()["h"] + layer.weights * 2.0**10

    np.testing.assert_allclose(held(kept), read[id(kept)], atol=1e-3)
    assert kept.ledger["slow"]["pulses"] > 100
    assert np.max(np.abs(held(lost) - read[id(lost)])) > 1


# --- 5. references on non-square arrays with mixed signs --------------------------------------------------------------


@pytest.mark.parametrize("shape", [WIDE, TALL], ids=str)
def test_5_weights_are_states_minus_reference(shape: tuple[int, int]) -> None:
    rows, cols = shape
    core = tt.Crossbar(rows, cols, tt.SoftBounds(states=30, cycle_noise=0, bound_spread=0.1), seed=13)
    state, r = normal(rows, cols, seed=14, scale=0.15), normal(rows, cols, seed=15, scale=0.15)
    core.weights = state
    core.reference = r
    w = state - r
    assert (w > 0).any()
    assert (w < 0).any()
    x, delta = normal(cols, seed=16), normal(rows, seed=17)
    np.testing.assert_allclose(core.weights, w, atol=1e-6)
    np.testing.assert_allclose(core.forward(x), w @ x, atol=1e-5)
    np.testing.assert_allclose(core.backward(delta), w.T @ delta, atol=1e-5)
    np.testing.assert_allclose(core.read_column(cols - 1), w[:, -1], atol=1e-6)
    np.testing.assert_allclose(core.read_row(rows - 1), w[-1], atol=1e-6)
    core.update(np.sign(x), np.sign(delta), core.weight_step)  # one pulse everywhere, answered by the states
    devices = twin.Devices(tt.SoftBounds(cycle_noise=0), core.device_parameters)
    expected = devices.pulse(state.astype(float), np.outer(delta, x) > 0) - r
    np.testing.assert_allclose(core.weights, expected, atol=1e-6)
    core.weights = np.full(shape, 9.0)  # as far as the bounds of the states allow
    np.testing.assert_allclose(core.weights, devices.upper - r, atol=1e-6)


@pytest.mark.parametrize("shape", [WIDE, TALL], ids=str)
def test_5_an_array_at_rest_on_its_reference_transfers_nothing(shape: tuple[int, int]) -> None:
    rule = tt.Ttv2(fast_lr=0, transfer_lr=100, transfer_every=1, device=tt.SoftBounds(asymmetry=0.3))
    weights = normal(*shape, seed=18, scale=0.1)
    layer = tt.AnalogLayer(rule, weights, seed=19)
    assert np.std(layer.device_parameters()["a.symmetry_point"]) > 0.03  # a rule without the reference would notice
    before = layer.weights
    layer.update(normal(50, shape[1], seed=20), normal(50, shape[0], seed=21))
    np.testing.assert_array_equal(layer.weights, before)
    np.testing.assert_allclose(layer.state()["h"], 0, atol=1e-4)


# --- 6. mean and variance of the update: statistical/test_update_laws.py ---------------------------------------------


def test_6_signs_of_updates_on_a_non_square_array() -> None:
    """Each pulse has the sign of lr·δ_i·x_j, and zeros get none."""
    core = tt.Crossbar(3, 5, tt.ConstantStep(weight_step=0.01), seed=22, count_pulses=True)
    x, delta = np.array([1.0, -1.0, 0.0, 1.0, -1.0]), np.array([1.0, 0.0, -1.0])
    for lr in (0.02, -0.05):
        core.update(x, delta, lr)
    np.testing.assert_allclose(core.weights, (0.02 - 0.05) * np.outer(delta, x), atol=1e-6)
    np.testing.assert_array_equal(core.pulses, 7 * np.abs(np.outer(delta, x)))


# --- 7. a bound-management retry recomputes only what saturated -------------------------------------------------------


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_7_a_retry_keeps_what_did_not_saturate(direction: str) -> None:
    """With noise: outputs within range keep their first noise, with the same bits as without management."""
    shape = (40, 6) if direction == "forward" else (6, 40)
    part = tt.IoSettings(adc_bits=9, adc_bound=1.0, output_noise=0.05)
    outputs = []
    for each in (part, replace(part, bound_management=True)):
        core = tt.Crossbar(*shape, tt.ConstantStep(bound=5), periphery=tt.Periphery(each, each), seed=23)
        core.weights = normal(*shape, seed=24, scale=0.6)
        outputs.append(getattr(core, direction)(np.ones(6)))
    plain, managed = outputs
    fits = np.abs(plain) < 1
    assert 5 < fits.sum() < 35
    np.testing.assert_array_equal(managed[fits], plain[fits])
    assert np.all(np.abs(plain[~fits]) == 1)
    assert np.max(np.abs(managed[~fits])) > 2


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_7_a_retry_converts_again_only_what_saturated(direction: str) -> None:
    """By hand: of five outputs three saturate at first and two once halved, which makes 5 + 3 + 2 conversions."""
    outputs = np.array([0.5, -1.5, 3.0, 0.25, -3.9])
    part = tt.IoSettings(adc_bits=12, adc_bound=1.0, bound_management=True)
    w = outputs[:, None] if direction == "forward" else outputs[None]
    core = tt.Crossbar(*w.shape, tt.ConstantStep(bound=5), periphery=tt.Periphery(part, part))
    core.weights = w
    np.testing.assert_allclose(getattr(core, direction)([1.0]), outputs, atol=4 * twin.level(12, 1.0) / 2)
    assert core.ledger[f"{direction}_mvms"] == core.ledger["dac_conversions"] == 3
    assert core.ledger["adc_conversions"] == 5 + 3 + 2


# --- 8. zero vectors, one-element arrays, empty batches ---------------------------------------------------------------

SMALL: dict[str, tt.RuleConfig] = {
    "float": tt.DigitalSgd(),
    "sgd": tt.AnalogSgd(),
    "ttv1": tt.Ttv1(),
    "ttv2": tt.Ttv2(),
}


def test_8_zero_vectors() -> None:
    core = tt.Crossbar(3, 4, periphery=tt.Periphery.full(), seed=25, count_pulses=True)
    core.weights = normal(3, 4, seed=26, scale=0.1)
    before = core.weights
    np.testing.assert_array_equal(core.forward(np.zeros(4)), np.zeros(3))
    np.testing.assert_array_equal(core.backward(np.zeros(3)), np.zeros(4))
    for x, delta, lr in [(np.zeros(4), np.ones(3), 1.0), (np.ones(4), np.zeros(3), 1.0), (np.ones(4), np.ones(3), 0.0)]:
        assert core.next_pulse_trains(x, delta, lr)[0].shape == (0, 3)
        assert core.next_pulse_trains(x, delta, lr)[1].shape == (0, 4)
        core.update(x, delta, lr)
    core.pulse_column(0, np.zeros(3, int))
    np.testing.assert_array_equal(core.weights, before)
    assert core.ledger["pulses"] == core.pulses.sum() == 0


@pytest.mark.parametrize("name", SMALL)
def test_8_zero_vectors_teach_nothing(name: str) -> None:
    layer = tt.AnalogLayer(SMALL[name], normal(3, 4, seed=27, scale=0.1), seed=28)
    before = layer.state()
    for x, delta in [(np.zeros(4), np.ones(3)), (np.ones(4), np.zeros(3))]:
        layer.update(x, delta)
    for key in ("a", "c", "h"):
        if key in before:
            np.testing.assert_allclose(layer.state()[key], before[key], atol=1e-7)


@pytest.mark.parametrize("name", SMALL)
def test_8_one_element(name: str) -> None:
    layer = tt.AnalogLayer(SMALL[name], [[0.1]], seed=29)
    np.testing.assert_allclose(layer.forward([2.0]), [0.2], rtol=1e-6)
    np.testing.assert_allclose(layer.backward([-1.0]), [-0.1], rtol=1e-6)
    layer.update([[1.0]] * 40, [[1.0]] * 40)
    assert layer.weights.shape == (1, 1)
    assert layer.weights[0, 0] < 0.1  # δ = dL/dy: descent
    layer.restore(layer.state())
    network = tt.Network([tt.nn.Linear(1, 1, bias=False)], SMALL[name], loss="mse", seed=30)
    network.train([[1.0]] * 3, [[0.5]] * 3)
    assert network.predict([[1.0]]).shape == (1, 1)


@pytest.mark.parametrize("name", SMALL)
def test_8_empty_batches(name: str) -> None:
    layer = tt.AnalogLayer(SMALL[name], normal(3, 4, seed=31, scale=0.1), seed=32)
    before = layer.state()
    assert layer.forward(np.zeros((0, 4))).shape == (0, 3)
    assert layer.backward(np.zeros((0, 3))).shape == (0, 4)
    layer.update(np.zeros((0, 4)), np.zeros((0, 3)))
    for key in ("a", "c", "h"):
        if key in before:
            np.testing.assert_array_equal(layer.state()[key], before[key])
    network = tt.Network([tt.nn.Linear(4, 3)], SMALL[name])
    weights = network.weights[0]
    network._core.train(np.zeros((5, 4)), np.zeros(5, int), order=np.zeros(0, int))
    np.testing.assert_array_equal(network.weights[0], weights)


def test_an_empty_batch_is_no_batch() -> None:
    """Lesson 8, for TTv2 counting mini-batches: nothing is learned, so nothing is transferred."""
    layer = tt.AnalogLayer(tt.Ttv2(transfer_unit="batch", transfer_every=1), np.zeros((3, 4)))
    layer.update(np.zeros((0, 4)), np.zeros((0, 3)))
    assert layer.ledger["fast"]["line_reads"] == 0
    layer.update(np.zeros((1, 4)), np.zeros((1, 3)))
    assert layer.ledger["fast"]["line_reads"] == 1
