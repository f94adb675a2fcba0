"""`--device` of train, plot and reproduce: a kind, a preset, or a file of one's own."""

import json
from pathlib import Path

import pytest

from support.commands import Command
from tikitaka.config import devices, presets
from tikitaka.experiments import studies

FILE = '[device]\nkind = "constant-step"\nweight_step = 0.05\nbound = 0.5\n\n[physical]\nunit = "uS"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(FILE)
    return path


def test_train_takes_a_file(command: Command, file: Path) -> None:
    status, out, _ = command("train", "--data", "digits", "--device", file, "--cycle-noise", 0.2, "--print-config")
    assert status == 0
    assert 'kind = "constant-step"' in out
    assert "weight_step = 0.05" in out
    assert "cycle_noise = 0.2" in out
    status, out, _ = command("train", "--data", "digits", "--device", file, "--states", 30, "--print-config")
    assert (status, "states = 30.0" in out, "weight_step =" in out) == (0, True, False)


def test_plot_takes_every_name_and_a_file(command: Command, file: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for name in (file, "r24", "constant-step"):
        status, _, said = command("plot", "--device", name, "--pulses", 20, "--out", tmp_path / "d.png")
        assert status == 0, said
        assert (tmp_path / "d.png").stat().st_size > 1_000


@pytest.mark.parametrize("verb", ["train", "plot"])
def test_names_that_are_none(command: Command, tmp_path: Path, verb: str) -> None:
    rest = ["--out", tmp_path / "x.png"] if verb == "plot" else ["--data", "digits", "--print-config"]
    status, _, said = command(verb, "--device", "soft", *rest)
    assert status == 2
    assert "'soft' is not one of" in said
    status, _, said = command(verb, "--device", tmp_path / "missing.toml", *rest)
    assert (status, "missing.toml: No such file" in said) == (2, True)
    (tmp_path / "bad.toml").write_text("[device]\nkind = 'soft-bounds'\nstates = -1\n")
    status, _, said = command(verb, "--device", tmp_path / "bad.toml", *rest)
    assert (status, "states must be from 1 to" in said) == (2, True)


def test_help_names_them(command: Command) -> None:
    _, out, _ = command("train", "--help")
    for name in (*devices, *presets, "FILE.toml"):
        assert name in out


@pytest.mark.parametrize("name", ["states", "update-noise", "mvm-noise", "reference"])
def test_studies_take_a_device(
    command: Command, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Every training is of this device, with the value of the axis; there is one panel."""
    grids = []

    def measured(grid, *_, **__):  # type: ignore[no-untyped-def]
        configs = list(grid)
        grids.extend(configs)
        return [{"test_error": 0.02 if c.rule.kind == "float" else 0.03, "config": c.to_dict()} for c in configs]

    monkeypatch.setattr("tikitaka.experiments.tolerance_study.sweep", measured)
    monkeypatch.setattr("tikitaka.experiments.learning_rates.check_data", lambda *_: None)
    out = tmp_path / "out"
    given = ["--scale", "quick", "--data", "digits", "--rules", "ttv2", "--out", out, "--json"]
    status, printed, said = command("reproduce", name, *given, "--device", file)
    assert status == 0, said
    result = json.loads(printed)
    assert (result["device"]["kind"], result["device"]["bound"]) == ("constant-step", 0.5)
    assert all("panel" not in row for row in result["rows"])
    rules = [config.rule for config in grids if config.rule.kind == "ttv2"]
    assert {rule.device.bound for rule in rules} == {0.5}
    if name == "states":
        assert {rule.device.states for rule in rules} == set(studies.find("states").axis.values["quick"])
    else:
        assert {rule.device.weight_step for rule in rules} == {0.05}


def test_a_study_needs_the_field_that_it_sweeps(command: Command, tmp_path: Path) -> None:
    status, _, said = command("reproduce", "states", "--out", tmp_path / "s", "--device", "soft")
    assert (status, "device must be one of" in said) == (2, True)
