"""One-sided pairs: by hand, against their twin, and on every path to a device."""

import copy
import pickle
import tomllib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from tikitaka import config
from tikitaka._core import mean_device
from tikitaka.config.rule import rules
from tikitaka.config.size import states_of, step_of
from twin.devices import F64, Devices

EXACT = tt.OneSidedPair(refresh_every=1, reset_spread=0.0)
TENTH = tt.ConstantStep(weight_step=0.1, bound=0.5, pair=EXACT)
PCM: Any = tt.presets["pcm"]
QUIET: dict[str, Any] = {"states": 30, "cycle_noise": 0, "pair": replace(EXACT, refresh_every=3)}
MODELS: dict[str, Any] = {
    "soft bounds": tt.SoftBounds(**QUIET),
    "skewed": tt.SoftBounds(**QUIET, up_down=0.2, upper_bound=0.8, lower_bound=-0.3),
    "exponential": replace(PCM, cycle_noise=0.0, pair=QUIET["pair"]),
    "table": tt.TableStep(**QUIET, up=(3, 2, 1.5, 0.1), down=(0, 1, 4)),
    "neurosim": tt.NeuroSim(64, 2.4, -4.88, cycle_to_cycle=0, nonlinearity_spread=0.3, pair=QUIET["pair"]),
}


def test_each_direction_has_its_device() -> None:
    """Three pulses, +, + and -: g⁺ = 2δ, g⁻ = δ."""
    array = tt.Crossbar(1, 2, TENTH, seed=1, count_pulses=True)
    array.pulse_column(0, [2])
    array.pulse_column(0, [-1])
    assert array.pair is not None
    np.testing.assert_allclose(array.pair, [[[0.2, 0]], [[0.1, 0]]], atol=1e-6)
    np.testing.assert_allclose(array.weights, [[0.1, 0]], atol=1e-6)
    assert (array.pulses.tolist(), array.ledger["pulses"]) == ([[3, 0]], 3)
    assert tt.Crossbar(1, 2).pair is None


def test_refresh_by_hand() -> None:
    """At (0.8, 0.3) of 1 both are reset and g⁺ becomes 0.5; at (0.8, 0.2) nothing happens."""
    array = tt.Crossbar(2, 2, TENTH, seed=1)
    array.pulse(np.array([[8, 8], [-8, 0]]))
    array.pulse(np.array([[-3, -2], [3, 0]]))
    before = array.ledger
    array.elapse(1)
    assert array.pair is not None
    np.testing.assert_allclose(array.pair[0], [[0.5, 0.8], [0, 0]], atol=1e-6)
    np.testing.assert_allclose(array.pair[1], [[0, 0.2], [0.5, 0]], atol=1e-6)
    spent = {name: count - before[name] for name, count in array.ledger.items() if count != before[name]}
    # Column 0: a reset of both devices of two pairs, then five pulses to each.
    assert spent == {
        "pulses": 14,
        "line_slots": 6,
        "row_firings": 14,
        "column_firings": 6,
        "line_reads": 4,
        "dac_conversions": 4,
        "adc_conversions": 8,
    }


