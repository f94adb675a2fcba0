"""SIGHUP like SIGTERM, and nothing is lost with the terminal."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tikitaka as tt

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no SIGHUP here")

LONG = ["train", "--data", "digits", "--epochs", "100000", "--threads", "1", "--out"]


def started(run: Path, on_hangup: signal.Handlers = signal.SIG_DFL, **options: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tikitaka", *LONG, str(run)]
    # set, because these tests may run under nohup themselves
    options["preexec_fn"] = lambda: signal.signal(signal.SIGHUP, on_hangup)
    process: subprocess.Popen[str] = subprocess.Popen(command, text=True, **options)  # type: ignore[call-overload]
    while not (run / "metrics.jsonl").exists() and process.poll() is None:
        time.sleep(0.01)
    return process


@pytest.mark.parametrize("number", ["SIGHUP", "SIGTERM"])
def test_sighup_writes_a_checkpoint_like_sigterm(tmp_path: Path, number: str) -> None:
    process = started(tmp_path / "run", stderr=subprocess.PIPE)
    process.send_signal(getattr(signal, number))
    err = process.communicate()[1]
    assert process.returncode == 128 + getattr(signal, number)
    assert err.splitlines()[-1].endswith(f"; checkpoint in {tmp_path / 'run'}")
    run = tt.Run.open(tmp_path / "run")
    assert run.last().progress.epoch >= len(run.metrics()) - 1
    assert not list(run.path.glob(".*"))


def test_a_terminal_that_is_gone_does_not_end_the_training_without_a_checkpoint(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    master, slave = pty.openpty()
    process = started(tmp_path / "run", stdout=slave, stderr=slave)
    os.close(slave)
    epochs = len(tt.Run.open(tmp_path / "run").metrics())
    process.send_signal(signal.SIGHUP)
    os.close(master)  # from now on, output to the terminal is an error
    process.wait()
    assert process.returncode == 128 + signal.SIGHUP
    assert tt.Run.open(tmp_path / "run").last().progress.epoch >= epochs - 1


def test_under_nohup_a_training_goes_on(tmp_path: Path) -> None:
    process = started(tmp_path / "run", signal.SIG_IGN, stderr=subprocess.PIPE)
    process.send_signal(signal.SIGHUP)
    epochs = len(tt.Run.open(tmp_path / "run").metrics())
    while len(tt.Run.open(tmp_path / "run").metrics()) < epochs + 2 and process.poll() is None:
        time.sleep(0.01)
    assert process.poll() is None
    process.terminate()
    process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
