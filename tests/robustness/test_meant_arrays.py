"""Arrays that mean something else than positions, codes or numbers are refused, or taken at their meaning."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import tikitaka as tt

X, Y = np.random.default_rng(3).uniform(0, 1, (6, 4)), np.arange(6) % 3
LAYERS = [tt.nn.Linear(4, 3)]
LSTM = [tt.nn.LSTM(5, 3), tt.nn.Linear(3, 5)]
CODES = np.arange(12).reshape(3, 4) % 5
MASKED = np.ma.masked_array(X, X > 0.5)


@pytest.mark.parametrize("mask", [Y == 1, (Y == 1).tolist(), np.ones(6, bool)], ids=["array", "list", "all"])
def test_a_boolean_order_is_refused(mask: Any) -> None:
    network = tt.Network(LAYERS, tt.DigitalSgd())
    digest = network.digest()
    with pytest.raises(TypeError, match=r"order must be integers, not booleans: np.flatnonzero\(order\)"):
        network.train(X, Y, order=mask)
    assert network.digest() == digest
    network.train(X, Y, order=np.flatnonzero(mask))
    assert network.digest() != digest


def test_a_boolean_order_of_sequences_and_traces_is_refused() -> None:
    recurrent = tt.Network(LSTM, tt.DigitalSgd())
    with pytest.raises(TypeError, match="order must be integers, not booleans"):
        recurrent.train(CODES, CODES, order=np.array([True, False, True]))
    with pytest.raises(TypeError, match="prime must be integers, not booleans"):
        recurrent.sample(np.array([True, False]), 3)
    network = tt.Network(LAYERS, tt.Ttv2())
    with pytest.raises(TypeError, match="order must be integers, not booleans"):
        tt.plot.record(network, X, Y, crosspoints=[(0, 0)], order=Y == 1)


def test_crosspoints_are_no_mask_and_may_be_those_of_a_chip() -> None:
    network = tt.Network([tt.nn.Linear(4, 6)], tt.Ttv2())
    for mask in (np.eye(6, 2, dtype=bool), [(True, False)], np.eye(6, 5, dtype=bool), [3], ["ab"]):
        with pytest.raises(TypeError, match=r"crosspoints must be pairs of whole numbers, not "):
            tt.plot.record(network, X, Y, crosspoints=mask)
    chip = tt.program(network.extract("read"), rule=tt.Ttv2(), method="open-loop", max_pulses=1)
    assert len(chip.missed[0])
    assert tt.plot.record(chip.network, X, Y, crosspoints=chip.missed[0]).a.shape[1] == len(chip.missed[0])


@pytest.mark.parametrize("name", ["batch", "threads", "seed", "layer", "k", "max_pulses"])
def test_a_boolean_is_no_number(name: str) -> None:
    network = tt.Network(LAYERS, tt.DigitalSgd())
    calls = {
        "batch": lambda: network.train(X, Y, batch=True),
        "threads": lambda: network.train(X, Y, threads=True),
        "seed": lambda: tt.Network(LAYERS, tt.DigitalSgd(), seed=True),
        "layer": lambda: tt.AnalogLayer(tt.DigitalSgd(), np.zeros((2, 2)), layer=True),
        "k": lambda: tt.Crossbar(2, 2).read_column(True),
        "max_pulses": lambda: tt.Crossbar(2, 2).program(np.zeros((2, 2)), max_pulses=True),
    }
    with pytest.raises(TypeError, match=r"whole number .*, got True"):
        calls[name]()


@pytest.mark.parametrize(
    "call",
    [
        lambda: tt.Network(LAYERS, tt.DigitalSgd()).train(X, Y, lr_scale=True),
        lambda: tt.Network(LSTM, tt.DigitalSgd()).sample([0], 3, temperature=True),
        lambda: tt.Crossbar(2, 2).update([1, 1], [1, 1], True),
        lambda: tt.AnalogLayer(tt.DigitalSgd(), np.zeros((2, 2))).update([1, 1], [1, 1], lr_scale=True),
    ],
)
def test_a_boolean_is_no_factor(call: Any) -> None:
    with pytest.raises(TypeError, match="expected a number, got True"):
        call()


@pytest.mark.parametrize("bad", [{"a": 1}, "ab", 3, None], ids=repr)
def test_weights_are_lists_of_arrays(bad: Any) -> None:
    network = tt.Network(LAYERS, tt.DigitalSgd())
    with pytest.raises(TypeError, match="weights must be a list of arrays, not "):
        network.weights = bad
    with pytest.raises(TypeError, match="targets must be a list of arrays, not "):
        network.program(bad)
    with pytest.raises(TypeError, match="error must be numbers, not "):
        network.program(network.weights, "error", error="ab")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.int32])
def test_numbers_of_numpy_are_numbers(kind: type[Any]) -> None:
    network = tt.Network(LAYERS, tt.Ttv2(), seed=kind(3))
    model = network.extract("reads", reads=kind(2), draw=kind(1)).quantised(kind(4))
    assert [model.metadata[name] for name in ("seed", "reads", "draw", "bits")] == [3, 2, 1, 4]
    assert type(network.seed) is int
    assert tt.program(model, seed=kind(1)).network.seed == tt.program(model, seed=1).network.seed


def test_pandas_columns_in_another_order_are_not_paired_by_position() -> None:
    x, y = pd.DataFrame(X), pd.Series(Y)
    dataset = tt.data.Dataset.from_arrays(x, y)
    for shuffled in (y[::-1], y.sample(frac=1, random_state=1)):
        with pytest.raises(ValueError, match=r"y must have the index of x, not .*: pass y\.loc\[x\.index\]"):
            tt.data.Dataset.from_arrays(x, shuffled)
        assert tt.data.Dataset.from_arrays(x, shuffled.loc[x.index]).digest == dataset.digest
    with pytest.raises(ValueError, match="test y must have the index of test x"):
        tt.data.Dataset.from_arrays(x, y, test=(x, y[::-1]))
    other = pd.Series(Y, index=range(100, 106))  # another index says nothing
    assert tt.data.Dataset.from_arrays(x, other).digest == dataset.digest


def test_rows_of_different_lengths_are_no_array() -> None:
    network, ragged = tt.Network(LAYERS, tt.DigitalSgd()), [[1, 2, 3, 4], [1, 2]]
    for name, call in {
        "x": lambda: network.forward(ragged),
        "targets": lambda: network.train(X[:2], [[0], [1, 2]]),
        "order": lambda: network.train(X, Y, order=[[0], [1, 2]]),
        "delta": lambda: tt.Crossbar(4, 2).backward(ragged),
    }.items():
        with pytest.raises(ValueError, match=f"{name} must be an array of numbers: "):
            call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: tt.Network(LAYERS, tt.DigitalSgd()).train(MASKED, Y),
        lambda: tt.Network(LAYERS, tt.DigitalSgd()).forward(MASKED),
        lambda: tt.Network(LAYERS, tt.DigitalSgd()).train(X, np.ma.masked_array(Y, Y == 1)),
        lambda: tt.Network(LAYERS, tt.DigitalSgd()).train(X, Y, order=np.ma.masked_array([0, 1], [True, False])),
        lambda: tt.Network(LSTM, tt.DigitalSgd()).train(np.ma.masked_array(CODES, CODES == 1), CODES, order=[0]),
        lambda: tt.Network(LSTM, tt.DigitalSgd()).sample(np.ma.masked_array([0, 1], [True, False]), 3),
        lambda: tt.Crossbar(3, 4).forward(MASKED),
        lambda: tt.AnalogLayer(tt.DigitalSgd(), np.ma.masked_array(np.zeros((2, 2)), True)),
        lambda: tt.Model.from_weights([tt.nn.Linear(4, 6, bias=False)], {"0.weight": MASKED}),
        lambda: tt.Model.from_weights([tt.nn.Linear(4, 6, bias=False)], [MASKED]),
    ],
)
def test_masked_values_are_not_taken_for_numbers(call: Any) -> None:
    with pytest.raises(TypeError, match="must not be a masked array"):
        call()


@pytest.mark.parametrize(
    "bad", [X * 1j, X.astype(str), X.astype(object), X.astype("M8[s]")], ids=lambda a: str(a.dtype)
)
def test_weights_by_name_are_numbers(bad: Any) -> None:
    with pytest.raises(TypeError, match=r"0\.weight must be real numbers"):
        tt.Model.from_weights([tt.nn.Linear(4, 6, bias=False)], {"0.weight": bad})


@pytest.mark.parametrize("method", ["weights", "read_weights", "average", "device_parameters"])
def test_a_rule_must_return_arrays_of_its_own_shape(method: str) -> None:
    """A transposed array has as many values."""

    class Transposed(tt.Rule):
        def build(self, weights: Any, seed: int, layer: int) -> None:
            self.array = tt.Crossbar(*weights.shape, seed=seed)
            self.array.weights = weights

        def update(self, x: Any, delta: Any, lr_scale: float) -> None:
            pass

    values = np.zeros((5, 3))
    returned = {"a": values} if method == "device_parameters" else values
    setattr(Transposed, method, lambda *_: returned)
    network = tt.Network(LAYERS, Transposed())
    calls = {
        "weights": lambda: network.weights,
        "read_weights": lambda: network.read_weights(),
        "average": lambda: network.averages,
        "device_parameters": lambda: network.device_parameters(0),
    }
    with pytest.raises(ValueError, match=rf"{method} must return shape \[3, 5\], not \[5, 3\]"):
        calls[method]()


def test_numbers_of_examples_are_no_booleans() -> None:
    digits = tt.data.load("digits")
    for call in (digits.first, digits.holdout):
        with pytest.raises(TypeError, match="examples must be a whole number, not True"):
            call(True)
