"""Whatever writes is killed at random moments: no file is torn or lost, and no lock stays.

`make test` kills 100 times; HYPOTHESIS_PROFILE=long kills 1,000 times.
"""

import os
import random
import signal
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import tikitaka as tt
from support.runs import DIGITS, at_call, config, outcome
from support.writers import WRITERS, Forks, check
from tikitaka._internal.lock import locked, locked_folder

pytestmark = [
    pytest.mark.usefixtures("small_networks"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here"),
]

KILLS = 200 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 20


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    made = Forks()
    yield made
    made.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory if possible: to sync files on a busy disk may take seconds, in which no kill comes through."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as made:
        yield Path(made)


@pytest.mark.parametrize("kind", WRITERS)
def test_a_writer_that_is_killed_again_and_again_loses_nothing(folder: Path, forks: Forks, kind: str) -> None:
    moments, before, grew = random.Random(kind), 0, 0
    if kind in ("training", "extension"):
        tt.Run.create(folder / "run", config(schedule="constant", epochs=100_000))
    if kind == "extension":
        with pytest.raises(tt.Stopped):
            tt.Run.open(folder / "run").train(DIGITS, progress=False, stop=at_call(3))
    for _ in range(KILLS):
        pid = forks.start(kind, folder)
        if moments.random() < 0.8:  # otherwise before it writes
            begun, end = stamps(folder), time.monotonic() + 5
            while stamps(folder) == begun and time.monotonic() < end:
                time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.05 if grew else 0.5))  # on a busy machine the first steps take long
        os.kill(pid, signal.SIGKILL)
        assert forks.wait() == -signal.SIGKILL
        with warnings.catch_warnings(action="error"):
            now = check(kind, folder)
        assert now >= before
        grew += now > before
        before = now
        with locked_folder(folder / "run" if (folder / "run").exists() else folder / "study"):
            pass
        with locked(folder / "r.jsonl"), locked(folder / "m.npz"):
            pass
    assert before > 0  # it came to write
    if kind == "training":
        _ends_as_if_it_was_never_killed(tt.Run.open(folder / "run"), folder / "whole")


def stamps(folder: Path) -> list[tuple[str, int]]:
    """The times of all files but locks and temporary ones."""
    found = []
    for path in folder.rglob("[!.]*.*"):
        with suppress(OSError):  # it has just been removed
            found.append((str(path), path.stat().st_mtime_ns))
    return sorted(found)


def _ends_as_if_it_was_never_killed(run: tt.Run, path: Path) -> None:
    epochs = run.last().progress.epoch + 2
    run.extend(epochs)
    run.train(DIGITS, progress=False)
    whole = tt.Run.create(path, run.config)
    whole.train(DIGITS, progress=False, checkpoint_epochs=epochs)
    assert outcome(run) == outcome(whole)
    assert not [path for path in run.path.glob(".*") if "damaged" in path.name or path.suffix == ".part"]
