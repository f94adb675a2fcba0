"""Trainings of a grid of configurations on threads, processes or machines, by any executor.

Only configurations are sent and only measurements are returned, so results do not depend on where a cell runs. Only
the calling process writes the file of results.
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

from tqdm.auto import tqdm

from tikitaka._internal.cpu import cores
from tikitaka._internal.progress import bar_disabled
from tikitaka._internal.shown import listed, shortened, shown
from tikitaka._internal.validation import check_int
from tikitaka.experiments.grid import labels
from tikitaka.experiments.measure import check_cell, scored, trained
from tikitaka.experiments.results import Results, key_of
from tikitaka.training import TrainConfig
from tikitaka.training.rule_warnings import silent

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

    A row contains format, key, measure, config and the result of `measure` for the configuration; it is a line of JSON
    in the file `out`, written when its cell finishes. Cells that are in the file are not run again, and equal cells run
    once, so the same call continues an interrupted sweep. Rows do not depend on where their cells ran.

    Without an `executor`, cells run on `threads` threads of this process (by default a thread per core), each training
    on one of them; Ctrl-C stops them if `measure` takes an argument `stop`, like `fit`. An `executor` must be able to
    send `measure`: for processes, a function of a module or a `functools.partial` of one. The executor is not shut
    down. `progress` shows a bar on standard error if that is a terminal. What rules warn of before a training is not
    said in cells.

    Raises ValueError for an empty grid, a file of other results and, before the first training, a cell whose data do
    not suit its network (OSError if they are missing; by `trained` in this process), TypeError for invalid cells,
    measures or executors,
    and OSError if the file cannot be written or another sweep writes to it, before any cell runs if possible. If cells
    fail, the others still run; RuntimeError then names the failed ones, raised from the first error. RuntimeError is
    also raised if the executor breaks. In every case the finished cells are in the file.

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
        raise ValueError("the grid must contain at least one cell")
    for config in configs:
        if not isinstance(config, TrainConfig):
            raise TypeError(f"a cell must be a TrainConfig, not {shown(config)}")
    if executor is not None and not isinstance(executor, Executor):
        raise TypeError(f"executor must be a concurrent.futures.Executor, not {shown(executor)}")
    if not callable(measure):
        raise TypeError(f"measure must be a function of a TrainConfig, not {shown(measure)}")
    if threads is not None:
        threads = check_int("threads", threads, 1)
        if executor is not None:
            raise ValueError(f"threads must not be given with an executor, which has its own, not {threads:,}")
    by_key = {key_of(config): config for config in configs}
    with Results(out, _name(measure)) as results:
        missing = {key: config for key, config in by_key.items() if key not in results.rows}
        if executor is None:
            _check(missing, measure)
        if missing:
            finished = len(by_key) - len(missing)
            bar = tqdm(
                total=len(by_key), initial=finished, unit="cell", file=sys.stderr, disable=bar_disabled(progress)
            )
            with bar:
                failed = _run(missing, executor, threads or cores(), measure, results, bar.update)
            if failed:
                names = dict(zip(by_key, labels(list(by_key.values())), strict=True))
                cells_by_error: dict[str, list[str]] = {}
                for key, error in failed.items():
                    cells_by_error.setdefault(f"{type(error).__name__}: {shortened(str(error))}", []).append(names[key])
                why = shortened(
                    "; ".join(f"{error} ({listed(cells, ' | ')})" for error, cells in cells_by_error.items())
                )
                raise RuntimeError(
                    f"{len(failed)} of {len(by_key)} cells failed, the others are kept in {results.path}: {why}"
                ) from next(iter(failed.values()))
        return [results.rows[key_of(config)] for config in configs]


def _check(missing: Mapping[str, TrainConfig], measure: Any) -> None:
    """Raise ValueError, TypeError or OSError, naming the cell, for the first that cannot be trained."""
    keywords: dict[str, Any] = {}
    while isinstance(measure, partial):
        keywords, measure = {**measure.keywords, **keywords}, measure.func
    if measure not in (trained, scored):
        return
    for config, name in zip(missing.values(), labels(list(missing.values())) if missing else [], strict=True):
        try:
            check_cell(config, **keywords)
        except (ValueError, TypeError, OSError) as error:
            words = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else error
            raise type(error)(f"cell {name}: {words}") from error


def _run(
    missing: Mapping[str, TrainConfig],
    executor: Executor | None,
    threads: int,
    measure: Measure,
    results: Results,
    advance: Callable[[], object],
) -> dict[str, BaseException]:
    """Add `missing` cells to `results` as they finish, by `executor` or on threads; the errors of failed cells."""
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
            f"the finished cells are kept in {results.path}, and the same call continues from there"
        ) from error
    finally:  # results that arrived during the exception are kept, too
        for future, key in futures.items():
            if key not in results.rows and key not in failed and _succeeded(future):
                with suppress(OSError, TypeError, ValueError):
                    results.add(missing[key], future.result())
    return {key: failed[key] for key in missing if key in failed}


def _submitted(workers: Executor, measure: Measure, config: TrainConfig) -> Future[Mapping[str, Any]]:
    try:
        return workers.submit(_measured, measure, config)
    except Exception as error:  # executors raise different exceptions when they are closed
        raise BrokenExecutor(str(error)) from error


def _measured(measure: Measure, config: TrainConfig) -> Mapping[str, Any]:
    with silent():  # thousands of trainings
        return measure(config)


def _succeeded(future: Future[Any]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def _name(measure: Any) -> str:
    while isinstance(measure, partial):
        measure = measure.func
    return str(getattr(measure, "__qualname__", type(measure).__qualname__))
