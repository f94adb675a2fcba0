"""Text of any layout: encoding, delimiter, decimal commas, and the block of numbers in it."""

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tikitaka._internal.text import decoded
from tikitaka.measurement.grid import Grid, Row, Run, grid_of, number

__all__ = ["find_grid", "read_grid", "read_rows", "text_of"]

F64 = NDArray[np.float64]

_BLOCK = 1 << 22  # characters that are read at once
_SAMPLE = 400  # lines at the start, and in the middle, from which the delimiter is found
_SURE = 20  # rows after which a run is read in blocks
_NAMES = {"\t": "tabs", ";": "semicolons", ",": "commas", "": "spaces"}
# With equal counts of numbers the first wins: a comma is the delimiter only if nothing else separates the numbers.
_STYLES = (("\t", False), ("\t", True), (";", False), (";", True), (",", False), ("", False), ("", True))
_DECIMAL = re.compile(r"\s*[-+]?\d+,(\d+)([eE][-+]?\d+)?\s*")


def text_of(content: bytes) -> str:
    """The text in a file; ValueError if it is not one.

    UTF-8, UTF-16 with a byte order mark or not, or, as older spreadsheets write µ and Ω, Latin-1.
    """
    head = content[:4096]
    if not content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and b"\0" in head:
        for encoding, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
            if zeros.count(0) > 0.4 * len(zeros) and head.count(0) < 1.3 * zeros.count(0):
                content = codecs.BOM_UTF8 + content.decode(encoding, "replace").encode("utf-8", "replace")
                break
        else:
            raise ValueError("it is binary, not text")
    try:
        text = decoded(content)
    except UnicodeDecodeError:
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise ValueError("it begins like UTF-16 and is damaged") from None
        text = content.decode("latin-1").replace("\r\n", "\n")
    return text.replace("\r", "\n") if "\r" in text else text


def find_grid(text: str, skip: int = 0, decimal: str | None = None) -> Grid | list[Row]:
    """The block of numbers in `text` after `skip` lines: its columns, or rows if each row is a sweep.

    Raises ValueError if there are no numbers.
    """
    style = _style(text, skip, decimal)
    run = _longest(text, skip, *style)
    said = [f"{_NAMES[style[0]]} between cells"] if run and len(run.kinds) > 1 else []
    said += ["decimal commas"] if style[1] else []
    if run is None or run.rows <= 2 or (run.rows < 20 <= run.kinds.count("n")):
        cells = (_cells(line, style[0]) for line in text.split("\n")[skip:])
        rows = read_rows(cells, style[1], skip)
        if rows:
            return rows
    if run is None:
        if not text.strip():
            raise ValueError("it is empty")
        raise ValueError("it holds no numbers" if not re.search(r"\d", text) else "it holds no rows of numbers")
    last = run.line + run.rows - 1
    where = f"lines {run.line:,} to {last:,}" if not run.breaks else f"the {run.rows:,} rows from line {run.line:,}"
    return grid_of(run, where, said)


def read_grid(rows: Iterator[Sequence[Any]], skip: int = 0) -> Grid | list[Row]:
    """The block of numbers in the rows of a spreadsheet; ValueError if there are no numbers."""
    best = run = None
    above: list[list[str]] = []
    kept: list[list[Any]] = []
    for line, cells in enumerate(rows, 1):
        if line <= skip:
            continue
        trimmed = list(cells)
        if line <= 20_000:
            kept.append(trimmed)
        best, run, above = _step(best, run, above, line, trimmed, False)
    best = _longer(best, run)
    if best is None or best.rows <= 2 or (best.rows < 20 <= best.kinds.count("n")):
        found = read_rows(iter(kept), False, skip)
        if found:
            return found
    if best is None:
        raise ValueError("it holds no rows of numbers")
    return grid_of(best, f"rows {best.line:,} to {best.line + best.rows - 1:,}", letters=True)


def read_rows(rows: Iterator[Sequence[Any]], comma: bool, skip: int = 0) -> list[Row]:
    """Rows of words and then at least five numbers, each a sweep."""
    found: list[Row] = []
    for line, cells in enumerate(rows, skip + 1):
        values = [number(cell, comma) for cell in cells]
        first = next((k for k, value in enumerate(values) if value is not None and value == value), len(values))
        numbers = values[first:]
        while numbers and (numbers[-1] is None or numbers[-1] != numbers[-1]):
            numbers.pop()
        if len(numbers) >= 5 and None not in numbers:
            words = " ".join(str(cell).strip().strip('"') for cell in cells[:first] if cell is not None)
            found.append(Row(words.strip(" :,"), np.array(numbers, dtype=np.float64), line))
    return found


