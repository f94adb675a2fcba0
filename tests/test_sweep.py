"""Sweeps: the grid, the file of results, every way to run cells, and all that can end a sweep before its time."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from distributed import Client, LocalCluster

import tikitaka as tt
from tikitaka.experiments import cells, sweep, trained
from tikitaka.experiments.results import Results, key_of

BASE = tt.TrainConfig(data="digits", examples=60, epochs=1, rule=tt.Ttv2())
GRID = cells(BASE, {"rule": ["float", "ttv2"], "epochs": [1, 2]}, range(2))
AXES = ["net", "rule", "rule.device", "rule.device.states", "rule.periphery.forward", "rule.slow_device"]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def but_seconds(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def number(config: tt.TrainConfig) -> dict[str, Any]:
    """A measure that takes no time."""
    return {"number": 10 * config.epochs + config.seed}


def fails_at(bad: int, config: tt.TrainConfig) -> dict[str, Any]:
    if config.seed == bad:
        raise FloatingPointError("the loss is nan")
    return number(config)


def dies(config: tt.TrainConfig) -> dict[str, Any]:
    if config.seed == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number(config)


def hangs_once(folder: Path, config: tt.TrainConfig) -> dict[str, Any]:
    """Whoever comes first at seed 1 says who it is and works until it is killed."""
    if config.seed == 1:
        try:
            (folder / "claimed").mkdir()
        except FileExistsError:
            return trained(config)
        (folder / "pid.part").write_text(str(os.getpid()))
        (folder / "pid.part").rename(folder / "pid")
        time.sleep(60)
    return trained(config)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The rows of an undisturbed sweep in this process."""
    return sweep(GRID, out=tmp_path_factory.mktemp("reference") / "r.jsonl", threads=2)


# --- the grid ---------------------------------------------------------------------------------------------------------


def test_cells_are_the_product_with_the_seed_fastest() -> None:
    axes = {"epochs": [3, 4], "rule.device.states": np.array([10, 20])}
    grid = cells(BASE, axes, range(2))
    assert [(c.epochs, c.rule.device.states, c.seed) for c in grid] == [  # type: ignore[attr-defined]
        (epochs, states, seed) for epochs in (3, 4) for states in (10, 20) for seed in (0, 1)
    ]
    assert grid[0] == replace(BASE, epochs=3, rule=tt.Ttv2(device=tt.SoftBounds(states=10)))
    assert type(grid[0].rule.device.states) is int  # type: ignore[attr-defined]
    noise = cells(BASE, {"rule.periphery.forward.output_noise": [0.1]}, [5])[0].rule
    assert noise == tt.Ttv2(periphery=tt.Periphery(forward=tt.IoSettings(output_noise=0.1)))


def test_wider_axes_come_first() -> None:
    grid = cells(BASE, {"rule.device.states": [10], "rule": ["sgd", tt.Ttv1(gamma=0.5)]}, [0])
    assert [config.rule for config in grid] == [
        tt.AnalogSgd(device=tt.SoftBounds(states=10)),
        tt.Ttv1(gamma=0.5, device=tt.SoftBounds(states=10)),
    ]
    assert cells(BASE, {"rule": ["ttv2"], "net": ["lenet"]}, [0])[0].rule == tt.nn.nets["lenet"].rule("ttv2")
    slow = cells(BASE, {"rule.slow_device.states": [100], "rule.device.bound": [1.0]}, [0])[0].rule
    assert slow == tt.Ttv2(device=tt.SoftBounds(bound=1.0), slow_device=tt.SoftBounds(states=100, bound=1.0))
    assert cells(replace(BASE, epochs=30, average_from=25), {"epochs": [3], "average_from": [2]}, [0])[0].epochs == 3


