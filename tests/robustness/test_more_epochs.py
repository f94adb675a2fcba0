"""More epochs for a run: the bits of a training that was planned so, or a clear word."""

from pathlib import Path
from typing import Any

import pytest

import tikitaka as tt
from support.commands import Command, refused
from support.runs import DIGITS, RULES, at_call, outcome
from tikitaka.training import checkpoint

pytestmark = pytest.mark.usefixtures("small_networks")


def plan(epochs: int, rule: str = "ttv2", **more: Any) -> tt.TrainConfig:
    more = {"schedule": "constant", "average_from": 2, **more}
    return tt.TrainConfig(net="dense", data="digits", rule=RULES[rule], epochs=epochs, seed=5, **more)


@pytest.mark.parametrize("rule", ["float", "sgd", "ttv2"])
def test_a_finished_run_goes_on_to_the_bits_of_one_that_was_planned_so(tmp_path: Path, rule: str) -> None:
    whole, run = (tt.Run.create(tmp_path / name, plan(n, rule)) for name, n in (("whole", 5), ("run", 2)))
    whole.train(DIGITS, progress=False)
    run.train(DIGITS, progress=False)
    again = tt.Run.open(run.path)
    again.extend(5)
    assert again.summary() is None
    again.train(DIGITS, progress=False)
    assert outcome(tt.Run.open(run.path)) == outcome(whole)


def test_a_stopped_run_goes_on_with_another_number_of_epochs(tmp_path: Path) -> None:
    for name, n, more in (("longer", 6, {}), ("shorter", 2, {}), ("decay", 6, {"schedule": "decay"})):
        whole = tt.Run.create(tmp_path / f"whole {name}", plan(n, average_from=None, **more))
        run = tt.Run.create(tmp_path / name, plan(3, average_from=None, **more))
        whole.train(DIGITS, progress=False)
        with pytest.raises(tt.Stopped):
            run.train(DIGITS, progress=False, stop=at_call(3))  # in the first third of both
        run.extend(n)
        run.train(DIGITS, progress=False)
        assert outcome(run) == outcome(whole)


def test_averages_stay_where_they_began(tmp_path: Path) -> None:
    run = tt.Run.create(tmp_path / "run", plan(3, average_from=None))  # from epoch 3 on
    run.train(DIGITS, progress=False)
    run.extend(6)
    assert run.config.average_from == 3
    run.train(DIGITS, progress=False)
    whole = tt.Run.create(tmp_path / "whole", plan(6, average_from=3))
    whole.train(DIGITS, progress=False)
    assert outcome(run) == outcome(whole)
    with pytest.raises(ValueError, match="average_from must be 3, because the averages of 6 epochs are there, not 2"):
        run.extend(9, average_from=2)


def test_factors_that_begin_with_those_so_far_go_on(tmp_path: Path) -> None:
    whole = tt.Run.create(tmp_path / "whole", plan(4, schedule=(1.0, 0.5, 0.5, 0.25)))
    run = tt.Run.create(tmp_path / "run", plan(2, schedule=(1.0, 0.5)))
    for each in (whole, run):
        each.train(DIGITS, progress=False)
    with pytest.raises(ValueError, match="schedule must have a factor for each of 4 epochs, not 2"):
        run.extend(4)
    with pytest.raises(ValueError, match=r"in epoch 2 the schedule had the factor 0\.5, .* has 0\.3 there"):
        run.extend(4, schedule=(1.0, 0.3, 0.3, 0.3))
    run.extend(4, schedule=(1.0, 0.5, 0.5, 0.25))
    run.train(DIGITS, progress=False)
    assert outcome(run) == outcome(whole)


def test_what_cannot_have_the_same_bits_is_refused_and_changes_nothing(tmp_path: Path, command: Command) -> None:
    run = tt.Run.create(tmp_path / "run", plan(6, schedule="decay"))
    run.train(DIGITS, progress=False)
    before = {path.name: path.read_bytes() for path in run.path.iterdir()}
    words = "epochs cannot become 9: in epoch 3 the schedule had the factor 0.3, and a training of 9 epochs has 1 there"
    refused(command("train", "--resume", run.path, "--epochs", 9), words)
    refused(command("train", "--resume", run.path, "--epochs", 4), "epochs must be at least 6, which have begun, not 4")
    refused(command("train", "--resume", run.path, "--schedule", "swa"), "--schedule cannot be given with --resume")
    refused(command("train", "--resume", run.path, "--epochs", 9, "--seed", 2), "--seed cannot be given with --resume")
    assert {path.name: path.read_bytes() for path in run.path.iterdir()} == before
    patient = tt.Run.create(tmp_path / "patient", plan(30, "float", patience=1, validation=0.2, average_from=None))
    patient.train(DIGITS, progress=False, stop=None)
    if len(patient.metrics()) < 30:
        with pytest.raises(ValueError, match="epochs cannot become 60: patience ended the training after epoch"):
            patient.extend(60)


def test_the_command_trains_a_finished_run_on(tmp_path: Path, command: Command) -> None:
    flags = ["--data", "digits", "--examples", 60, "--schedule", "constant", "--rule", "ttv2"]
    assert command("train", *flags, "--epochs", 2, "--out", tmp_path / "run")[0] == 0
    assert command("train", "--resume", tmp_path / "run", "--epochs", 4)[0] == 0
    assert command("train", *flags, "--epochs", 4, "--average-from", 2, "--out", tmp_path / "whole")[0] == 0
    assert outcome(tt.Run.open(tmp_path / "run")) == outcome(tt.Run.open(tmp_path / "whole"))


@pytest.mark.parametrize("done", ["checkpoint", "summary", "config"])
def test_a_kill_while_a_run_is_extended_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, done: str
) -> None:
    whole, run = (tt.Run.create(tmp_path / name, plan(n)) for name, n in (("whole", 4), ("run", 2)))
    for each in (whole, run):
        each.train(DIGITS, progress=False)

    class Killed(BaseException):
        """Like a signal that cannot be caught."""

    unlink = Path.unlink

    def unlinked(path: Path, **how: bool) -> None:
        if path.name == "summary.json":
            raise Killed
        unlink(path, **how)

    with monkeypatch.context() as patched:
        if done == "checkpoint":
            patched.setattr(Path, "unlink", unlinked)
        elif done == "summary":
            patched.setattr(tt.Run, "_write", lambda *_: (_ for _ in ()).throw(Killed))
        if done == "config":
            run.extend(4)
        else:
            with pytest.raises(Killed):
                tt.Run.open(run.path).extend(4)
    again = tt.Run.open(run.path)
    assert again.last().progress.epoch == 2
    assert again.extract("read").inputs == 64
    if done != "config":
        assert again.train(DIGITS, progress=False)["epochs"] == 2
        assert checkpoint.load(run.path).config["epochs"] == (4 if done == "checkpoint" else 2)
        again.extend(4)
    again.train(DIGITS, progress=False)
    assert outcome(again) == outcome(whole)
