"""Models: imported weights, files and damaged files, quantisation by hand."""

import json
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import tikitaka as tt
from tikitaka import _core
from tikitaka._internal.checksum import digest
from tikitaka.model import file, quantise
from tikitaka.nn.state_dict import named_arrays, named_weights

DIGITS = tt.data.load("digits").first(100)
LAYERS = [tt.nn.Linear(64, 12, scale=2.5), tt.nn.Tanh(), tt.nn.Linear(12, 10, bias=False), tt.nn.ReLU()]
RANDOM = np.random.default_rng(1)
WEIGHTS = [RANDOM.normal(0, 0.3, (12, 65)).astype(np.float32), RANDOM.normal(0, 0.3, (10, 12)).astype(np.float32)]
F32 = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
CONV = tt.nn.Conv2d(3, 4, 5, filters=2, kernel=2, stride=2, padding=1, scale=2.0)
LSTM = tt.nn.LSTM(3, 2, scale=0.5, clip=1.5, carry=True)
STACKS = {
    "linear": LAYERS,
    "images": [
        CONV,
        tt.nn.MaxPool2d(*CONV.image, stride=1),
        tt.nn.ReLU(),
        tt.nn.Flatten(2, 2, 2),
        tt.nn.Linear(8, 4),
    ],
    "images without biases": [replace(CONV, bias=False, stride=1), tt.nn.MaxPool2d(2, 5, 6, kernel=3)],
    "sequences": [LSTM, replace(LSTM, inputs=2, bias=False, carry=False), tt.nn.Sigmoid(), tt.nn.Linear(2, 3)],
}
MODEL = tt.Model.from_weights(LAYERS, WEIGHTS, metadata={"seed": 2**63 - 1, "rate": 0.1, "names": ["Ä", None]})


