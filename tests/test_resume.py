"""Checkpoints: that a training goes on bit for bit wherever it was stopped, and what stops a lost one."""

import json
import os
import pickle
import random
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_cli import Command, command, refused

import tikitaka as tt
from tikitaka import _core, checkpoint
from tikitaka._internal.checksum import digest
from tikitaka.data.text import text_dataset
from tikitaka.nn import Recipe, Sizes, nets
from tikitaka.training.checkpoint import NEWEST, PREVIOUS, Checkpoint
from tikitaka.training.guards import check_saturation

__all__ = ["command"]  # a fixture

DIGITS = tt.data.load("digits").first(60)
TEXT = text_dataset("the cat sat on the mat and the rat sat on the cat " * 20, name="mine", sequence=10)
TIMES = {"seconds", "samples_per_second", "threads"}


def dense(inputs: int, classes: int) -> list[tt.nn.Layer]:
    return [tt.nn.Linear(inputs, 16), tt.nn.Tanh(), tt.nn.Linear(16, classes)]


def conv(inputs: int, classes: int) -> list[tt.nn.Layer]:
    first = tt.nn.Conv2d(1, 8, 8, filters=3, kernel=3)
    pool = tt.nn.MaxPool2d(*first.image)
    return [first, tt.nn.Tanh(), pool, tt.nn.Flatten(*pool.image), tt.nn.Linear(27, classes)]


def carrying(inputs: int, classes: int) -> list[tt.nn.Layer]:
    return [tt.nn.LSTM(inputs, 6, carry=True, scale=2.0), tt.nn.Linear(6, classes)]


Layers = Callable[[int, int], list[tt.nn.Layer]]


def sized(layers: Layers) -> Callable[[Sizes], list[tt.nn.Layer]]:
    return lambda data: layers(data.inputs, data.outputs)


