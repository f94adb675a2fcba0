"""TTv1 reimplemented in Python equals the built-in rule bit for bit."""

import copy
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tikitaka as tt

F32 = NDArray[np.float32]
DIGITS = tt.data.load("digits").first(60)
LAYERS = [tt.nn.Linear(64, 12), tt.nn.Sigmoid(), tt.nn.Linear(12, 10)]


class PythonTtv1(tt.Rule):
    """GH20: gradients gather on A; every ns samples one column of A is read and added to that column of C."""

    def __init__(self, config: tt.Ttv1) -> None:
        self.config = config

    def build(self, weights: F32, seed: int, layer: int) -> None:
        (rows, cols), c = weights.shape, self.config
        options: dict[str, Any] = {
            "periphery": c.periphery,
            "pulse_trains": c.pulse_trains,
            "count_pulses": c.count_pulses,
        }
        new = partial(tt.Crossbar, rows, cols, c.device, seed=seed, **options)
        self.a = new(reference=c.reference, array=2 * layer)
        of_c = replace(c.periphery, read=replace(c.periphery.read, adc_bound=c.average_bound))
        self.c = new(reference=c.slow_reference, array=2 * layer + 1, periphery=of_c)
        self.c.weights = weights
        self.samples = self.k = 0

    @property
    def visible(self) -> tt.Crossbar:
        return self.c

    def update(self, x: F32, delta: F32, lr_scale: float) -> None:
        cols = self.c.shape[1]
        for x_s, delta_s in zip(x, delta, strict=True):
            self.a.update(x_s, -delta_s, self.config.fast_lr)
            self.samples += 1
            if self.samples % self.config.transfer_every == 0:
                v = self.a.read_column(self.k)
                self.c.update(np.eye(cols, dtype=np.float32)[self.k], v, self.config.transfer_lr * lr_scale)
                self.k = (self.k + 1) % cols


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("periphery", [tt.Periphery.ideal(), tt.Periphery.full()], ids=["ideal", "full"])
def test_a_python_rule_equals_the_built_in(batch: int, periphery: tt.Periphery) -> None:
    config = tt.Ttv1(fast_lr=0.2, transfer_lr=0.5, transfer_every=2, periphery=periphery)
    networks = [tt.Network(LAYERS, rule, seed=7) for rule in (config, PythonTtv1(config))]
    scores = []
    for network in networks:
        score = network.train(DIGITS.train_x, DIGITS.train_y, batch=batch, lr_scale=0.7, threads=2)
        scores.append((score, network.evaluate(DIGITS.test_x, DIGITS.test_y, draw=3)))
    assert scores[0] == scores[1]
    for built_in, python in zip(*(network.weights for network in networks), strict=True):
        np.testing.assert_array_equal(built_in, python)


CONFIG = tt.Ttv1(fast_lr=0.2, transfer_lr=0.5, periphery=tt.Periphery.full(), count_pulses=True)


def trained(rule: tt.Ttv1 | tt.Rule) -> tt.Network:
    network = tt.Network(LAYERS, rule, seed=7)
    network.train(DIGITS.train_x, DIGITS.train_y, batch=3)
    return network


def test_the_rest_of_a_python_rule_equals_the_built_in() -> None:
    networks = [trained(CONFIG), trained(PythonTtv1(CONFIG))]
    states = [network.state() for network in networks]
    for name, array in states[1].items():
        if "|" not in name:  # what numbers of Python are stored as
            np.testing.assert_array_equal(array, states[0][name], err_msg=name)
    assert {"0.c", "0.a.reference", "0.a.pulses", "0.a.counts.updates"} < states[1].keys()
    assert networks[0].ledger == networks[1].ledger
    targets = [w + np.float32(0.1) for w in networks[0].weights]
    pulses = [network.program(targets, "closed-loop", max_pulses=7) for network in networks]
    assert pulses[0] == pulses[1]
    assert pulses[0][0] > 0
    models = [network.extract("read", draw=4) for network in networks]
    for built_in, python in zip(models[0].weights, models[1].weights, strict=True):
        np.testing.assert_array_equal(built_in, python)
    drawn = [network.device_parameters(0) for network in networks]
    assert drawn[0].keys() == drawn[1].keys()
    np.testing.assert_array_equal(drawn[0]["a.up_step"], drawn[1]["a.up_step"])


def test_a_restored_python_rule_continues_bit_for_bit() -> None:
    first, second = trained(PythonTtv1(CONFIG)), tt.Network(LAYERS, PythonTtv1(CONFIG), seed=7)
    second.restore(first.state())
    for network in (first, second):
        network.train(DIGITS.train_x, DIGITS.train_y, batch=2)
    assert first.digest() == second.digest()
    assert all(np.array_equal(array, second.state()[name]) for name, array in first.state().items())


