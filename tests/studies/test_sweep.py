"""Sweeps: rows, measures, data, and cells that fail."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from support.sweeps import BASE, GRID, Loses, but_seconds, fails_at, lines, number
from tikitaka.experiments import cells, sweep, trained
from tikitaka.experiments.results import key_of

# --- rows -------------------------------------------------------------------------------------------------------------


def test_rows_are_those_of_the_file_in_the_order_of_the_grid(tmp_path: Path, reference: list[dict[str, Any]]) -> None:
    out = tmp_path / "new" / "r.jsonl"
    rows = sweep(iter([*GRID[::-1], GRID[0]]), out=out)
    assert but_seconds(rows) == but_seconds([*reference[::-1], reference[0]])
    assert sorted(lines(out), key=rows.index) == rows[:-1]
    assert os.listdir(out.parent) == ["r.jsonl"]
    assert [row["config"] for row in reference] == [config.to_dict() for config in GRID]
    assert [row["key"] for row in reference] == [key_of(config) for config in GRID]
    content = out.read_bytes()
    assert sweep(GRID[2:5], out=out) == rows[::-1][1:][2:5]  # existing cells are not run again
    assert out.read_bytes() == content


def test_a_row_holds_what_fit_gives(reference: list[dict[str, Any]]) -> None:
    config, row = GRID[-1], reference[-1]
    digits = config.dataset()
    network = config.network(digits)
    last = tt.fit(network, digits, epochs=2, progress=False)[-1]
    assert row["digest"] == network.digest()
    assert (row["test_error"], row["test_loss"], row["train_error"]) == (
        last.test_error,
        last.test_loss,
        last.train_error,
    )
    assert (row["pulses"], row["epochs"]) == (network.pulses, 2)
    assert row["average_error"] == network.extract().evaluate(digits.test_x, digits.test_y).error
    assert ["average_error" in row for row in reference] == [False] * 4 + [True] * 4


def test_equal_numbers_make_one_cell(tmp_path: Path) -> None:
    grid = cells(BASE, {"rule.device.states": [20, 20.0, np.float32(20)]}, [1])
    rows = sweep(grid, out=tmp_path / "r.jsonl", measure=number)
    assert rows == [rows[0]] * 3
    assert lines(tmp_path / "r.jsonl") == rows[:1]


def test_measures_of_ones_own(tmp_path: Path) -> None:
    measured = {"array": np.arange(3, dtype=np.float32), "loss": float("nan"), "all": (np.int64(3), True, None, "π")}
    rows = sweep([BASE], out=tmp_path / "r.jsonl", measure=lambda _: measured)
    expected = {"array": [0.0, 1.0, 2.0], "loss": None, "all": [3, True, None, "π"]}
    assert {name: rows[0][name] for name in measured} == expected
    for k, bad in enumerate([{"key": 1}, {"object": object()}, 5]):
        with pytest.raises(RuntimeError, match=r"1 of 1 cells failed.*(are reserved|not JSON|must return a mapping)"):
            sweep([BASE], out=tmp_path / f"{k}.jsonl", measure=lambda _, bad=bad: bad)  # type: ignore[misc]
        assert not (tmp_path / f"{k}.jsonl").exists()


def test_data_are_read_once_and_from_the_folder_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "alphabet.txt").write_text("abcdefgh" * 40)
    reads: list[Path] = []
    monkeypatch.setattr(
        "tikitaka.data.sets.read_text",
        lambda path, _: (reads.append(path), Path(path).read_text())[1],
    )
    base = tt.TrainConfig(net="lstm", data="alphabet", sequence=10, epochs=1, rule=tt.DigitalSgd(lr=0.01))
    grid = cells(base, {"examples": [2, 3]}, [0, 1])
    rows = sweep(grid, out=tmp_path / "r.jsonl", measure=partial(trained, data_dir=tmp_path), threads=2)
    assert len({row["digest"] for row in rows}) == 4
    assert reads == [tmp_path / "alphabet.txt"]


# --- cells that fail, and what is refused -----------------------------------------------------------------------------


def test_a_cell_that_fails_is_named_and_the_others_are_kept(tmp_path: Path) -> None:
    grid, out = cells(BASE, {"epochs": [1, 2]}, range(3)), tmp_path / "r.jsonl"
    with pytest.raises(RuntimeError, match="2 of 6 cells failed") as raised:
        sweep(grid, out=out, measure=partial(fails_at, 1), threads=3)
    named = "FloatingPointError: the loss is nan (epochs=1, seed=1 | epochs=2, seed=1)"
    assert str(raised.value) == f"2 of 6 cells failed, the others are kept in {out}: {named}"
    assert isinstance(raised.value.__cause__, FloatingPointError)
    assert sorted(row["number"] for row in lines(out)) == [10, 12, 20, 22]
    assert len(sweep(grid, out=out, measure=partial(fails_at, 7))) == 6  # a cell that failed is tried again
    too_many = replace(BASE, examples=2000)
    with pytest.raises(ValueError, match=r"cell examples=2000: examples must be from 1 to 1,442 for digits, not 2,000"):
        sweep([BASE, too_many], out=tmp_path / "t.jsonl")
    assert not (tmp_path / "t.jsonl").exists()  # a mistake in a setting costs no training


def test_what_no_sweep_can_be_made_of(tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    with pytest.raises(ValueError, match="the grid must contain at least one cell"):
        sweep([], out=out)
    with pytest.raises(TypeError, match="cell must be a TrainConfig, not 3"):
        sweep([BASE, 3], out=out)  # type: ignore[list-item]
    with pytest.raises(TypeError, match=r"executor must be a concurrent\.futures\.Executor"):
        sweep([BASE], "dask", out=out)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="measure must be a function"):
        sweep([BASE], out=out, measure=3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="threads must be at least 1"):
        sweep([BASE], out=out, threads=0)
    with pytest.raises(ValueError, match="must not be given with an executor"):
        sweep([BASE], Loses(), out=out, threads=2)
    assert not out.exists()


# --- what the documentation shows -------------------------------------------------------------------------------------

PAGE = (Path(__file__).parents[2] / "docs" / "sweeps.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_programs_of_the_page_run(tmp_path: Path) -> None:
    for k, block in enumerate(BLOCKS):
        if "pandas" in block and find_spec("pandas") is None:
            continue
        script = tmp_path / f"block{k}.py"
        script.write_text(block, encoding="utf-8")
        ran = subprocess.run([sys.executable, script.name], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
    assert [len(lines(path)) for path in sorted(tmp_path.glob("*.jsonl"))] == [12, 12, 12, 12]
