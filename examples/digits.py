"""Trains a small network on the bundled digits with TTv2 on 20-state devices; the same training as digits.rs.

python examples/digits.py
"""

import numpy as np

import tikitaka as tt


def train(seed: int, epochs: int = 30) -> float:
    """Test error in percent after `epochs` epochs."""
    digits = tt.data.load("digits")
    layers = [tt.nn.Linear(64, 64), tt.nn.Sigmoid(), tt.nn.Linear(64, 10)]
    network = tt.Network(layers, tt.Ttv2(), seed=seed)
    n = len(digits.train_y)
    for epoch in range(epochs):
        lr_scale = (1.0, 0.3, 0.09)[3 * epoch // epochs]
        # tt.fit shuffles; the order here is one that digits.rs can make too
        order = (np.arange(n) * 701 + epoch * 97) % n
        network.train(digits.train_x, digits.train_y, order=order, lr_scale=lr_scale)
    return 100 * network.evaluate(digits.test_x, digits.test_y).error


if __name__ == "__main__":
    for seed in range(3):
        print(f"seed {seed}: TTv2 on 20-state devices, test error {train(seed):.1f} %")
