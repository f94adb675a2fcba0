"""The epoch loop: the order of examples, learning-rate schedules, averaging, metrics, progress."""

import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from tikitaka.checked import check_kind, check_whole, one_of
from tikitaka.config import DigitalSgd
from tikitaka.data import Dataset
from tikitaka.network import Network, losses
from tikitaka.nn import Conv2d, Layer
from tikitaka.trouble import check_finite, check_saturation

__all__ = ["Metrics", "Progress", "Stopped", "check", "fit", "lr_factor", "schedules", "shuffled", "streams"]

schedules: dict[str, dict[str, tuple[float, float, float]]] = {
    "constant": {"float": (1.0, 1.0, 1.0), "analog": (1.0, 1.0, 1.0)},
    "decay": {"float": (1.0, 0.5, 0.25), "analog": (1.0, 0.3, 0.09)},
    "swa": {"float": (1.0, 0.5, 0.25), "analog": (1.0, 0.6, 0.6)},
}
"""Factors of the learning rate in the first, second and last third of the epochs, for digital and analog rules.

`swa` (stochastic weight averaging) keeps the rate of the middle third while averages are gathered in the last: an
average gains from iterates that still explore."""

_CHUNK_WORK = 2e8  # input vectors × weights of one call into the core: about 0.2 s, so that Ctrl-C is answered soon


@dataclass(frozen=True)
class Metrics:
    """What one epoch of training gave; of a text, every character is a sample."""

    epoch: int
    """number of the epoch, from 1"""
    lr_scale: float
    """factor of the schedule"""
    train_loss: float
    """mean loss per sample met while training (nats for cross-entropy)"""
    train_error: float
    """share of wrong classes met while training, 0 to 1; NaN for a regression, which has no classes"""
    test_loss: float
    """mean loss per test sample, through the network's own periphery"""
    test_error: float
    """share of wrong classes on the test part, 0 to 1, through the network's own periphery; NaN for a regression"""
    samples_per_second: float
    """training samples per second of training alone"""
    pulses_per_sample: float
    """pulses sent to all devices per training sample"""
    seconds: float
    """time of the epoch with its evaluation"""


