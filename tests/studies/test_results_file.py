"""The file of results of a sweep: incomplete, damaged, shared, full and read-only."""

import json
import os
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import tikitaka as tt
from support.sweeps import BASE, child, counted, fails_at, lines, number
from tikitaka.experiments import cells, sweep
from tikitaka.experiments.results import Results


def test_a_torn_line_is_dropped_and_its_cell_run_again(tmp_path: Path) -> None:
    grid, out = cells(BASE, {}, range(3)), tmp_path / "r.jsonl"
    rows = sweep(grid, out=out, measure=number, threads=1)
    whole = out.read_bytes()
    first = whole.index(b"\n") + 1
    for end in [*range(first, len(whole), 97), len(whole) - 1]:
        for zeros in (b"", b"\0" * 20):
            out.write_bytes(whole[:end] + zeros)
            calls: list[int] = []
            again = sweep(grid, out=out, measure=counted(calls), threads=1)
            assert (again, out.read_bytes()) == (rows, whole)
            assert calls == [1, 2][whole[:end].count(b"\n") - 1 :]


def test_a_file_that_holds_anything_else_is_refused_untouched(tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    sweep([BASE], out=out, measure=number)
    line = out.read_bytes()
    cases = {
        b"notes\n": "line 1 is not a result",
        b"notes": "line 1 is not a result",
        line + b"[1]\n" + line: "line 2 is not a result",
        line + b"\n" + line: "line 2 is not a result",
        line + b"3": "line 2 is not a result",
        b"\xff\xfe\n": "line 1 is not a result",
        line.replace(b'"format": 1', b'"format": 2'): "line 1 must be of format 1, not 2",
        line.replace(b'"epochs": 1', b'"epochs": 2'): "line 1 is damaged: its key",
    }
    for content, words in cases.items():
        out.write_bytes(content)
        with pytest.raises(ValueError, match=words) as refused:
            sweep([BASE], out=out, measure=number)
        assert str(out) in str(refused.value)
        assert out.read_bytes() == content
        assert os.listdir(tmp_path) == ["r.jsonl"]
    out.write_bytes(line)
    with pytest.raises(ValueError, match="line 1 must be of measure 'trained', not 'number'"):
        sweep([BASE], out=out)
    out.write_bytes(line + line)  # concatenated files contain a cell twice; it counts once
    assert sweep([BASE], out=out, measure=number) == [json.loads(line)]


def test_two_sweeps_on_one_file_at_once_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"

    def measure(config: tt.TrainConfig) -> dict[str, Any]:
        with pytest.raises(OSError, match="another sweep writes to this file"):
            sweep([BASE], out=out, measure=number)
        second = child(f"from tikitaka.experiments import sweep; sweep({{sweeps.BASE}}, out={str(out)!r})")
        assert "another sweep writes to this file" in second.communicate()[1]
        return {"number": 1}

    assert sweep([BASE], out=out, measure=measure)[0]["number"] == 1
    assert os.listdir(tmp_path) == ["r.jsonl"]


@pytest.mark.parametrize("place", ["file/r.jsonl", "/proc/r.jsonl", "/dev/full", "."])
def test_places_that_cannot_be_written_are_refused_before_any_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    if place.startswith("/") and not Path(place).parent.exists():
        pytest.skip(f"there is no {Path(place).parent}")
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    calls: list[int] = []
    with pytest.raises(OSError, match=place.split("/")[-1].replace(".", r"\.")):
        sweep([BASE], out=place, measure=counted(calls))
    assert calls == []


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
def test_folders_and_files_that_are_read_only(tmp_path: Path) -> None:
    out, calls = tmp_path / "folder" / "r.jsonl", []  # type: ignore[var-annotated]
    out.parent.mkdir(mode=0o500)
    with pytest.raises(PermissionError, match=str(out)):
        sweep([BASE], out=out, measure=counted(calls))
    assert calls == []


FULL = """
import resource
from tikitaka.experiments import cells, sweep
grid = cells(sweeps.BASE, {}, range(20))
resource.setrlimit(resource.RLIMIT_FSIZE, (BYTES, BYTES))
try:
    sweep(grid, out=OUT, measure=sweeps.number, threads=2)
except OSError as error:
    print(type(error).__name__, error.filename, file=sys.stderr)
"""


def test_a_full_disk_keeps_the_cells_before(tmp_path: Path) -> None:
    out, grid = tmp_path / "r.jsonl", cells(BASE, {}, range(20))
    process = child(FULL.replace("BYTES", "10_000").replace("OUT", repr(str(out))))
    assert process.communicate()[1] == f"OSError {out}\n"
    kept = lines(out)
    assert 2 < len(kept) < 20
    sweep(grid, out=out, measure=number)
    assert lines(out)[: len(kept)] == kept
    assert len({row["key"] for row in lines(out)}) == len(lines(out)) == 20


def test_writing_that_fails_cancels_what_is_pending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, calls = tmp_path / "r.jsonl", []  # type: ignore[var-annotated]

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    def slow(config: tt.TrainConfig) -> dict[str, Any]:
        time.sleep(0.02)
        return counted(calls)(config)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=rf"No space left.*{out}"):
        sweep(cells(BASE, {}, range(100)), out=out, measure=slow, threads=1)
    assert len(calls) < 100
    assert not out.exists()


def test_the_file_is_free_again_after_each_end(tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    with pytest.raises(RuntimeError, match="failed"):
        sweep(cells(BASE, {}, [1]), out=out, measure=partial(fails_at, 1))
    with Results(out, "fails_at") as results:
        assert results.rows == {}
    assert os.listdir(tmp_path) == []


def test_a_refused_sweep_leaves_no_file(tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    with pytest.raises(ValueError, match="examples must be from 1 to 1,442"):
        sweep([replace(BASE, examples=2000)], out=out, progress=False)
    assert not out.exists()
    out.touch()
    with pytest.raises(ValueError, match="examples must be from 1 to 1,442"):
        sweep([replace(BASE, examples=2000)], out=out, progress=False)
    assert out.exists()  # it was there before
