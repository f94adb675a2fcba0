"""How many states SGD needs on symmetric devices, from a float training alone (docs/limits.md; some 2 minutes).

    python results/claims/gradients.py DATA

After each epoch: the loss on the first training examples, the error or loss on the test set, and Σ⟨|g|⟩, the sum over
all weights of the mean size of their gradients. Pulses raise the loss by δ(1 + σ_c²)/4 · Σ⟨|g|⟩. The coarsest devices
that SGD can do with are those that raise it to where float itself passed the limit.
"""

import sys
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

import tikitaka as tt
from tikitaka.experiments.measure import dataset_of
from tikitaka.experiments.quality import quality_of


class Gradients(tt.Rule):
    """Adds up the sizes of the gradients of given weights and learns nothing."""

    made: ClassVar[list["Gradients"]] = []

    def build(self, weights: Any, seed: int, layer: int) -> None:
        device = tt.ConstantStep(states=1e6, bound=100.0)
        self.array = tt.Crossbar(*weights.shape, device, seed=seed, array=2 * layer + 1)
        self.total, self.samples = 0.0, 0
        Gradients.made.append(self)

    def update(self, x: Any, delta: Any, lr_scale: float) -> None:
        self.total += float((np.abs(delta).sum(axis=1) * np.abs(x).sum(axis=1)).sum())
        self.samples += len(x)


def sizes(network: tt.Network, x: Any, y: Any) -> float:
    """Σ⟨|g|⟩ over all arrays, per sample."""
    Gradients.made.clear()
    probe = tt.Network(network.layers, Gradients(), seed=1)
    probe.weights = network.weights
    probe.train(x, y)
    return sum(each.total / each.samples for each in Gradients.made)


def followed(network: tt.Network, config: tt.TrainConfig, dataset: Any, few: int) -> list[tuple[float, float, float]]:
    """After each epoch: loss on the first `few` examples, error or loss on the test set, Σ⟨|g|⟩."""
    quality, found = quality_of(config.net), list[tuple[float, float, float]]()
    x, y = dataset.train_x[:few], dataset.train_y[:few]

    def after(metrics: tt.Metrics) -> None:
        measured = quality.of({"test_error": metrics.test_error, "test_loss": metrics.test_loss})
        found.append((network.evaluate(x, y).loss, measured, sizes(network, x, y)))
        loss, measured, size = found[-1]
        print(f"{config.net}: loss {loss:.4f}, {measured:.3f} {quality.unit}, Σ⟨|g|⟩ {size:.2f}", flush=True)

    config.fit(network, dataset, progress=False, on_epoch=after)
    return found


def main(data_dir: str) -> None:
    for net, lr, epochs, examples, few in (("fcn", 0.2, 10, None, 5_000), ("lstm", 0.006, 4, 1_200, 100)):
        config = tt.TrainConfig(net=net, epochs=epochs, examples=examples, rule=tt.DigitalSgd(lr=lr))
        dataset = dataset_of(config, data_dir)
        found = followed(config.network(dataset), config, dataset, few)
        for points in quality_of(net).points:
            limit = found[-1][1] + points
            (low, error, size), (high, worse, more) = next(
                (after, before) for before, after in pairwise(found) if before[1] > limit >= after[1]
            )
            share = (limit - error) / (worse - error)
            loss, total = low + share * (high - low), size + share * (more - size)
            noise = 4 * (loss - found[-1][0]) / total
            print(f"{net}, float + {points:g}: δ(1 + σ_c²) up to {noise:.4f}, from {1.2 * 1.09 / noise:.0f} states on")


if __name__ == "__main__":
    main(sys.argv[1])
