"""Weights as other frameworks want them: bias apart, output scale multiplied in."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tikitaka.model import Model
from tikitaka.nn import Linear

__all__ = ["Folded", "folded"]

F32 = NDArray[np.float32]


class Folded(NamedTuple):
    """y = weight·x + bias."""

    weight: F32
    """(outputs, inputs)"""
    bias: F32 | None
    """(outputs,); None for a layer without one"""


def folded(model: Model) -> dict[int, Folded]:
    """Weight and bias of each layer that has weights, by the number of the layer."""
    numbers = [k for k, layer in enumerate(model.layers) if isinstance(layer, Linear)]
    parts: dict[int, Folded] = {}
    for k, array in zip(numbers, model.weights, strict=True):
        layer = model.layers[k]
        assert isinstance(layer, Linear)
        scaled = array * np.float32(layer.scale)
        bias = scaled[:, layer.inputs].copy() if layer.bias else None
        parts[k] = Folded(np.ascontiguousarray(scaled[:, : layer.inputs]), bias)
    return parts
