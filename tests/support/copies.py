"""What copies are tested with, where spawned processes can import it."""

from typing import Any

import numpy as np

import tikitaka as tt


class Momentum(tt.Rule):
    """A rule with every kind of state: an array, an AnalogLayer, a generator, numbers, and a setting."""

    def __init__(self, lr: float) -> None:
        self.lr = lr

    def build(self, weights: Any, seed: int, layer: int) -> None:
        self.array = tt.Crossbar(*weights.shape, tt.SoftBounds(states=40), seed=seed, array=2 * layer + 1)
        self.array.weights = weights
        self.inner = tt.AnalogLayer(tt.AnalogSgd(), weights, seed=seed, layer=layer + 100)
        self.mean = np.zeros(weights.shape)
        self.random = np.random.default_rng(seed)
        self.count = 0

    def update(self, x: Any, delta: Any, lr_scale: float) -> None:
        self.inner.update(x, delta)
        for x_s, delta_s in zip(x, delta, strict=True):
            self.mean = 0.9 * self.mean + np.outer(delta_s, x_s) * self.random.uniform(0.9, 1.1)
            self.array.update(self.mean.mean(axis=0), delta_s, -self.lr * lr_scale)
            self.count += 1
        if self.count == 40:
            self.array.zero_shift(3)


def continued(network: tt.Network, x: Any, y: Any) -> str:
    """The digest after an epoch more, with the noise of products in it."""
    network.train(x, y)
    return network.digest() + str(network.forward(x).sum())
