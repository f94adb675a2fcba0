"""Measures and processes for tests of sweeps; other processes can import all of it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import tikitaka as tt
from tikitaka.experiments import cells, trained

BASE = tt.TrainConfig(data="digits", examples=60, epochs=1, rule=tt.Ttv2())
GRID = cells(BASE, {"rule": ["float", "ttv2"], "epochs": [1, 2]}, range(2))


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
    """The first process at seed 1 reports its id and runs until it is killed."""
    if config.seed == 1:
        try:
            (folder / "claimed").mkdir()
        except FileExistsError:
            return trained(config)
        (folder / "pid.part").write_text(str(os.getpid()))
        (folder / "pid.part").rename(folder / "pid")
        time.sleep(60)
    return trained(config)


class Loses(Executor):
    """Runs cells at once but loses the third, like a scheduler that disappears."""

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


def counted(calls: list[int]) -> Any:
    def measure(config: tt.TrainConfig) -> dict[str, Any]:
        calls.append(config.seed)
        return number(config)

    measure.__qualname__ = "number"
    return measure


def child(code: str, **options: Any) -> "subprocess.Popen[str]":
    """A Python process that knows this module as `sweeps`."""
    start = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r}); from support import sweeps\n"
    return subprocess.Popen([sys.executable, "-c", start + code], stderr=subprocess.PIPE, text=True, **options)


MANY = cells(BASE, {"rule": ["float", "ttv2"], "epochs": [2, 3]}, range(10))


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
