"""Trainings of a grid of configurations, spread over threads, processes or machines by any executor.

Nothing but configurations goes out and measured numbers come back, so that the place a cell runs at makes no
difference to what it gives. The file of results is written here alone.
"""

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor, as_completed
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, cast

from tqdm import tqdm

from tikitaka._internal.cpu import cores
from tikitaka._internal.validation import check_int
from tikitaka.experiments.grid import labels
from tikitaka.experiments.measure import trained
from tikitaka.experiments.results import Results, key_of
from tikitaka.training import TrainConfig

__all__ = ["sweep"]

Measure = Callable[[TrainConfig], Mapping[str, Any]]


def sweep(
    grid: Iterable[TrainConfig],
    executor: Executor | None = None,
    *,
    out: str | Path,
    measure: Measure = trained,
    progress: bool = True,
    threads: int | None = None,
) -> list[dict[str, Any]]:
    """Measure every cell of `grid` and return a row for each, in the order of the grid.

    A row holds format, key, measure, config and what `measure` returned for the configuration; it is a line of the file
    `out`, JSON, written as its cell finishes. Cells that the file holds already are not run again, and equal cells run
    once: the same call goes on where an earlier one was stopped. Rows are the same wherever they came from.

    Without an `executor`, cells run on `threads` threads of this process (by default a thread per core), each training
    on one of them; Ctrl-C stops them, where `measure` takes an argument `stop`, as `fit` does. With one, `measure` must
    be what it can send: for processes, a function of a module or a `functools.partial` of one. The executor is not shut
    down. `progress` shows a bar on standard error when that is a terminal.

    Raises ValueError for an empty grid and a file of other results, TypeError for what is no cell, measure or executor,
    and OSError when the file cannot be written, or another sweep writes to it: all before any cell runs, if it can be
    known. When cells fail, the others go on; RuntimeError then names those that did, from the error of the first. It is
    RuntimeError too when the executor breaks. Whatever is raised, the cells that finished are in the file.

    >>> import tikitaka as tt
    >>> from tikitaka.experiments import cells
    >>> base = tt.TrainConfig(data="digits", examples=100, epochs=1, rule=tt.DigitalSgd())
    >>> grid = cells(base, {"rule.lr": [0.01, 0.3]}, seeds=[1])
    >>> rows = sweep(grid, out="rates.jsonl", progress=False)
    >>> [row["config"]["rule"]["lr"] for row in rows]
    [0.01, 0.3]
    >>> rows == sweep(grid, out="rates.jsonl", progress=False)  # read from the file, not trained again
    True
    """
    configs = list(grid)
    if not configs:
        raise ValueError("the grid must contain at least one cell, and is empty")
    for config in configs:
        if not isinstance(config, TrainConfig):
            raise TypeError(f"a cell must be a TrainConfig, not {config!r}")
    if executor is not None and not isinstance(executor, Executor):
        raise TypeError(f"executor must be a concurrent.futures.Executor, not {executor!r}")
    if not callable(measure):
        raise TypeError(f"measure must be a function of a TrainConfig, not {measure!r}")
    if threads is not None:
        threads = check_int("threads", threads, 1)
        if executor is not None:
            raise ValueError(f"threads must not be given with an executor, which has its own: {threads:,}")
    by_key = {key_of(config): config for config in configs}
    with Results(out, _name(measure)) as results:
        missing = {key: config for key, config in by_key.items() if key not in results.rows}
        if missing:
            done = len(by_key) - len(missing)
            bar = tqdm(
                total=len(by_key), initial=done, unit="cell", file=sys.stderr, disable=None if progress else True
            )
            with bar:
                failed = _run(missing, executor, threads or cores(), measure, results, bar.update)
            if failed:
                names = dict(zip(by_key, labels(list(by_key.values())), strict=True))
                told: dict[str, list[str]] = {}
                for key, error in failed.items():
                    told.setdefault(f"{type(error).__name__}: {error}", []).append(names[key])
                why = "; ".join(f"{error} ({' | '.join(of)})" for error, of in told.items())
                raise RuntimeError(
                    f"{len(failed)} of {len(by_key)} cells failed, the others are kept in {results.path}: {why}"
                ) from next(iter(failed.values()))
        return [results.rows[key_of(config)] for config in configs]


def _run(
    missing: Mapping[str, TrainConfig],
    executor: Executor | None,
    threads: int,
    measure: Measure,
    results: Results,
    advance: Callable[[], object],
) -> dict[str, BaseException]:
    """Add `missing` cells to `results` as they finish, by `executor` or on threads; the errors of those that fail."""
    stop = Event()
    if executor is None:
        pool: Any = ThreadPoolExecutor(threads)
        if "stop" in inspect.signature(measure).parameters:
            measure = partial(cast(Callable[..., Mapping[str, Any]], measure), stop=stop.is_set)
    else:
        pool = nullcontext(executor)
    futures: dict[Future[Mapping[str, Any]], str] = {}
    failed: dict[str, BaseException] = {}

    def keep(future: Future[Mapping[str, Any]]) -> None:
        key, error = futures[future], future.exception()
        if isinstance(error, BrokenExecutor):
            raise error
        if error is None:
            try:
                results.add(missing[key], future.result())
            except (TypeError, ValueError) as unfit:
                error = unfit
        if error is not None:
            failed[key] = error
        advance()

    try:
        with pool as workers:
            try:
                for key, config in missing.items():
                    futures[_submitted(workers, measure, config)] = key
                for future in as_completed(futures):
                    keep(future)
            except BaseException:
                stop.set()
                for future in futures:
                    future.cancel()
                raise
    except (BrokenExecutor, CancelledError) as error:
        raise RuntimeError(
            f"the executor broke ({str(error) or type(error).__name__}); "
            f"the cells that finished are kept in {results.path}, and the same call goes on from there"
        ) from error
    finally:  # what finished while the sweep was being left is kept too
        for future, key in futures.items():
            if key not in results.rows and key not in failed and _succeeded(future):
                with suppress(OSError, TypeError, ValueError):
                    results.add(missing[key], future.result())
    return {key: failed[key] for key in missing if key in failed}


def _submitted(workers: Executor, measure: Measure, config: TrainConfig) -> Future[Mapping[str, Any]]:
    try:
        return workers.submit(measure, config)
    except Exception as error:  # each kind of executor says in its own way that it is closed
        raise BrokenExecutor(str(error)) from error


def _succeeded(future: Future[Any]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def _name(measure: Any) -> str:
    while isinstance(measure, partial):
        measure = measure.func
    return str(getattr(measure, "__qualname__", type(measure).__qualname__))
