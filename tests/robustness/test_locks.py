"""One writer at a time in a RUN, a file of results, a study and an export target; readers at any time."""

import json
import os
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import tikitaka as tt
from support.commands import Command, refused
from support.runs import DIGITS, at_call, child, config, outcome
from support.sweeps import BASE, number
from tikitaka._internal.lock import locked, locked_folder
from tikitaka.cli.output import check_kept
from tikitaka.experiments import sweep
from tikitaka.experiments.study import locked_study
from tikitaka.training import checkpoint

pytestmark = pytest.mark.usefixtures("small_networks")

HOLDS = """
import sys, time
from tikitaka._internal.lock import locked, locked_folder
with (locked_folder if sys.argv[1] == "folder" else locked)(sys.argv[2]):
    print(flush=True)
    time.sleep(600)
"""


@contextmanager
def held(kind: str, path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that has the lock of `path`."""
    process = child(HOLDS, kind, str(path))
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_second_process_is_refused_in_a_run_and_changes_nothing(stopped: tt.Run, command: Command) -> None:
    before = {path.name: path.read_bytes() for path in stopped.path.iterdir()}
    unfinished = stopped.path / ".checkpoint.safetensors.1.0.part"
    unfinished.write_bytes(b"half")
    with held("folder", stopped.path):
        words = f"{stopped.path}: another process trains in this folder"
        refused(command("train", "--resume", stopped.path, "--data-dir", "."), words)
        refused(command("train", "--data", "digits", "--epochs", "1", "--out", stopped.path, "--force"), words)
        for trains in (lambda: stopped.train(DIGITS, progress=False), lambda: stopped.prepare(DIGITS)):
            with pytest.raises(BlockingIOError, match="another process trains in this folder"):
                trains()
        with pytest.raises(BlockingIOError, match="another process"):
            tt.Run.create(stopped.path, config(), force=True)
        assert unfinished.exists()
        assert {name: (stopped.path / name).read_bytes() for name in before} == before
        assert tt.Run.open(stopped.path).extract("read").inputs == 64  # readers need no lock
    stopped.train(DIGITS, progress=False)
    assert not list(stopped.path.glob(".*"))


def test_two_trainings_at_once_leave_the_run_of_one(tmp_path: Path) -> None:
    args = ["train", "--data", "digits", "--epochs", "3", "--force", "--out", str(tmp_path / "R"), "--threads", "1"]
    both = [
        subprocess.Popen([sys.executable, "-m", "tikitaka", *args, "--seed", str(k)], stderr=subprocess.PIPE, text=True)
        for k in (1, 2)
    ]
    said = [process.communicate()[1] for process in both]
    codes = [process.returncode for process in both]
    assert 0 in codes
    run = tt.Run.open(tmp_path / "R")
    summary = run.summary()
    assert summary is not None
    assert (summary["seed"], summary["digest"]) == (run.config.seed, run.network().digest())
    for code, words in zip(codes, said, strict=True):
        assert code == 0 or (code == 2 and "another process trains in this folder" in words)


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    with held("folder", tmp_path / "run") as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        with locked_folder(tmp_path / "run"):
            pass
    with held("file", tmp_path / "r.jsonl") as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        with locked(tmp_path / "r.jsonl"):
            assert sorted(os.listdir(tmp_path)) == [".r.jsonl.lock", "run"]
    assert os.listdir(tmp_path) == ["run"]  # the empty folder that it had made


def test_a_second_thread_is_refused_in_a_run(stopped: tt.Run) -> None:
    refusals: list[str] = []

    def second() -> None:
        try:
            tt.Run.open(stopped.path).train(DIGITS, progress=False)
        except BlockingIOError as error:
            refusals.append(str(error))

    with stopped.locked():
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
        stopped.train(DIGITS, progress=False)  # the thread that has the lock may enter again
    assert ["this process trains in this folder" in words for words in refusals] == [True]


def test_a_forked_process_does_not_have_the_lock_of_its_parent(tmp_path: Path) -> None:
    if not hasattr(os, "fork"):
        pytest.skip("no fork here")
    with locked_folder(tmp_path):
        with warnings.catch_warnings(action="ignore"):  # of threads and fork
            pid = os.fork()
        if pid == 0:
            try:
                with locked_folder(tmp_path):
                    os._exit(1)
            except BlockingIOError:
                os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_replaced_run_is_not_trained_with_the_settings_of_before(tmp_path: Path) -> None:
    mine = tt.Run.create(tmp_path / "run", config())
    tt.Run.create(tmp_path / "run", config(rule="float"), force=True)
    with pytest.raises(ValueError, match=r"config\.toml has changed since the run was opened: open it again"):
        mine.train(DIGITS, progress=False)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["config.toml"]


def test_readers_see_a_whole_checkpoint_while_another_is_written(stopped: tt.Run) -> None:
    """There is no moment without a newest checkpoint: a warning would be an error here."""
    network, done = stopped.network(), threading.Event()

    def write() -> None:
        try:
            for k in range(150):
                stopped.checkpoint(network, progress=tt.Progress(1, 16 * (k % 3)))
        finally:
            done.set()

    writer, reads = threading.Thread(target=write), 0
    writer.start()
    while not done.is_set():
        assert checkpoint.load(stopped.path).progress.epoch == 1
        reads += 1
    writer.join()
    assert reads > 5


def test_sweeps_and_studies_have_one_writer(tmp_path: Path, command: Command) -> None:
    with held("file", tmp_path / "r.jsonl"), pytest.raises(BlockingIOError, match="another sweep writes to this file"):
        sweep([BASE], out=tmp_path / "r.jsonl", measure=number)
    study = tmp_path / "study"
    with held("folder", study):
        refused(
            command("reproduce", "weight-programming", "--scale", "quick", "--out", study),
            f"{study}: another process runs a study in this folder",
        )
        with pytest.raises(BlockingIOError, match="another process runs a study"), locked_study(study):
            pass
        assert [path.name for path in study.iterdir()] == [".lock"]


def test_export_targets_have_one_writer(stopped: tt.Run, command: Command, tmp_path: Path) -> None:
    target = tmp_path / "m.npz"
    with held("file", target):
        refused(command("extract", stopped.path, "--to", target), f"{target}: another process writes to it")
    assert command("extract", stopped.path, "--to", target, "--what", "read")[0] == 0
    refused(command("extract", stopped.path, "--to", target, "--what", "read"), "exists already")
    model, target = tt.Model.load(target), tmp_path / "both.safetensors"
    writers = [threading.Thread(target=lambda: [model.save(target) for _ in range(30)]) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert tt.Model.load(target).weights[0].tobytes() == model.weights[0].tobytes()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_file_that_is_no_result_is_not_replaced_by_a_study(tmp_path: Path, command: Command) -> None:
    path = tmp_path / "weight-programming.json"
    path.write_text('{"mine": 1}', encoding="utf-8")
    refused(command("reproduce", "weight-programming", "--out", tmp_path), "is not a result of the study")
    assert json.loads(path.read_bytes()) == {"mine": 1}
    check_kept(tmp_path, "states")


def test_interrupted_and_locked_runs_end_alike(tmp_path: Path) -> None:
    whole, run = (tt.Run.create(tmp_path / name, config()) for name in ("whole", "run"))
    whole.train(DIGITS, progress=False)
    with pytest.raises(tt.Stopped), run.locked():
        run.train(DIGITS, progress=False, stop=at_call(5))
    run.train(DIGITS, progress=False)
    assert outcome(run) == outcome(whole)