SMALL = {
    "dense": Recipe(sized(dense), "digits", 3, 4),
    "conv": Recipe(sized(conv), "digits", 3, 4),
    "carrying": Recipe(sized(carrying), "digits", 3, 4, text=True),
}
FULL = tt.Periphery.full()
RULES = {
    "float": tt.DigitalSgd(),
    "sgd": tt.AnalogSgd(periphery=FULL, count_pulses=True),
    "ttv1": tt.Ttv1(gamma=0.2, slow_device=tt.ConstantStep(states=50), reference=tt.Reference("zero-shift", pulses=50)),
    "ttv1 hadamard": tt.Ttv1(read_vectors="hadamard", periphery=FULL),
    "ttv2": tt.Ttv2(periphery=FULL, slow_reference=tt.Reference("ideal", spread=0.05), count_pulses=True),
    "ttv2 r24": tt.Ttv2(
        rates="r24", average="exponential", transfer_line="row", transfer_unit="batch", transfer_every=1
    ),
}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small networks by name, and calls into the core of a few mini-batches, so that an epoch takes several."""
    for name, recipe in SMALL.items():
        monkeypatch.setitem(nets, name, recipe)
    monkeypatch.setattr("tikitaka.training.loop._chunk_size", lambda *_: 16)


def config(net: str = "dense", rule: str = "ttv2", **more: Any) -> tt.TrainConfig:
    return tt.TrainConfig(net=net, data="digits", rule=RULES[rule], average_from=2, seed=5, **more)


def at_call(number: int) -> Callable[[], bool]:
    """A `stop` that says True when it is asked for the so many-th time."""
    calls: list[int] = []
    return lambda: calls.append(1) or len(calls) == number  # type: ignore[func-returns-value]


def timeless(of: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in of.items() if name not in TIMES}


def outcome(run: tt.Run) -> tuple[dict[str, Any] | None, list[dict[str, Any]], dict[str, bytes]]:
    """All that a finished run holds but times: summary, metrics, and the state of its network."""
    summary = run.summary()
    state = {name: array.tobytes() for name, array in run.network().state().items()}
    return summary and timeless(summary), [timeless(asdict(metrics)) for metrics in run.metrics()], state


# --- bit for bit ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("net", SMALL)
@pytest.mark.parametrize("rule", RULES)
def test_a_training_stopped_within_epochs_goes_on_bit_for_bit(tmp_path: Path, rule: str, net: str) -> None:
    dataset = TEXT if net == "carrying" else DIGITS
    settings = config(net, rule)
    whole = tt.Run.create(tmp_path / "whole", settings)
    whole.train(dataset, progress=False)
    run, stops = tt.Run.create(tmp_path / "run", settings), []
    for call, threads in ((3, 1), (4, 2), (2, 3), (4, 1)):  # within the first epoch, at starts and later
        with pytest.raises(tt.Stopped) as stopped:
            run.train(dataset, threads=threads, progress=False, stop=at_call(call))
        stops.append(stopped.value)
        run = tt.Run.open(run.path)
    assert sum(stop.position > 0 for stop in stops) >= 2
    assert stops[0].epoch == 1 < stops[-1].epoch
    assert run.train(dataset, threads=2, progress=False) == run.summary()
    assert outcome(run) == outcome(whole)


def test_fit_goes_on_from_a_progress_and_a_state() -> None:
    seen: list[tuple[tt.Progress, dict[str, Any]]] = []
    whole, again = (tt.Network(dense(64, 10), RULES["ttv2"], seed=2) for _ in range(2))
    history = tt.fit(
        whole, DIGITS, epochs=3, batch=4, progress=False, on_progress=lambda at: seen.append((at, whole.state()))
    )
    middle = [(at, state) for at, state in seen if at.epoch == 1 and 0 < at.position < 60]
    at, state = middle[-1]
    again.restore(state)
    rest = tt.fit(again, DIGITS, epochs=3, batch=4, progress=False, start=at, threads=2)
    assert [timeless(asdict(m)) for m in rest] == [timeless(asdict(m)) for m in history[1:]]
    assert again.digest() == whole.digest()
    assert rest[0].seconds > at.seconds >= at.training > 0
    assert tt.fit(again, DIGITS, epochs=3, batch=4, start=tt.Progress(3)) == []
    before_test = next((at, state) for at, state in seen if at.position == 60)
    again.restore(before_test[1])
    (first, *_) = tt.fit(again, DIGITS, epochs=3, batch=4, progress=False, start=before_test[0])
    assert timeless(asdict(first)) == timeless(asdict(history[0]))


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (tt.Progress(4), "start is after epoch 4, and there are 3"),
        (tt.Progress(1, 61), "61 examples into an epoch of 60"),
        (tt.Progress(1, 6), "mini-batches of 4"),
        (tt.Progress(3, 4), "after the last of 3 epochs"),
    ],
)
def test_starts_that_no_training_was_at_are_refused(start: tt.Progress, words: str) -> None:
    network = tt.Network(dense(64, 10), tt.DigitalSgd())
    with pytest.raises(ValueError, match=words):
        tt.fit(network, DIGITS, epochs=3, batch=4, start=start)


def test_progress_is_a_plain_value() -> None:
    stopped = pickle.loads(pickle.dumps(tt.Stopped(tt.Progress(2, 7))))
    assert (stopped.epoch, stopped.position, str(stopped)) == (3, 7, "stopped in epoch 3 after 7 examples")
    for bad in ({"epoch": -1}, {"position": 1.5}, {"pulses": -1}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            tt.Progress(**bad)  # type: ignore[arg-type]


def test_checkpoints_come_by_epochs_and_by_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[tt.Progress] = []
    save = checkpoint.save

    def noted(folder: Path, made: Checkpoint) -> None:
        saved.append(made.progress)
        save(folder, made)

    monkeypatch.setattr(checkpoint, "save", noted)

    def places(**how: Any) -> list[tuple[int, int]]:
        saved.clear()
        tt.Run.create(tmp_path / "run", config(epochs=5), force=True).train(DIGITS, progress=False, **how)
        return [(at.epoch, at.position) for at in saved]

    assert places() == [(epoch, 0) for epoch in range(6)]
    assert places(checkpoint_epochs=2) == [(0, 0), (2, 0), (4, 0), (5, 0)]
    assert places(checkpoint_epochs=99) == [(0, 0), (5, 0)]
    often = places(checkpoint_epochs=99, checkpoint_minutes=0)
    assert {epoch for epoch, _ in often} == set(range(6))
    assert len([position for _, position in often if 0 < position < 60]) >= 5
    for bad in ({"checkpoint_epochs": 0}, {"checkpoint_minutes": -1.0}, {"checkpoint_minutes": float("nan")}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            places(**bad)


# --- killed -----------------------------------------------------------------------------------------------------------

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
        if moments.random() < 0.8:  # else at once; on a busy machine a time alone would come before the first step
            while come_to(run) == at and process.poll() is None:
                time.sleep(0.002)
        time.sleep(moments.uniform(0, 0.1))
        process.kill()
        said = process.communicate()[1]
        assert not said or "; the checkpoint before it is taken" in said  # killed between the renames
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
    assert advanced > 25  # most were killed when they had come further than the one before
    assert within > 20
    assert torn >= 1
    with warnings.catch_warnings(action="ignore"):
        run.train(progress=False)
    whole = tt.Run.create(tmp_path / "whole", settings)
    whole.train(progress=False, checkpoint_epochs=50)
    assert outcome(run) == outcome(whole)
    assert sorted(p.name for p in run.path.iterdir()) == sorted(p.name for p in whole.path.iterdir())


def come_to(run: tt.Run) -> tt.Progress:
    """Where the last checkpoint is; the start while there is none."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return run.last().progress
    except FileNotFoundError:
        return tt.Progress()


