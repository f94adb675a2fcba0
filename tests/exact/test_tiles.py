"""Layers cut into tiles: each tile is an array of its own, and together they are the layer.

The oracle is one `AnalogLayer` per tile, with its part of weights, inputs and errors, and the number that the tile has.
"""

import copy
import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from tikitaka.config.rule import rules

SHAPE, TILE = (7, 11), (4, 5)  # 2 × 3 tiles
ROWS, COLS = [(0, 3), (3, 7)], [(0, 3), (3, 7), (7, 11)]
LAYERS_PER_TILE = 2**23
BY_HAND = {"fast_lr": 0.3, "transfer_lr": 0.5}
RATES: dict[str, dict[str, Any]] = {
    "sgd": {"lr": 0.1},
    "mp": {"lr": 0.1},
    "tiles": {"fast_lr": 0.3, "transfer_lr": 0.3, "warm_start": 3},
}
ALL = [
    rule(
        **RATES.get(kind, BY_HAND),
        device=tt.SoftBounds(cycle_noise=0.3, step_spread=0.3),
        periphery=tt.Periphery.full(0.06),
    )
    for kind, rule in rules.items()
    if kind != "float"
]


def parts() -> list[tuple[slice, slice]]:
    return [(slice(*rows), slice(*cols)) for rows in ROWS for cols in COLS]


def data(batch: int, seed: int = 0) -> tuple[Any, Any]:
    generator = np.random.default_rng(seed)
    x = generator.uniform(-1, 1, (batch, SHAPE[1])).astype(np.float32)
    return x, generator.normal(0, 0.3, (batch, SHAPE[0])).astype(np.float32)


def weights() -> Any:
    return np.random.default_rng(9).uniform(-0.3, 0.3, SHAPE).astype(np.float32)


def same(one: Any, other: Any) -> None:
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.kind)
def test_each_tile_is_an_array_of_its_own(rule: Any) -> None:
    whole = tt.AnalogLayer(replace(rule, tile=TILE), weights(), seed=3, layer=2)
    tiles = [
        tt.AnalogLayer(rule, weights()[part], seed=3, layer=2 + t * LAYERS_PER_TILE) for t, part in enumerate(parts())
    ]
    for step in range(12):
        x, delta = data(1 + step % 3, step)
        y, z = np.zeros((len(x), SHAPE[0]), np.float32), np.zeros((len(x), SHAPE[1]), np.float32)
        for tile, (rows, cols) in zip(tiles, parts(), strict=True):
            y[:, rows] += tile.forward(x[:, cols])
            z[:, cols] += tile.backward(delta[:, rows])
            tile.update(x[:, cols], delta[:, rows])
        np.testing.assert_array_equal(whole.forward(x), y)
        np.testing.assert_array_equal(whole.backward(delta), z)
        whole.update(x, delta)
    for tile, part in zip(tiles, parts(), strict=True):
        np.testing.assert_array_equal(whole.weights[part], tile.weights)
        np.testing.assert_array_equal(whole.read_weights(draw=5)[part], tile.read_weights(draw=5))
        for name, values in tile.device_parameters().items():
            np.testing.assert_array_equal(whole.device_parameters()[name][part], values, err_msg=name)
    y = np.zeros((3, SHAPE[0]), np.float32)
    x = data(3)[0]
    for tile, (rows, cols) in zip(tiles, parts(), strict=True):
        y[:, rows] += tile.evaluate(x[:, cols], draw=4)
    np.testing.assert_array_equal(whole.evaluate(x, draw=4), y)

    ledgers, sums = [tile.ledger for tile in tiles], whole.ledger
    for array in ("fast", "slow"):
        for name, count in sums[array].items():
            assert count == sum(ledger[array][name] for ledger in ledgers), (array, name)
    # every output is the sum of 3 tiles forward, every input that of 2 backward
    partial_sums = sum(1 + step % 3 for step in range(12)) * (SHAPE[0] * 2 + SHAPE[1])
    digital = sum(ledger["digital_operations"] for ledger in ledgers)
    assert sums["digital_operations"] == digital + partial_sums
    assert sums["buffer_accesses"] == sum(ledger["buffer_accesses"] for ledger in ledgers)


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.kind)
def test_one_tile_as_large_as_the_layer_is_no_tile(rule: Any) -> None:
    one, none = (tt.AnalogLayer(replace(rule, tile=tile), weights(), seed=3) for tile in (SHAPE, None))
    for step in range(5):
        x, delta = data(2, step)
        np.testing.assert_array_equal(one.forward(x), none.forward(x))
        one.update(x, delta)
        none.update(x, delta)
    assert one.ledger == none.ledger
    first, second = one.state(), none.state()
    first.pop("settings", None), second.pop("settings", None)
    same(first, second)


@pytest.mark.parametrize("rule", [replace(rule, tile=3) for rule in ALL], ids=lambda rule: rule.kind)
def test_saved_copied_and_pickled_bits(rule: Any) -> None:
    made = tt.AnalogLayer(rule, weights(), seed=3)
    for step in range(7):
        made.update(*data(2, step))
    other = tt.AnalogLayer(rule, np.zeros(SHAPE), seed=3)
    other.restore(made.state())
    others = [other, copy.deepcopy(made), pickle.loads(pickle.dumps(made))]
    for again in [made, *others]:
        for step in range(7, 12):
            again.forward(data(2, step)[0])
            again.update(*data(2, step))
    for again in others:
        same(made.state(), again.state())
        assert made.ledger == again.ledger


