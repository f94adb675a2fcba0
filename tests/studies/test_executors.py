"""Sweeps on processes and on Dask, and executors that fail."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from distributed import Client, LocalCluster

from support.sweeps import BASE, GRID, Loses, but_seconds, dies, hangs_once, lines, number
from tikitaka.experiments import cells, sweep
from tikitaka.experiments.results import key_of


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_processes_give_the_same(tmp_path: Path, reference: list[dict[str, Any]], method: str) -> None:
    with ProcessPoolExecutor(2, mp_context=get_context(method)) as pool:
        rows = sweep(GRID, pool, out=tmp_path / "r.jsonl")
    assert but_seconds(rows) == but_seconds(reference)


@pytest.fixture(scope="module")
def dask() -> Iterator[Client]:
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.mark.slow
def test_dask_gives_the_same_when_a_worker_is_killed(
    tmp_path: Path, reference: list[dict[str, Any]], dask: Client
) -> None:
    workers = {info["pid"] for info in dask.run(lambda dask_worker: {"pid": os.getpid()}).values()}
    assert len(workers) == 2
    killed: list[int] = []

    def kill() -> None:
        pid = waited(tmp_path / "pid")
        os.kill(pid, signal.SIGKILL)
        killed.append(pid)

    killer = threading.Thread(target=kill)
    killer.start()
    rows = sweep(GRID, dask.get_executor(), out=tmp_path / "r.jsonl", measure=partial(hangs_once, tmp_path))
    killer.join()
    assert set(killed) < workers
    assert [row["digest"] for row in rows] == [row["digest"] for row in reference]
    assert sorted(row["key"] for row in lines(tmp_path / "r.jsonl")) == sorted(key_of(config) for config in GRID)


def waited(path: Path) -> int:
    """The number in a file that another process is about to write."""
    for _ in range(3000):
        if path.exists():
            return int(path.read_text())
        time.sleep(0.01)
    raise TimeoutError(path)


def test_a_worker_that_dies_breaks_a_pool_of_processes(tmp_path: Path) -> None:
    grid, out = cells(BASE, {}, range(4)), tmp_path / "r.jsonl"
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        pytest.raises(
            RuntimeError, match=rf"executor broke \(A process in the process pool.*{out}.*continues from there"
        ),
    ):
        sweep(grid, pool, out=out, measure=dies)
    assert [row["number"] for row in lines(out)] == [10, 11]
    assert [row["number"] for row in sweep(grid[:2] + grid[3:], out=out, measure=dies)] == [10, 11, 13]


def test_executors_that_fail(tmp_path: Path) -> None:
    grid, out = cells(BASE, {}, range(4)), tmp_path / "r.jsonl"
    with pytest.raises(RuntimeError, match=rf"executor broke \(CancelledError\).*kept in {out}"):
        sweep(grid, Loses(), out=out, measure=number)
    assert sorted(row["number"] for row in lines(out)) == [10, 11, 13]  # finished cells are kept, whichever came first
    closed = ThreadPoolExecutor(1)
    closed.shutdown()
    with pytest.raises(RuntimeError, match=r"executor broke .*cannot schedule new futures after shutdown"):
        sweep(grid, closed, out=out, measure=number)
    assert [row["number"] for row in sweep(grid, out=out, measure=number)] == [10, 11, 12, 13]
