"""How large are the products that noise is added to? A training of each network by TTv2 at 20 states (3 minutes).

    python results/claims/signals.py DATA

For every array: the root mean square of its outputs Wx over the largest |x|, and of Wᵀδ over the largest |δ|, over all
outputs and samples. Noise of products is added in these units, since noise management scales inputs to at most 1.
"""

import sys
from typing import Any, ClassVar

import numpy as np

import tikitaka as tt
from tikitaka.experiments.measure import dataset_of

EXAMPLES = {"fcn": 2_000, "lstm": 50}


class Signals(tt.Rule):
    """Measures products of given weights and learns nothing."""

    found: ClassVar[list["Signals"]] = []

    def build(self, weights: Any, seed: int, layer: int) -> None:
        self.array = tt.Crossbar(
            *weights.shape, tt.ConstantStep(states=1e6, bound=100.0), seed=seed, array=2 * layer + 1
        )
        self.forward_square = self.backward_square = 0.0
        self.samples = 0
        Signals.found.append(self)

    def update(self, x: Any, delta: Any, lr_scale: float) -> None:
        w = self.array.weights
        self.forward_square += _relative(x @ w.T, x)
        self.backward_square += _relative(delta @ w, delta)
        self.samples += len(x)


def _relative(products: Any, inputs: Any) -> float:
    largest = np.maximum(np.abs(inputs).max(axis=1), 1e-30)
    return float((np.mean(products**2, axis=1) / largest**2).sum())


def main(data_dir: str) -> None:
    for net, rule, epochs, examples in (
        ("fcn", tt.Ttv2(fast_lr=0.8, transfer_lr=3.0), 10, None),
        ("lstm", tt.Ttv2(lr=0.003), 4, 1_200),
    ):
        config = tt.TrainConfig(net=net, epochs=epochs, examples=examples, rule=rule)
        dataset = dataset_of(config, data_dir)
        trained = config.network(dataset)
        config.fit(trained, dataset, progress=False)
        Signals.found.clear()
        probe = tt.Network(trained.layers, Signals(), seed=1)
        probe.weights = trained.weights
        few = dataset.first(EXAMPLES[net])
        probe.train(few.train_x, few.train_y)
        for name, each in zip(trained.names, Signals.found, strict=True):
            forward, backward = (np.sqrt(s / each.samples) for s in (each.forward_square, each.backward_square))
            print(f"{net:<6}{name:<10}forward {forward:.2f}   backward {backward:.2f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
