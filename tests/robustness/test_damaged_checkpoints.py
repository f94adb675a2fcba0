"""Damaged checkpoints, and runs whose files were changed."""

import random
from dataclasses import replace

import pytest

import tikitaka as tt
from support.commands import Command, refused
from support.runs import DIGITS
from tikitaka import _core
from tikitaka._internal.checksum import digest
from tikitaka.training import checkpoint
from tikitaka.training.checkpoint import NEWEST, PREVIOUS

pytestmark = pytest.mark.usefixtures("small_networks")


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
        with pytest.warns(UserWarning, match=r"checkpoint\.safetensors.*; the previous checkpoint is used"):
            assert stopped.last().progress == before.progress
    with pytest.warns(UserWarning, match="previous checkpoint"):
        network, progress = stopped.prepare(DIGITS)
    assert progress == before.progress
    assert checkpoint._read(newest).progress == progress  # the damaged file must not become the previous one
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
        ({"version": "2"}, "format version 1, not 2"),
        ({"format": "tikitaka-model"}, "is not a checkpoint of tikitaka"),
        ({"epoch": "-1"}, "epoch must be a whole number"),
        ({"position": "many"}, "'many'"),
        ({"loss": "much"}, "not a checkpoint of tikitaka"),
        ({"inputs": ""}, "not a checkpoint of tikitaka"),
        ({"config": "[]"}, "config must be a table of fields, not \\[\\]"),
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
    with pytest.raises(ValueError, match=r"digits must be the data that .* was started with"):
        tt.Run.open(stopped.path).prepare(other)
    path = stopped.path / "config.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("seed = 5", "seed = 6"), encoding="utf-8")
    words = "config.toml must be the config of the checkpoint; they differ in seed"
    refused(command("train", "--resume", stopped.path), words)
    with pytest.raises(ValueError, match=words):
        tt.Run.open(stopped.path).network()


def test_a_damaged_previous_checkpoint_is_kept_beside_a_good_one(stopped: tt.Run) -> None:
    """It would be replaced by the next one."""
    (stopped.path / PREVIOUS).write_bytes(b"not of this release")
    tt.Run.open(stopped.path).train(DIGITS, progress=False)
    assert (stopped.path / "checkpoint.damaged.safetensors").read_bytes() == b"not of this release"
    assert (stopped.path / PREVIOUS).read_bytes() != b"not of this release"


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
