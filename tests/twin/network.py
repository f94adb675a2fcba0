"""Networks."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

import tikitaka as tt
from twin.devices import F64
from twin.layers import Layer, Linear, activation
from twin.rules import Rule


class Network:
    """A sequence of layers, softmax and cross-entropy."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = layers

    def train(self, x: F64, classes: NDArray[np.int64], lr_scale: float = 1.0) -> float:
        """One mini-batch (examples, values) or (examples, steps, values); returns the sum of the losses.

        δ is that of the mean over the examples, and for sequences of the sum over their steps.
        """
        y = np.asarray(x, float)
        if classes.ndim == 2:
            y, classes = y.swapaxes(0, 1), classes.T
        for layer in self.layers:
            y = layer.forward(y)
        p = np.exp(y - y.max(axis=-1, keepdims=True))
        p /= p.sum(axis=-1, keepdims=True)
        picked = (*np.indices(classes.shape), classes)
        loss = -np.log(p[picked]).sum()
        p[picked] -= 1
        delta: F64 | None = p / len(x)
        for k, layer in reversed(list(enumerate(self.layers))):
            assert delta is not None
            delta = layer.backward(delta, wanted=k > 0)
        for layer in self.layers:
            layer.learn(lr_scale)
        return float(loss)


class Mlp(Network):
    """Linear layers with sigmoids between them."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        layers: list[Layer] = []
        for rule in rules:
            layers += [activation(tt.nn.Sigmoid()), Linear(rule)]
        super().__init__(layers[1:])
