"""The time that trainings take, from counts that are the same on every machine, and the class of speed of a machine.

The time of an example grows with the pulses it sends, not in proportion, because pulses to many devices are sent at
once. Both laws were fitted to trainings of fcn on one core. A class of speed spans a factor of 1.25, so that a quiet
machine is mostly in the same class whenever it is asked, and the work takes the time asked for within some 10 %.
"""

import math
import time
from collections.abc import Mapping
from statistics import median
from typing import Any

import numpy as np

from tikitaka.config import Ttv2
from tikitaka.data import Dataset
from tikitaka.network import Network
from tikitaka.nn import Linear, Sigmoid
from tikitaka.training import TrainConfig

__all__ = ["CLASS", "Sizes", "evaluation_seconds", "example_seconds", "pulses_per_example", "speed_class"]

CLASS = 1.25
"""Factor of speed between two classes."""

_REFERENCE = 5.0e-3
"""Seconds that the standard training takes on a machine of class 0."""

_STANDARD = Ttv2(fast_lr=0.5, transfer_lr=1.0)
"""Its rule: rates by hand, so that its work stays the same."""

_PROBED = 300
"""Examples of which the last third have their pulses counted: the first ones send more."""


def example_seconds(work: float, pulses: float) -> float:
    """Seconds of one training example on one core of class 0.

    `work` are the multiply-adds of a forward product, `pulses` those that an example sends to all devices.
    """
    return 9.0e-6 + 1.2e-11 * work + 1.0e-7 * math.pow(pulses, 0.69)


def evaluation_seconds(work: float) -> float:
    """Seconds to evaluate one example on one core of class 0."""
    return 1.9e-6 + 5e-12 * work


def pulses_per_example(config: TrainConfig, dataset: Dataset) -> float:
    """Pulses that an example sends on average after the first ones of a training; the same on every machine."""
    network = config.network(dataset)
    few = np.arange(min(_PROBED, len(dataset.train_y)))
    first, last = few[: 2 * len(few) // 3], few[2 * len(few) // 3 :]
    for order in (first, last):
        before = network.pulses
        network.train(dataset.train_x, dataset.train_y, order=order, batch=max(1, min(config.batch, len(order))))
    return (network.pulses - before) / (len(last) * dataset.time_steps)


class Sizes:
    """Sizes of a training of one network on one data set, that its time depends on."""

    def __init__(self, config: TrainConfig, dataset: Dataset) -> None:
        shaped = [(layer.shape, layer.vectors) for layer in config.network(dataset).layers if layer.shape is not None]
        self.work = float(sum(rows * cols * vectors for (rows, cols), vectors in shaped)) * dataset.time_steps
        """multiply-adds of a forward product of one example"""
        self.weights = float(sum(rows * cols for (rows, cols), _ in shaped))
        """devices of one array for each layer"""
        self.examples = len(dataset.train_y)
        """training examples"""
        self.tests = len(dataset.test_y)
        """test examples"""

    def seconds(self, examples: int, epochs: int, tests: int, pulses: float) -> float:
        """Seconds of a training on one core of class 0, with its evaluation on `tests` examples after each epoch."""
        training = epochs * examples * example_seconds(self.work, pulses)
        evaluating = (epochs + 1) * tests * evaluation_seconds(self.work)
        checking = epochs * 1.2e-7 * self.weights  # that not all devices are at a bound
        return training + evaluating + checking + 0.005 + 1.5e-7 * self.weights

    def of_row(self, row: Mapping[str, Any]) -> float:
        """Seconds of the training that a row of a sweep measured, from its settings and the pulses counted."""
        config = row["config"]
        samples = config["examples"] * config["epochs"]
        return self.seconds(
            config["examples"], config["epochs"], config.get("holdout") or self.tests, row.get("pulses", 0) / samples
        )


def speed_class() -> int:
    """The class of speed of this machine: `CLASS` to this power times as fast as a machine of class 0.

    Times the processor, not the clock. The median of several trials counts: programs that share the processor's caches
    and units slow the assessment down as well.
    """
    inputs = np.random.default_rng(0).random((300, 256), dtype=np.float32)
    targets = np.arange(300) % 10
    layers = [Linear(256, 128), Sigmoid(), Linear(128, 10)]
    times = []
    for _ in range(25):
        network = Network(layers, _STANDARD, seed=0)
        start = time.process_time()
        network.train(inputs, targets)
        times.append(time.process_time() - start)
    return round(math.log(_REFERENCE / max(median(times), 1e-6), CLASS))
