"""Spreadsheets: sheets, columns by letter, headings of units, and what is wrong with a file."""

import io
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

import tikitaka as tt
from support.pulses import cycles, in_a_row

UPS, DOWNS = cycles()
ROW = in_a_row(UPS, DOWNS)


def book(path: Path, **sheets: Any) -> Path:
    """A file of sheets, each a list of rows."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    made.save(path)
    return path


@pytest.fixture
def counts(tmp_path: Path) -> Path:
    """Two sheets of counts from the third column of the third row, and one of other measurements."""
    blank: list[list[Any]] = [[None], [None]]
    one = blank + [[None, None, k + 1, round(10 * value)] for k, value in enumerate(ROW)]
    other = blank + [[None, k + 1, round(-10 * value)] for k, value in enumerate(ROW[::-1])]
    return book(
        tmp_path / "counts.xlsx", **{"선형": one, "100ns": other, "Retention": [["t", "V"], [0, 0.9], [60, 0.8]]}
    )


@pytest.mark.parametrize("sheet", ["선형", 1])
@pytest.mark.parametrize("columns", [None, 4, "D", "d"])
def test_a_sheet_of_counts(counts: Path, sheet: Any, columns: Any) -> None:
    found = tt.read_measured(counts, sheet=sheet, columns=columns)
    np.testing.assert_array_equal(np.concatenate([each.values for each in found.sweeps]), np.round(10 * ROW))
    assert (found.cycles, found.up, found.down) == (3, 180, 180)
    assert found.account[0] == "sheet '선형': 360 rows × 4 columns, rows 3 to 362"
    assert any("reads are quantised in steps of 1" in line for line in found.warnings)


def test_a_sheet_with_headings_and_units(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["Pulse", "LTP", "LTD"], [None, "uS", "uS"]]
    path = book(
        tmp_path / "a.xlsx",
        only=[*rows, *([k, float(a), float(b)] for k, (a, b) in enumerate(zip(UPS[0], DOWNS[0], strict=True)))],
    )
    found = tt.read_measured(path)
    np.testing.assert_allclose(found.sweeps[0].values, UPS[0] * 1e-6, rtol=1e-12)
    assert found.unit == "S"


def test_several_sheets_are_asked_about(counts: Path) -> None:
    with pytest.raises(ValueError, match="it has 2 sheets with numbers: pass sheet=, one of 선형, 100ns"):
        tt.read_measured(counts)
    with pytest.raises(ValueError, match="sheet must be one of 선형, 100ns, Retention, not 'no'"):
        tt.read_measured(counts, sheet="no")
    with pytest.raises(ValueError, match="sheet must be from 1 to 3, not 4"):
        tt.read_measured(counts, sheet=4)
    with pytest.raises(ValueError, match="columns must name a column"):
        tt.read_measured(counts, sheet=1, columns="E1")
    with pytest.raises(ValueError, match="columns must be from 1 to 4"):
        tt.read_measured(counts, sheet=1, columns="ZZ")


def test_a_sheet_without_numbers(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", first=[["up", "down"]], second=[])
    with pytest.raises(ValueError, match="it holds no sheet with numbers; its sheets are first, second"):
        tt.read_measured(path)
    with pytest.raises(ValueError, match="it holds no rows of numbers"):
        tt.read_measured(path, sheet="first")


def test_a_sheet_that_expands_too_far(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (65 << 20))
    (tmp_path / "bomb.xlsx").write_bytes(file.getvalue())
    with pytest.raises(ValueError, match=r"expand to 68,157,440, which is too large"):
        tt.read_measured(tmp_path / "bomb.xlsx")


def test_without_openpyxl(counts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(ModuleNotFoundError, match=r"needs the package openpyxl: pip install 'tikitaka\[xlsx\]'"):
        tt.read_measured(counts)


@pytest.mark.parametrize("cut", [lambda content: content[:-100], lambda content: content[:3000] + content[4000:]])
def test_a_damaged_spreadsheet(counts: Path, cut: Callable[[bytes], bytes]) -> None:
    counts.write_bytes(cut(counts.read_bytes()))
    with pytest.raises(ValueError, match=r"it is not a valid .xlsx file"):
        tt.read_measured(counts)


def test_a_sheet_for_each_direction(tmp_path: Path) -> None:
    path = book(
        tmp_path / "A7.xlsx",
        LTP=[["c1", "c2"], *([float(a), float(b)] for a, b in zip(*UPS[:2], strict=True))],
        LTD=[["c1", "c2"], *([float(a), float(b)] for a, b in zip(*DOWNS[:2], strict=True))],
    )
    found = tt.read_measured(path)
    assert (found.up, found.down) == (120, 120)
    assert found.account[0].startswith("sheet 'LTP': 60 rows × 2 columns")
