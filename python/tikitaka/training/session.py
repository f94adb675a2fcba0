"""A complete training by its config, with or without a RUN folder: checkpoints, and a summary at the end."""

import time
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any, Protocol

from tikitaka._internal.validation import check_int, check_kind
from tikitaka.data import Dataset
from tikitaka.network import Network
from tikitaka.training.metrics import Metrics, Progress, Stopped
from tikitaka.training.summary import summarize
from tikitaka.training.train_config import TrainConfig

__all__ = ["Journal", "train"]


class Journal(Protocol):
    """The record of a training, such as a `tikitaka.Run`."""

    def metrics(self) -> list[Metrics]:
        """The metrics of every epoch so far."""

    def log(self, metrics: Metrics) -> None:
        """Keep the metrics of an epoch."""

    def checkpoint(self, network: Network, *, progress: Progress, dataset: Dataset) -> None:
        """Keep the complete state of the training."""

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Keep the summary of a complete training."""


def train(
    config: TrainConfig,
    network: Network,
    dataset: Dataset,
    *,
    run: Journal | None = None,
    start: Progress | None = None,
    threads: int = 1,
    progress: bool = True,
    checkpoint_epochs: int = 1,
    checkpoint_minutes: float = 10.0,
    stop: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """Train `network` by `config` from `start` on, record it in `run`, and return the summary.

    A checkpoint is written before the first example, after every `checkpoint_epochs` epochs and the last one, early or
    not, when the newest is `checkpoint_minutes` minutes old (0: after each call into the core, several a second), and
    when `stop` returns True. `start` must be the progress of `run`, with its metrics cut to match, as by `Run.prepare`.

    Raises what `tikitaka.fit` raises, OSError if the run cannot be written, and ValueError for less than an epoch
    between checkpoints or less than 0 minutes. Earlier checkpoints then remain.
    """
    checkpoint_epochs = check_int("checkpoint_epochs", checkpoint_epochs, 1)
    check_kind("checkpoint_minutes", checkpoint_minutes, Real)
    if not checkpoint_minutes >= 0:
        raise ValueError(f"checkpoint_minutes must be at least 0, not {checkpoint_minutes}")
    start = Progress() if start is None else start
    history = run.metrics()[: start.epoch] if run is not None and start.epoch else []
    saved, saved_at = time.monotonic(), start

    def save(at: Progress) -> None:
        nonlocal saved, saved_at
        if run is not None:
            run.checkpoint(network, progress=at, dataset=dataset)
        saved, saved_at = time.monotonic(), at

    def due() -> bool:
        return time.monotonic() - saved >= 60 * checkpoint_minutes

    def on_progress(at: Progress) -> None:
        if due():
            save(at)

    def on_epoch(metrics: Metrics) -> None:
        if run is not None:
            run.log(metrics)
        if metrics.epoch % checkpoint_epochs == 0 or due():
            save(Progress(metrics.epoch))

    if start == Progress():
        save(start)
    try:
        history += config.fit(
            network,
            dataset,
            threads=threads,
            progress=progress,
            start=start,
            on_progress=on_progress,
            on_epoch=on_epoch,
            stop=stop,
            history=list(history),
        )
    except Stopped as stopped:
        save(stopped.progress)
        raise
    if saved_at != Progress(len(history)):
        save(Progress(len(history)))
    seconds = sum(metrics.seconds for metrics in history)
    summary = summarize(config, network, dataset, history, seconds=seconds, threads=threads)
    if run is not None:
        run.finish(summary)
    return summary
