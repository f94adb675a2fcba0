"""A state says what it belongs to, and is refused anywhere else."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tikitaka as tt

X, Y = np.random.default_rng(3).uniform(0, 1, (20, 4)), np.arange(20) % 3
LAYERS = [tt.nn.Linear(4, 5), tt.nn.Tanh(), tt.nn.Linear(5, 3)]
RULE = tt.Ttv2(device=tt.SoftBounds(states=30))


class Plain(tt.Rule):
    def build(self, weights: Any, seed: int, layer: int) -> None:
        self.array = tt.Crossbar(*weights.shape, seed=seed, array=2 * layer + 1)
        self.array.weights = weights

    def update(self, x: Any, delta: Any, lr_scale: float) -> None:
        for x_s, delta_s in zip(x, delta, strict=True):
            self.array.update(x_s, delta_s, -0.1 * lr_scale)


class Other(Plain):
    pass


@pytest.mark.parametrize(
    ("rules", "changed", "words"),
    [
        (RULE, {"seed": 2}, "must be of a network with the seed 2, not 1"),
        (tt.DigitalSgd(), {"seed": 2}, "must be of a network with the seed 2, not 1"),
        (Plain(), {"seed": 2}, "must be of a network with the seed 2, not 1"),
        (RULE, {"rules": replace(RULE, device=tt.SoftBounds(states=31))}, "devices and settings"),
        (RULE, {"rules": replace(RULE, device=tt.SoftBounds(states=30, cycle_noise=0.1))}, "devices and settings"),
        (RULE, {"rules": replace(RULE, slow_device=tt.ConstantStep())}, "devices and settings"),
        (RULE, {"rules": replace(RULE, fast_lr=0.1)}, "devices and settings"),
        (RULE, {"rules": replace(RULE, periphery=tt.Periphery.full())}, "devices and settings"),
        (RULE, {"rules": [RULE, replace(RULE, transfer_every=3)]}, "devices and settings"),
        (tt.AnalogSgd(lr=0.1), {"rules": tt.AnalogSgd(lr=0.2)}, "devices and settings"),
        (tt.DigitalSgd(lr=0.1), {"rules": tt.DigitalSgd(lr=0.2)}, "devices and settings"),
        (tt.Ttv1(gamma=0.1), {"rules": tt.Ttv1(gamma=0.2)}, "devices and settings"),
        (Plain(), {"rules": Other()}, "a rule Other with the same devices and settings"),
        (RULE, {"loss": "mse"}, "a network with the same devices and settings"),
        (RULE, {"layers": [LAYERS[0], tt.nn.Sigmoid(), LAYERS[2]]}, "a network with the same devices and settings"),
        (
            RULE,
            {"layers": [tt.nn.Linear(4, 5, scale=2.0), *LAYERS[1:]]},
            "a network with the same devices and settings",
        ),
    ],
)
def test_a_network_refuses_the_state_of_another(rules: Any, changed: dict[str, Any], words: str) -> None:
    network = tt.Network(LAYERS, rules, seed=1)
    network.train(X, Y)
    settings: dict[str, Any] = {"layers": LAYERS, "rules": rules, "seed": 1, **changed}
    other = tt.Network(settings.pop("layers"), settings.pop("rules"), **settings)
    before = other.state()
    with pytest.raises(ValueError, match=words):
        other.restore(network.state())
    after = other.state()
    assert all(np.array_equal(after[name], values) for name, values in before.items())
    again = tt.Network(LAYERS, rules, seed=1)
    again.restore(network.state())
    assert again.digest() == network.digest()


def test_every_weight_of_a_restored_state_is_within_its_device() -> None:
    network = tt.Network(LAYERS, tt.AnalogSgd(lr=1.0), seed=1)
    network.train(X, Y)
    again = tt.Network(LAYERS, tt.AnalogSgd(lr=1.0), seed=1)
    again.restore(network.state())
    for k, weights in enumerate(again.weights):
        devices = again.device_parameters(k)
        assert (weights >= devices["c.lower_bound"]).all()
        assert (weights <= devices["c.upper_bound"]).all()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"seed": 2}, "the array with the seed 2, not 1"),
        ({"array": 5}, "the array with the number 5, not 4"),
        ({"device": tt.SoftBounds(cycle_noise=0.1)}, "devices and settings"),
        ({"device": tt.ConstantStep()}, "devices and settings"),
        ({"periphery": tt.Periphery.full()}, "devices and settings"),
        ({"pulse_trains": tt.PulseTrains(max_length=7)}, "devices and settings"),
        ({"reference": tt.Reference("ideal")}, "the array has a reference, the state none"),
        ({"count_pulses": True}, "devices and settings"),
    ],
)
def test_a_crossbar_refuses_the_state_of_another(changed: dict[str, Any], words: str) -> None:
    state = tt.Crossbar(2, 3, seed=1, array=4).state()
    other = tt.Crossbar(2, 3, **{"seed": 1, "array": 4, **changed})
    with pytest.raises(ValueError, match=words):
        other.restore(state)
    tt.Crossbar(2, 3, seed=1, array=4).restore(state)


@pytest.mark.parametrize("rule", [tt.DigitalSgd(), RULE, Plain()])
@pytest.mark.parametrize(("changed", "words"), [({"seed": 2}, "seed 2, not 1"), ({"layer": 5}, "number 5, not 4")])
def test_a_layer_refuses_the_state_of_another(rule: Any, changed: dict[str, Any], words: str) -> None:
    state = tt.AnalogLayer(rule, np.zeros((2, 3)), seed=1, layer=4).state()
    with pytest.raises(ValueError, match=words):
        tt.AnalogLayer(rule, np.zeros((2, 3)), **{"seed": 1, "layer": 4, **changed}).restore(state)


def test_a_state_that_does_not_say_is_taken_as_before() -> None:
    """States of earlier releases."""
    network, again = (tt.Network(LAYERS, RULE, seed=1) for _ in range(2))
    network.train(X, Y)
    silent = ("origin", "from", "settings")
    again.restore({name: values for name, values in network.state().items() if not name.endswith(silent)})
    assert again.digest() == network.digest()


def test_a_state_keeps_its_origin_in_files(tmp_path: Any) -> None:
    network = tt.Network(LAYERS, RULE, seed=2**64 - 1)
    np.savez(tmp_path / "state.npz", **network.state())  # type: ignore[arg-type]
    with np.load(tmp_path / "state.npz") as state:
        tt.Network(LAYERS, RULE, seed=2**64 - 1).restore(state)
        with pytest.raises(ValueError, match="with the seed 7, not 18446744073709551615"):
            tt.Network(LAYERS, RULE, seed=7).restore(state)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"_seed": 2}, "a network with the seed 2, not 1"),
        ({"_loss": "mse"}, "a network with the same devices and settings"),
        ({"_layers": (*LAYERS, tt.nn.Tanh())}, "a network with the same devices and settings"),
        ({"_rules": tt.Ttv1()}, "a rule with the same devices and settings"),
        ({"_rules": (RULE, replace(RULE, fast_lr=0.5))}, "a rule with the same devices and settings"),
    ],
)
def test_a_pickle_whose_state_is_of_another_network_is_refused(changed: dict[str, Any], words: str) -> None:
    network = tt.Network(LAYERS, RULE, seed=1)
    pickled = network.__getstate__()
    with pytest.raises(ValueError, match=f"the state must be of {words}"):
        tt.Network.__new__(tt.Network).__setstate__({**pickled, "attributes": {**pickled["attributes"], **changed}})
    array = tt.Crossbar(2, 3, seed=2)
    with pytest.raises(ValueError, match="the array with the seed 2, not 1"):
        array.__setstate__(tt.Crossbar(2, 3, seed=1).__getstate__())