@pytest.mark.parametrize(
    ("axes", "seeds", "words"),
    [
        ({"epoch": [1]}, [0], "unknown axis 'epoch'; did you mean 'epochs'; allowed: average_from, batch"),
        ({"rule.device.sates": [1]}, [0], "did you mean 'rule.device.states'"),
        ({"rule": ["sgd"], "rule.transfer_lr": [1]}, [0], "unknown axis 'rule.transfer_lr'"),
        ({"rule.kind": ["sgd"]}, [0], "unknown axis 'rule.kind'"),
        ({"epochs.more": [1]}, [0], "unknown axis 'epochs.more'"),
        ({"seed": [1]}, [0], "'seed' must not be an axis"),
        ({"epochs": []}, [0], "axis 'epochs' must hold a value"),
        ({}, [], "seeds must hold a value"),
        ({"rule.device.states": [-1]}, [3], "states=-1, seed=3: rule.device.states is -1; allowed: 1 to"),
        ({"rule": ["adam"]}, [0], "rule must be one of float, sgd, ttv1, ttv2, not 'adam'"),
    ],
)
def test_grids_that_cannot_be(axes: dict[str, Any], seeds: list[int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        cells(BASE, axes, seeds)


@pytest.mark.parametrize(
    ("axes", "seeds", "words"),
    [
        ({"schedule": "decay"}, [0], "axis 'schedule' must be a list of values, not 'decay'"),
        ({"epochs": 3}, [0], "axis 'epochs' must be a list of values, not 3"),
        ({}, 3, "seeds must be a list of values, not 3"),
        ({"epochs": [1.5]}, [0], "epochs must be a whole number"),
        ({"rule": [tt.Ttv2]}, [0], "rule must be a table of fields"),
    ],
)
def test_grids_of_wrong_types(axes: dict[str, Any], seeds: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        cells(BASE, axes, seeds)


def test_every_axis_named_as_allowed_is_one() -> None:
    with pytest.raises(ValueError, match="unknown axis") as refused:
        cells(BASE, {"nothing": [1]}, [0])
    allowed = str(refused.value).partition("allowed: ")[2].split(", ")
    assert set(AXES) < set(allowed)
    for path in allowed:
        value: Any = BASE
        for name in path.split("."):
            value = getattr(value, name)
        assert cells(BASE, {path: [value]}, [0]) == [BASE]


# --- rows -------------------------------------------------------------------------------------------------------------


def test_rows_are_those_of_the_file_in_the_order_of_the_grid(tmp_path: Path, reference: list[dict[str, Any]]) -> None:
    out = tmp_path / "new" / "r.jsonl"
    rows = sweep(iter([*GRID[::-1], GRID[0]]), out=out)
    assert but_seconds(rows) == but_seconds([*reference[::-1], reference[0]])
    assert sorted(lines(out), key=rows.index) == rows[:-1]
    assert os.listdir(out.parent) == ["r.jsonl"]
    assert [row["config"] for row in reference] == [config.to_dict() for config in GRID]
    assert [row["key"] for row in reference] == [key_of(config) for config in GRID]
    content = out.read_bytes()
    assert sweep(GRID[2:5], out=out) == rows[::-1][1:][2:5]  # what is there is not run again
    assert out.read_bytes() == content


def test_a_row_holds_what_fit_gives(reference: list[dict[str, Any]]) -> None:
    config, row = GRID[-1], reference[-1]
    digits = config.dataset()
    network = config.network(digits)
    last = tt.fit(network, digits, epochs=2, progress=False)[-1]
    assert row["digest"] == network.digest()
    assert (row["test_error"], row["test_loss"], row["train_error"]) == (
        last.test_error,
        last.test_loss,
        last.train_error,
    )
    assert (row["pulses"], row["epochs"]) == (network.pulses, 2)
    assert row["average_error"] == network.extract().evaluate(digits.test_x, digits.test_y).error
    assert ["average_error" in row for row in reference] == [False] * 4 + [True] * 4


def test_equal_numbers_make_one_cell(tmp_path: Path) -> None:
    grid = cells(BASE, {"rule.device.states": [20, 20.0, np.float32(20)]}, [1])
    rows = sweep(grid, out=tmp_path / "r.jsonl", measure=number)
    assert rows == [rows[0]] * 3
    assert lines(tmp_path / "r.jsonl") == rows[:1]


def test_measures_of_ones_own(tmp_path: Path) -> None:
    measured = {"array": np.arange(3, dtype=np.float32), "loss": float("nan"), "all": (np.int64(3), True, None, "π")}
    rows = sweep([BASE], out=tmp_path / "r.jsonl", measure=lambda _: measured)
    expected = {"array": [0.0, 1.0, 2.0], "loss": None, "all": [3, True, None, "π"]}
    assert {name: rows[0][name] for name in measured} == expected
    for k, bad in enumerate([{"key": 1}, {"object": object()}, 5]):
        with pytest.raises(RuntimeError, match=r"1 of 1 cells failed.*(every line has|not JSON|must return a mapping)"):
            sweep([BASE], out=tmp_path / f"{k}.jsonl", measure=lambda _, bad=bad: bad)  # type: ignore[misc]
        assert lines(tmp_path / f"{k}.jsonl") == []


def test_data_are_read_once_and_from_the_folder_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "alphabet.txt").write_text("abcdefgh" * 40)
    reads: list[Path] = []
    monkeypatch.setattr(
        "tikitaka.data.sets.read_text",
        lambda path, _: (reads.append(path), Path(path).read_text())[1],
    )
    base = tt.TrainConfig(net="lstm", data="alphabet", sequence=10, epochs=1, rule=tt.DigitalSgd(lr=0.01))
    grid = cells(base, {"examples": [2, 3]}, [0, 1])
    rows = sweep(grid, out=tmp_path / "r.jsonl", measure=partial(trained, data_dir=tmp_path), threads=2)
    assert len({row["digest"] for row in rows}) == 4
    assert reads == [tmp_path / "alphabet.txt"]


# --- executors --------------------------------------------------------------------------------------------------------


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
    """The number in a file that somebody is about to write."""
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
            RuntimeError, match=rf"executor broke \(A process in the process pool.*{out}.*goes on from there"
        ),
    ):
        sweep(grid, pool, out=out, measure=dies)
    assert [row["number"] for row in lines(out)] == [10, 11]
    assert [row["number"] for row in sweep(grid[:2] + grid[3:], out=out, measure=dies)] == [10, 11, 13]