class Everything(PythonTtv1):
    """Attributes of every type that a state may contain."""

    def build(self, weights: F32, seed: int, layer: int) -> None:
        super().build(weights, seed, layer)
        self.tiles = [self.a, tt.Crossbar(2, 2, seed=seed)]
        self.layer = tt.AnalogLayer(tt.Ttv2(), np.zeros((2, 3)))
        self.random = np.random.default_rng(seed)
        self.numbers = {"float": 0.1, "int": -3, "bool": True, "pair": (np.float16(0.5), np.int8(-7))}
        self.buffer = np.linspace(0, 1, 6).reshape(1, 2, 3)
        self.name = "a setting"


def test_states_hold_attributes_of_every_kind() -> None:
    layers = [tt.AnalogLayer(Everything(CONFIG), np.zeros((3, 4)), seed=seed) for seed in (1, 1)]
    layers[0].update(np.ones(4), np.ones(3))
    layers[0].averaging = True
    state = layers[0].state()
    assert state["buffer|float64"].shape == (1, 2, 3)
    layers[1].restore(state)
    assert layers[1].averaging
    assert state.keys() == layers[1].state().keys()
    assert all(np.array_equal(array, layers[1].state()[name]) for name, array in state.items())


@pytest.mark.parametrize("change", ["missing", "extra", "shape", "type", "array"])
def test_a_python_rule_is_restored_whole_or_not_at_all(change: str) -> None:
    layer = tt.AnalogLayer(PythonTtv1(CONFIG), np.zeros((3, 4)), seed=1)
    before = layer.state()
    layer.update(np.ones(4), np.ones(3))
    state = layer.state()
    if change == "missing":
        del state["k|int64"]
    elif change == "extra":
        state["other"] = state["c"]
    elif change == "shape":
        state["a"] = state["a"].T
    elif change == "type":
        state["samples|float64"] = state.pop("samples|int64")
    else:
        state["c.counts.pulses"] = np.array(2**63, np.uint64)
    layer.restore(before)
    with pytest.raises(ValueError, match=r"must (have|be)|allowed"):
        layer.restore(state)
    assert all(np.array_equal(array, layer.state()[name]) for name, array in before.items())


def test_a_copy_of_a_layer_continues_on_its_own() -> None:
    first = tt.AnalogLayer(PythonTtv1(CONFIG), np.zeros((3, 4)), seed=1)
    first.update(np.ones(4), np.ones(3))
    second = copy.deepcopy(first)
    second.update(np.ones(4), np.ones(3))
    assert not np.array_equal(first.weights, second.weights)
    first.update(np.ones(4), np.ones(3))
    np.testing.assert_array_equal(first.weights, second.weights)


def test_an_array_is_saved_and_copied() -> None:
    arrays = [tt.Crossbar(2, 3, seed=5, periphery=tt.Periphery.full(), count_pulses=True) for _ in range(2)]
    arrays[0].update([1.0, 0.5, -1.0], [0.3, -0.4], 0.5)
    arrays[1].restore(arrays[0].state())
    arrays.append(copy.copy(arrays[0]))
    for array in arrays:
        array.update([1.0, 0.5, -1.0], [0.3, -0.4], 0.5)
        assert array.ledger == arrays[0].ledger
        np.testing.assert_array_equal(array.weights, arrays[0].weights)
    with pytest.raises(ValueError, match="weights"):
        arrays[0].restore(tt.Crossbar(3, 2, count_pulses=True).state())


def test_a_python_rule_trains_by_fit_beside_a_built_in_one() -> None:
    network = tt.Network(LAYERS, [PythonTtv1(tt.Ttv1(fast_lr=0.5, transfer_lr=0.1)), tt.DigitalSgd()], seed=1)
    history = tt.fit(network, DIGITS, epochs=2, progress=False)
    assert len(history) == 2
    assert "PythonTtv1" in network.describe()


def test_a_rule_may_call_its_array_as_it_likes() -> None:
    """The guard against saturated arrays, which inspects A and C, ignores it."""

    class Still(tt.Rule):
        """Learns nothing."""

        def build(self, weights: F32, seed: int, layer: int) -> None:
            self.array = tt.Crossbar(*weights.shape, seed=seed, array=layer)
            self.array.weights = weights

        def update(self, x: F32, delta: F32, lr_scale: float) -> None:
            pass

    assert len(tt.fit(tt.Network(LAYERS, Still(), seed=1), DIGITS, epochs=1, progress=False)) == 1


def test_what_a_rule_lacks_is_named() -> None:
    class Empty(tt.Rule):
        """Nothing implemented."""

    with pytest.raises(NotImplementedError, match=r"Empty must implement build\(\)"):
        tt.Network(LAYERS, Empty())


def test_errors_of_a_rule_reach_the_caller() -> None:
    class Broken(PythonTtv1):
        def update(self, x: F32, delta: F32, lr_scale: float) -> None:
            raise RuntimeError("out of paper")

    network = tt.Network(LAYERS, Broken(tt.Ttv1(fast_lr=0.5, transfer_lr=0.1)))
    with pytest.raises(RuntimeError, match="out of paper"):
        network.train(DIGITS.train_x, DIGITS.train_y)


def test_an_object_that_is_no_rule_is_refused() -> None:
    with pytest.raises(TypeError, match="rule"):
        tt.Network(LAYERS, object())  # type: ignore[arg-type]