def _style(text: str, skip: int, decimal: str | None) -> tuple[str, bool]:
    """Delimiter ("" for spaces) and whether decimals are commas: those that give most numbers in a sample."""
    middle = len(text) // 2
    sample = [*text[:200_000].split("\n")[skip:][:_SAMPLE], *text[middle : middle + 200_000].split("\n")[1:_SAMPLE]]
    best, most = (",", False), 0
    for delimiter, comma in _STYLES:
        if decimal is not None and comma != (decimal == ",") and (delimiter, comma) != ("", decimal == ","):
            continue
        if decimal == "," and delimiter == ",":
            continue
        count = 0
        for line in sample:
            values = [number(cell, comma) for cell in _cells(line, delimiter)]
            count += sum(value is not None and value == value for value in values)
        if count > most:
            best, most = (delimiter, comma), count
    if best == (",", False) and decimal is None and _one_column(sample):
        return "", True
    return best


def _one_column(sample: Sequence[str]) -> bool:
    """Whether lines such as `0,05` are numbers with a decimal comma rather than two columns of whole numbers."""
    matches = [_DECIMAL.fullmatch(line) for line in sample if line.strip() and line[0] not in "#%"]
    found = [match for match in matches if match]
    if len(found) < max(3, 0.8 * len(matches)):
        return False
    return any((match[1][0] == "0" and len(match[1]) > 1) or match[2] for match in found)


def _cells(line: str, delimiter: str) -> list[str]:
    if not delimiter:
        return line.split()
    if '"' in line:
        try:
            return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
        except csv.Error:
            pass
    return line.split(delimiter)


def _blocks(text: str) -> Iterator[list[str]]:
    """The lines of `text`: a few at first, later many together."""
    start, size = 0, 1 << 14
    while start < len(text):
        end = text.find("\n", start + size)
        end = len(text) if end < 0 else end
        yield text[start:end].split("\n")
        start, size = end + 1, _BLOCK


def _longest(text: str, skip: int, delimiter: str, comma: bool) -> Run | None:
    best: Run | None = None
    run: Run | None = None
    above: list[list[str]] = []
    line = 0
    for lines in _blocks(text):
        first = line + 1
        line += len(lines)
        place = max(0, skip + 1 - first)
        while place < len(lines):
            if run is not None and run.rows >= _SURE and place in (0, _SURE):
                block = _block(lines[place:], run, delimiter, comma)
                if block is not None:
                    run.add(block)
                    break
            best, run, above = _step(
                best, run, above, first + place, _cells(lines[place], delimiter), comma, padded=bool(delimiter)
            )
            place += 1
    return _longer(best, run)


def _step(
    best: Run | None,
    run: Run | None,
    above: list[list[str]],
    line: int,
    cells: list[Any],
    comma: bool,
    padded: bool = False,
) -> tuple[Run | None, Run | None, list[list[str]]]:
    """One row: it continues the run, begins one, or is kept as a row above the next one."""
    values = [number(cell, comma) for cell in cells]
    blank = not any(str(cell).strip() for cell in cells if cell is not None)
    if run is not None:
        if blank and run.rows > 2:  # between two blocks of the same columns, or at the end
            run.blank()
            return best, run, above
        short = len(run.kinds) - len(cells)
        if padded and short > 0 and run.rows > 2:  # programs may leave out the blank cells at the end of a row
            values, cells = [*values, *[np.nan] * short], [*cells, *[""] * short]
        if run.takes(values, cells):
            return best, run, above
        best = _longer(best, run)
    fresh = Run(line, above)
    if not blank and fresh.takes(values, cells):
        return best, fresh, [[str(cell) for cell in cells], *above][:2]
    if not blank:
        above = [["" if cell is None else str(cell) for cell in cells], *above][:2]
    return best, None, above


def _longer(best: Run | None, run: Run | None) -> Run | None:
    if run is None or (best is not None and best.rows >= run.rows):
        return best
    return run


def _block(lines: list[str], run: Run, delimiter: str, comma: bool) -> F64 | None:
    """The numbers of many lines at once, if they all continue `run`; None if they must be read one by one."""
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    cells = len(run.kinds)
    words = [cell for cell, kind in enumerate(run.kinds) if kind == "w"]
    if not lines or "?" in run.kinds or (words and any('"' in line for line in lines)):
        return None
    if words and any((line.count(delimiter) + 1 if delimiter else len(line.split())) != cells for line in lines):
        return None
    numeric = [cell for cell, kind in enumerate(run.kinds) if kind == "n"]
    given = [line.replace(",", ".") for line in lines] if comma else lines
    try:
        block = np.loadtxt(
            given,
            delimiter=delimiter or None,
            comments=None,
            ndmin=2,
            quotechar='"',
            usecols=numeric if words else None,
        )
    except ValueError:
        return None
    if block.shape != (len(lines), len(numeric)):
        return None
    block[np.isinf(block)] = np.nan
    if not words:
        return block
    both = np.empty((len(lines), cells))
    both[:, numeric] = block
    for cell in words:
        both[:, cell] = run.codes(cell, [line.split(delimiter or None, cell + 1)[cell] for line in lines])
    return both
