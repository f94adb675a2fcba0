"""The epoch loop: examples in order, scheduled learning rates, averaging, evaluation, progress."""

import math
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

from tikitaka._internal.progress import bar_disabled
from tikitaka._internal.shown import shown
from tikitaka._internal.validation import check_int, check_kind
from tikitaka.data import Dataset
from tikitaka.network import Network
from tikitaka.nn import Layer
from tikitaka.training.callbacks import Callbacks, call, callbacks_of
from tikitaka.training.examples import check_examples
from tikitaka.training.guards import check_finite, check_start, check_trainable
from tikitaka.training.metrics import Metrics, Progress, Stopped
from tikitaka.training.order import shuffled, streams
from tikitaka.training.rule_warnings import warn_of_rules
from tikitaka.training.saturation import SaturationCheck
from tikitaka.training.schedule import Schedule, check_schedule, largest_factor, lr_factor
from tikitaka.training.unusual import warn_unusual
from tikitaka.training.validation import DRAW, hold_out

__all__ = ["fit"]

_CHUNK_WORK = 2e8  # input vectors × weights of one call into the core: about 0.2 s, so that Ctrl-C takes effect soon


def fit(
    network: Network,
    dataset: Dataset,
    *,
    epochs: int = 30,
    batch: int = 1,
    schedule: Schedule = "decay",
    average_from: int | None = None,
    validation: float | None = None,
    seed: int | None = None,
    threads: int = 1,
    progress: bool = True,
    start: Progress | None = None,
    on_progress: Callable[[Progress], object] | None = None,
    on_epoch: Callbacks = None,
    stop: Callable[[], bool] | None = None,
) -> list[Metrics]:
    """Train `network` on `dataset` and return the metrics of each epoch that ends.

    `schedule` multiplies the learning rates: a name in `schedules`, a sequence of factors, one for each epoch, or a
    function that is called with the number of each epoch (from 1) and returns its factor. An exception inside the
    function is passed on, with the network as it was after the previous epoch.

    Examples are shuffled from `seed` (the network's own by default), except that a network that carries state reads a
    text in `streams`, from a state of 0 in each epoch. Averages are gathered from epoch `average_from`
    on (1 to epochs + 1; by default over the last third of the epochs), whether or not the training ends early.
    `progress` shows a bar on standard error if that is a terminal.

    `validation` is the share of the training examples, the last ones, that is held out and evaluated after each epoch.

    `on_epoch` is one callback or several, called in order with the metrics after each epoch. If one returns True
    itself, not just a true value, the training is complete: `fit` returns once all callbacks of that epoch were
    called. `EarlyStopping` is such a callback. `stop` is called several times a second, also within epochs, and if
    it returns True, interrupts the training with `Stopped`, to be resumed. Ctrl-C raises KeyboardInterrupt between two
    batches, with the network in a valid state.

    `on_progress` is called as often as `stop` during an epoch. Its argument, a `Progress`, and `Network.state` at that
    moment are enough to continue: restore a network with the same settings and seed, and call `fit` with the same
    arguments and this `start`. The result has the same bits as without the interruption.

    Settings and data that are far from what is usual, such as pixels up to 255, give a warning. So does what the
    `describe` of a rule warns of, such as pulse trains that saturate or a threshold that cannot be reached in this
    training, naming the arrays; not again where `start` continues a training, nor in the cells of a sweep.

    A regression has no errors: they are NaN in its metrics, and the network needs the loss "mse".

    Raises ValueError for bad settings or data that does not fit the network, FloatingPointError if a loss is no
    longer finite, and ArithmeticError if every device of an array is at one of its bounds after an epoch (except for
    arrays of fewer than 32 devices, and of devices that a few pulses drive from bound to bound).

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
        check_int(name, value, 1) for name, value in (("epochs", epochs), ("batch", batch), ("threads", threads))
    )
    whole, (dataset, held) = dataset, hold_out(dataset, validation)
    check_trainable(network, dataset, batch=batch)
    seed = network.seed if seed is None else seed
    seed = check_int("seed", seed, 0, 2**64 - 1)
    if average_from is None:
        average_from = 2 * epochs // 3 + 1
    average_from = check_int("average_from", average_from, 1, epochs + 1)
    schedule = check_schedule(schedule, epochs)
    callbacks = callbacks_of(on_epoch, validated=held is not None, regression=dataset.task == "regression")
    for name, function in (("stop", stop), ("on_progress", on_progress)):
        if function is not None and not callable(function):
            raise TypeError(f"{name} must be a function, not {shown(function)}")
    start = Progress() if start is None else start
    check_kind("start", start, Progress)
    history, saturated = [], SaturationCheck(network)
    n, text = len(dataset.train_y), dataset.vocabulary is not None
    consecutive = streams(n, batch) if network.carries else None
    examples = n if consecutive is None else len(consecutive)
    check_start(start, epochs, examples, batch)
    check_examples(network, whole)
    warn_unusual(network, dataset, batch=batch)
    if not start.epoch and not start.position:
        planned, largest = epochs * examples, largest_factor(schedule, network)
        warn_of_rules(network, examples=planned, time_steps=dataset.time_steps, batch=batch, lr_scale=largest)
    bar = tqdm(
        total=epochs * examples * dataset.time_steps,
        initial=(start.epoch * examples + start.position) * dataset.time_steps,
        unit="char" if text else "ex",
        unit_scale=text,
        file=sys.stderr,
        disable=bar_disabled(progress),
    )
    with bar:
        for epoch in range(start.epoch + 1, epochs + 1):
            lr_scale = lr_factor(schedule, network, epoch, epochs)
            begun = start.position > 0 and epoch == start.epoch + 1
            at = start if begun else Progress(epoch - 1, pulses=network.pulses)
            network.averaging = network.keeps_average and epoch >= average_from
            order = shuffled(n, seed=seed, epoch=epoch) if consecutive is None else consecutive
            if network.carries and not begun:
                network.reset()
            bar.set_description(f"epoch {epoch}/{epochs}", refresh=False)
            metrics = _epoch(
                network, dataset, held, order, at, lr_scale, batch, threads, bar.update, on_progress, stop, saturated
            )
            bar.set_postfix(_shown(metrics), refresh=False)
            history.append(metrics)
            if call(callbacks, metrics):
                break
    return history


def _shown(metrics: Metrics) -> dict[str, str]:
    """The figure in the progress bar: the test error or, for a regression, the test loss."""
    if math.isnan(metrics.test_error):
        return {"test_loss": f"{metrics.test_loss:.4g}"}
    return {"test_error": f"{100 * metrics.test_error:.2f} %"}


def _epoch(
    network: Network,
    dataset: Dataset,
    validation_set: Dataset | None,
    order: NDArray[np.int64],
    progress: Progress,
    lr_scale: float,
    batch: int,
    threads: int,
    advance: Callable[[int], object],
    on_progress: Callable[[Progress], object] | None,
    stop: Callable[[], bool] | None,
    saturated: SaturationCheck,
) -> Metrics:
    """The rest of the epoch from `progress` on, and its evaluation, on the test part of `validation_set` too."""
    started, epoch = time.perf_counter() - progress.seconds, progress.epoch + 1
    n, time_steps = len(order), dataset.time_steps
    chunk = _chunk_size(network, batch, time_steps)
    for first in range(progress.position, n, chunk):
        if stop is not None and stop():
            raise Stopped(progress)
        part = order[first : first + chunk]
        before = time.perf_counter()
        score = network.train(
            dataset.train_x, dataset.train_y, order=part, batch=batch, lr_scale=lr_scale, threads=threads
        )
        end = time.perf_counter()
        progress = replace(
            progress,
            position=first + len(part),
            loss=progress.loss + score.loss * len(part),
            errors=progress.errors + score.error * len(part),
            training=progress.training + end - before,
            seconds=end - started,
        )
        check_finite(network, train=score.loss, epoch=epoch, examples=progress.position)
        advance(len(part) * time_steps)
        if on_progress is not None:
            on_progress(progress)
    test = network.evaluate(dataset.test_x, dataset.test_y, draw=epoch, threads=threads)
    validation = (
        None
        if validation_set is None
        else network.evaluate(validation_set.test_x, validation_set.test_y, draw=DRAW + epoch, threads=threads)
    )
    validation_loss = 0.0 if validation is None else validation.loss
    check_finite(network, train=progress.loss, test=test.loss, validation=validation_loss, epoch=epoch, examples=n)
    saturated(epoch=epoch)
    return Metrics(
        epoch=epoch,
        lr_scale=lr_scale,
        train_loss=progress.loss / n,
        train_error=progress.errors / n,
        test_loss=test.loss,
        test_error=test.error,
        samples_per_second=n * time_steps / progress.training,
        pulses_per_sample=(network.pulses - progress.pulses) / (n * time_steps),
        seconds=time.perf_counter() - started,
        validation_loss=None if validation is None else validation.loss,
        validation_error=None if validation is None else validation.error,
    )


def _chunk_size(network: Network, batch: int, time_steps: int) -> int:
    """Examples of `time_steps` samples each per call into the core, a multiple of `batch`.

    Determined by the size of the network, not by a clock, so that losses are added in the same order, with the same
    sum, in every run.
    """
    work = time_steps * sum(_work(layer) for layer in network.layers)
    return batch * max(1, round(_CHUNK_WORK / (work * batch)))


def _work(layer: Layer) -> int:
    """Input vectors × weights of the layer for one sample."""
    if layer.shape is None:
        return 0
    rows, cols = layer.shape
    return rows * cols * layer.vectors
