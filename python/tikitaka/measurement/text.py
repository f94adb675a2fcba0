"""Text of any layout: encoding, delimiter, decimal commas, and the blocks of numbers in it."""

import codecs
import csv
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tikitaka._internal.shown import listed, shown
from tikitaka._internal.text import decoded
from tikitaka.measurement.grid import Grid, Row, number
from tikitaka.measurement.runs import Run, Runs

__all__ = ["Blocks", "find_blocks", "read_blocks", "text_of"]

F64 = NDArray[np.float64]

_BLOCK = 1 << 22  # characters that are read at once
_SAMPLE = 400  # lines at the start, and in the middle, from which the delimiter is found
_SURE = 20  # rows after which a run is read in blocks
_NAMES = {"\t": "tabs", ";": "semicolons", ",": "commas", "": "spaces"}
# With equal counts of numbers the first wins: a comma is the delimiter only if nothing else separates the numbers.
_STYLES = (("\t", False), ("\t", True), (";", False), (";", True), (",", False), ("", False), ("", True))
_DECIMAL = re.compile(r"\s*[-+]?\d+,(\d+)([eE][-+]?\d+)?\s*")


class Blocks(NamedTuple):
    """What a source holds: blocks of columns, or rows that are sweeps."""

    grids: list[Grid]
    """blocks with the same columns"""
    rows: list[Row]
    """rows, if there are no blocks"""
    warnings: list[str]
    """what was left out, in words"""


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


def find_blocks(text: str, skip: int = 0, decimal: str | None = None) -> Blocks:
    """The blocks of numbers in `text` after `skip` lines; ValueError if there are none."""
    style = _style(text, skip, decimal)
    runs = _runs(text, skip, *style)
    said = [f"{_NAMES[style[0]]} between cells"] if runs[0] and len(runs[0][0].kinds) > 1 else []
    said += ["decimal commas"] if style[1] else []
    if not runs[0] and not text.strip():
        raise ValueError("it is empty")
    if not runs[0] and not re.search(r"\d", text):
        raise ValueError("it holds no numbers")

    def again() -> Iterator[list[str]]:
        return (_cells(line, style[0]) for line in text.split("\n")[skip:])

    return _blocks_of(runs, "lines", said, again, style[1], skip)


def read_blocks(rows: Sequence[list[Any]], skip: int = 0) -> Blocks:
    """The blocks of numbers in the rows of a spreadsheet; ValueError if there are none."""
    runs = Runs()
    for line, cells in enumerate(rows[skip:], skip + 1):
        runs.row(line, cells, False, False)
    return _blocks_of(runs.end(), "rows", [], lambda: iter(rows[skip:]), False, skip, letters=True)


def _blocks_of(
    runs: tuple[list[Run], list[Run]],
    what: str,
    said: list[str],
    again: Callable[[], Iterator[Sequence[Any]]],
    comma: bool,
    skip: int,
    letters: bool = False,
) -> Blocks:
    """The runs as blocks, or, if they are short, each row of the source as a sweep."""
    alike, others = runs
    if not alike or _sweeps_in_rows(max(alike, key=lambda run: run.rows)):
        rows = _rows(again(), comma, skip)
        if rows:
            return Blocks([], rows, [])
    if not alike:
        raise ValueError("it holds no rows of numbers")
    warnings = []
    if others:
        lines = listed(f"{run.line:,}" for run in others)
        count = f"{len(others):,} other blocks of numbers are" if len(others) > 1 else "1 other block of numbers is"
        warnings.append(f"{count} left out, at {what} {lines}")
    odd = [(run.line + row, word) for run in alike for row, word in run.odd]
    if odd:
        where = f"{what.removesuffix('s')} {odd[0][0]:,}"
        rows_with = f"{len(odd):,} {what if len(odd) > 1 else what.removesuffix('s')}"
        warnings.append(f"{rows_with} with words among the numbers, such as {shown(odd[0][1])} in {where}")
    return Blocks([run.grid(what, said, letters) for run in alike], [], warnings)


def _sweeps_in_rows(run: Run) -> bool:
    """Whether the longest run is too short for columns, or so wide that rows are sweeps."""
    numbers = run.kinds.count("n")
    labelled = run.kinds[0] == "w" or numbers > run.rows
    return run.rows <= 2 or (numbers >= _SURE and (run.rows < _SURE or (labelled and not run.named)))


def _rows(rows: Iterator[Sequence[Any]], comma: bool, skip: int = 0) -> list[Row]:
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


def _runs(text: str, skip: int, delimiter: str, comma: bool) -> tuple[list[Run], list[Run]]:
    runs = Runs()
    line = 0
    for lines in _blocks(text):
        first = line + 1
        line += len(lines)
        place = max(0, skip + 1 - first)
        while place < len(lines):
            if runs.open is not None and runs.open.rows >= _SURE and place in (0, _SURE):
                block = _block(lines[place:], runs.open, delimiter, comma)
                if block is not None:
                    runs.open.add(block)
                    break
            runs.row(first + place, _cells(lines[place], delimiter), comma, padded=bool(delimiter))
            place += 1
    return runs.end()


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
