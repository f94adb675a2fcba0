"""A setting that can be assigned takes effect; any other assignment is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tikitaka as tt

LAYERS = [tt.nn.Linear(4, 5), tt.nn.Tanh(), tt.nn.Linear(5, 3)]


def network(rules: Any = tt.Ttv2()) -> tt.Network:  # noqa: B008  # frozen
    return tt.Network(LAYERS, rules, seed=1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rules", tt.DigitalSgd()),
        ("seed", 2),
        ("loss", "mse"),
        ("layers", LAYERS[:1]),
        ("names", ["a", "b"]),
        ("inputs", 5),
        ("ledger", {}),
        ("lr", 0.1),
        ("averagin", True),
    ],
)
def test_a_network_refuses_settings_that_would_have_no_effect(name: str, value: Any) -> None:
    made = network()
    before = made.describe()
    with pytest.raises(
        AttributeError, match=rf"^{name} .*make another Network, and start_from the weights of this one"
    ):
        setattr(made, name, value)
    assert made.describe() == before
    assert (made.seed, made.loss, made.rules) == (1, "cross-entropy", tt.Ttv2())


def test_parts_of_a_network_cannot_be_assigned() -> None:
    made = network([tt.Ttv2(), tt.Ttv2()])
    digest = made.digest()
    for assign in (
        lambda: made.weights[0].__setitem__(slice(None), 0),
        lambda: made.weights[0].__iadd__(1),
        lambda: made.weights.__setitem__(0, made.weights[0] * 0),  # type: ignore[attr-defined]
        lambda: made.rules.__setitem__(0, tt.DigitalSgd()),  # type: ignore[union-attr]
        lambda: made.rules.append(tt.DigitalSgd()),  # type: ignore[union-attr]
        lambda: made.layers.__setitem__(0, LAYERS[0]),  # type: ignore[attr-defined]
        lambda: made.device_parameters(0)["c.up_step"].__setitem__(slice(None), 0),
    ):
        with pytest.raises((AttributeError, ValueError, TypeError)):
            assign()
    assert made.digest() == digest
    made.weights = [0 * w for w in made.weights]  # all at once works
    assert all((w == 0).all() for w in made.weights)


def test_rules_that_the_caller_changes_later_are_not_those_of_the_network() -> None:
    class Own(tt.Rule):
        lr = 0.1

        def build(self, weights: Any, seed: int, layer: int) -> None:
            self.array = tt.Crossbar(*weights.shape, seed=seed)

        def update(self, x: Any, delta: Any, lr_scale: float) -> None:
            pass

    rule, rules = Own(), [tt.Ttv2(), tt.Ttv2()]
    one, each = network(rule), network(rules)
    rule.lr = 5.0
    rules[0] = tt.Ttv2(fast_lr=0.1)
    assert one.rules.lr == 0.1  # type: ignore[union-attr]
    assert each.rules == (tt.Ttv2(), tt.Ttv2())


@pytest.mark.parametrize("name", ["weights", "reference", "symmetry_point", "pulses"])
def test_elements_of_an_array_cannot_be_assigned(name: str) -> None:
    array = tt.Crossbar(2, 3, count_pulses=True)
    with pytest.raises(ValueError, match="read-only"):
        getattr(array, name)[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        array.device_parameters["up_step"][:] = 1
    array.weights = array.weights + 0.1
    np.testing.assert_allclose(array.weights, 0.1, atol=1e-6)


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (tt.Crossbar(2, 3), "periphery"),
        (tt.Crossbar(2, 3), "weight_step"),
        (tt.AnalogLayer(tt.Ttv2(), np.zeros((2, 3))), "rule"),
        (tt.AnalogLayer(tt.Ttv2(), np.zeros((2, 3))), "seed"),
        (network().extract("read"), "weights"),
        (network().extract("read"), "bits"),
        (tt.SoftBounds(), "states"),
        (tt.Ttv2(), "fast_lr"),
        (tt.program(network().extract("read")), "network"),
        (tt.Run(Path(), tt.TrainConfig()), "config"),
        (tt.Run(Path(), tt.TrainConfig()), "path"),
        (tt.Run(Path(), tt.TrainConfig()), "epochs"),
        (tt.EarlyStopping(), "patience"),
        (tt.EarlyStopping(), "metrics"),
        (tt.TrainConfig(), "epochs"),
        (tt.data.load("digits"), "train_x"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_others_refuse_what_would_have_no_effect(made: Any, name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(made, name, 1)


def test_elements_of_layers_and_models_cannot_be_assigned() -> None:
    layer = tt.AnalogLayer(tt.Ttv2(), np.zeros((2, 3)))
    for weights in (layer.weights, network().extract("read").weights[0]):
        with pytest.raises(ValueError, match="read-only"):
            weights[0, 0] = 1


def test_averaging_is_refused_where_nothing_averages() -> None:
    for made in (network(tt.AnalogSgd()), tt.AnalogLayer(tt.AnalogSgd(), np.zeros((2, 3)))):
        made.averaging = False  # type: ignore[attr-defined]
        with pytest.raises(ValueError, match="averaging must be False: "):
            made.averaging = True  # type: ignore[attr-defined]
    mixed = network([tt.AnalogSgd(), tt.Ttv2()])
    mixed.averaging = True
    assert mixed.averaging
