"""A training that is killed at any moment keeps a complete checkpoint."""

import os
import random
import signal
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import tikitaka as tt
from support.runs import DIGITS, FULL, SMALL, at_call, child, config, outcome
from tikitaka import _core
from tikitaka._internal import atomic_write
from tikitaka.nn import nets
from tikitaka.training.checkpoint import NEWEST, PREVIOUS

pytestmark = pytest.mark.usefixtures("small_networks")

TINY = """
import sys
import time
import tikitaka as tt
import tikitaka.training.loop
from tikitaka.nn import Recipe, nets

tikitaka.training.loop._chunk_size = lambda *_: 32
nets["tiny"] = Recipe(
    lambda data: [tt.nn.Linear(data.inputs, 16), tt.nn.Tanh(), tt.nn.Linear(16, data.outputs)], "digits", 150, 4
)
run = tt.Run.open(sys.argv[1])
data = run.config.dataset()
calls = iter(range(20))  # then it waits for its end: on a fast machine, too, 50 rounds come before the last epoch
print(flush=True)
run.train(data, threads=int(sys.argv[2]), progress=False, checkpoint_epochs=2, checkpoint_minutes=float(sys.argv[3]),
          stop=lambda: next(calls, None) is None and time.sleep(600) is None)
"""


@pytest.mark.slow
def test_killed_50_times_in_a_row_it_ends_as_if_it_never_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(nets, "tiny", replace(SMALL["dense"], epochs=150))
    monkeypatch.setattr("tikitaka.training.loop._chunk_size", lambda *_: 32)
    settings = tt.TrainConfig(net="tiny", examples=200, rule=tt.Ttv2(periphery=FULL), seed=7)
    moments, kills, advanced, within, torn = random.Random(11), 0, 0, 0, 0
    run = tt.Run.create(tmp_path / "run", settings)
    at = tt.Progress()
    for turn in range(50):
        minutes = 10 if turn % 5 == 4 else 0  # after every call into the core, or at the end of an epoch
        process = child(TINY, str(run.path), str(turn % 2 + 1), str(minutes))
        assert process.stdout is not None
        process.stdout.readline()
        if moments.random() < 0.8:  # otherwise at once: on a busy machine a delay alone could end before the first step
            while come_to(run) == at and process.poll() is None:
                time.sleep(0.002)
        time.sleep(moments.uniform(0, 0.1))
        process.kill()
        said = process.communicate()[1]
        assert not said
        kills += process.returncode == -signal.SIGKILL
        torn += len(list(run.path.iterdir())) > 4  # a file was being written
        now = come_to(run)
        assert (now.epoch, now.position) >= (at.epoch, at.position)
        advanced += now != at
        within += now != at and now.position > 0
        at = now
    print(f"{advanced} of {kills} rounds came further, {within} to the middle of an epoch; in {torn} a file was torn")
    assert kills == 50
    assert run.summary() is None
    assert advanced > 25  # most were killed after more progress than the one before
    assert within > 20
    assert torn >= 1
    with warnings.catch_warnings(action="ignore"):
        run.train(progress=False)
    whole = tt.Run.create(tmp_path / "whole", settings)
    whole.train(progress=False, checkpoint_epochs=50)
    assert outcome(run) == outcome(whole)
    assert sorted(p.name for p in run.path.iterdir()) == sorted(p.name for p in whole.path.iterdir())


def come_to(run: tt.Run) -> tt.Progress:
    """The progress of the last checkpoint; the start if there is none."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return run.last().progress
    except FileNotFoundError:
        return tt.Progress()


class Killed(BaseException):
    """Like a signal that cannot be caught."""


@pytest.mark.parametrize("step", ["write", "first rename", "second rename", "after"])
def test_a_kill_between_the_steps_of_writing_leaves_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    whole, run = (tt.Run.create(tmp_path / name, config()) for name in ("whole", "run"))
    whole.train(DIGITS, progress=False)
    with pytest.raises(tt.Stopped):
        run.train(DIGITS, progress=False, stop=at_call(7))
    made = run.last()
    with monkeypatch.context() as patched:
        killing(patched, step)
        with pytest.raises(Killed):
            tt.Run.open(run.path).train(DIGITS, progress=False, checkpoint_minutes=0)
    assert list(run.path.glob(".checkpoint.*"))[1:] == []
    assert (run.last().progress == made.progress) == (step != "after")
    run.train(DIGITS, progress=False)
    assert outcome(run) == outcome(whole)
    assert sorted(p.name for p in run.path.iterdir()) == sorted(p.name for p in whole.path.iterdir())


def killing(patched: pytest.MonkeyPatch, step: str) -> None:
    """Interrupt the next checkpoint at `step`."""
    names: list[str] = []
    save, rename = _core.save_tensors, os.replace

    def saved(path: str, *rest: Any) -> None:
        save(path, *rest)
        if step == "write":
            raise Killed

    def replaced(old: Path, new: Path) -> None:
        names.append(Path(new).name)
        if (step, names[-1]) in (("first rename", PREVIOUS), ("second rename", NEWEST)):
            raise Killed
        rename(old, new)

    def synced(_: Path) -> None:
        raise Killed

    patched.setattr(_core, "save_tensors", saved)
    patched.setattr(os, "replace", replaced)
    if step == "after":
        patched.setattr(atomic_write, "sync_folder", synced)


FULL_DISK = """
import resource, sys
import tikitaka as tt
run, calls = tt.Run.open(sys.argv[1]), []
def stop():
    calls.append(1)
    if len(calls) == 3:
        resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, 9_000))
try:
    run.train(progress=False, stop=stop)
except OSError as error:
    print(type(error).__name__, error.filename)
"""


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    rule = tt.DigitalSgd(lr=0.1)  # analog ones warn of so short a training
    settings = tt.TrainConfig(net="fcn", data="digits", examples=20, epochs=4, rule=rule)
    run = tt.Run.create(tmp_path / "run", settings)
    out, err = child(FULL_DISK, str(run.path)).communicate()
    assert (out, err) == (f"OSError {run.path / NEWEST}\n", "")
    assert run.last().progress == tt.Progress(2)
    assert len(run.metrics()) == 3
    whole = tt.Run.create(tmp_path / "whole", settings)
    for each in (run, whole):
        each.train(progress=False)
    assert outcome(run) == outcome(whole)
    assert list(run.path.glob(".*")) == []
