"""`tikitaka train --resume`."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tikitaka as tt
from support.commands import Command, refused
from support.runs import at_call, config, dense, outcome, timeless

pytestmark = pytest.mark.usefixtures("small_networks")


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
    """`fit` with a Ctrl-C at the n-th call of `stop`."""
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
    result = command("evaluate", path)
    refused(result, f"{path}: {name} in its metadata must be a ")
    refused(result, f", not {value!r}")