class Pairs:
    """The twin of an array of pairs without noise."""

    def __init__(self, core: tt.Crossbar, model: Any) -> None:
        named = core.device_parameters
        self.model = model
        self.devices = [Devices(model, {k[len(w) :]: v for k, v in named.items() if k.startswith(w)}) for w in SIDES]
        self.g = [np.zeros(core.shape), np.zeros(core.shape)]
        self.mean, self.step = self._mean(), core.weight_step
        self.span = float((self.mean.upper - self.mean.lower).item())
        self.heights = np.linspace(0, self.span, 257)
        above = self.mean.lower + self.heights
        self.steps = self.mean.pulse(above, True) - above

    def _mean(self) -> Any:
        same: Any = {"spread": None} if hasattr(self.model, "spread") else {"nonlinearity_spread": 0.0}
        same |= {"step_spread": 0.0, "bound_spread": 0.0, "asymmetry": 0.0} if "spread" in same else {}
        one = tt.Crossbar(1, 1, replace(self.model, **same)).device_parameters
        return Devices(self.model, {k[5:]: v for k, v in one.items() if k.startswith("plus_")})

    @property
    def weights(self) -> F64:
        return self.g[0] - self.g[1]

    def pulse(self, sent: Any) -> None:
        for k, (devices, counts) in enumerate(zip(self.devices, (sent, -sent), strict=True)):
            for n in range(int(np.max(counts, initial=0))):
                self.g[k] = np.where(counts > n, self._after(devices, self.g[k]), self.g[k])

    def refresh(self) -> int:
        high, low = np.maximum(*self.g), np.minimum(*self.g)
        pair = self.model.pair
        due = (high > pair.upper_threshold * self.span) & (low > pair.lower_threshold * self.span)
        for i, j in np.argwhere(due):
            w = float(self.g[0][i, j] - self.g[1][i, j])
            which, g = (0 if w > 0 else 1), np.zeros((1, 1))
            self.g[0][i, j] = self.g[1][i, j] = 0
            for _ in range(round(2 * self.span / self.step)):
                after = self._mean_after(g)
                if abs(g - abs(w)) - abs(after - abs(w)) < 1e-3 * self.step:
                    break
                g = after
                self.g[which][i, j] = self._after(self.devices[which], self.g[which])[i, j]
        return int(due.sum())

    def _mean_after(self, g: F64) -> F64:
        """By lines between the steps at 257 heights."""
        return np.minimum(g + np.interp(g, self.heights, self.steps.ravel()), self.span)

    @staticmethod
    def _after(devices: Devices, g: F64) -> F64:
        return devices.pulse(g + devices.lower, True) - devices.lower


SIDES = ("plus_", "minus_")


@pytest.mark.parametrize("name", MODELS)
def test_twin(name: str) -> None:
    model = MODELS[name]
    core = tt.Crossbar(9, 6, model, seed=2)
    twin = Pairs(core, model)
    generator, refreshed = np.random.default_rng(3), 0
    for step in range(240):
        if step % 2:
            x, delta = generator.normal(size=6), generator.normal(size=9)
            rows, cols = core.next_pulse_trains(x, delta, 0.3)
            core.update(x, delta, 0.3)
            twin.pulse((rows.astype(int).T @ cols.astype(int)) * np.sign(np.outer(delta, x)).astype(int))
        else:
            sent = generator.integers(-2, 3, (9, 6))
            core.pulse(sent)
            twin.pulse(sent)
        core.elapse(1)
        if step % 3 == 2:
            refreshed += twin.refresh()
        np.testing.assert_allclose(core.weights, twin.weights, atol=2e-5)
    assert refreshed > 20


@pytest.mark.parametrize("name", MODELS)
def test_mean_pair(name: str) -> None:
    """δ is the up step at half the range, and what an array plans its trains with; a pair spans the range each way."""
    model = MODELS[name]
    mean, twin = mean_device(model), Pairs(tt.Crossbar(1, 1, model), model).mean
    middle = (twin.lower + twin.upper) / 2
    step = float((twin.pulse(middle, True) - middle).item())
    span = float((twin.upper - twin.lower).item())
    assert mean["weight_step"] == pytest.approx(step, rel=1e-4)
    assert tt.Crossbar(1, 1, model).weight_step == pytest.approx(step, rel=1e-4)
    assert (mean["lower_bound"], mean["upper_bound"]) == (pytest.approx(-span), pytest.approx(span))
    assert mean["symmetry_point"] == 0


def test_published_pcm() -> None:
    """A device that was reset steps by dw_min·(1 + 27.235), one that is full by dw_min·(1 + 27.235e⁻⁵); dw_min is 0.01
    of 2."""
    array = tt.Crossbar(1, 1, replace(PCM, cycle_noise=0.0, spread=None, step_spread=0, bound_spread=0, asymmetry=0))
    array.pulse_column(0, [1])
    assert array.weights.item() == pytest.approx(0.6 * 0.005 * 28.235, rel=1e-3)
    array.weights = [[0.6]]
    array.weights = [[0.6 - 0.003 * (1 + 27.235 * np.exp(-5.0))]]
    array.pulse_column(0, [1])
    assert array.weights.item() == pytest.approx(0.6, rel=1e-3)
    assert mean_device(PCM)["noise_at_symmetry_point"] == pytest.approx(0.3 * 0.6 * (0.03236 + 0.042 + 0.108), rel=1e-3)