def test_a_model_computes_exactly() -> None:
    x = DIGITS.test_x
    hidden = np.tanh(2.5 * (np.c_[x, np.ones(len(x))] @ WEIGHTS[0].T))
    expected = np.maximum(hidden @ WEIGHTS[1].T, 0)
    np.testing.assert_allclose(MODEL.forward(x), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(MODEL.predict(x), MODEL.probabilities(x).argmax(axis=1))
    assert MODEL.evaluate(x, DIGITS.test_y).error == np.mean(MODEL.predict(x) != DIGITS.test_y)
    assert (MODEL.inputs, MODEL.outputs) == (64, 10)


def test_a_model_cannot_be_changed_by_accident() -> None:
    with pytest.raises(ValueError, match="read-only"):
        MODEL.weights[0][0, 0] = 1
    given = [w.copy() for w in WEIGHTS]
    model = tt.Model.from_weights(LAYERS, given)
    given[0][:] = 0
    np.testing.assert_array_equal(model.weights[0], WEIGHTS[0])


def test_a_model_travels_to_other_processes() -> None:
    back = pickle.loads(pickle.dumps(MODEL))
    assert (back.layers, back.metadata) == (MODEL.layers, MODEL.metadata)
    np.testing.assert_array_equal(back.forward(DIGITS.test_x), MODEL.forward(DIGITS.test_x))
    assert len(repr(MODEL)) < 500


def test_weights_come_from_a_dict() -> None:
    first, second = WEIGHTS
    named = {"0.weight": 2.5 * first[:, :64], "0.bias": 2.5 * first[:, 64], "2.weight": second}
    model = tt.Model.from_weights(LAYERS, named)
    np.testing.assert_allclose(model.forward(DIGITS.test_x), MODEL.forward(DIGITS.test_x), rtol=1e-4, atol=1e-5)
    network = tt.Network(LAYERS, tt.DigitalSgd())
    network.start_from(named)
    np.testing.assert_array_equal(network.forward(DIGITS.test_x), model.forward(DIGITS.test_x))
    for bad, words in (
        ({"0.weight": first[:, :64], "2.weight": second}, r"must contain 0\.bias"),
        (named | {"4.weight": second}, r"4\.weight"),
        (named | {"2.weight": second.T}, r"2\.weight must have shape .*, not \(12, 10\)"),
    ):
        with pytest.raises(ValueError, match=words):
            tt.Model.from_weights(LAYERS, bad)


def model_of(stack: str) -> tt.Model:
    shapes = [layer.shape for layer in STACKS[stack] if layer.shape is not None]
    arrays = [np.random.default_rng(2).normal(0, 0.3, shape).astype(np.float32) for shape in shapes]
    return tt.Model.from_weights(STACKS[stack], arrays, metadata={"name": stack})


def inputs_of(model: tt.Model) -> F32:
    shape = (3, 7, model.inputs) if model.recurrent else (3, model.inputs)
    return np.random.default_rng(3).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("stack", STACKS)
def test_names_lead_to_the_weights_and_back(stack: str) -> None:
    model = model_of(stack)
    named = named_weights(model.layers, model.weights)
    for w, back in zip(model.weights, named_arrays(model.layers, named), strict=True):
        np.testing.assert_allclose(back, w, rtol=3e-7)  # output scales that are no powers of two round
    exact = [replace(layer, scale=2.0) if layer.shape is not None else layer for layer in model.layers]
    for w, back in zip(model.weights, named_arrays(exact, named_weights(exact, model.weights)), strict=True):
        assert back.tobytes() == w.tobytes()
    network = tt.Network(STACKS[stack], tt.DigitalSgd())
    network.start_from(named)
    x = inputs_of(model)
    np.testing.assert_allclose(network.forward(x), model.forward(x), rtol=1e-5, atol=1e-6)


def test_names_of_a_convolution() -> None:
    w = np.arange(26, dtype=np.float32).reshape(2, 13)
    named = named_weights([CONV], [w])
    assert named.keys() == {"0.weight", "0.bias"}
    assert named["0.weight"].shape == (2, 3, 2, 2)
    for f, c, row, column in np.ndindex(2, 3, 2, 2):
        assert named["0.weight"][f, c, row, column] == 2 * w[f, (2 * row + column) * 3 + c]
    np.testing.assert_array_equal(named["0.bias"], 2 * w[:, 12])


def test_names_of_an_lstm() -> None:
    w = np.arange(48, dtype=np.float32).reshape(8, 6)
    named = named_weights([tt.nn.Tanh(), LSTM], [w])
    assert list(named) == [f"1.{name}_l0" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    np.testing.assert_array_equal(named["1.weight_ih_l0"], w[:, :3] / 2)
    np.testing.assert_array_equal(named["1.weight_hh_l0"], w[:, 3:5] / 2)
    np.testing.assert_array_equal(named["1.bias_ih_l0"], w[:, 5] / 2)
    assert not named["1.bias_hh_l0"].any()
    named["1.bias_hh_l0"] += 1  # PyTorch trains both: their sum counts
    (back,) = named_arrays([tt.nn.Tanh(), LSTM], named)
    np.testing.assert_array_equal(back, w + np.array([0, 0, 0, 0, 0, 2]))


@pytest.mark.parametrize(
    ("stack", "name", "shape", "words"),
    [
        ("images", "0.weight", (2, 2, 2, 3), r"0\.weight must have shape \(2, 3, 2, 2\), not \(2, 2, 2, 3\)"),
        ("images", "0.bias", (1, 2), r"0\.bias must have shape \(2,\), not \(1, 2\)"),
        ("images", "0.bias", None, r"must contain 0\.bias; they contain 0\.weight, 4\.weight"),
        ("images", "1.weight", (2, 2), r"must not contain 1\.weight: no layer"),
        ("images without biases", "0.bias", (2,), r"must not contain 0\.bias: no layer"),
        ("sequences", "0.bias_hh_l0", None, r"must contain 0\.bias_hh_l0"),
        ("sequences", "0.weight_ih_l0", (3, 8), r"0\.weight_ih_l0 must have shape \(8, 3\), not \(3, 8\)"),
        ("sequences", "1.bias_ih_l0", (8,), r"must not contain 1\.bias_ih_l0: no layer"),
        ("sequences", "0.weight_ih_l1", (8, 2), r"must not contain 0\.weight_ih_l1: no layer"),
    ],
)
def test_names_and_shapes_that_do_not_fit_are_refused(
    stack: str, name: str, shape: tuple[int, ...] | None, words: str
) -> None:
    named = named_weights(STACKS[stack], model_of(stack).weights)
    if shape is None:
        del named[name]
    else:
        named[name] = np.zeros(shape, dtype=np.float32)
    with pytest.raises(ValueError, match=words):
        tt.Model.from_weights(STACKS[stack], named)


def test_a_network_starts_from_a_model() -> None:
    network = tt.Network(LAYERS, tt.Ttv2(), seed=3)
    network.start_from(MODEL)
    for on_chip, w in zip(network.weights, MODEL.weights, strict=True):
        held = np.abs(on_chip - w) < 1e-6
        assert 0.8 < held.mean() < 1  # N(0, 0.3²) is more than some devices of ±0.6 can hold
        assert np.all(np.abs(on_chip) <= np.abs(w) + 1e-6)
    network.start_from(WEIGHTS)
    with pytest.raises(ValueError, match="layers"):
        tt.Network(LAYERS[:1], tt.DigitalSgd()).start_from(MODEL)


@pytest.mark.parametrize(
    ("layers", "weights", "words"),
    [
        (LAYERS, WEIGHTS[:1], "must have 2 arrays, not 1"),
        (LAYERS, [WEIGHTS[0], WEIGHTS[0]], "shape"),
        (LAYERS, [WEIGHTS[0], np.full((10, 12), np.nan)], "finite|nan|NaN"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    layers: list[tt.nn.Layer], weights: list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        tt.Model.from_weights(layers, weights)
    with pytest.raises(TypeError, match=r"tikitaka\.nn"):
        tt.Model.from_weights(["linear"], weights)  # type: ignore[list-item]


def test_metadata_is_what_json_can_hold() -> None:
    assert tt.Model.from_weights(LAYERS, WEIGHTS).noted(pair=(1, 2)).metadata == {"kind": "exact", "pair": [1, 2]}
    for bad in (float("nan"), object()):
        with pytest.raises(ValueError, match="JSON"):
            MODEL.noted(bad=bad)


@pytest.mark.parametrize("ending", file.endings)
def test_files_give_the_same_model_bit_for_bit(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"model{ending}"
    MODEL.save(path)
    MODEL.save(path)  # in the place of the first
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    back = tt.Model.load(path)
    assert (back.layers, back.loss, back.metadata) == (MODEL.layers, MODEL.loss, MODEL.metadata)
    for ours, theirs in zip(MODEL.weights, back.weights, strict=True):
        assert ours.tobytes() == theirs.tobytes()
    assert back.forward(DIGITS.test_x).tobytes() == MODEL.forward(DIGITS.test_x).tobytes()


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("ending", file.endings)
def test_files_hold_layers_of_every_kind(tmp_path: Path, stack: str, ending: str) -> None:
    model = model_of(stack)
    model.save(tmp_path / f"model{ending}")
    back = tt.Model.load(tmp_path / f"model{ending}")
    assert (back.layers, back.metadata) == (model.layers, model.metadata)
    assert [w.tobytes() for w in back.weights] == [w.tobytes() for w in model.weights]
    assert back.forward(inputs_of(model)).tobytes() == model.forward(inputs_of(model)).tobytes()


@pytest.mark.parametrize(
    ("stack", "layer", "values", "words"),
    [
        ("images", 0, {"kernel": 9}, "kernel must be at most 6 .*, not 9"),
        ("images", 0, {"kernel": 3}, "1 takes images of .*, but the layer before it gives images of"),
        ("images", 0, {"stride": 0}, "stride must be .*, not 0"),
        ("images", 0, {"padding": -1}, "padding must be from 0 to 10,000, not -1"),
        ("images", 0, {"filters": "two"}, "filters must be a whole number, not .two."),
        ("images", 0, {"dilation": 2}, "dilation"),
        ("images", 1, {"kernel": 7}, "kernel must be at most 3 .*, not 7"),
        (
            "images",
            3,
            {"channels": 3},
            "3 takes images of 2 × 2 × 3, but the layer before it gives images of 2 × 2 × 2",
        ),
        ("images", 3, {"kind": "lstm"}, "unknown field .channels.: LSTM has inputs"),
        ("sequences", 0, {"hidden": 0}, "hidden must be from 1 to 1,000,000, not 0"),
        ("sequences", 0, {"hidden": 3}, "takes 2 values, but the layer before it gives 3"),
        ("sequences", 0, {"bias": False}, "shape"),
        ("sequences", 0, {"clip": -1.0}, "clip must be from 0 to 1,000,000, not -1"),
        ("sequences", 0, {"carry": "yes"}, "carry must be true or false, not .yes."),
    ],
)
def test_files_with_damaged_layers_are_refused(
    tmp_path: Path, stack: str, layer: int, values: dict[str, object], words: str
) -> None:
    path = tmp_path / "model.safetensors"
    model_of(stack).save(path)

    def damage(header: dict[str, str]) -> None:
        layers = json.loads(header["layers"])
        layers[layer] |= values
        header["layers"] = json.dumps(layers)

    edited(path, damage)
    with pytest.raises(ValueError, match=words) as refused:
        tt.Model.load(path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize("ending", file.endings)
def test_damaged_files_are_refused(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"model{ending}"
    MODEL.save(path)
    whole = path.read_bytes()
    for length in (0, 1, 8, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises((ValueError, OSError), match="model"):
            tt.Model.load(path)
    at = whole.index(WEIGHTS[0].tobytes()) + 1000
    for position in (at, whole.index(b"rate") + 1, whole.index(b"cross-entropy")):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        with pytest.raises(ValueError, match="model"):
            tt.Model.load(path)
    path.write_bytes(whole)
    tt.Model.load(path)
    with pytest.raises(OSError, match="none"):
        tt.Model.load(tmp_path / f"none{ending}")
    with pytest.raises(OSError, match="nowhere"):
        MODEL.save(tmp_path / "nowhere" / f"model{ending}")


def edited(path: Path, change: Callable[[dict[str, str]], None]) -> None:
    """Rewrite `path` with a changed header and a matching checksum."""
    arrays, header = _core.load_tensors(str(path))
    change(header)
    header["sha256"] = digest(header, arrays)
    _core.save_tensors(str(path), arrays, header)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("format", "other", "is not a model of tikitaka"),
        ("version", "2", "format version 1, not 2"),
        ("layers", "[]", "layer"),
        ("layers", json.dumps([{"kind": "linear", "inputs": 64, "outputs": 11}]), "arrays|shape"),
        ("layers", json.dumps([{"kind": "attention"}]), "attention"),
        ("layers", "[1]", "model"),
        ("layers", "{", "model"),
        ("loss", "hinge", "hinge"),
        ("metadata", "[]", "metadata"),
    ],
)
def test_files_of_another_kind_are_refused(tmp_path: Path, field: str, value: str, words: str) -> None:
    path = tmp_path / "model.safetensors"
    MODEL.save(path)
    edited(path, lambda header: header.update({field: value}))
    with pytest.raises(ValueError, match=words) as refused:
        tt.Model.load(path)
    assert str(path) in str(refused.value)


def test_files_of_others_are_refused(tmp_path: Path) -> None:
    _core.save_tensors(str(tmp_path / "a.safetensors"), {"0": WEIGHTS[0]}, {})
    np.savez(tmp_path / "b.npz", WEIGHTS[0])
    np.savez(tmp_path / "c.npz", header=np.frombuffer(b"[1]", dtype=np.uint8))
    np.savez(tmp_path / "d.npz", header=np.array([{}], dtype=object))  # a pickle, which is never read
    with zipfile.ZipFile(tmp_path / "e.npz", "w") as file:
        file.writestr("header.npy", b"nonsense")
    (tmp_path / "f.onnx").write_bytes(b"")
    for path in tmp_path.iterdir():
        with pytest.raises(ValueError, match=path.stem):
            tt.Model.load(path)
    with pytest.raises(ValueError, match=r"\.safetensors or \.npz"):
        MODEL.save(tmp_path / "model.bin")


def test_codes_by_hand() -> None:
    w = np.array([[1.0, -0.5, 0.17], [0.0, -0.9, 0.16]], dtype=np.float32)
    q, step = quantise.codes(w, 3)  # 6 steps over ±1: levels in thirds
    assert step == pytest.approx(1 / 3)
    np.testing.assert_array_equal(q, [[3, -2, 1], [0, -3, 0]])  # -0.5 lies between two: to the even one
    np.testing.assert_allclose(quantise.rounded(w, 3), [[1, -2 / 3, 1 / 3], [0, -1, 0]], rtol=1e-6)
    q, step = quantise.codes(w, 2)
    assert (step, q.dtype) == (1.0, np.int8)
    np.testing.assert_array_equal(q, [[1, 0, 0], [0, -1, 0]])
    assert np.abs(quantise.codes(WEIGHTS[0], 8)[0]).max() == 127
    assert not quantise.rounded(np.zeros((2, 2), dtype=np.float32), 4).any()
    for bits, error in ((1, ValueError), (25, ValueError), (8.0, TypeError), (True, TypeError)):
        with pytest.raises(error, match="bits"):
            quantise.codes(w, bits)  # type: ignore[arg-type]


@pytest.mark.parametrize("bits", [2, 4, 8, 16, 24])
def test_a_quantised_model_has_the_levels_and_lies_within_half_a_step(bits: int) -> None:
    quantised = MODEL.quantised(bits)
    assert quantised.metadata["bits"] == bits
    for w, exact in zip(quantised.weights, MODEL.weights, strict=True):
        step = np.abs(exact).max() / (2 ** (bits - 1) - 1)
        assert len(np.unique(w)) <= 2**bits - 1
        assert np.abs(w - exact).max() <= step / 2 * (1 + 1e-6) + 1e-7
    again = replace(quantised).quantised(bits)
    for once, twice in zip(quantised.weights, again.weights, strict=True):
        np.testing.assert_allclose(once, twice, rtol=1e-6)
