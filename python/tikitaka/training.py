"""A whole training by its config, kept in a RUN folder or not: checkpoints on the way, a summary at the end."""

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tikitaka import extract
from tikitaka.data import Dataset
from tikitaka.network import Network
from tikitaka.train import Metrics, Progress, Stopped, fit

if TYPE_CHECKING:  # a Run calls `train`
    from tikitaka.run import Run, TrainConfig

__all__ = ["summarize", "train"]


def train(
    config: "TrainConfig",
    network: Network,
    dataset: Dataset,
    *,
    run: "Run | None" = None,
    start: Progress | None = None,
    threads: int = 1,
    progress: bool = True,
    checkpoint_epochs: int = 1,
    checkpoint_minutes: float = 10.0,
    stop: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """Train `network` by `config` from `start` on, keep it in `run`, and return the summary.

    A checkpoint is written before the first example, after every `checkpoint_epochs` epochs and the last one, when the
    newest is `checkpoint_minutes` minutes old (0: after each call into the core, several a second), and where `stop`
    says True. `start` must be where `run` has come to, with its metrics cut to match, as `Run.prepare` does.

    Raises what `tikitaka.fit` raises, OSError when the run cannot be written, and ValueError for less than an epoch
    between checkpoints or less than 0 minutes. The checkpoints before are then still there.
    """
    if checkpoint_epochs < 1:
        raise ValueError(f"checkpoint_epochs must be at least 1, not {checkpoint_epochs}")
    if not checkpoint_minutes >= 0:
        raise ValueError(f"checkpoint_minutes must be at least 0, not {checkpoint_minutes}")
    start = Progress() if start is None else start
    history = run.metrics()[: start.epoch] if run is not None and start.epoch else []
    saved = time.monotonic()

    def save(at: Progress) -> None:
        nonlocal saved
        if run is not None:
            run.checkpoint(network, progress=at, dataset=dataset)
        saved = time.monotonic()

    def due() -> bool:
        return time.monotonic() - saved >= 60 * checkpoint_minutes

    def on_progress(at: Progress) -> None:
        if due():
            save(at)

    def on_epoch(metrics: Metrics) -> None:
        if run is not None:
            run.log(metrics)
        if metrics.epoch % checkpoint_epochs == 0 or metrics.epoch == config.epochs or due():
            save(Progress(metrics.epoch))

    if start == Progress():
        save(start)
    try:
        history += fit(
            network,
            dataset,
            epochs=config.epochs,
            batch=config.batch,
            schedule=config.schedule,
            average_from=config.average_from,
            threads=threads,
            progress=progress,
            start=start,
            on_progress=on_progress,
            on_epoch=on_epoch,
            stop=stop,
        )
    except Stopped as stopped:
        save(stopped.progress)
        raise
    seconds = sum(metrics.seconds for metrics in history)
    summary = summarize(config, network, dataset, history, seconds=seconds, threads=threads)
    if run is not None:
        run.finish(summary)
    return summary


def summarize(
    config: "TrainConfig", network: Network, dataset: Dataset, history: list[Metrics], *, seconds: float, threads: int
) -> dict[str, Any]:
    """What a finished training reports, in plain values; errors are shares from 0 to 1.

    None stands for what there is none of: an average that was not gathered, the errors of a regression.
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
