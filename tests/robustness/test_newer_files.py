"""Files of a newer release, and files that are not understood, are never replaced."""

import json

import pytest

import tikitaka as tt
from support.commands import Command, refused
from support.runs import DIGITS
from tikitaka import _core
from tikitaka._internal.checksum import digest
from tikitaka.training.checkpoint import NEWEST, PREVIOUS

pytestmark = pytest.mark.usefixtures("small_networks")


def contents(run: tt.Run) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in run.path.iterdir()}


@pytest.mark.parametrize("name", [NEWEST, PREVIOUS])
@pytest.mark.parametrize("checksum", ["as here", "another one"])
def test_a_checkpoint_of_a_newer_release_is_not_replaced_by_an_older_one(
    stopped: tt.Run, command: Command, name: str, checksum: str
) -> None:
    state, header = _core.load_tensors(str(stopped.path / name))
    header |= {"version": "2", "wings": "2"}
    header["sha256"] = digest(header, state) if checksum == "as here" else "0" * 64
    _core.save_tensors(str(stopped.path / name), state, header)
    before, words = contents(stopped), f"{name} must be of format version 1, not 2: another release"
    refused(command("train", "--resume", stopped.path), words)
    for reads in (stopped.last, lambda: stopped.prepare(DIGITS), lambda: stopped.train(DIGITS, progress=False)):
        with pytest.raises(ValueError, match="must be of format version 1, not 2"):
            reads()
    assert contents(stopped) == before


def test_a_damaged_checkpoint_is_kept_aside(stopped: tt.Run) -> None:
    for k in range(2):
        (stopped.path / NEWEST).write_bytes(b"not understood %d" % k)
        with pytest.warns(UserWarning, match="the previous checkpoint is used"):
            stopped.prepare(DIGITS)
        with pytest.raises(tt.Stopped):
            stopped.train(DIGITS, progress=False, checkpoint_minutes=0, stop=iter([False, False, True]).__next__)
    assert (stopped.path / "checkpoint.damaged.safetensors").read_bytes() == b"not understood 0"
    assert (stopped.path / "checkpoint.damaged.2.safetensors").read_bytes() == b"not understood 1"


def test_metrics_and_a_summary_of_a_newer_release_are_not_replaced(stopped: tt.Run) -> None:
    path = stopped.path / "metrics.jsonl"
    lines = [json.loads(line) | {"wings": 2} for line in path.read_text(encoding="utf-8").splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in [*lines, *lines]), encoding="utf-8")
    before = contents(stopped)
    with pytest.raises(ValueError, match=r"metrics\.jsonl: .*wings"):
        stopped.train(DIGITS, progress=False)
    assert contents(stopped) == before


def test_other_hidden_files_in_a_run_stay(stopped: tt.Run) -> None:
    names = [".metrics.jsonl.swp", ".config.toml.mine", ".lock.mine"]
    for name in names:
        (stopped.path / name).write_bytes(b"mine")
    stopped.train(DIGITS, progress=False)
    tt.Run.create(stopped.path, stopped.config, force=True)
    assert sorted(path.name for path in stopped.path.glob(".*")) == sorted(names)
