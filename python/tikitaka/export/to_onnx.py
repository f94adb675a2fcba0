"""Models as ONNX graphs."""

import json
from pathlib import Path

from tikitaka._core import __version__
from tikitaka.export.folded import folded
from tikitaka.model import Model
from tikitaka.nn import Layer, Linear, ReLU, Sigmoid, Tanh
from tikitaka.whole import write_whole

__all__ = ["OPSET", "onnx"]

OPSET = 17
"""ONNX operator set of exported files (IR version 8: onnxruntime 1.12 or later)"""

_OPERATORS: dict[type[Layer], str] = {Sigmoid: "Sigmoid", Tanh: "Tanh", ReLU: "Relu"}


def onnx(model: Model, path: str | Path, *, probabilities: bool = False) -> None:
    """Write `model` to an .onnx file, whole or not at all.

    The graph takes "inputs" (examples, inputs) and gives "outputs" (examples, outputs) before any softmax, or, with
    `probabilities`, their softmax as "probabilities"; both float32, for any number of examples. Output scales are
    multiplied into the weights. The metadata of the model goes along as JSON under "tikitaka".

    Raises ModuleNotFoundError without the package onnx (the extra `onnx`), ValueError for another ending or a layer
    that has no operator, OSError when writing fails.
    """
    if Path(path).suffix != ".onnx":
        raise ValueError(f"{path} must end in .onnx")
    try:
        from onnx import TensorProto, checker, helper, numpy_helper
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("export to ONNX needs the package onnx: pip install 'tikitaka[onnx]'") from error
    nodes, tensors, parts = [], [], folded(model)
    value = "inputs"
    last = "logits" if probabilities else "outputs"
    for k, layer in enumerate(model.layers):
        result = last if k == len(model.layers) - 1 else f"{k}.output"
        if isinstance(layer, Linear):
            arrays = {"weight": parts[k].weight, "bias": parts[k].bias}
            given = {f"{k}.{name}": array for name, array in arrays.items() if array is not None}
            tensors += [numpy_helper.from_array(array, name) for name, array in given.items()]
            nodes.append(helper.make_node("Gemm", [value, *given], [result], transB=1))
        elif type(layer) in _OPERATORS:
            nodes.append(helper.make_node(_OPERATORS[type(layer)], [value], [result]))
        else:
            raise ValueError(f"export to ONNX knows no operator for {layer!r}")
        value = result
    if probabilities:
        nodes.append(helper.make_node("Softmax", [value], ["probabilities"], axis=1))
        value = "probabilities"
    graph = helper.make_graph(
        nodes,
        "tikitaka",
        [helper.make_tensor_value_info("inputs", TensorProto.FLOAT, ["examples", model.inputs])],
        [helper.make_tensor_value_info(value, TensorProto.FLOAT, ["examples", model.outputs])],
        tensors,
    )
    made = helper.make_model(
        graph,
        producer_name="tikitaka",
        producer_version=__version__,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=8,
    )
    helper.set_model_props(made, {"tikitaka": json.dumps(dict(model.metadata))})
    checker.check_model(made)
    write_whole(path, made.SerializeToString())
