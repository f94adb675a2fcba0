"""Your own training rule: gradients add up in a digital buffer and reach the devices as whole pulses.

A Python rule is saved, resumed, programmed, averaged and extracted like a built-in one.

    python examples/own_rule.py
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tikitaka as tt

F32 = NDArray[np.float32]


class BufferedSgd(tt.Rule):
    """χ ← χ − lr·δxᵀ in digital; a device gets ±1 pulse for each weight step in its χ (mixed precision)."""

    def __init__(self, lr: float = 0.1, device: tt.SoftBounds | None = None) -> None:
        self.lr, self.device = lr, device

    def build(self, weights: F32, seed: int, layer: int) -> None:
        outputs, inputs = weights.shape
        self.array = tt.Crossbar(outputs, inputs, self.device, seed=seed, array=2 * layer + 1)
        self.array.weights = weights
        self.chi = np.zeros_like(weights)
        self.mean, self.reads = np.zeros_like(weights), 0

    def update(self, x: F32, delta: F32, lr_scale: float) -> None:
        self.chi -= np.float32(self.lr * lr_scale) * (delta.T @ x)
        step = np.float32(self.array.weight_step)
        pulses = np.trunc(self.chi / step)
        self.chi -= pulses * step
        for k in np.flatnonzero(pulses.any(axis=0)):
            self.array.pulse_column(int(k), pulses[:, k].astype(int))

    def finish_batch(self, lr_scale: float) -> None:
        if self.averaging:
            sweep, k = divmod(self.reads, self.array.shape[1])
            self.mean[:, k] += (self.array.read_column(k) - self.mean[:, k]) / (sweep + 1)
            self.reads += 1

    def average(self) -> F32 | None:
        return self.mean if self.reads >= self.array.shape[1] else None


def network() -> tt.Network:
    rule = BufferedSgd(device=tt.SoftBounds(states=20))
    return tt.Network([tt.nn.Linear(64, 32), tt.nn.Sigmoid(), tt.nn.Linear(32, 10)], rule, seed=1)


def main() -> tuple[tt.Network, tt.Network, tt.Model]:
    digits = tt.data.load("digits")
    first, resumed = network(), network()
    for _ in range(5):
        first.train(digits.train_x, digits.train_y)
    with TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "checkpoint.npz"
        state: dict[str, Any] = first.state()
        np.savez(checkpoint, **state)
        resumed.restore(np.load(checkpoint))
    for half_trained in (first, resumed):
        half_trained.averaging = True
        for _ in range(5):
            half_trained.train(digits.train_x, digits.train_y)
    model = first.extract("average")
    print(f"test error: {first.evaluate(digits.test_x, digits.test_y).error:.1%}")
    print(f"test error of the average: {model.evaluate(digits.test_x, digits.test_y).error:.1%}")
    print(f"resumed to the same bits: {first.digest() == resumed.digest()}")
    pulses = resumed.program(model.weights, "closed-loop", max_pulses=100)
    print(f"programmed back with {sum(pulses):,} pulses")
    return first, resumed, model


if __name__ == "__main__":
    main()
