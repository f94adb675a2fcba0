"""Exported ONNX files compute what the model computes."""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

import tikitaka as tt

DIGITS = tt.data.load("digits").first(100)
NETS = {
    "fcn": tt.models.fcn(64, 10),
    "scaled, relu, no bias": [
        tt.nn.Linear(64, 20, bias=False, scale=3.0),
        tt.nn.ReLU(),
        tt.nn.Linear(20, 10, scale=0.5),
    ],
    "tanh at the end": [tt.nn.Linear(64, 10), tt.nn.Tanh()],
}


def run(path: Path) -> tuple[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.get_outputs()[0].name, session.run(None, {"inputs": DIGITS.test_x})[0]


@pytest.mark.parametrize("net", NETS)
def test_onnxruntime_agrees(tmp_path: Path, net: str) -> None:
    network = tt.Network(NETS[net], tt.Ttv2(fast_lr=0.5, transfer_lr=3.0), seed=1)
    tt.fit(network, DIGITS, epochs=3, progress=False)
    model = network.extract()
    path = tmp_path / "model.onnx"
    tt.export.onnx(model, path)
    name, outputs = run(path)
    assert name == "outputs"
    np.testing.assert_allclose(outputs, model.forward(DIGITS.test_x), rtol=1e-5, atol=1e-5)
    tt.export.onnx(model, path, probabilities=True)
    name, outputs = run(path)
    assert name == "probabilities"
    np.testing.assert_allclose(outputs, model.probabilities(DIGITS.test_x), rtol=1e-5, atol=1e-5)
    assert [p.name for p in tmp_path.iterdir()] == ["model.onnx"]


def test_what_an_onnx_file_says(tmp_path: Path) -> None:
    model = tt.Network(NETS["fcn"], tt.Ttv2(), seed=3).extract("read")
    tt.export.onnx(model, tmp_path / "model.onnx")
    made = onnx.load(tmp_path / "model.onnx")
    assert [o.version for o in made.opset_import] == [tt.export.OPSET]
    assert json.loads(made.metadata_props[0].value) == model.metadata
    assert [node.op_type for node in made.graph.node] == ["Gemm", "Sigmoid", "Gemm", "Sigmoid", "Gemm"]


def test_bad_exports_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tt.Network(NETS["fcn"], tt.Float()).extract("read")
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
