"""The summary of a finished training, in plain values."""

import math
from typing import Any

from tikitaka.data import Dataset
from tikitaka.model import extract
from tikitaka.network import Network
from tikitaka.training.metrics import Metrics
from tikitaka.training.train_config import TrainConfig

__all__ = ["FIELDS", "summarize"]

FIELDS = (
    *("test_error", "last_read_test_error", "average_test_error", "test_loss", "last_read_test_loss"),
    *("average_test_loss", "train_loss", "samples_per_second", "pulses_per_sample", "seconds", "seed", "epochs"),
    *("threads", "digest", "config", "ledger"),
)
"""The names in a summary."""


def summarize(
    config: TrainConfig, network: Network, dataset: Dataset, history: list[Metrics], *, seconds: float, threads: int
) -> dict[str, Any]:
    """The results of a finished training, in plain values; errors are shares from 0 to 1.

    None stands for an average that was not gathered, and for the errors of a regression, which has none.
    """
    last, average = history[-1], extract.average(network)
    of_read = extract.last_read(network).evaluate(dataset.test_x, dataset.test_y, threads=threads)
    of_average = average and average.evaluate(dataset.test_x, dataset.test_y, threads=threads)

    return {
        "test_error": _share(last.test_error),
        "last_read_test_error": _share(of_read.error),
        "average_test_error": of_average and _share(of_average.error),
        "test_loss": last.test_loss,
        "last_read_test_loss": of_read.loss,
        "average_test_loss": of_average and of_average.loss,
        "train_loss": last.train_loss,
        "samples_per_second": last.samples_per_second,
        "pulses_per_sample": last.pulses_per_sample,
        "seconds": seconds,
        "seed": config.seed,
        "epochs": len(history),
        "threads": threads,
        "digest": network.digest(),
        "config": config.to_dict(),
        "ledger": network.ledger,
    }


def _share(error: float) -> float | None:
    return None if math.isnan(error) else error
