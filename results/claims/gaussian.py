"""Does the noise of pulses raise the loss as derived? SGD on lstm with Gaussian noise in their place (5 minutes).

    python results/claims/gaussian.py DATA

Every update adds to each weight the variance that pulses on symmetric steps would add, lr·δ(1 + σ_c²)·|g|, and nothing
else of devices: no bounds, no whole pulses. Prints Σ⟨|g|⟩ in the last epoch, the rise of the loss on training examples
over that of a training without noise, and what docs/limits.md derives for it: δ(1 + σ_c²)/4 · Σ⟨|g|⟩.
"""

import sys
from typing import Any, ClassVar

import numpy as np

import tikitaka as tt
from tikitaka.experiments.limits import sgd_noise
from tikitaka.experiments.measure import dataset_of

LR = 0.006
CONFIG = tt.TrainConfig(net="lstm", epochs=4, examples=1_200, rule=tt.DigitalSgd(lr=LR))
FEW = 100
"""Training sequences on which the loss is measured."""


class NoisySgd(tt.Rule):
    """SGD with weights that get the noise of pulses."""

    made: ClassVar[list["NoisySgd"]] = []

    def __init__(self, lr: float, noise: float) -> None:
        self.lr, self.noise = lr, noise

    def build(self, weights: Any, seed: int, layer: int) -> None:
        self.array = tt.AnalogLayer(tt.DigitalSgd(), weights, seed=seed, layer=layer)
        self.exact = np.array(weights, np.float32)
        self.normals = np.random.default_rng([seed, layer])
        self.sizes, self.samples = 0.0, 0
        NoisySgd.made.append(self)

    def update(self, x: Any, delta: Any, lr_scale: float) -> None:
        lr, sizes = self.lr * lr_scale, np.abs(delta).T @ np.abs(x)
        self.exact -= lr * (delta.T @ x)
        if self.noise:
            variance = lr * self.noise * sizes
            self.exact += np.sqrt(variance) * self.normals.standard_normal(variance.shape, np.float32)
        self.sizes, self.samples = self.sizes + float(sizes.sum()), self.samples + len(x)
        self.array.weights = self.exact


def trained(noise: float, data_dir: str) -> tuple[float, float]:
    """Loss on training examples, and Σ⟨|g|⟩ in the last epoch."""
    dataset = dataset_of(CONFIG, data_dir)
    start = CONFIG.network(dataset)
    NoisySgd.made.clear()
    network = tt.Network(start.layers, NoisySgd(LR, noise), seed=0)
    network.weights = start.weights
    made = list(NoisySgd.made)
    for each, weights in zip(made, start.weights, strict=True):
        each.exact = np.array(weights, np.float32)

    def after_epoch(metrics: tt.Metrics) -> None:
        if metrics.epoch == CONFIG.epochs - 1:
            for each in made:
                each.sizes, each.samples = 0.0, 0

    CONFIG.fit(network, dataset, progress=False, on_epoch=after_epoch)
    loss = network.evaluate(dataset.train_x[:FEW], dataset.train_y[:FEW]).loss
    return loss, sum(each.sizes / each.samples for each in made)


def main(data_dir: str) -> None:
    exact, size = trained(0.0, data_dir)
    print(f"{'states':>8}{'Σ⟨|g|⟩':>9}{'rise':>8}{'derived':>9}\n{'float':>8}{size:>9.4g}", flush=True)
    for states in (1_200, 300):
        noise = sgd_noise(1.2 / states, 0.3)
        loss, size = trained(noise, data_dir)
        print(f"{states:>8,}{size:>9.4g}{loss - exact:>8.3f}{noise / 4 * size:>9.3f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