def test_noise_of_pulses_and_resets() -> None:
    """n pulses spread g by σ_c δ √n; a reset leaves |N(0, σ²)|, whose mean is σ√(2/π) of the range."""
    pair = tt.OneSidedPair(refresh_every=1, upper_threshold=0.0, lower_threshold=0.0, reset_spread=0.02)
    array = tt.Crossbar(100, 200, tt.ConstantStep(weight_step=0.01, bound=0.5, cycle_noise=0.5, pair=pair), seed=4)
    array.pulse(np.full((100, 200), 60))
    array.pulse(np.full((100, 200), -20))
    assert array.pair is not None
    for g, n in zip(array.pair, (60, 20), strict=True):
        assert g.mean() == pytest.approx(0.01 * n, abs=5 * 0.005 * np.sqrt(n / g.size))
        assert g.std() == pytest.approx(0.005 * np.sqrt(n), rel=0.03)
    assert np.corrcoef(array.pair[0].ravel(), array.pair[1].ravel())[0, 1] == pytest.approx(0, abs=0.03)
    array.elapse(1)  # g⁺ > g⁻, so that g⁻ is left where its reset left it
    low = array.pair[1]
    assert low.mean() == pytest.approx(0.02 * np.sqrt(2 / np.pi), rel=0.03)
    assert low.std() == pytest.approx(0.02 * np.sqrt(1 - 2 / np.pi), rel=0.05)


def test_a_refresh_keeps_weights_up_to_its_noise() -> None:
    """Reads with noise σ, open-loop pulses: weights move by the noise of reads and by half a step, without bias."""
    read = tt.IoSettings(output_noise=0.02)
    device = tt.ConstantStep(weight_step=0.005, bound=0.5, pair=tt.OneSidedPair(refresh_every=1, reset_spread=0.0))
    array = tt.Crossbar(80, 80, device, periphery=tt.Periphery(read=read), seed=5)
    array.pulse(np.full((80, 80), 180))
    array.pulse(np.full((80, 80), -80))
    before = array.weights
    array.elapse(1)
    moved = array.weights - before
    assert moved.mean() == pytest.approx(0, abs=5 * 0.02 * np.sqrt(2) / 80)
    assert moved.std() == pytest.approx(np.hypot(0.02 * np.sqrt(2), 0.005 / np.sqrt(12)), rel=0.04)