def child(code: str, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


class Killed(BaseException):
    """As good as a signal that cannot be caught."""


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
    if step == "second rename":
        assert not (run.path / NEWEST).exists()
        with pytest.warns(UserWarning, match="no such file; the checkpoint before it is taken"):
            assert run.last().progress == made.progress
        with pytest.warns(UserWarning, match="no such file"):
            run.train(DIGITS, progress=False)
    else:
        assert (run.last().progress == made.progress) == (step != "after")
        run.train(DIGITS, progress=False)
    assert outcome(run) == outcome(whole)
    assert sorted(p.name for p in run.path.iterdir()) == sorted(p.name for p in whole.path.iterdir())


def killing(patched: pytest.MonkeyPatch, step: str) -> None:
    """Let the next checkpoint be cut off at `step`."""
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
        patched.setattr(checkpoint, "sync_folder", synced)


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
    settings = tt.TrainConfig(net="fcn", data="digits", examples=20, epochs=4)
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


# --- damaged ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def stopped(tmp_path: Path) -> tt.Run:
    run = tt.Run.create(tmp_path / "run", config())
    with pytest.raises(tt.Stopped):
        run.train(DIGITS, progress=False, stop=at_call(7))
    return run


def test_a_damaged_checkpoint_gives_way_to_the_one_before(stopped: tt.Run) -> None:
    newest, draws = stopped.path / NEWEST, random.Random(3)
    whole, before = newest.read_bytes(), checkpoint._read(stopped.path / PREVIOUS)
    damaged = [whole[:k] for k in (0, 7, 100, len(whole) // 2, len(whole) - 1)]
    for place in [*range(8), *(draws.randrange(len(whole)) for _ in range(100))]:
        flipped = bytearray(whole)
        flipped[place] ^= 1 << draws.randrange(8)
        damaged.append(bytes(flipped))
    for content in damaged:
        newest.write_bytes(content)
        with pytest.warns(UserWarning, match=r"checkpoint\.safetensors.*; the checkpoint before it is taken"):
            assert stopped.last().progress == before.progress
    with pytest.warns(UserWarning, match="before it"):
        network, progress = stopped.prepare(DIGITS)
    assert progress == before.progress
    assert checkpoint._read(newest).progress == progress  # nothing damaged is there to become the previous one
    assert not (stopped.path / PREVIOUS).exists()
    assert len(stopped.metrics()) == progress.epoch
    assert network.digest() == stopped.network().digest()


def test_two_damaged_checkpoints_are_an_error(stopped: tt.Run, command: Command) -> None:
    for name in (NEWEST, PREVIOUS):
        (stopped.path / name).write_bytes((stopped.path / name).read_bytes()[:-1])
    before = {path: path.read_bytes() for path in stopped.path.iterdir()}
    with pytest.raises(ValueError, match=r"checkpoint\.safetensors.*; .*checkpoint\.previous\.safetensors"):
        stopped.last()
    refused(command("train", "--resume", stopped.path), "checkpoint.previous.safetensors")
    assert {path: path.read_bytes() for path in stopped.path.iterdir()} == before
    for name in (NEWEST, PREVIOUS):
        (stopped.path / name).unlink()
    with pytest.raises(FileNotFoundError, match=NEWEST):
        stopped.last()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": "2"}, "format version 2; this release reads version 1"),
        ({"format": "tikitaka-model"}, "holds no checkpoint of tikitaka"),
        ({"epoch": "-1"}, "epoch must be a whole number"),
        ({"position": "many"}, "'many'"),
        ({"loss": "much"}, "not a checkpoint of tikitaka"),
        ({"inputs": ""}, "not a checkpoint of tikitaka"),
        ({"config": "[]"}, "config is no table"),
        ({"config": '{"seed": 5, "wings": 2}'}, "wings"),
    ],
)
def test_checkpoints_of_another_kind_are_refused(stopped: tt.Run, change: dict[str, str], words: str) -> None:
    path = stopped.path / NEWEST
    (stopped.path / PREVIOUS).unlink()
    state, header = _core.load_tensors(str(path))
    header |= change
    header["sha256"] = digest(header, state)
    _core.save_tensors(str(path), state, header)
    with pytest.raises(ValueError, match=words):
        stopped.last()


def test_a_config_or_data_that_changed_is_refused(stopped: tt.Run, command: Command) -> None:
    other = replace(DIGITS, train_y=(DIGITS.train_y + 1) % 10)
    with pytest.raises(ValueError, match=r"digits is not the data that .* was begun with"):
        tt.Run.open(stopped.path).prepare(other)
    path = stopped.path / "config.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("seed = 5", "seed = 6"), encoding="utf-8")
    words = "config.toml is not what the checkpoint was made with: seed differ"
    refused(command("train", "--resume", stopped.path), words)
    with pytest.raises(ValueError, match=words):
        tt.Run.open(stopped.path).network()


def test_metrics_are_cut_to_the_checkpoint_and_litter_is_removed(stopped: tt.Run) -> None:
    lines = (stopped.path / "metrics.jsonl").read_text(encoding="utf-8")
    epoch = stopped.last().progress.epoch
    assert lines.count("\n") == epoch == 1
    (stopped.path / "metrics.jsonl").write_text(lines + '{"epoch": 2}\n', encoding="utf-8")
    litter = [f".{NEWEST}.99999.part", f".{NEWEST}.99999.part.99999.tmp", ".metrics.jsonl.99999.part"]
    for name in [*litter, ".mine"]:
        (stopped.path / name).write_bytes(b"half")
    tt.Run.open(stopped.path).prepare(DIGITS)
    assert (stopped.path / "metrics.jsonl").read_text(encoding="utf-8") == lines
    assert [path.name for path in stopped.path.glob(".*")] == [".mine"]
    (stopped.path / "metrics.jsonl").write_text("", encoding="utf-8")
    with pytest.raises(ValueError, match=r"metrics\.jsonl holds 0 epochs, the checkpoint is after 1"):
        tt.Run.open(stopped.path).prepare(DIGITS)


def test_a_run_reads_its_checkpoint_once(stopped: tt.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []
    load = _core.load_tensors
    monkeypatch.setattr(_core, "load_tensors", lambda path: reads.append(path) or load(path))  # type: ignore[func-returns-value]
    stopped.extract("read")
    assert len(reads) == 1
    assert stopped.epochs_averaged() == 1


# --- the command line -------------------------------------------------------------------------------------------------


def test_resume_goes_on_and_prints_the_summary_of_a_finished_run(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "c.toml").write_text(config(epochs=2).to_toml(), encoding="utf-8")
    flags = [tmp_path / "c.toml", "--examples", 60, "--json"]
    whole = json.loads(command("train", *flags, "--out", tmp_path / "whole")[1])
    run = tmp_path / "run"
    with monkeypatch.context() as patched:  # stopped by hand, in the second epoch
        patched.setattr("tikitaka.training.train_config.fit", interrupted(6))
        code, out, err = command("train", *flags, "--out", run, "--checkpoint-epochs", 5)
        assert (code, out) == (130, "")
        assert f"stopped in epoch 2 after 16 examples; checkpoint in {run}" in err
    code, out, _ = command("train", "--resume", run, "--threads", 2, "--json", "--checkpoint-minutes", 0)
    assert code == 0
    summary = json.loads(out)
    assert timeless(summary) == timeless(whole)
    assert outcome(tt.Run.open(run)) == outcome(tt.Run.open(tmp_path / "whole"))
    before = {path: path.stat().st_mtime_ns for path in run.iterdir()}
    assert json.loads(command("train", "--resume", run, "--json", "--data-dir", tmp_path)[1]) == summary
    assert summary["digest"] in command("train", "--resume", run)[1]
    assert {path: path.stat().st_mtime_ns for path in run.iterdir()} == before


def interrupted(calls: int) -> Callable[..., Any]:
    """`fit`, to which Ctrl-C comes at the so many-th call of `stop`."""
    stop = at_call(calls)

    def fit(*args: Any, **how: Any) -> Any:
        asked = how.pop("stop")

        def stops() -> bool:
            if stop():
                signal.raise_signal(signal.SIGINT)
            return bool(asked())

        return tt.fit(*args, **how, stop=stops)

    return fit


@pytest.mark.parametrize(
    "more",
    [
        ["--net", "fcn"],
        ["--seed", "0"],
        ["--rule", "ttv2"],
        ["--states", "20"],
        ["--out", "elsewhere"],
        ["--force"],
        ["--print-config"],
        ["--no-update-management"],
        ["CONFIG.toml"],
    ],
)
def test_a_run_that_goes_on_keeps_its_settings(command: Command, stopped: tt.Run, more: list[str]) -> None:
    name = "--update-management" if more[0].startswith("--no-") else more[0]
    refused(command("train", "--resume", stopped.path, *more), f"{name} cannot be given with --resume")


def test_what_is_no_run_is_not_resumed(command: Command, stopped: tt.Run, tmp_path: Path) -> None:
    refused(command("train", "--resume", tmp_path / "none"), "no such RUN folder")
    refused(command("train", "--resume", tmp_path), "config.toml")
    refused(command("train", "--resume", stopped.path, "--checkpoint-epochs", 0), "--checkpoint-epochs")
    refused(command("train", "--resume", stopped.path, "--checkpoint-minutes", -1), "--checkpoint-minutes")
    (stopped.path / "summary.json").write_text("{", encoding="utf-8")
    refused(command("train", "--resume", stopped.path), "summary.json")


@pytest.mark.parametrize("told", [{"vocabulary": 3}, {"sequence": "long"}, {"sequence": True}, {"data": ["digits"]}])
def test_models_whose_metadata_are_of_another_type_are_refused(
    command: Command, tmp_path: Path, told: dict[str, Any]
) -> None:
    path = tmp_path / "model.npz"
    tt.Network(dense(64, 10), tt.DigitalSgd()).extract("read").noted(**told).save(path)
    ((name, value),) = told.items()
    refused(command("evaluate", path), f"{path}: its metadata have {name} = {value!r}")


# --- lost trainings ---------------------------------------------------------------------------------------------------


def deep(inputs: int, classes: int) -> list[tt.nn.Layer]:
    return [tt.nn.Linear(inputs, 16), tt.nn.Linear(16, 16), tt.nn.Linear(16, 16), tt.nn.Linear(16, classes)]


def test_a_loss_that_is_not_finite_keeps_the_last_good_checkpoint(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(nets, "deep", replace(SMALL["dense"], build=sized(deep)))
    (tmp_path / "c.toml").write_text(config("deep", "float").to_toml(), encoding="utf-8")
    flags = ["--lr", 1000, "--out", tmp_path / "run", "--checkpoint-minutes", 0]
    code, out, err = command("train", tmp_path / "c.toml", *flags)
    assert (code, out) == (1, "")
    assert "loss is nan in epoch 1 after" in err
    assert "the weights of array 0 (16 × 65) are not finite" in err
    run = tt.Run.open(tmp_path / "run")
    assert all(np.isfinite(w).all() for w in run.network().weights)
    assert run.summary() is None


def test_the_array_with_the_largest_weights_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    network = tt.Network(dense(64, 10), tt.DigitalSgd(), seed=1)
    network.weights = [network.weights[0], 1e3 * network.weights[1]]
    with monkeypatch.context() as patched:
        patched.setattr(tt.Network, "evaluate", lambda *_, **__: tt.Score(float("inf"), 0.5))
        with pytest.raises(
            FloatingPointError, match=r"test loss is inf in epoch 1 after 60 .*\d is in array 1 \(10 × 17"
        ):
            tt.fit(network, DIGITS, epochs=1, batch=4, progress=False)


def test_devices_that_all_stand_at_bounds_stop_a_training(tmp_path: Path) -> None:
    rule = tt.AnalogSgd(
        1000, tt.ConstantStep(states=10, bound=0.01), pulse_trains=tt.PulseTrains(update_management=False)
    )
    run = tt.Run.create(tmp_path / "run", tt.TrainConfig(net="dense", data="digits", rule=rule, batch=1, epochs=5))
    with pytest.raises(ArithmeticError, match=r"all devices of array 1, C \(10 × 17\), .* after epoch 1: .* rate"):
        run.train(DIGITS, progress=False)
    assert run.last().progress == tt.Progress()
    assert not (run.path / "metrics.jsonl").exists()


@pytest.mark.parametrize("states", [1, 2, 6, 1000])
@pytest.mark.parametrize("noise", [0.0, 1.0, 100.0])
@pytest.mark.parametrize("device", [tt.SoftBounds, tt.ConstantStep])
def test_trainings_on_bad_devices_go_on(device: type[Any], noise: float, states: float) -> None:
    for rule in (tt.AnalogSgd, tt.Ttv1, tt.Ttv2):
        network = tt.Network(dense(64, 10), rule(device=device(states=states, cycle_noise=noise)), seed=3)
        tt.fit(network, DIGITS, epochs=3, progress=False)


def test_small_and_coarse_arrays_may_stand_at_their_bounds() -> None:
    for layers, device in (
        ([tt.nn.Linear(30, 1)], tt.ConstantStep(bound=0.01)),
        ([tt.nn.Linear(64, 10)], tt.ConstantStep(states=4, bound=0.01)),
        ([tt.nn.Linear(64, 10)], tt.ConstantStep(states=100, bound=0.01, cycle_noise=30)),
    ):
        network = tt.Network(layers, tt.AnalogSgd(device=device), seed=1)
        network.weights = [np.full(layer.shape, 5.0) for layer in layers]
        check_saturation(network, epoch=1)
    network = tt.Network([tt.nn.Linear(64, 10)], tt.AnalogSgd(device=tt.SoftBounds()), seed=1)
    network.weights = [np.full((10, 65), 5.0)]
    with pytest.raises(ArithmeticError, match="array 0"):
        check_saturation(network, epoch=1)
