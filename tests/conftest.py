"""Fixtures of all tests; other shared code is in support/, and the slow NumPy twin in twin/."""

from pathlib import Path
from typing import Any

import pytest

import tikitaka as tt
from support import runs, sweeps
from support.commands import Command
from tikitaka import cli
from tikitaka.experiments import sweep
from tikitaka.nn import nets


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command in this process: its exit status, and what it prints on standard output and standard error."""
    monkeypatch.delenv("TIKITAKA_DATA", raising=False)

    def run(*args: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            cli.main([str(arg) for arg in args])
        out, err = capsys.readouterr()
        code = left.value.code
        assert isinstance(code, int)
        return code, out, err

    return run


@pytest.fixture
def small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small networks by name, and calls into the core of a few mini-batches, so that an epoch takes several."""
    for name, recipe in runs.SMALL.items():
        monkeypatch.setitem(nets, name, recipe)
    monkeypatch.setattr("tikitaka.training.loop._chunk_size", lambda *_: 16)


@pytest.fixture
def stopped(tmp_path: Path, small_networks: None) -> tt.Run:
    """A run that was stopped within its second epoch."""
    run = tt.Run.create(tmp_path / "run", runs.config())
    with pytest.raises(tt.Stopped):
        run.train(runs.DIGITS, progress=False, stop=runs.at_call(7))
    return run


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The rows of an undisturbed sweep in this process."""
    return sweep(sweeps.GRID, out=tmp_path_factory.mktemp("reference") / "r.jsonl", threads=2)