class Loses(Executor):
    """Runs cells at once but loses the third, as a scheduler that goes away does."""

    def __init__(self) -> None:
        self.futures: list[Future[Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if len(self.futures) == 2:
            future.cancel()
            future.set_running_or_notify_cancel()
        else:
            future.set_result(fn(*args, **kwargs))
        self.futures.append(future)
        return future


def test_executors_that_fail(tmp_path: Path) -> None:
    grid, out = cells(BASE, {}, range(4)), tmp_path / "r.jsonl"
    with pytest.raises(RuntimeError, match=rf"executor broke \(CancelledError\).*kept in {out}"):
        sweep(grid, Loses(), out=out, measure=number)
    assert sorted(row["number"] for row in lines(out)) == [10, 11, 13]  # what was done is kept, whatever came first
    closed = ThreadPoolExecutor(1)
    closed.shutdown()
    with pytest.raises(RuntimeError, match=r"executor broke .*cannot schedule new futures after shutdown"):
        sweep(grid, closed, out=out, measure=number)
    assert [row["number"] for row in sweep(grid, out=out, measure=number)] == [10, 11, 12, 13]


# --- cells that fail, and what is refused -----------------------------------------------------------------------------


def test_a_cell_that_fails_is_named_and_the_others_are_kept(tmp_path: Path) -> None:
    grid, out = cells(BASE, {"epochs": [1, 2]}, range(3)), tmp_path / "r.jsonl"
    with pytest.raises(RuntimeError, match="2 of 6 cells failed") as raised:
        sweep(grid, out=out, measure=partial(fails_at, 1), threads=3)
    named = "FloatingPointError: the loss is nan (epochs=1, seed=1 | epochs=2, seed=1)"
    assert str(raised.value) == f"2 of 6 cells failed, the others are kept in {out}: {named}"
    assert isinstance(raised.value.__cause__, FloatingPointError)
    assert sorted(row["number"] for row in lines(out)) == [10, 12, 20, 22]
    assert len(sweep(grid, out=out, measure=partial(fails_at, 7))) == 6  # a cell that failed is tried again
    too_many = replace(BASE, examples=2000)
    with pytest.raises(RuntimeError, match=r"1 of 2 cells.* ValueError: examples must be .*\(examples=2000\)"):
        sweep([BASE, too_many], out=tmp_path / "t.jsonl")
    assert len(lines(tmp_path / "t.jsonl")) == 1


def test_what_no_sweep_can_be_made_of(tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    with pytest.raises(ValueError, match="grid is empty"):
        sweep([], out=out)
    with pytest.raises(TypeError, match="cell must be a TrainConfig, not 3"):
        sweep([BASE, 3], out=out)  # type: ignore[list-item]
    with pytest.raises(TypeError, match=r"executor must be a concurrent\.futures\.Executor"):
        sweep([BASE], "dask", out=out)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="measure must be a function"):
        sweep([BASE], out=out, measure=3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="threads must be at least 1"):
        sweep([BASE], out=out, threads=0)
    with pytest.raises(ValueError, match="not given with an executor"):
        sweep([BASE], Loses(), out=out, threads=2)
    assert not out.exists()


# --- the file ---------------------------------------------------------------------------------------------------------


def test_a_torn_line_is_dropped_and_its_cell_run_again(tmp_path: Path) -> None:
    grid, out = cells(BASE, {}, range(3)), tmp_path / "r.jsonl"
    rows = sweep(grid, out=out, measure=number, threads=1)
    whole = out.read_bytes()
    first = whole.index(b"\n") + 1
    for end in [*range(first, len(whole), 97), len(whole) - 1]:
        for zeros in (b"", b"\0" * 20):
            out.write_bytes(whole[:end] + zeros)
            calls: list[int] = []
            again = sweep(grid, out=out, measure=counted(calls), threads=1)
            assert (again, out.read_bytes()) == (rows, whole)
            assert calls == [1, 2][whole[:end].count(b"\n") - 1 :]


def counted(calls: list[int]) -> Any:
    def measure(config: tt.TrainConfig) -> dict[str, Any]:
        calls.append(config.seed)
        return number(config)

    measure.__qualname__ = "number"
    return measure


def test_a_file_that_holds_anything_else_is_refused_untouched(tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    sweep([BASE], out=out, measure=number)
    line = out.read_bytes()
    cases = {
        b"notes\n": "line 1 is no result",
        b"notes": "line 1 is no result",
        line + b"[1]\n" + line: "line 2 is no result",
        line + b"\n" + line: "line 2 is no result",
        line + b"3": "line 2 is no result",
        b"\xff\xfe\n": "line 1 is no result",
        line.replace(b'"format": 1', b'"format": 2'): "line 1 is of format 2; this version reads 1",
        line.replace(b'"epochs": 1', b'"epochs": 2'): "line 1 is damaged: its key",
    }
    for content, words in cases.items():
        out.write_bytes(content)
        with pytest.raises(ValueError, match=words) as refused:
            sweep([BASE], out=out, measure=number)
        assert str(out) in str(refused.value)
        assert out.read_bytes() == content
        assert os.listdir(tmp_path) == ["r.jsonl"]
    out.write_bytes(line)
    with pytest.raises(ValueError, match="line 1 is of measure 'number', not 'trained'"):
        sweep([BASE], out=out)
    out.write_bytes(line + line)  # files put together hold a cell twice; it counts once
    assert sweep([BASE], out=out, measure=number) == [json.loads(line)]


def test_two_sweeps_on_one_file_at_once_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"

    def measure(config: tt.TrainConfig) -> dict[str, Any]:
        with pytest.raises(OSError, match="another sweep writes to this file"):
            sweep([BASE], out=out, measure=number)
        second = child(f"from tikitaka.experiments import sweep; sweep({{test_sweep.BASE}}, out={str(out)!r})")
        assert "another sweep writes to this file" in second.communicate()[1]
        return {"number": 1}

    assert sweep([BASE], out=out, measure=measure)[0]["number"] == 1
    assert os.listdir(tmp_path) == ["r.jsonl"]


def child(code: str, **options: Any) -> "subprocess.Popen[str]":
    """A Python process that knows this module."""
    start = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import test_sweep\n"
    return subprocess.Popen([sys.executable, "-c", start + code], stderr=subprocess.PIPE, text=True, **options)


@pytest.mark.parametrize("place", ["file/r.jsonl", "/proc/r.jsonl", "/dev/full", "."])
def test_places_that_cannot_be_written_are_refused_before_any_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    if place.startswith("/") and not Path(place).parent.exists():
        pytest.skip(f"there is no {Path(place).parent}")
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    calls: list[int] = []
    with pytest.raises(OSError, match=place.split("/")[-1].replace(".", r"\.")):
        sweep([BASE], out=place, measure=counted(calls))
    assert calls == []


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
def test_folders_and_files_that_are_read_only(tmp_path: Path) -> None:
    out, calls = tmp_path / "folder" / "r.jsonl", []  # type: ignore[var-annotated]
    out.parent.mkdir(mode=0o500)
    with pytest.raises(PermissionError, match=str(out)):
        sweep([BASE], out=out, measure=counted(calls))
    assert calls == []


FULL = """
import resource
from tikitaka.experiments import cells, sweep
grid = cells(test_sweep.BASE, {}, range(20))
resource.setrlimit(resource.RLIMIT_FSIZE, (BYTES, BYTES))
try:
    sweep(grid, out=OUT, measure=test_sweep.number, threads=2)
except OSError as error:
    print(type(error).__name__, error.filename, file=sys.stderr)
"""


def test_a_full_disk_keeps_the_cells_before(tmp_path: Path) -> None:
    out, grid = tmp_path / "r.jsonl", cells(BASE, {}, range(20))
    process = child(FULL.replace("BYTES", "10_000").replace("OUT", repr(str(out))))
    assert process.communicate()[1] == f"OSError {out}\n"
    kept = lines(out)
    assert 2 < len(kept) < 20
    sweep(grid, out=out, measure=number)
    assert lines(out)[: len(kept)] == kept
    assert len({row["key"] for row in lines(out)}) == len(lines(out)) == 20


def test_writing_that_fails_cancels_what_is_pending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, calls = tmp_path / "r.jsonl", []  # type: ignore[var-annotated]

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    def slow(config: tt.TrainConfig) -> dict[str, Any]:
        time.sleep(0.02)
        return counted(calls)(config)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=rf"No space left.*{out}"):
        sweep(cells(BASE, {}, range(100)), out=out, measure=slow, threads=1)
    assert len(calls) < 100
    assert out.read_bytes() == b""


# --- stopped and resumed ----------------------------------------------------------------------------------------------


RUN = """
from tikitaka.experiments import sweep
sweep(test_sweep.MANY, out=OUT, threads=2)
"""
MANY = cells(BASE, {"rule": ["float", "ttv2"], "epochs": [2, 3]}, range(10))


def test_a_sweep_that_is_killed_again_and_again_ends_as_one_that_was_not(tmp_path: Path) -> None:
    out, moments = tmp_path / "r.jsonl", random.Random(4)
    code, kills = RUN.replace("OUT", repr(str(out))), 0
    for _ in range(4):
        before, process = size(out), child(code)
        while size(out) == before and process.poll() is None:
            time.sleep(0.002)
        time.sleep(moments.uniform(0, 0.2))
        process.kill()
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
    assert kills >= 2
    kept = lines(out) if out.read_bytes().endswith(b"\n") else lines(out)[:-1]
    process = child(code)
    assert (process.communicate()[1], process.returncode) == ("", 0)
    rows = lines(out)
    assert rows[: len(kept)] == kept
    assert len(rows) == len({row["key"] for row in rows}) == len(MANY)
    whole = sweep(MANY, out=tmp_path / "whole.jsonl", threads=2)
    assert but_seconds(sweep(MANY, out=out)) == but_seconds(whole)
    assert sorted(os.listdir(tmp_path)) == ["r.jsonl", "whole.jsonl"]


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


LONG = """
import signal
from dataclasses import replace
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job starts with Ctrl-C ignored
from tikitaka.experiments import sweep
sweep([test_sweep.BASE] + [replace(test_sweep.BASE, epochs=10**6, seed=k) for k in range(4)], out=OUT, threads=2)
"""


def test_ctrl_c_stops_trainings_and_keeps_what_is_done(tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    process = child(LONG.replace("OUT", repr(str(out))))
    while size(out) == 0 and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    try:
        assert process.communicate(timeout=60)[1].splitlines()[-1] == "KeyboardInterrupt"
    finally:
        process.kill()
    assert [row["config"]["epochs"] for row in lines(out)] == [1]
    assert os.listdir(tmp_path) == ["r.jsonl"]


def test_cells_that_end_while_a_sweep_is_left_are_kept(tmp_path: Path) -> None:
    """The second cell is under way and cannot be stopped: its result is waited for and kept; no other is begun."""
    out, second = tmp_path / "r.jsonl", threading.Event()

    def measure(config: tt.TrainConfig) -> dict[str, Any]:
        if config.seed == 1:
            second.set()
            time.sleep(0.3)
        return number(config)

    def interrupt() -> None:
        second.wait()
        while size(out) == 0:
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job starts with Ctrl-C ignored
    try:
        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            sweep(cells(BASE, {}, range(5)), out=out, measure=measure, threads=1)
    finally:
        signal.signal(signal.SIGINT, before)
    assert [row["number"] for row in lines(out)] == [10, 11]


def test_the_file_is_free_again_after_each_end(tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    with pytest.raises(RuntimeError, match="failed"):
        sweep(cells(BASE, {}, [1]), out=out, measure=partial(fails_at, 1))
    with Results(out, "fails_at") as results:
        assert results.rows == {}
    assert os.listdir(tmp_path) == ["r.jsonl"]


# --- what the documentation shows -------------------------------------------------------------------------------------

PAGE = (Path(__file__).parents[1] / "docs" / "sweeps.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_programs_of_the_page_run(tmp_path: Path) -> None:
    for k, block in enumerate(BLOCKS):
        if "pandas" in block and find_spec("pandas") is None:
            continue
        script = tmp_path / f"block{k}.py"
        script.write_text(block, encoding="utf-8")
        ran = subprocess.run([sys.executable, script.name], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
    assert [len(lines(path)) for path in sorted(tmp_path.glob("*.jsonl"))] == [12, 12, 12, 12]
