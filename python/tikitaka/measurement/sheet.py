"""Spreadsheets (.xlsx), with the package openpyxl."""

import io
import warnings
import zipfile
from typing import Any

from tikitaka._internal.shown import listed, shown
from tikitaka.measurement.text import Blocks, read_blocks
from tikitaka.measurement.words import direction_of

__all__ = ["read_sheet"]

_LARGEST = 2 << 30  # bytes that a file may expand to
_RATIO = 200  # and how many times its own size, beyond the first megabytes
_FREE = 64 << 20
_CELLS = 50_000_000  # of a sheet
_FEW = 20  # rows without which a sheet holds no sweep


def read_sheet(content: bytes, sheet: str | int | None, skip: int) -> dict[str, Blocks]:
    """The blocks of numbers in the chosen sheet, by its name, or in two that are named up and down.

    Raises ValueError for several sheets with numbers if none is chosen, and for damaged files; ModuleNotFoundError
    without openpyxl (the extra `xlsx`).
    """
    try:
        import openpyxl
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("reading .xlsx needs the package openpyxl: pip install 'tikitaka[xlsx]'") from error
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            size = sum(each.file_size for each in file.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ValueError(f"it is not a valid .xlsx file: {error}") from None
    if size > max(_FREE, min(_LARGEST, _RATIO * len(content))):
        raise ValueError(f"its {len(content):,} bytes expand to {size:,}, which is too large")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and extensions, which hold no numbers
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            sheets = {each.title: _rows(each) for each in book.worksheets}
    except _TooLargeError as error:
        raise ValueError(str(error)) from None
    except Exception as error:  # openpyxl raises whatever its parts raise
        raise ValueError(f"it is not a valid .xlsx file: {shown(str(error))}") from None
    return {name: read_blocks(sheets[name], skip) for name in _chosen(sheets, sheet)}


class _TooLargeError(Exception):
    """A sheet with too many cells."""


def _rows(sheet: Any) -> list[list[Any]]:
    """The rows of a sheet, all of the same width. What it says about its size is not believed."""
    sheet.reset_dimensions()
    rows: list[list[Any]] = []
    width = 0
    for row in sheet.iter_rows(values_only=True):
        rows.append(list(row))
        width = max(width, len(row))
        if len(rows) * width > _CELLS:
            raise _TooLargeError(f"sheet {shown(sheet.title)} must have at most {_CELLS:,} cells")
    for cells in rows:
        cells += [None] * (width - len(cells))
    return rows


def _chosen(sheets: dict[str, list[list[Any]]], sheet: str | int | None) -> list[str]:
    names = list(sheets)
    if isinstance(sheet, int):
        if sheet > len(names):
            raise ValueError(f"sheet must be from 1 to {len(names)}, not {sheet}")
        return [names[sheet - 1]]
    if sheet is not None:
        if sheet not in sheets:
            raise ValueError(f"sheet must be one of {listed(names)}, not {shown(sheet)}")
        return [sheet]
    filled = [name for name, rows in sheets.items() if sum(map(_has_number, rows)) >= _FEW or _wide(rows)]
    if not filled:
        raise ValueError(f"it holds no sheet with numbers; its sheets are {listed(names)}")
    if len(filled) > 1 and sorted(map(direction_of, filled)) != [-1, 1]:
        raise ValueError(f"it has {len(filled)} sheets with numbers: pass sheet=, one of {listed(filled)}")
    return filled


def _has_number(row: list[Any]) -> bool:
    return any(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in row)


def _wide(rows: list[list[Any]]) -> bool:
    return any(sum(_has_number([cell]) for cell in row) >= _FEW for row in rows[:100])
