"""Models as ONNX graphs."""

import json
from pathlib import Path

from tikitaka._core import __version__
from tikitaka._internal.atomic_write import atomic_write
from tikitaka._internal.shown import shortened
from tikitaka._internal.validation import check_kind
from tikitaka.model import Model
from tikitaka.score import check_classes

__all__ = ["OPSET", "onnx"]

OPSET = 17
"""ONNX operator set of exported files (IR version 8: onnxruntime 1.12 or later)"""


def onnx(model: Model, path: str | Path, *, probabilities: bool = False) -> None:
    """Write `model` to an .onnx file, completely or not at all.

    The graph takes "inputs" (examples, inputs) and gives "outputs" (examples, outputs) before any softmax, or, with
    `probabilities`, their softmax as "probabilities"; both float32, for any number of examples. An image is one
    row-major vector, channels last, as for a network. With an LSTM inputs and outputs are
    (examples, steps, …), characters as one-hot vectors, for any number of steps; every sequence starts from h = c = 0,
    so continuous text is one long sequence. Output scales are multiplied into the weights. The metadata of the model is
    stored as JSON under "tikitaka".

    Raises ModuleNotFoundError without the package onnx (the extra `onnx`), ValueError for another ending, a layer
    without an operator and probabilities of a regression, OSError if writing fails.
    """
    check_kind("model", model, Model)
    if Path(path).suffix != ".onnx":
        raise ValueError(shortened(f"{path} must end in .onnx"))
    if probabilities:
        check_classes(model.loss)
    try:
        from onnx import TensorProto, checker, helper
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("export to ONNX needs the package onnx: pip install 'tikitaka[onnx]'") from error
    from tikitaka.export.onnx_graph import Graph  # needs onnx

    chain = Graph(model)
    result = "outputs"
    if probabilities:
        chain.add("Softmax", axis=-1)
        result = "probabilities"
    chain.nodes[-1].output[0] = result
    examples = ["examples", "steps"] if model.recurrent else ["examples"]
    graph = helper.make_graph(
        chain.nodes,
        "tikitaka",
        [helper.make_tensor_value_info("inputs", TensorProto.FLOAT, [*examples, model.inputs])],
        [helper.make_tensor_value_info(result, TensorProto.FLOAT, [*examples, model.outputs])],
        chain.tensors,
    )
    proto = helper.make_model(
        graph,
        producer_name="tikitaka",
        producer_version=__version__,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=8,
    )
    helper.set_model_props(proto, {"tikitaka": json.dumps(dict(model.metadata))})
    checker.check_model(proto)
    atomic_write(path, proto.SerializeToString())