def test_values_per_crosspoint_are_those_of_the_layer() -> None:
    made = tt.AnalogLayer(tt.Ttv2(tile=TILE, count_pulses=True, fast_lr=0.3), weights(), seed=1)
    made.update(*data(9))
    state = made.state()
    for name in ("a", "c", "h", "average", "a.reference", "a.pulses", "c.pulses"):
        assert state[name].shape == SHAPE, name
    assert state["a.pulses"].sum() == made.ledger["fast"]["pulses"] > 0


def test_a_state_that_does_not_fit_changes_nothing() -> None:
    made = tt.AnalogLayer(tt.Ttv2(tile=TILE), weights(), seed=1)
    made.update(*data(9))
    before = made.state()
    broken = {name: value for name, value in before.items() if name != "[5].schedule.line"}
    broken["c"] = np.zeros(SHAPE, np.float32)
    with pytest.raises(ValueError, match=r"schedule\.line"):
        made.restore(broken)
    same(made.state(), before)
    with pytest.raises(ValueError, match=r"c of the state must have shape \[7, 11\], not \[2, 2\]"):
        made.restore(before | {"c": np.zeros((2, 2), np.float32)})


@pytest.mark.parametrize("method", ["exact", "error", "closed-loop", "open-loop"])
def test_programmed(method: str) -> None:
    made = tt.AnalogLayer(tt.Ttv2(tile=TILE), np.zeros(SHAPE), seed=1)
    made.program(weights(), method, error=0.01 if method == "error" else 0.0)
    assert np.abs(made.weights - weights()).max() < (0.2 if method == "open-loop" else 0.1)


class Halves(tt.Rule):
    """A rule in Python on tiles of at most 4 × 4."""

    tile = 4

    def build(self, weights: Any, seed: int, layer: int) -> None:
        self.array = tt.Crossbar(*weights.shape, tt.ConstantStep(), seed=seed, array=2 * layer + 1)
        self.array.weights = weights
        self.number = np.array([layer])

    def update(self, x: Any, delta: Any, lr_scale: float) -> None:
        for one, error in zip(x, delta, strict=True):
            self.array.update(one, error, -0.1 * lr_scale)


def test_rules_in_python_have_tiles() -> None:
    made = tt.AnalogLayer(Halves(), weights(), seed=1)
    np.testing.assert_allclose(made.weights, weights())
    x, delta = data(3)
    np.testing.assert_allclose(made.forward(x), x @ weights().T, atol=1e-6)
    made.update(x, delta)
    numbers = [int(made.state()[f"[{t}].number|int64"][0]) for t in range(6)]
    assert numbers == [t * LAYERS_PER_TILE for t in range(6)]
    bad = Halves()
    bad.tile = "x"  # type: ignore[assignment]
    with pytest.raises(TypeError, match="tile must be"):
        tt.AnalogLayer(bad, weights())


def network(rule: Any) -> tt.Network:
    layers = [tt.nn.Conv2d(1, 8, 8, filters=5, kernel=3), tt.nn.Tanh(), tt.nn.Flatten(5, 6, 6), tt.nn.Linear(180, 4)]
    return tt.Network(layers, rule, seed=2)


@pytest.mark.parametrize("periphery", [tt.Periphery(), tt.Periphery.full()], ids=["ideal", "full"])
def test_networks_train_the_same_on_any_threads(periphery: tt.Periphery) -> None:
    generator = np.random.default_rng(0)
    x, classes = generator.random((40, 64), dtype=np.float32), generator.integers(0, 4, 40)
    rule = tt.Ttv2(tile=(3, 50), periphery=periphery)
    one, two = network(rule), network(rule)
    for batch in (1, 8, 40):
        assert one.train(x, classes, batch=batch) == two.train(x, classes, batch=batch, threads=2)
    same(one.state(), two.state())
    assert one.ledger == two.ledger
    np.testing.assert_array_equal(one.forward(x), two.forward(x, threads=2))


def test_an_lstm_on_tiles() -> None:
    codes = np.random.default_rng(0).integers(0, 6, (12, 9))
    made = tt.Network([tt.nn.LSTM(6, 8), tt.nn.Linear(8, 6)], tt.Ttv2(tile=8), seed=1)
    losses = [made.train(codes[:, :-1], codes[:, 1:], batch=4).loss for _ in range(90)]
    assert losses[-1] < 0.95 * losses[0]


def test_settings() -> None:
    assert tt.Ttv2(tile=[np.int64(4), 5]) == tt.Ttv2(tile=(4, 5))  # type: ignore[arg-type]
    for bad in ("4", 1.5, (1, 2, 3), True, (4, None)):
        with pytest.raises(TypeError, match="tile must be a whole number or two"):
            tt.AnalogSgd(tile=bad)  # type: ignore[arg-type]
    for bad in (0, (4, 0), -1, 10**10):
        with pytest.raises(ValueError, match="tile must be from 1 to 1,000,000,000"):
            tt.AnalogSgd(tile=bad)  # type: ignore[arg-type]
    assert "2 × 7 tiles" in tt.Ttv2(tile=(256, 128)).describe(300, 800)
    with pytest.raises(ValueError, match="tiles of a layer"):
        tt.AnalogLayer(tt.AnalogSgd(tile=1), np.zeros((300, 300)))
