"""The extraction study: its cells, its continuation after an interruption, and its figure."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tikitaka import plot
from tikitaka.cli import tikitaka
from tikitaka.experiments.studies.extraction import BITS, ERRORS, SCHEDULES, Scale, extraction

TINY = Scale(examples=100, epochs=3, seeds=2, chips=2)


def study(out: Path, calls: list[int]) -> list[dict[str, object]]:
    return extraction(
        "digits", settings=["full periphery"], scale=TINY, out=out, threads=2, progress=lambda: calls.append(1)
    )


@pytest.mark.slow
def test_a_row_per_model_and_the_same_rows_again(tmp_path: Path) -> None:
    calls: list[int] = []
    rows = study(tmp_path, calls)
    assert len(calls) == 2 * len(SCHEDULES)
    assert len(rows) == len(SCHEDULES) * (4 + len(BITS) + len(ERRORS))
    assert {row["n"] for row in rows if "chip," in str(row["model"])} == {4}
    # one run is lost: the study repeats only that one, with the same rows
    runs = sorted((tmp_path / "runs").iterdir())
    (runs[0] / "summary.json").unlink()
    stamps = [(run / "checkpoint.safetensors").stat().st_mtime_ns for run in runs]
    assert study(tmp_path, calls) == rows
    again = [(run / "checkpoint.safetensors").stat().st_mtime_ns for run in runs]
    assert again[0] != stamps[0]
    assert again[1:] == stamps[1:]


def test_runs_of_other_settings_are_not_mistaken_for_these(tmp_path: Path) -> None:
    study(tmp_path, [])
    with pytest.raises(ValueError, match="run with other settings"):
        extraction("digits", settings=["full periphery"], scale=Scale(90, 3, 2, 2), out=tmp_path)
    with pytest.raises(ValueError, match="settings must be one of"):
        extraction("digits", settings=["none"], scale=TINY, out=tmp_path)


@pytest.mark.slow
def test_figure_and_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tikitaka.experiments.studies import extraction as module

    monkeypatch.setitem(module.scales, "quick", TINY)
    arguments = ["reproduce", "extraction", "--data", "digits", "--scale", "quick", "--out", str(tmp_path), "--json"]
    result = CliRunner().invoke(tikitaka, arguments)
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)["rows"]
    assert json.loads((tmp_path / "extraction.json").read_text())["rows"] == rows
    assert (tmp_path / "extraction.png").read_bytes().startswith(b"\x89PNG")
    plot.extraction(rows[:10], tmp_path / "one.png")
    assert (tmp_path / "one.png").is_file()
