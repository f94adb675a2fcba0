"""Exported ONNX files compute what the model computes."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

import tikitaka as tt

F32 = np.ndarray[tuple[int, ...], np.dtype[np.float32]]

DIGITS = tt.data.load("digits").first(100)
NETS = {
    "fcn": tt.nn.fcn(64, 10),
    "scaled, relu, no bias": [
        tt.nn.Linear(64, 20, bias=False, scale=3.0),
        tt.nn.ReLU(),
        tt.nn.Linear(20, 10, scale=0.5),
    ],
    "tanh at the end": [tt.nn.Linear(64, 10), tt.nn.Tanh()],
    "one channel": [tt.nn.Conv2d(1, 8, 8, filters=1, kernel=3), tt.nn.ReLU(), tt.nn.Flatten(1, 6, 6)],
    "stride, padding, many channels": [
        tt.nn.Conv2d(2, 8, 4, filters=5, kernel=3, stride=2, padding=1, bias=False, scale=1.5),
        tt.nn.ReLU(),
        tt.nn.Conv2d(5, 4, 2, filters=4, kernel=2, padding=1),
        tt.nn.MaxPool2d(4, 5, 3, kernel=3, stride=1),
        tt.nn.Flatten(4, 3, 1),
        tt.nn.Linear(12, 10),
    ],
    "images at the end": [tt.nn.Conv2d(4, 4, 4, filters=3, kernel=3, stride=1, padding=2)],
    "images read as vectors": [
        tt.nn.Conv2d(1, 8, 8, filters=2, kernel=3, stride=2),
        tt.nn.Linear(18, 24),
        tt.nn.Conv2d(2, 3, 4, filters=3, kernel=1),
        tt.nn.MaxPool2d(3, 3, 4, kernel=2, stride=1),
    ],
}
SEQUENCES = {
    "two lstm": [tt.nn.LSTM(11, 64, scale=3.0), tt.nn.LSTM(64, 64, scale=3.0), tt.nn.Linear(64, 7, scale=3.0)],
    "no bias, sigmoid": [
        tt.nn.LSTM(11, 3, bias=False, clip=1.0),
        tt.nn.Sigmoid(),
        tt.nn.Linear(3, 4, bias=False),
    ],
    "lstm at the end": [tt.nn.Linear(11, 5, scale=2.0), tt.nn.LSTM(5, 4, scale=2.5)],
    "images in every step": [
        tt.nn.LSTM(11, 18),
        tt.nn.Conv2d(2, 3, 3, filters=3, kernel=2),
        tt.nn.Flatten(3, 2, 2),
        tt.nn.Linear(12, 18),
        tt.nn.MaxPool2d(2, 3, 3, kernel=2, stride=1),
    ],
}


def run(path: Path, inputs: F32) -> tuple[str, F32]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.get_outputs()[0].name, session.run(None, {"inputs": inputs})[0]


def agrees(model: tt.Model, inputs: F32, folder: Path) -> None:
    """The two exported files of `model`, in `folder`, compute its outputs and probabilities."""
    path = folder / "model.onnx"
    tt.export.onnx(model, path)
    name, outputs = run(path, inputs)
    assert name == "outputs"
    np.testing.assert_allclose(outputs, model.forward(inputs), rtol=1e-5, atol=1e-5)
    tt.export.onnx(model, path, probabilities=True)
    name, outputs = run(path, inputs)
    assert name == "probabilities"
    np.testing.assert_allclose(outputs, model.probabilities(inputs), rtol=1e-5, atol=1e-5)
    assert [p.name for p in folder.iterdir()] == ["model.onnx"]


@pytest.mark.parametrize("net", NETS)
def test_onnxruntime_agrees(tmp_path: Path, net: str) -> None:
    agrees(tt.Network(NETS[net], tt.DigitalSgd(), seed=1).extract("read"), DIGITS.test_x, tmp_path)


@pytest.mark.parametrize("net", SEQUENCES)
def test_onnxruntime_agrees_on_sequences(tmp_path: Path, net: str) -> None:
    model = tt.Network(SEQUENCES[net], tt.DigitalSgd(), seed=1).extract("read")
    agrees(model, np.eye(11, dtype=np.float32)[np.random.default_rng(1).integers(0, 11, (5, 9))], tmp_path)


def test_text_that_goes_on_is_one_sequence_in_onnx(tmp_path: Path) -> None:
    layers = tt.nn.char_lstm(11)
    assert layers[0].carry
    model = tt.Network(layers, tt.DigitalSgd(), seed=1).extract("read")
    tt.export.onnx(model, tmp_path / "model.onnx")
    codes = np.random.default_rng(1).integers(0, 11, (5, 9))
    _, outputs = run(tmp_path / "model.onnx", np.eye(11, dtype=np.float32)[codes.reshape(1, 45)])
    np.testing.assert_allclose(outputs.reshape(5, 9, 11), model.forward(codes), rtol=1e-5, atol=1e-5)


def test_onnxruntime_agrees_on_lenet(tmp_path: Path) -> None:
    large = np.kron(DIGITS.test_x.reshape(-1, 8, 8), np.ones((2, 2))).astype(np.float32).reshape(-1, 256)
    agrees(tt.Network(tt.nn.lenet(256), tt.DigitalSgd(), seed=1).extract("read"), large, tmp_path)


def test_onnxruntime_agrees_on_what_was_trained(tmp_path: Path) -> None:
    network = tt.Network(NETS["fcn"], tt.Ttv2(fast_lr=0.5, transfer_lr=3.0), seed=1)
    tt.fit(network, DIGITS, epochs=3, progress=False)
    agrees(network.extract(), DIGITS.test_x, tmp_path)


@pytest.mark.parametrize(
    ("layers", "operators"),
    [
        (tt.nn.fcn(64, 10), "Gemm Sigmoid Gemm Sigmoid Gemm"),
        (tt.nn.lenet(256), "Reshape Conv Tanh MaxPool Conv Tanh MaxPool Flatten Gemm Tanh Gemm"),
        (tt.nn.char_lstm(5), 2 * "Transpose LSTM Squeeze Transpose " + "MatMul Add"),
        (NETS["images at the end"], "Reshape Transpose Conv Transpose Flatten"),
    ],
)
def test_what_an_onnx_file_says(tmp_path: Path, layers: list[tt.nn.Layer], operators: str) -> None:
    model = tt.Network(layers, tt.Ttv2(), seed=3).extract("read")
    tt.export.onnx(model, tmp_path / "model.onnx")
    made = onnx.load(tmp_path / "model.onnx")
    assert [o.version for o in made.opset_import] == [tt.export.OPSET]
    assert json.loads(made.metadata_props[0].value) == model.metadata
    assert [node.op_type for node in made.graph.node] == operators.split()


def test_bad_exports_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tt.Network(NETS["fcn"], tt.DigitalSgd()).extract("read")
    with pytest.raises(ValueError, match=r"\.onnx"):
        tt.export.onnx(model, tmp_path / "model.pb")
    with pytest.raises(OSError, match="nowhere"):
        tt.export.onnx(model, tmp_path / "nowhere" / "model.onnx")
    for package in ("onnx", "torch"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModuleNotFoundError, match=r"tikitaka\[onnx\]"):
        tt.export.onnx(model, tmp_path / "model.onnx")
    with pytest.raises(ModuleNotFoundError, match=r"tikitaka\[torch\]"):
        tt.export.torch_module(model.layers)


def test_a_layer_without_an_operator_is_refused(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Other(tt.nn.Layer):
        kind: str = "tanh"  # the kind that the network sees

    model = tt.Network([tt.nn.Linear(2, 2), Other()], tt.DigitalSgd()).extract("read")
    with pytest.raises(ValueError, match=r"export to ONNX does not support .*Other"):
        tt.export.onnx(model, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())
