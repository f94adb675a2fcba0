"""The time that trainings take, from counts that are the same on every machine, and the class of speed of a machine.

The time of an example grows with the pulses it sends, not in proportion, because pulses to many devices are sent at
once. Both laws were fitted to trainings of fcn on one core. What they leave out, such as the model of the device and
caches that threads share, is in the class of speed, which trainings of the assessment itself measure.
"""

import math
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from statistics import fmean, median
from typing import Any

import numpy as np

from tikitaka.data import Dataset
from tikitaka.training import TrainConfig

__all__ = [
    "CLASS",
    "Sizes",
    "class_of",
    "evaluation_seconds",
    "example_seconds",
    "pulses_per_example",
    "speed_class",
]

CLASS = 1.1
"""Factor of speed between two classes."""

_PROBED = 300
"""Examples of which the last third have their pulses counted: the first ones send more."""

_TRIALS = 3
"""Timed trainings of each kind on each thread."""


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
    return _probed(config, dataset)[0]


def _probed(config: TrainConfig, dataset: Dataset) -> tuple[float, float]:
    """Pulses that an example sends after the first ones of a training, and seconds of this thread that it takes."""
    network = config.network(dataset)
    few = np.arange(min(_PROBED, len(dataset.train_y)))
    first, last = few[: 2 * len(few) // 3], few[2 * len(few) // 3 :]
    for order in (first, last):
        before, start = network.pulses, time.thread_time()
        batch = max(1, min(config.batch, len(order)))
        network.train(dataset.train_x, dataset.train_y, order=order, batch=batch, threads=1)
    seconds = time.thread_time() - start
    return (network.pulses - before) / (len(last) * dataset.time_steps), seconds / len(last)


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
        examples, epochs = config["examples"], row.get("epochs", config["epochs"])
        pulses = row.get("pulses", 0) / (examples * epochs)
        return self.seconds(examples, epochs, config.get("holdout") or self.tests, pulses)


def speed_class(configs: Iterable[TrainConfig], dataset: Dataset, workers: int) -> int:
    """The class of speed of this machine: it trains `configs` `CLASS` to this power times as fast as a machine of class
    0 when so many `workers`, threads of this process, train at the same time.

    Times the processor, not the clock. The median of several trials counts: programs that share the processor's caches
    and units slow the assessment down as well.
    """
    each = list(configs)
    work = Sizes(each[0], dataset).work
    with ThreadPoolExecutor(workers) as threads:
        probes = list(threads.map(lambda config: _probed(config, dataset), each * (_TRIALS * workers)))
    speeds = [example_seconds(work, pulses) / max(seconds, 1e-9) for pulses, seconds in probes]
    medians = [median(speeds[k :: len(each)]) for k in range(len(each))]
    return round(fmean(math.log(speed, CLASS) for speed in medians))


def class_of(rows: Iterable[Mapping[str, Any]], sizes: Sizes) -> int:
    """The class of speed at which the trainings of these `rows` ran, which state their seconds."""
    each = [row for row in rows if "seconds" in row]  # not of trainings that diverged
    seconds = sum(float(row["seconds"]) for row in each)
    return round(math.log(sum(map(sizes.of_row, each)) / seconds, CLASS)) if seconds else 0