@dataclass(frozen=True)
class Progress:
    """How far a training has come: between two calls into the core, in the middle of an epoch or between two.

    With the state of the network this is all that is needed to go on bit for bit.
    """

    epoch: int = 0
    """epochs that are complete, with their evaluation"""
    position: int = 0
    """examples of the epoch that follows, in its own order"""
    loss: float = 0.0
    """sum of the losses of those examples"""
    errors: float = 0.0
    """sum of their shares of wrong classes; NaN for a regression"""
    training: float = 0.0
    """seconds of training alone, of that epoch"""
    seconds: float = 0.0
    """seconds of that epoch in all"""
    pulses: int = 0
    """pulses sent to all devices before that epoch"""

    def __post_init__(self) -> None:
        for name in ("epoch", "position", "pulses"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 0:
                raise ValueError(f"{name} must be a whole number from 0 on, not {value!r}")


class Stopped(Exception):
    """Training was asked to stop; the network stands between two batches, `position` examples into epoch `epoch`.

    `progress` is what `fit` needs to go on from there.
    """

    def __init__(self, progress: Progress) -> None:
        check_kind("progress", progress, Progress)
        self.progress = progress
        self.epoch = progress.epoch + 1
        self.position = progress.position
        super().__init__(f"stopped in epoch {self.epoch} after {self.position:,} examples")

    def __reduce__(self) -> tuple[type["Stopped"], tuple[Progress]]:
        return type(self), (self.progress,)


def shuffled(n: int, *, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order of `n` examples in an epoch: a pure function of (n, seed, epoch), equal on every version of NumPy."""
    # the raw words of Philox are frozen by NumPy's compatibility policy, Generator.permutation is not
    words = np.random.Philox(key=np.array([seed, epoch], dtype=np.uint64)).random_raw(n)
    return np.argsort(words, kind="stable").astype(np.int64)


def streams(n: int, batch: int) -> NDArray[np.int64]:
    """The order of `n` consecutive sequences of a text in mini-batches of `batch`, for a network that carries state.

    The text becomes `batch` streams of n // `batch` sequences that run beside each other, so that each place of a
    mini-batch goes on where the mini-batch before left it. What does not fill the streams is left out; nothing is
    left for fewer than `batch` sequences.
    """
    return np.arange(n // batch * batch, dtype=np.int64).reshape(batch, -1).T.ravel()


def lr_factor(schedule: str, network: Network, epoch: int, epochs: int) -> float:
    """The factor of `schedule` in `epoch` (from 1) of `epochs`; rates fall at one third and two thirds.

    ValueError for an unknown schedule.
    """
    one_of("schedule", schedule, schedules)
    rules = network.rules if isinstance(network.rules, Sequence) else [network.rules]
    family = "float" if all(isinstance(rule, DigitalSgd) for rule in rules) else "analog"
    return schedules[schedule][family][3 * (epoch - 1) // epochs]


def fit(
    network: Network,
    dataset: Dataset,
    *,
    epochs: int = 30,
    batch: int = 1,
    schedule: str = "decay",
    average_from: int | None = None,
    seed: int | None = None,
    threads: int = 1,
    progress: bool = True,
    start: Progress | None = None,
    on_progress: Callable[[Progress], object] | None = None,
    on_epoch: Callable[[Metrics], object] | None = None,
    stop: Callable[[], bool] | None = None,
) -> list[Metrics]:
    """Train `network` on `dataset` and return the metrics of each epoch that ends.

    Examples are shuffled from `seed` (the network's own by default), except that a network that carries state reads a
    text in `streams`, from a state of 0 in each epoch. Averages are gathered from epoch `average_from`
    on (1 to epochs + 1; by default over the last third of the epochs). `progress` shows a bar on standard error when
    that is a terminal. `on_epoch` is called after each epoch; `stop` is asked several times a second and, where it
    says True, ends the training with `Stopped`. Ctrl-C raises KeyboardInterrupt with the network whole, between two
    batches.

    `on_progress` is called as often as `stop` while an epoch runs. A `Progress` that it was given, with
    `Network.state` of that moment, is enough to go on: restore a network of the same settings and seed, and call `fit`
    with the same arguments and this `start`. It gives the same bits as a training that never stopped.

    A regression has no errors: they are NaN in its metrics, and the network needs the loss "mse".

    Raises ValueError for bad settings or data that does not fit the network, FloatingPointError when a loss is not
    finite any more, and ArithmeticError when every device of an array stands at one of its bounds after an epoch
    (arrays of fewer than 32 devices, and of devices that few pulses drive from bound to bound, are not looked at).

    >>> import tikitaka as tt
    >>> digits = tt.data.load("digits").first(200)
    >>> network = tt.Network([tt.nn.Linear(digits.inputs, digits.classes)], tt.DigitalSgd(lr=0.1))
    >>> history = fit(network, digits, epochs=3, progress=False)
    >>> [metrics.epoch for metrics in history]
    [1, 2, 3]
    >>> history[-1].test_error < history[0].test_error < 0.5
    True
    """
    epochs, batch, threads = (
        check_whole(name, value, 1) for name, value in (("epochs", epochs), ("batch", batch), ("threads", threads))
    )
    check(network, dataset, batch=batch)
    seed = network.seed if seed is None else seed
    seed = check_whole("seed", seed, 0, 2**64 - 1)
    if average_from is None:
        average_from = 2 * epochs // 3 + 1
    average_from = check_whole("average_from", average_from, 1, epochs + 1)
    lr_factor(schedule, network, 1, epochs)  # an unknown schedule is refused before any work
    start = Progress() if start is None else start
    check_kind("start", start, Progress)
    history = []
    n, text = len(dataset.train_y), dataset.vocabulary is not None
    consecutive = streams(n, batch) if network.carries else None
    examples = n if consecutive is None else len(consecutive)
    _check_start(start, epochs, examples, batch)
    bar = tqdm(
        total=epochs * examples * dataset.time_steps,
        initial=(start.epoch * examples + start.position) * dataset.time_steps,
        unit="char" if text else "ex",
        unit_scale=text,
        file=sys.stderr,
        disable=None if progress else True,
    )
    with bar:
        for epoch in range(start.epoch + 1, epochs + 1):
            begun = start.position > 0 and epoch == start.epoch + 1
            at = start if begun else Progress(epoch - 1, pulses=network.pulses)
            network.averaging = epoch >= average_from
            lr_scale = lr_factor(schedule, network, epoch, epochs)
            order = shuffled(n, seed=seed, epoch=epoch) if consecutive is None else consecutive
            if network.carries and not begun:
                network.reset()
            bar.set_description(f"epoch {epoch}/{epochs}", refresh=False)
            metrics = _epoch(network, dataset, order, at, lr_scale, batch, threads, bar.update, on_progress, stop)
            bar.set_postfix(_shown(metrics), refresh=False)
            history.append(metrics)
            if on_epoch is not None:
                on_epoch(metrics)
    return history


def _shown(metrics: Metrics) -> dict[str, str]:
    """What the progress bar says of an epoch: the error or, of a regression, the loss."""
    if math.isnan(metrics.test_error):
        return {"test_loss": f"{metrics.test_loss:.4g}"}
    return {"test_error": f"{100 * metrics.test_error:.2f} %"}


def check(network: Network, dataset: Dataset, *, batch: int = 1) -> None:
    """Raise ValueError where `network` cannot be trained on `dataset` in mini-batches of `batch`, and say why."""
    check_kind("network", network, Network)
    check_kind("dataset", dataset, Dataset)
    for part, examples in (("training", len(dataset.train_y)), ("test", len(dataset.test_y))):
        if examples == 0:
            raise ValueError(f"the {part} part of {dataset.name} is empty; it must hold an example at least")
    if network.loss != (wanted := losses[dataset.task]):
        holds = "classes" if dataset.task == "classification" else "the values of a regression"
        raise ValueError(f'loss must be "{wanted}" for {dataset.name}, whose targets are {holds}, not "{network.loss}"')
    if network.recurrent != dataset.sequences:
        takes = "sequences, for it has an LSTM" if network.recurrent else "single examples, for it has no LSTM"
        holds = "sequences" if dataset.sequences else "single examples"
        raise ValueError(f"the network takes {takes}, and {dataset.name} holds {holds}")
    if network.carries and batch > len(dataset.train_y):
        raise ValueError(
            f"batch is {batch:,}, and {dataset.name} has {len(dataset.train_y):,} sequences to train on; "
            "a network that carries state needs a sequence or more for each place of a mini-batch"
        )


def _check_start(start: Progress, epochs: int, examples: int, batch: int) -> None:
    if start.epoch > epochs:
        raise ValueError(f"start is after epoch {start.epoch}, and there are {epochs} epochs")
    if start.position > examples or (start.position % batch and start.position != examples):
        raise ValueError(
            f"start is {start.position:,} examples into an epoch of {examples:,} in mini-batches of {batch:,}; "
            "it must be between two of them"
        )
    if start.position and start.epoch == epochs:
        raise ValueError(f"start is {start.position:,} examples after the last of {epochs} epochs")


def _epoch(
    network: Network,
    dataset: Dataset,
    order: NDArray[np.int64],
    at: Progress,
    lr_scale: float,
    batch: int,
    threads: int,
    advance: Callable[[int], object],
    on_progress: Callable[[Progress], object] | None,
    stop: Callable[[], bool] | None,
) -> Metrics:
    """The rest of the epoch from `at` on, and its evaluation."""
    started, epoch = time.perf_counter() - at.seconds, at.epoch + 1
    n, time_steps = len(order), dataset.time_steps
    chunk = _chunk_size(network, batch, time_steps)
    for first in range(at.position, n, chunk):
        if stop is not None and stop():
            raise Stopped(at)
        part = order[first : first + chunk]
        before = time.perf_counter()
        score = network.train(
            dataset.train_x, dataset.train_y, order=part, batch=batch, lr_scale=lr_scale, threads=threads
        )
        now = time.perf_counter()
        at = replace(
            at,
            position=first + len(part),
            loss=at.loss + score.loss * len(part),
            errors=at.errors + score.error * len(part),
            training=at.training + now - before,
            seconds=now - started,
        )
        check_finite(network, train=score.loss, epoch=epoch, examples=at.position)
        advance(len(part) * time_steps)
        if on_progress is not None:
            on_progress(at)
    test = network.evaluate(dataset.test_x, dataset.test_y, draw=epoch, threads=threads)
    check_finite(network, train=at.loss, test=test.loss, epoch=epoch, examples=n)
    check_saturation(network, epoch=epoch)
    return Metrics(
        epoch=epoch,
        lr_scale=lr_scale,
        train_loss=at.loss / n,
        train_error=at.errors / n,
        test_loss=test.loss,
        test_error=test.error,
        samples_per_second=n * time_steps / at.training,
        pulses_per_sample=(network.pulses - at.pulses) / (n * time_steps),
        seconds=time.perf_counter() - started,
    )


def _chunk_size(network: Network, batch: int, time_steps: int) -> int:
    """Examples of `time_steps` samples each per call into the core, a multiple of `batch`.

    Set by the size of the network and not by a clock, so that sums of losses are added up in the same order, and
    come out the same, in every run.
    """
    work = time_steps * sum(_work(layer) for layer in network.layers)
    return batch * max(1, round(_CHUNK_WORK / (work * batch)))


def _work(layer: Layer) -> int:
    """Input vectors × weights of the layer for one sample: a convolution takes in a vector for every patch."""
    if layer.shape is None:
        return 0
    rows, cols = layer.shape
    _, height, width = layer.image if isinstance(layer, Conv2d) else (0, 1, 1)
    return rows * cols * height * width
