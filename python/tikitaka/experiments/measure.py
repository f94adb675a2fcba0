"""Measurements of a configuration: the results of its training, in plain numbers."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from tikitaka._internal.validation import check_kind
from tikitaka.config.rule import AVERAGING
from tikitaka.data import Dataset, load
from tikitaka.data.sets import data_folder
from tikitaka.experiments.quality import quality_of
from tikitaka.model import extract
from tikitaka.network import Network
from tikitaka.training import Metrics, Stopped, TrainConfig

__all__ = ["check_cell", "dataset_of", "scored", "trained"]

_cached, _loading = lru_cache(maxsize=4)(load), Lock()  # a data set is read once per process, not once per cell


def trained(
    config: TrainConfig,
    *,
    data_dir: str | Path | None = None,
    threads: int = 1,
    stop: Callable[[], bool] | None = None,
    give_up: Callable[[Metrics], bool] | None = None,
) -> dict[str, Any]:
    """Train the network of `config` in memory and return the measurements that `sweep` stores.

    These are test_error and test_loss (of the hardware after the last epoch), train_error (during the last epoch;
    errors are shares from 0 to 1), pulses (sent to all devices), epochs, seconds, digest (SHA-256 of the final
    weights), for rules that gather averages average_error (test error of the average of iterates; None if none was
    gathered) and, for rules that count pulses, device_pulses (for each kind of array, "a" and "c", the mean and the
    most of one device).
    `data_dir` is the folder of data sets. The training ends with the first epoch for which `give_up` returns True; then
    given_up is True, and there is no average. Raises the exceptions of loading data and of `tikitaka.fit`.
    """
    check_kind("config", config, TrainConfig)
    dataset = dataset_of(config, data_dir)
    network = config.network(dataset)
    history: list[Metrics] = []

    def ended() -> bool:
        return bool(history) and give_up is not None and len(history) < config.epochs and give_up(history[-1])

    try:
        config.fit(
            network,
            dataset,
            threads=threads,
            progress=False,
            on_epoch=history.append,
            stop=lambda: ended() or (stop is not None and stop()),
        )
    except Stopped:
        if not ended():
            raise
    measured: dict[str, Any] = {
        "test_error": history[-1].test_error,
        "test_loss": history[-1].test_loss,
        "train_error": history[-1].train_error,
        "pulses": network.pulses,
        "epochs": len(history),
        "seconds": sum(metrics.seconds for metrics in history),
        "digest": network.digest(),
    }
    if ended():
        measured["given_up"] = True
    elif isinstance(config.rule, AVERAGING):
        average = extract.average(network)
        measured["average_error"] = average and average.evaluate(dataset.test_x, dataset.test_y, threads=threads).error
    if getattr(config.rule, "count_pulses", False):
        measured["device_pulses"] = _device_pulses(network)
    return measured


def _device_pulses(network: Network) -> dict[str, dict[str, float]]:
    """The mean and the most pulses of one device, for each kind of array whose devices count them."""
    counts: dict[str, list[Any]] = {}
    for array in range(len(network.names)):
        for name, value in network.layer_state(array).items():
            kind, dot, what = name.partition(".")
            if dot and what == "pulses":
                counts.setdefault(kind, []).append(value)
    return {
        kind: {
            "mean": sum(float(each.sum(dtype=float)) for each in of_kind) / sum(each.size for each in of_kind),
            "most": float(max(each.max() for each in of_kind)),
        }
        for kind, of_kind in counts.items()
    }


def dataset_of(config: TrainConfig, data_dir: str | Path | None = None) -> Dataset:
    """The data set of `config`, read once per process."""
    return config.dataset(data_dir, load=_load)


def check_cell(config: TrainConfig, *, data_dir: str | Path | None = None, **_: Any) -> None:
    """Raise what `trained` raises for data that cannot be loaded or do not suit the network, but train nothing."""
    config.check(dataset_of(config, data_dir))


def scored(
    config: TrainConfig,
    *,
    data_dir: str | Path | None = None,
    stop: Callable[[], bool] | None = None,
    patient: bool = False,
) -> dict[str, Any]:
    """The measurements of `trained`; for a training that diverges, or drives all devices of an array to their bounds,
    only an error of 1. Unless `patient`, a training without hope is given up (`Quality.hopeless`)."""
    give_up = None if patient else quality_of(config.net).hopeless
    try:
        return trained(config, data_dir=data_dir, stop=stop, give_up=give_up)
    except ArithmeticError:
        return {"test_error": 1.0, "diverged": True}


def _load(name: str, data_dir: str | Path | None, sequence: int) -> Dataset:
    with _loading:  # threads that need the same data set share one reading
        return _cached(name, data_folder(data_dir), sequence)