def test_weights_and_programming() -> None:
    array = tt.Crossbar(30, 20, PCM, seed=6)
    most = array.device_parameters
    target = np.random.default_rng(7).uniform(-0.4, 0.4, (30, 20)).astype(np.float32)
    array.weights = np.full((30, 20), 9.0)
    np.testing.assert_allclose(array.weights, most["upper_bound"], atol=1e-6)
    array.weights = np.full((30, 20), -9.0)
    np.testing.assert_allclose(array.weights, most["lower_bound"], atol=1e-6)
    array.weights = target
    np.testing.assert_allclose(array.weights, target, atol=1e-6)
    assert array.pair is not None
    np.testing.assert_allclose(np.minimum(*array.pair), 0, atol=1e-6)
    quiet = tt.Crossbar(30, 20, replace(PCM, cycle_noise=0.0), seed=6)
    sent = quiet.program(target, "closed-loop", max_pulses=500)
    coarse = 0.5 * 0.6 * 0.005 * 28.235 * 1.8  # a step at g = 0 goes further than half a mean step
    assert sent > 2 * target.size
    assert np.abs(quiet.weights - target).max() < coarse
    quiet.program(target, "open-loop", max_pulses=500)
    assert np.corrcoef(quiet.weights.ravel(), target.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("reference", [tt.Reference(), tt.Reference("ideal", mean=0.2)], ids=lambda r: r.method)
def test_open_loop_programming_aims_at_state_plus_reference(reference: tt.Reference) -> None:
    device = tt.ConstantStep(weight_step=0.01, bound=0.5, pair=tt.OneSidedPair(reset_spread=0.0))
    array = tt.Crossbar(2, 3, device, seed=1, reference=reference)
    for target in ([[0.3, 0.0, -0.3], [-0.1, 0.1, 0.25]], [[-0.3, 0.2, 0.0], [0.1, -0.15, 0.05]]):
        array.program(target, "open-loop")
        np.testing.assert_allclose(array.weights, target, atol=1e-5)
    noisy = replace(device, pair=tt.OneSidedPair(reset_spread=0.1))
    wide = tt.Crossbar(100, 100, noisy, seed=2)
    wide.program(np.full((100, 100), -0.3), "open-loop")
    assert wide.weights.mean() == pytest.approx(-0.3, abs=5 * 0.1 / 100)


LISTED = [[0.1, 1, 1, 1, 0, 0], [0.1, 1, 1, 1, 0, 0], [2.8, 1, 1, 1, 0, 0]]


@pytest.mark.parametrize(
    "device",
    [
        tt.JumpTable(states=200, up=[[0, 0.1, 0.2, 5, 20]] * 2, down=[[0, 0.1, 0.2, 5, 20]] * 2),
        tt.SoftBounds(states=200, measured=LISTED),
    ],
    ids=["jumps", "list"],
)
def test_an_update_moves_weights_by_what_it_says(device: Any) -> None:
    """δ is a mean over pulses and devices, not a median."""
    even: dict[str, Any] = {"bound_spread": 0.0, "step_spread": 0.0, "asymmetry": 0.0}
    pair = replace(device, pair=tt.OneSidedPair(10**9), **even)
    array = tt.Crossbar(100, 100, pair, seed=3)
    half = array.device_parameters["upper_bound"] / 2
    array.weights = half  # where δ is defined
    array.update(np.ones(100), np.ones(100), 0.02)
    assert (array.weights - half).mean() == pytest.approx(0.02, rel=0.07)


def test_a_state_that_contradicts_itself() -> None:
    """Weights follow from g⁺ and g⁻, which stay within the ranges of their devices."""
    array = tt.Crossbar(2, 2, TENTH, seed=1)
    state = array.state()
    state["weights"] = np.full((2, 2), 0.4, np.float32)
    state["weights.plus"] = np.array([[-0.2, 3e38], [-0.5, 0.5]], np.float32)
    array.restore(state)
    assert array.pair is not None
    np.testing.assert_allclose(array.pair[0], [[0.0, 1.0], [0.0, 0.5]], atol=1e-6)
    np.testing.assert_allclose(array.weights, [[0.0, 1.0], [0.0, 0.5]], atol=1e-6)


def test_sizes_and_costs_are_of_both_devices() -> None:
    pair, single = tt.SoftBounds(states=20, pair=EXACT), tt.SoftBounds(states=20)
    assert (states_of(pair), states_of(replace(pair, states=None)), states_of(single)) == (40, 40, 20)
    skewed = tt.SoftBounds(weight_step=0.06, upper_bound=0.9, lower_bound=-0.3, pair=EXACT)
    assert step_of(skewed) == pytest.approx(float(tt.Crossbar(1, 1, skewed).weight_step), rel=1e-4)
    x, labels = np.ones((4, 3), np.float32), np.zeros(4, np.int64)

    def area(device: tt.Device) -> float:
        network = tt.Network([tt.nn.Linear(3, 2)], tt.Ttv2(device=device), seed=1)
        network.train(x, labels)
        return float(tt.Costs().of(network).parts["area_mm2"]["devices"].usual)

    assert area(pair) == pytest.approx(2 * area(single), rel=0.3)  # references are of single devices
    assert area(pair) > 1.4 * area(single)


def test_reference_is_an_error_of_weight_0() -> None:
    array = tt.Crossbar(3, 2, TENTH, reference=tt.Reference("ideal", mean=0.05), seed=1)
    np.testing.assert_allclose(array.weights, 0, atol=1e-6)  # it rests there, where g⁺ can
    np.testing.assert_array_equal(array.symmetry_point, 0)
    array.pulse_column(1, [1, -1, 0])
    np.testing.assert_allclose(array.weights[:, 1], [0.1, -0.1, 0], atol=1e-6)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="zero-shifting needs devices that step up and down"):
        tt.Crossbar(2, 2, PCM, reference=tt.Reference("zero-shift"))
    with pytest.raises(ValueError, match="zero-shifting needs"):
        tt.Crossbar(2, 2, PCM).zero_shift(10)
    with pytest.raises(ValueError, match="one-sided pairs are simulated without faults"):
        tt.Crossbar(2, 2, PCM, reliability=tt.Reliability(stuck=0.1))
    for up, where in (((2.0, 0.0, 0.0), "at half its range"), ((0.0, 1.0, 1.0), "from its lower bound")):
        with pytest.raises(ValueError, match=f"needs devices that step up; the mean device steps by 0 {where}"):
            tt.Crossbar(2, 2, tt.TableStep(cycle_noise=0.0, up=up, down=(1.0, 1.0), pair=EXACT))
    with pytest.raises(ValueError, match=r"refresh_every must be from 1 to 1,000,000,000, not 0"):
        tt.OneSidedPair(refresh_every=0)
    with pytest.raises(ValueError, match="upper_threshold"):
        tt.SoftBounds(pair=tt.OneSidedPair(upper_threshold=1.5))


