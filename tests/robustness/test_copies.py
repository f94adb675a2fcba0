"""Copies, deep copies and pickles of everything that holds arrays continue to the same bits."""

import copy
import multiprocessing
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from support.copies import Momentum, continued

RNG = np.random.default_rng(3)
X, Y = RNG.uniform(0, 1, (40, 5)).astype(np.float32), np.arange(40) % 3
LAYERS = [tt.nn.Linear(5, 4), tt.nn.Tanh(), tt.nn.Linear(4, 3)]
FULL = tt.Periphery.full()
RULES: dict[str, Any] = {
    "float": tt.DigitalSgd(),
    "sgd": tt.AnalogSgd(lr=0.1, periphery=FULL, count_pulses=True),
    "ttv1": tt.Ttv1(periphery=FULL, slow_reference=tt.Reference("zero-shift", pulses=20)),
    "ttv2": tt.Ttv2(periphery=FULL, slow_device=tt.ConstantStep(states=50)),
    "own": Momentum(0.1),
    "list": [tt.Ttv2(), tt.AnalogSgd()],
    "mixed": {"linear1": Momentum(0.2), "default": tt.DigitalSgd()},
}
COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{f"pickle{n}": lambda value, n=n: pickle.loads(pickle.dumps(value, n)) for n in range(2, 6)},  # type: ignore[misc]
}


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("rules", RULES)
def test_a_copied_network_continues_to_the_same_bits(rules: str, how: str) -> None:
    network = tt.Network(LAYERS, RULES[rules], seed=4)
    network.averaging = network.keeps_average
    network.train(X, Y)
    other = COPIES[how](network)
    assert (other.layers, other.loss, other.seed, repr(other)) == (network.layers, "cross-entropy", 4, repr(network))
    before = network.digest()
    digest = continued(other, X, Y)
    assert network.digest() == before  # the copy is a network of its own
    assert continued(network, X, Y) == digest


@pytest.mark.parametrize("how", COPIES)
def test_a_copied_network_continues_its_text(how: str) -> None:
    codes = np.arange(24).reshape(4, 6) % 5
    network = tt.Network([tt.nn.LSTM(5, 4, carry=True), tt.nn.Linear(4, 5)], tt.Ttv2(), seed=4)
    network.train(codes, codes)
    other = COPIES[how](network)
    assert continued(other, codes, codes) == continued(network, codes, codes)


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("shift", [0, 11])
@pytest.mark.parametrize("device", [tt.SoftBounds(states=30), tt.ConstantStep(cycle_noise=0.2)])
def test_a_copied_crossbar_continues_to_the_same_bits(device: Any, shift: int, how: str) -> None:
    array = tt.Crossbar(4, 3, device, periphery=FULL, seed=2**64 - 1, array=7, count_pulses=True)
    if shift:
        array.zero_shift(shift)
    array.update([1.0, 0.5, -1.0], [0.1, 0.2, -0.3, 0.4], 0.5)
    other = COPIES[how](array)
    assert repr(other) == repr(array)
    for each in (array, other):
        each.update([0.3, 0.5, -1.0], [0.1, 0.2, 0.3, 0.4], 0.5)
    np.testing.assert_array_equal(other.forward(np.eye(3)), array.forward(np.eye(3)))
    for name, values in array.state().items():
        np.testing.assert_array_equal(other.state()[name], values)
    for name, values in array.device_parameters.items():
        np.testing.assert_array_equal(other.device_parameters[name], values)


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("rule", ["float", "sgd", "ttv1", "ttv2", "own"])
def test_a_copied_layer_continues_to_the_same_bits(rule: str, how: str) -> None:
    layer = tt.AnalogLayer(RULES[rule], RNG.uniform(-0.2, 0.2, (3, 5)), seed=3, layer=2)
    layer.update(X[:4], RNG.uniform(-1, 1, (4, 3)))
    other = COPIES[how](layer)
    assert repr(other) == repr(layer)
    delta = RNG.uniform(-1, 1, (4, 3))
    for each in (layer, other):
        each.update(X[4:8], delta)
    np.testing.assert_array_equal(other.forward(X), layer.forward(X))
    np.testing.assert_array_equal(other.weights, layer.weights)


@pytest.mark.parametrize("how", COPIES)
def test_a_copied_chip_and_model_are_the_same(how: str) -> None:
    network = tt.Network(LAYERS, tt.Ttv2(), seed=1)
    model = network.extract("read").quantised(6)
    other_model = COPIES[how](model)
    assert (other_model.metadata, repr(other_model)) == (model.metadata, repr(model))
    np.testing.assert_array_equal(other_model.forward(X), model.forward(X))
    assert not other_model.weights[0].flags.writeable
    chip = tt.program(model, rule=tt.Ttv2(), method="closed-loop", seed=2)
    other = COPIES[how](chip)
    assert (other.pulses, other.steps, other.rms_error) == (chip.pulses, chip.steps, chip.rms_error)
    if how != "copy":  # the fields of a shallow copy are the same objects
        assert continued(other.network, X, Y) == continued(chip.network, X, Y)


def test_copies_train_in_other_processes() -> None:
    """What joblib and multiprocessing do: spawned processes get pickles."""
    networks = [tt.Network(LAYERS, RULES[rules], seed=4) for rules in ("ttv2", "own", "list")]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        digests = pool.starmap(continued, [(network, X, Y) for network in networks])
    assert digests == [continued(network, X, Y) for network in networks]


def test_attributes_of_a_subclass_are_copied() -> None:
    class Named(tt.Network):
        name = "none"

    network = Named(LAYERS, tt.DigitalSgd())
    network.name = "mine"
    assert copy.deepcopy(network).name == "mine"
    assert type(copy.copy(network)) is Named


@pytest.mark.parametrize(
    "value",
    [
        tt.Network(LAYERS, tt.DigitalSgd()),
        tt.Crossbar(2, 2),
        tt.AnalogLayer(tt.Ttv2(), np.zeros((2, 2))),
        tt.program(tt.Network(LAYERS, tt.Ttv2()).extract("read")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_pickle_of_another_version_is_refused(value: Any) -> None:
    state = value.__getstate__()
    assert state["format"] == 1
    for bad in ({**state, "format": 2}, {name: each for name, each in state.items() if name != "format"}):
        with pytest.raises(ValueError, match="must be of format version 1, not"):
            copy.copy(value).__setstate__(bad)
