"""Sweeps that are killed or stopped continue where they were."""

import os
import random
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import tikitaka as tt
from support.sweeps import BASE, MANY, but_seconds, child, lines, number, size
from tikitaka.experiments import cells, sweep

RUN = """
from tikitaka.experiments import sweep
sweep(sweeps.MANY, out=OUT, threads=2)
"""


@pytest.mark.slow
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


LONG = """
import signal
from dataclasses import replace
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job starts with Ctrl-C ignored
from tikitaka.experiments import sweep
sweep([sweeps.BASE] + [replace(sweeps.BASE, epochs=10**6, seed=k) for k in range(4)], out=OUT, threads=2)
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
    """The second cell is running and cannot be stopped: its result is awaited and kept, and no other cell starts."""
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
