"""Stuck and worn devices, relaxation, diffusion and write noise: by hand, and on every path to a device."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from tikitaka.config.rule import rules

SHAPE = (40, 30)
STEPS = tt.ConstantStep(weight_step=0.01, bound=0.6)
NOISY = tt.SoftBounds(cycle_noise=0.3, step_spread=0.3)


def array(device: Any = NOISY, *, seed: int = 1, shape: tuple[int, int] = SHAPE, **kwargs: Any) -> tt.Crossbar:
    reliability = tt.Reliability(**{k: v for k, v in kwargs.items() if k in tt.Reliability.__dataclass_fields__})
    rest = {k: v for k, v in kwargs.items() if k not in tt.Reliability.__dataclass_fields__}
    return tt.Crossbar(*shape, device, reliability=reliability, seed=seed, **rest)


def signals(seed: int, shape: tuple[int, int] = SHAPE) -> tuple[Any, Any]:
    generator = np.random.default_rng(seed)
    return generator.uniform(-1, 1, shape[1]), generator.uniform(-1, 1, shape[0])


def busy(made: tt.Crossbar) -> None:
    """Every way to send pulses."""
    for seed in range(6):
        made.update(*signals(seed), 0.3)
    made.pulse_column(3, np.resize([2, -3, 0], made.shape[0]))
    made.pulse_row(5, np.resize([-1, 4], made.shape[1]))
    made.pulse(np.resize([1, 0, -2, 3], made.shape))
    made.program(np.full(made.shape, 0.2), "closed-loop", max_pulses=20)
    made.program(np.full(made.shape, -0.1), "open-loop", max_pulses=20)


def test_off_is_off() -> None:
    plain, off = tt.Crossbar(*SHAPE, NOISY, seed=1), array()
    for made in (plain, off):
        busy(made)
        made.elapse(10**6)
    np.testing.assert_array_equal(plain.weights, off.weights)
    assert plain.ledger == off.ledger


@pytest.mark.parametrize("reference", [tt.Reference(), tt.Reference("ideal", spread=0.1), tt.Reference("zero-shift")])
def test_no_pulse_moves_a_stuck_device(reference: tt.Reference) -> None:
    made, free = array(stuck=0.3, reference=reference), array(reference=reference)
    start, states = made.weights.copy(), made.weights + made.reference
    busy(made)
    busy(free)
    stuck = array(stuck=0.3).weights != 0
    np.testing.assert_array_equal(made.weights[stuck], start[stuck])
    assert stuck.mean() == pytest.approx(0.3, abs=0.06)
    np.testing.assert_array_equal(made.weights[~stuck], free.weights[~stuck])  # the others do not notice
    made.weights = np.full(SHAPE, 0.123)
    np.testing.assert_array_equal(made.weights[stuck], start[stuck])
    made.reference = made.reference + 0.05
    np.testing.assert_allclose((made.weights + made.reference)[stuck], states[stuck], atol=1e-6)
    busy(made)
    np.testing.assert_allclose((made.weights + made.reference)[stuck], states[stuck], atol=1e-6)
    made.zero_shift(9)
    np.testing.assert_allclose((made.weights + made.reference)[stuck], states[stuck], atol=1e-6)
    assert made.ledger["pulses"] > free.ledger["pulses"]  # they are sent all the same


def test_stuck_devices_have_states_in_their_range() -> None:
    narrow = array(stuck=1.0, stuck_range=0.1).weights
    assert 0.09 < np.abs(narrow).max() <= 0.1
    bounds = array(STEPS, stuck=1.0).weights
    assert 0.58 < np.abs(bounds).max() <= 0.6
    wide = array(tt.ConstantStep(weight_step=0.01, bound=5.0), stuck=1.0, stuck_range=5.0).weights
    clipped = array(STEPS, stuck=1.0, stuck_range=5.0).weights
    np.testing.assert_array_equal(clipped, np.clip(wide, np.float32(-0.6), np.float32(0.6)))
    more, fewer = array(stuck=0.4).weights != 0, array(stuck=0.2).weights != 0
    assert np.all(more[fewer])  # the share adds devices


def test_named_yields() -> None:
    assert tt.reliabilities["reram-om"] == tt.Reliability(stuck=0.135)
    assert tt.reliabilities["reram-hfo2"] == tt.Reliability(stuck=0.098)


def test_a_device_wears_out_after_its_pulses() -> None:
    made = array(STEPS, endurance=10, shape=(3, 2))
    for _ in range(8):
        made.pulse_column(0, [1, 2, 0])
    np.testing.assert_allclose(made.weights[:, 0], [0.08, 0.10, 0.0], atol=1e-6)
    made.pulse_row(0, [5, 0])
    np.testing.assert_allclose(made.weights[:, 0], [0.10, 0.10, 0.0], atol=1e-6)
    np.testing.assert_array_equal(made.pulses[:, 0], [13, 16, 0])


def test_wear_by_updates_is_that_of_single_pulses() -> None:
    """Every device gets one pulse per update of full trains of one slot."""
    trains = tt.PulseTrains(max_length=1, length_management=False, update_management=False)
    made = array(STEPS, endurance=7, pulse_trains=trains, shape=(20, 20))
    for step in range(10):
        made.update(np.ones(20), np.ones(20), 0.01)
        np.testing.assert_allclose(made.weights, 0.01 * min(step + 1, 7), atol=1e-6)


def test_relaxation_in_closed_form() -> None:
    made = array(STEPS, retention=500.0, rest=0.1, relax_every=100, reference=tt.Reference("ideal", mean=0.05))
    made.weights = np.full(SHAPE, 0.3)
    made.elapse(99)
    np.testing.assert_allclose(made.weights, 0.3, atol=1e-6)  # not yet
    made.elapse(1)
    np.testing.assert_allclose(made.weights + 0.05, 0.1 + 0.25 * np.exp(-0.2), atol=1e-6)
    made.elapse(1250)
    np.testing.assert_allclose(made.weights + 0.05, 0.1 + 0.25 * np.exp(-2.6), atol=1e-6)
    once = array(STEPS, retention=500.0, rest=0.1, relax_every=100)
    twice = copy.deepcopy(once)
    for each in (once, twice):
        each.weights = np.full(SHAPE, 0.3)
    once.elapse(1000)
    for _ in range(10):
        twice.elapse(100)
    np.testing.assert_allclose(once.weights, twice.weights, atol=1e-6)


@pytest.mark.parametrize(("tau", "every"), [(4e7, 1), (4e9, 100), (1e6, 1)])
def test_slow_relaxation_is_not_rounded_away(tau: float, every: int) -> None:
    made = array(STEPS, retention=tau, relax_every=every, shape=(3, 3))
    made.weights = np.full((3, 3), 0.5)
    for _ in range(100):
        made.elapse(int(tau / 1000))
    np.testing.assert_allclose(made.weights, 0.5 * np.exp(-0.1), rtol=2e-4)


def test_zero_shifting_wears_devices_out() -> None:
    """After their five pulses they stay, and are read against the state where they do."""
    made = array(tt.ConstantStep(weight_step=0.01, bound=0.6), endurance=5, shape=(3, 3))
    made.zero_shift(100)
    np.testing.assert_allclose(made.reference, 0.01, atol=1e-6)
    made.pulse(np.full((3, 3), 3))
    np.testing.assert_array_equal(made.weights, 0)


def test_stuck_devices_do_not_relax() -> None:
    made = array(stuck=0.5, retention=10.0, diffusion=0.01, relax_every=1)
    stuck, before = made.weights != 0, made.weights.copy()
    made.elapse(100)
    np.testing.assert_array_equal(made.weights[stuck], before[stuck])
    assert np.all(made.weights[~stuck] != 0)


def test_write_noise_hides_what_pulses_made() -> None:
    hidden, plain = array(write_noise=0.05), array()
    for made in (hidden, plain):
        for seed in range(6):
            made.update(*signals(seed), 0.3)
        made.pulse_column(3, np.resize([2, -3, 0], SHAPE[0]))
    persistent = next(values for name, values in hidden.state().items() if name.endswith("persistent"))
    np.testing.assert_array_equal(persistent, plain.weights)
    pulsed = plain.weights != 0
    seen = hidden.weights - plain.weights
    assert np.all(seen[~pulsed] == 0)
    assert seen[pulsed].std() == pytest.approx(0.05, rel=0.1)
    assert abs(seen[pulsed].mean()) < 0.01
    before = hidden.weights.copy()
    hidden.pulse_row(0, np.resize([1, 0], SHAPE[1]))
    np.testing.assert_array_equal((hidden.weights != before)[0], np.resize([True, False], SHAPE[1]))
    np.testing.assert_array_equal(hidden.weights[1:], before[1:])


EVERYTHING = tt.Reliability(
    stuck=0.05,
    endurance=30,
    endurance_spread=0.5,
    retention=1000,
    retention_spread=0.3,
    rest=0.02,
    rest_spread=0.05,
    diffusion=0.001,
    relax_every=7,
    write_noise=0.01,
)
BUSY = tt.Periphery(
    forward=tt.IoSettings(dac_bits=5, adc_bits=9, output_noise=0.06, noise_management=True, bound_management=True,
                          adc_gain_error=0.02, adc_offset_error=0.03, read_noise=0.05, bit_serial=True),
    backward=tt.IoSettings(dac_bits=7, adc_bits=9, output_noise=0.06, noise_management=True, adc_gain_error=0.02),
    read=tt.IoSettings(adc_bits=9, adc_bound=1.0, output_noise=0.06, read_noise=0.1, adc_offset_error=0.01),
    wire_ratio=5e4,
)  # fmt: skip
HAND: dict[str, Any] = {"sgd": {"lr": 0.1}, "mp": {"lr": 0.1}, "tiles": {"fast_lr": 0.3, "transfer_lr": 0.3}}
ALL = [
    rule(
        **HAND.get(kind, {"fast_lr": 0.3, "transfer_lr": 0.5}),
        device=NOISY,
        periphery=BUSY,
        reliability=EVERYTHING,
        tile=(9, 7),
    )
    for kind, rule in rules.items()
    if kind != "float"
]


def same(one: Any, other: Any) -> None:
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.kind)
def test_same_bits_with_every_effect_on_saved_copied_and_pickled(rule: Any) -> None:
    """On tiles, with wires, unequal converters, serial inputs, noisy devices and every fault."""
    generator = np.random.default_rng(0)
    weights = generator.uniform(-0.3, 0.3, (12, 17))
    x, delta = generator.uniform(-1, 1, (40, 17)), generator.normal(0, 0.3, (40, 12))
    made = tt.AnalogLayer(rule, weights, seed=3)
    for step in range(0, 20, 2):
        made.forward(x[step : step + 2])
        made.update(x[step : step + 2], delta[step : step + 2])
    restored = tt.AnalogLayer(rule, np.zeros((12, 17)), seed=3)
    restored.restore(made.state())
    others = [restored, copy.deepcopy(made), pickle.loads(pickle.dumps(made))]
    for again in (made, *others):
        for step in range(20, 40, 2):
            again.forward(x[step : step + 2])
            again.backward(delta[step : step + 2])
            again.update(x[step : step + 2], delta[step : step + 2])
    for again in others:
        same(made.state(), again.state())
        assert made.ledger == again.ledger


def test_networks_with_every_effect_are_the_same_on_any_threads() -> None:
    generator = np.random.default_rng(0)
    x, classes = generator.random((60, 20), dtype=np.float32), generator.integers(0, 4, 60)
    rule = tt.Ttv2(device=NOISY, periphery=BUSY, reliability=EVERYTHING, tile=9)
    layers = [tt.nn.Linear(20, 12), tt.nn.Tanh(), tt.nn.Linear(12, 4)]
    one, two = (tt.Network(layers, rule, seed=2) for _ in range(2))
    for batch in (1, 8, 60):
        assert one.train(x, classes, batch=batch) == two.train(x, classes, batch=batch, threads=2)
    same(one.state(), two.state())
    np.testing.assert_array_equal(one.forward(x), two.forward(x, threads=2))


def test_the_report_of_wear() -> None:
    layers = [tt.nn.Linear(20, 12), tt.nn.Tanh(), tt.nn.Linear(12, 4)]
    generator = np.random.default_rng(0)
    x, classes = generator.random((60, 20), dtype=np.float32), generator.integers(0, 4, 60)
    network = tt.Network(layers, tt.Ttv2(tile=9, fast_lr=0.3, reliability=tt.Reliability(endurance=20)), seed=2)
    network.train(x, classes)
    report = tt.wear(network)
    assert [wear.array for wear in report.arrays] == ["linear1.a", "linear1.c", "linear2.a", "linear2.c"]
    assert sum(int(wear.pulses.sum()) for wear in report.arrays) == network.pulses
    first = report.arrays[0]
    assert first.pulses.shape == (12, 21)
    assert first.most == first.pulses.max() > 20
    assert first.worn(20) == np.mean(first.pulses >= 20)
    assert first.percentiles()[50] == np.median(first.pulses)
    assert f"{first.most:,}" in repr(report)
    with pytest.raises(ValueError, match="network must count pulses"):
        tt.wear(tt.Network(layers, tt.Ttv2()))
    with pytest.raises(TypeError, match="network"):
        tt.wear(3)  # type: ignore[arg-type]


def test_stuck_devices_stay_where_write_noise_hides_them() -> None:
    """What pulses would have made of them must not come to light, by another reference least of all."""
    made = array(stuck=0.3, endurance=8, write_noise=0.02)
    for seed in range(6):
        made.update(*signals(seed), 0.3)
    stuck = made.pulses >= 8
    assert 0.05 < stuck.mean() < 0.95
    states = made.weights + made.reference
    made.zero_shift(1)
    np.testing.assert_allclose((made.weights + made.reference)[stuck], states[stuck], atol=1e-6)
    made.update(*signals(7), 0.3)
    np.testing.assert_allclose((made.weights + made.reference)[stuck], states[stuck], atol=1e-6)


def test_slow_diffusion_is_not_rounded_away() -> None:
    made = array(STEPS, diffusion=1e-8, relax_every=1, shape=(100, 100))
    made.weights = np.full((100, 100), 0.3)
    for _ in range(100):
        made.elapse(10_000)
    assert made.weights.std() == pytest.approx(1e-5, rel=0.05)


def test_settings() -> None:
    for bad in ({"stuck": 1.5}, {"stuck": -0.1}, {"endurance": 0}, {"retention": 0.5}, {"write_noise": -1}):
        with pytest.raises(ValueError, match=f"{next(iter(bad))} must be from"):
            tt.Reliability(**bad)
    with pytest.raises(ValueError, match="dac_bits must be from 2 to 24 with bit_serial"):
        tt.IoSettings(bit_serial=True)
