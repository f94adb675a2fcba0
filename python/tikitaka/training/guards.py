"""Checks before a training, and checks that stop a failed one before it is saved."""

import math

import numpy as np

from tikitaka._internal.validation import check_kind
from tikitaka.data import Dataset
from tikitaka.network import Network, losses
from tikitaka.nn import Layer
from tikitaka.training.metrics import Progress

__all__ = ["check_finite", "check_start", "check_trainable"]


def check_finite(
    network: Network, *, train: float, test: float = 0.0, validation: float = 0.0, epoch: int, examples: int
) -> None:
    """Raise FloatingPointError if a loss is not finite, `examples` into `epoch`, naming the array that caused it.

    That is the first array whose weights are not finite or, if all are, the one with the largest |weight|.
    """
    for name, loss in (("training", train), ("validation", validation), ("test", test)):
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"the {name} loss is {loss} in epoch {epoch} after {examples:,} examples: "
                f"the learning rate is too high for this network; {_blame(network)}"
            )


def check_trainable(network: Network, dataset: Dataset, *, batch: int = 1) -> None:
    """Raise ValueError, with the reason, if `network` cannot be trained on `dataset` in mini-batches of `batch`."""
    check_kind("network", network, Network)
    check_kind("dataset", dataset, Dataset)
    for part, examples in (("training", len(dataset.train_y)), ("test", len(dataset.test_y))):
        if examples == 0:
            raise ValueError(f"the {part} part of {dataset.name} must contain at least one example, and is empty")
    if network.loss != (required := losses[dataset.task]):
        holds = "classes" if dataset.task == "classification" else "the values of a regression"
        raise ValueError(
            f'loss must be "{required}" for {dataset.name}, whose targets are {holds}, not "{network.loss}"'
        )
    if network.recurrent != dataset.sequences:
        kinds = {False: "single examples", True: "sequences"}
        lstm = "an LSTM" if network.recurrent else "no LSTM"
        takes, holds = kinds[network.recurrent], kinds[dataset.sequences]
        raise ValueError(f"{dataset.name} must hold {takes} for a network with {lstm}, not {holds}")
    if network.carries and batch > len(dataset.train_y):
        raise ValueError(
            f"batch must be at most {len(dataset.train_y):,}, the training sequences of {dataset.name}, not {batch:,}: "
            "a network that carries state needs at least one sequence for each place of a mini-batch"
        )


def check_start(start: Progress, epochs: int, examples: int, batch: int) -> None:
    """Raise ValueError if a training of `epochs` × `examples` cannot be at `start`."""
    if start.epoch > epochs:
        raise ValueError(f"start must be within the {epochs} epochs, not after epoch {start.epoch}")
    if start.position > examples or (start.position % batch and start.position != examples):
        raise ValueError(
            f"start must be between two mini-batches of {batch:,}, "
            f"not {start.position:,} examples into an epoch of {examples:,}"
        )
    if start.position and start.epoch == epochs:
        raise ValueError(f"start must be within the {epochs} epochs, not {start.position:,} examples after the last")


def _blame(network: Network) -> str:
    arrays = [layer for layer in network.layers if layer.shape is not None]
    largest = [float(np.abs(w).max()) for w in network.weights]
    for k, value in enumerate(largest):
        if not math.isfinite(value):
            return f"the weights of array {k} ({_size(arrays[k])}) are not finite"
    k = int(np.argmax(largest))
    return f"all weights are finite, the largest |weight| {largest[k]:.3g} is in array {k} ({_size(arrays[k])})"


def _size(layer: Layer) -> str:
    rows, cols = layer.shape or (0, 0)
    return f"{rows} × {cols}"
