"""Weights by name: the arrays of layers with PyTorch's names, shapes and order, and back.

Layer number k has the names of its PyTorch module after "k.": "k.weight" (outputs, inputs) for a Linear,
"k.weight" (filters, channels, kernel, kernel) for a Conv2d, each with "k.bias" (outputs,); "k.weight_ih_l0"
(4·hidden, inputs), "k.weight_hh_l0" (4·hidden, hidden), "k.bias_ih_l0" and "k.bias_hh_l0" (4·hidden,) for an LSTM.
Named weights compute without the output scale of a layer: it is multiplied into them.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import singledispatch
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tikitaka._internal.arrays import numbers
from tikitaka._internal.shown import listed, shown
from tikitaka._internal.validation import check_kind
from tikitaka.nn.layers import LSTM, Conv2d, Layer, Linear

__all__ = ["named_arrays", "named_weights"]

F32 = NDArray[np.float32]


class _Form(NamedTuple):
    """The parameters of one layer, and their places in its array."""

    weights: dict[str, tuple[int, ...]]
    """shape of each weight, in the order of their columns; along the columns the second axis varies fastest"""
    biases: tuple[str, ...]
    """vectors that add up to the last column"""
    scale: float
    """output scale of the layer"""


def named_arrays(layers: Sequence[Layer], named: Mapping[str, ArrayLike]) -> list[F32]:
    """The array of each layer with an array, from weights by name.

    Raises ValueError, naming it, for a missing or superfluous name and for a wrong shape.
    """
    unused = dict(named)
    arrays = []
    for prefix, form in _forms(layers):
        shapes = form.weights | {name: next(iter(form.weights.values()))[:1] for name in form.biases}
        parts = {}
        for name, shape in shapes.items():
            if prefix + name not in unused:
                raise ValueError(f"weights must contain {prefix}{name}; they contain {listed(named) or 'nothing'}")
            parts[name] = numbers(prefix + name, unused.pop(prefix + name))
            if parts[name].shape != shape:
                raise ValueError(f"{prefix}{name} must have shape {shape}, not {parts[name].shape}")
        arrays.append(_join(form, parts) / np.float32(form.scale))
    if unused:
        raise ValueError(f"weights must not contain {listed(unused)}: no layer has such weights")
    return arrays


def named_weights(layers: Sequence[Layer], arrays: Sequence[F32]) -> dict[str, F32]:
    """Weights by name, as for `named_arrays`, from the array of each layer with an array.

    Of the two biases of an LSTM the second is 0.
    """
    return {
        prefix + name: part
        for (prefix, form), array in zip(_forms(layers), arrays, strict=True)
        for name, part in _split(form, array * np.float32(form.scale)).items()
    }


def _join(form: _Form, parts: Mapping[str, F32]) -> F32:
    columns = [np.moveaxis(parts[name], 1, -1).reshape(len(parts[name]), -1) for name in form.weights]
    if form.biases:
        columns.append(np.sum([parts[name] for name in form.biases], axis=0)[:, np.newaxis])
    return np.concatenate(columns, axis=1)


def _split(form: _Form, array: F32) -> dict[str, F32]:
    parts: dict[str, F32] = {}
    start = 0
    for name, (rows, values, *kernel) in form.weights.items():
        end = start + values * math.prod(kernel)
        parts[name] = np.ascontiguousarray(np.moveaxis(array[:, start:end].reshape(rows, *kernel, values), -1, 1))
        start = end
    for name in form.biases[:1]:
        parts[name] = array[:, -1].copy()
    for name in form.biases[1:]:
        parts[name] = np.zeros_like(array[:, -1])
    return parts


def _forms(layers: Sequence[Layer]) -> Iterator[tuple[str, _Form]]:
    """The form of each layer with an array, with the prefix of its names."""
    for k, layer in enumerate(layers):
        check_kind(f"layers[{k}]", layer, Layer)
        if layer.shape is not None:
            yield f"{k}.", _form(layer)


@singledispatch
def _form(layer: Layer) -> _Form:
    raise ValueError(f"the weights of {shown(layer)} have no names")


@_form.register
def _(layer: Linear) -> _Form:
    return _Form({"weight": (layer.outputs, layer.inputs)}, ("bias",) * layer.bias, layer.scale)


@_form.register
def _(layer: Conv2d) -> _Form:
    shape = (layer.filters, layer.channels, layer.kernel, layer.kernel)
    return _Form({"weight": shape}, ("bias",) * layer.bias, layer.scale)


@_form.register
def _(layer: LSTM) -> _Form:
    rows = 4 * layer.hidden
    weights: dict[str, tuple[int, ...]] = {"weight_ih_l0": (rows, layer.inputs), "weight_hh_l0": (rows, layer.hidden)}
    return _Form(weights, ("bias_ih_l0", "bias_hh_l0") if layer.bias else (), layer.scale)