def test_states_copies_and_files() -> None:
    array = tt.Crossbar(20, 30, PCM, seed=8, count_pulses=True)
    x, delta = np.random.default_rng(9).normal(size=(2, 60, 30)), np.random.default_rng(10).normal(size=(2, 60, 20))

    def train(made: tt.Crossbar, part: int) -> None:
        for a, b in zip(x[part], delta[part], strict=True):
            made.update(a, b, 0.02)
            made.elapse(3)

    train(array, 0)
    again = tt.Crossbar(20, 30, PCM, seed=8, count_pulses=True)
    again.restore(array.state())
    others = [again, copy.deepcopy(array), pickle.loads(pickle.dumps(array))]
    for each in (array, *others):
        train(each, 1)
    for each in others:
        np.testing.assert_array_equal(each.weights, array.weights)
        np.testing.assert_array_equal(each.pair, array.pair)
        assert each.ledger == array.ledger
    with pytest.raises(ValueError, match="state"):
        tt.Crossbar(20, 30, replace(PCM, pair=None), seed=8, count_pulses=True).restore(array.state())
    table = config.to_dict(tt.Ttv2(device=PCM))
    assert tt.TrainConfig.from_dict({"rule": table | {"kind": "ttv2"}}).rule == tt.Ttv2(device=PCM)
    written = tt.TrainConfig(rule=tt.AnalogSgd(device=replace(PCM, pair=tt.OneSidedPair(7)))).to_toml()
    assert tomllib.loads(written)["rule"]["device"]["pair"]["refresh_every"] == 7


@pytest.mark.parametrize("kind", [kind for kind in rules if kind != "float"])
def test_every_rule_works_on_pairs(kind: str) -> None:
    """The same bits on any threads, stopped and resumed, whole or in tiles of the size of the layer."""
    device = replace(PCM, pair=tt.OneSidedPair(refresh_every=20, upper_threshold=0.5, lower_threshold=0.1))
    rule: Any = rules[kind](device=device, count_pulses=True)
    layers = [tt.nn.Linear(12, 16), tt.nn.Tanh(), tt.nn.Linear(16, 3)]
    generator = np.random.default_rng(11)
    data, labels = generator.normal(size=(240, 12)).astype(np.float32), generator.integers(0, 3, 240)

    def made(rule: Any = rule) -> tt.Network:
        return tt.Network(layers, rule, seed=12)

    whole = made()
    whole.train(data, labels, batch=8, threads=1)
    assert np.all(np.isfinite(whole.weights[0]))
    assert sum(whole.ledger[name]["pulses"] for name in ("fast", "slow")) > 0
    assert whole.ledger["slow"]["line_reads"] >= 2 * (13 + 17) * (240 // 20)  # every refresh reads every pair
    for other in (made(), made(replace(rule, tile=64))):
        other.train(data, labels, batch=8, threads=3)
        assert other.digest() == whole.digest()
    first = made()
    first.train(data[:120], labels[:120], batch=8, threads=2)
    resumed = made()
    resumed.restore(first.state())
    resumed.train(data[120:], labels[120:], batch=8, threads=1)
    assert resumed.digest() == whole.digest()
    tiled = made(replace(rule, tile=7))
    tiled.train(data, labels, batch=8, threads=2)
    assert np.all(np.isfinite(tiled.weights[0]))
