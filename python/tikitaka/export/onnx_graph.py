"""The nodes of ONNX for each kind of layer; importing this needs the package onnx."""

from collections.abc import Mapping
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from tikitaka._internal.shown import shown
from tikitaka.model import Model
from tikitaka.nn import LSTM, Conv2d, Flatten, Layer, Linear, MaxPool2d, ReLU, Sigmoid, Tanh
from tikitaka.nn.state_dict import named_weights

__all__ = ["Graph"]

F32 = NDArray[np.float32]


class Graph:
    """The layers of a model as a chain of nodes; ValueError for a layer without an operator.

    Values along the chain are shaped like the inputs of a network, except between layers of images, where ONNX needs
    (any number, channels, height, width).
    """

    def __init__(self, model: Model) -> None:
        self.nodes: list[NodeProto] = []
        self.tensors: list[TensorProto] = []
        self.value = "inputs"  # the end of the chain
        self.image: tuple[int, int, int] | None = None  # channels, height and width if the value is images
        self.recurrent = model.recurrent
        self._named = named_weights(model.layers, model.weights)
        self._layer = 0
        for self._layer, layer in enumerate(model.layers):
            _write(layer, self)
        self.vectors()

    def add(self, operator: str, *others: str, **attributes: Any) -> None:
        """Append a node to the chain, with the value of the chain and `others` as inputs."""
        result = f"{len(self.nodes)}.{operator}"
        self.nodes.append(helper.make_node(operator, [self.value, *others], [result], **attributes))
        self.value = result

    def constants(self, arrays: Mapping[str, NDArray[Any]]) -> list[str]:
        """Add `arrays` of the current layer to the graph and return their names, for `add`."""
        names = [f"{self._layer}.{name}" for name in arrays]
        self.tensors += map(numpy_helper.from_array, arrays.values(), names)
        return names

    def parameters(self) -> dict[str, F32]:
        """The parameters of the current layer by their names in PyTorch."""
        prefix = f"{self._layer}."
        return {name.removeprefix(prefix): w for name, w in self._named.items() if name.startswith(prefix)}

    def images(self, channels: int, height: int, width: int) -> None:
        """Convert vectors to images."""
        if self.image == (channels, height, width):
            return
        self.vectors()
        self.image = channels, height, width
        # With one channel both orders are equal, and a graph with fewer nodes is easier to compile for a chip.
        shape = [-1, 1, height, width] if channels == 1 else [-1, height, width, channels]
        self.add("Reshape", *self._sizes(*shape))
        if channels > 1:
            self.add("Transpose", perm=[0, 3, 1, 2])

    def vectors(self) -> None:
        """Convert images to row-major vectors, channels last."""
        if self.image is None:
            return
        if self.image[0] > 1:
            self.add("Transpose", perm=[0, 2, 3, 1])
        self.flatten()

    def flatten(self) -> None:
        """Convert images to vectors in their present order."""
        self.image = None
        self.add("Flatten")
        if self.recurrent:
            self._unfold()

    def _unfold(self) -> None:
        """Reshape (examples · steps, values) to (examples, steps, values)."""
        sizes, shape = f"{len(self.nodes)}.sizes", f"{len(self.nodes)}.shape"
        self.nodes.append(helper.make_node("Shape", ["inputs"], [sizes], end=2))
        self.nodes.append(helper.make_node("Concat", [sizes, *self._sizes(-1)], [shape], axis=0))
        self.add("Reshape", shape)

    def _sizes(self, *sizes: int) -> list[str]:
        return self.constants({f"sizes.{len(self.tensors)}": np.array(sizes, dtype=np.int64)})


@singledispatch
def _write(layer: Layer, _graph: Graph) -> None:
    raise ValueError(f"export to ONNX does not support {shown(layer)}")


@_write.register
def _(_layer: Linear, graph: Graph) -> None:
    graph.vectors()
    parameters = graph.parameters()
    if not graph.recurrent:
        graph.add("Gemm", *graph.constants(parameters), transB=1)
        return
    weight, *bias = graph.constants(parameters | {"weight": np.ascontiguousarray(parameters["weight"].T)})
    graph.add("MatMul", weight)  # Gemm does not support time steps
    if bias:
        graph.add("Add", *bias)


@_write.register
def _(layer: Conv2d, graph: Graph) -> None:
    graph.images(layer.channels, layer.height, layer.width)
    names = graph.constants(graph.parameters())
    graph.add("Conv", *names, strides=[layer.stride] * 2, pads=[layer.padding] * 4)
    graph.image = layer.image


@_write.register
def _(layer: MaxPool2d, graph: Graph) -> None:
    graph.images(layer.channels, layer.height, layer.width)
    stride = layer.kernel if layer.stride is None else layer.stride
    graph.add("MaxPool", kernel_shape=[layer.kernel] * 2, strides=[stride] * 2)
    graph.image = layer.image


@_write.register
def _(layer: Flatten, graph: Graph) -> None:
    graph.images(layer.channels, layer.height, layer.width)
    graph.flatten()


@_write.register
def _(layer: LSTM, graph: Graph) -> None:
    """ONNX takes (steps, examples, inputs) and returns (steps, directions, examples, hidden)."""
    graph.vectors()
    parameters = {name: _gates(array) for name, array in graph.parameters().items()}
    arrays = {"W": parameters["weight_ih_l0"], "R": parameters["weight_hh_l0"]}
    if layer.bias:
        arrays["B"] = np.concatenate([parameters["bias_ih_l0"], parameters["bias_hh_l0"]], axis=1)
    graph.add("Transpose", perm=[1, 0, 2])
    graph.add("LSTM", *graph.constants(arrays), hidden_size=layer.hidden)
    graph.add("Squeeze", *graph.constants({"direction": np.array([1])}))
    graph.add("Transpose", perm=[1, 0, 2])


@_write.register
def _(_layer: Sigmoid, graph: Graph) -> None:
    graph.add("Sigmoid")


@_write.register
def _(_layer: Tanh, graph: Graph) -> None:
    graph.add("Tanh")


@_write.register
def _(_layer: ReLU, graph: Graph) -> None:
    graph.add("Relu")


def _gates(rows: F32) -> F32:
    """The only direction's rows of the gates i, f, g, o in the order i, o, f, g of ONNX."""
    i, f, g, o = np.split(rows, 4)
    return np.concatenate([i, o, f, g])[np.newaxis]
