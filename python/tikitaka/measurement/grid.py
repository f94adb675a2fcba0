"""Blocks of numbers in text: the longest run of rows that have the same cells."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tikitaka.measurement.words import parse_unit

__all__ = ["Column", "Grid", "Row", "Run", "Words", "grid_of", "number", "word_column"]

F64 = NDArray[np.float64]

_MISSING = {"", "nan", "na", "n/a", "#n/a", "#na", "-", "--", "---", "null", "none", "nil", "missing", "inf", "-inf"}


class Words(NamedTuple):
    """A column of words: the number of each in `names`."""

    codes: NDArray[np.int64]
    """(rows,) indices into `names`; −1 for a blank cell"""
    names: tuple[str, ...]
    """the different words"""

    def text(self, row: int) -> str:
        """The word of a row."""
        return self.names[self.codes[row]] if self.codes[row] >= 0 else ""


Column = F64 | Words


@dataclass(frozen=True)
class Grid:
    """A rectangular block: columns of equal length, with NaN for blank cells."""

    names: tuple[str, ...]
    """heading of each column; "" without"""
    columns: tuple[Column, ...]
    """the columns"""
    where: str
    """where it is in the source, in words"""
    notes: tuple[str, ...] = ()
    """decisions of the reader"""
    breaks: tuple[int, ...] = ()
    """rows before which the source has a blank line"""
    letters: bool = False
    """whether columns may be named by letters, as in a spreadsheet"""

    @property
    def rows(self) -> int:
        """Number of rows."""
        first = self.columns[0]
        return len(first.codes) if isinstance(first, Words) else len(first)


@dataclass(frozen=True)
class Row:
    """A row that is a sweep by itself: words and numbers before the values."""

    label: str
    """the leading words"""
    values: F64
    """the numbers"""
    line: int = field(default=0)
    """its line in the source"""


def number(cell: Any, comma: bool = False) -> float | None:
    """The number in a cell, NaN if it is blank or says that it is missing, None if it is a word.

    >>> number("1,5", comma=True), number(" 2e-6 "), number("n/a"), number("R_low")
    (1.5, 2e-06, nan, None)
    """
    if isinstance(cell, bool):
        return None
    if isinstance(cell, int | float):
        try:
            value = float(cell)
        except OverflowError:
            return float("nan")
        return value if -np.inf < value < np.inf else float("nan")
    if cell is None:
        return float("nan")
    text = str(cell).strip().strip('"').strip()
    if text.casefold() in _MISSING:
        return float("nan")
    if "_" in text or len(text) > 60:
        return None
    text = text.replace("−", "-")
    if comma:
        if "." in text:
            return None
        text = text.replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        return None
    return value if -np.inf < value < np.inf else float("nan")


def word_column(words: Sequence[str]) -> Words:
    """A column of words."""
    names: dict[str, int] = {"": -1}
    codes = np.empty(len(words), np.int64)
    for k, word in enumerate(words):
        codes[k] = names.setdefault(word, len(names) - 1)
    return Words(codes, tuple(name for name in names if name))


class Run:
    """Consecutive rows with the same cells, collected."""

    def __init__(self, line: int, above: list[list[str]]) -> None:
        self.line = line  # of its first row
        self.above = above  # the rows before it, from the nearest
        self.kinds: list[str] = []  # n number, w word, ? only blanks yet
        self.rows = 0
        self._breaks: list[int] = []
        self._blocks: list[F64] = []  # (rows, cells), with a word as its number among the words of its cell
        self._open: list[list[float]] = []  # rows of the next block
        self._words: dict[int, dict[str, int]] = {}

    def takes(self, values: Sequence[float | None], cells: Sequence[Any]) -> bool:
        """Whether a row fits, and the first row holds a number; it is then part of the run."""
        kinds = ["w" if value is None else "?" if value != value else "n" for value in values]
        if "n" not in kinds and not self.rows:
            return False
        if self.rows and (
            len(kinds) != len(self.kinds)
            or any(new != old and "?" not in (new, old) for new, old in zip(kinds, self.kinds, strict=True))
        ):
            return False
        self.kinds = (
            [new if old == "?" else old for new, old in zip(kinds, self.kinds, strict=True)] if self.rows else kinds
        )
        self._open.append([self.codes(k, [cells[k]])[0] if value is None else value for k, value in enumerate(values)])
        self.rows += 1
        if len(self._open) >= 65_536:
            self._close()
        return True

    def add(self, block: F64) -> None:
        """Rows that are known to fit, with words as `codes`."""
        self._close()
        self._blocks.append(block)
        self.rows += len(block)

    def codes(self, cell: int, words: Iterable[Any]) -> list[float]:
        """The numbers of words among those of a cell; NaN for blanks."""
        known = self._words.setdefault(cell, {})
        plain = [str(word).strip().strip('"') for word in words]
        return [known.setdefault(word, len(known)) if word else np.nan for word in plain]

    def _close(self) -> None:
        if self._open:
            self._blocks.append(np.array(self._open))
            self._open = []

    def blank(self) -> None:
        """A blank line."""
        self._breaks.append(self.rows)

    @property
    def breaks(self) -> tuple[int, ...]:
        """The rows before which there are blank lines."""
        return tuple(row for row in dict.fromkeys(self._breaks) if 0 < row < self.rows)

    def columns(self) -> Iterator[Column]:
        """The columns, one after the other."""
        self._close()
        for cell, kind in enumerate(self.kinds):
            column = np.concatenate([block[:, cell] for block in self._blocks])
            if kind == "w":
                yield Words(np.nan_to_num(column, nan=-1.0).astype(np.int64), tuple(self._words[cell]))
            else:
                yield column


def grid_of(run: Run, where: str, notes: Sequence[str] = (), letters: bool = False) -> Grid:
    """The block of a run, with the row above it as its headings."""
    names = _names(run.above, len(run.kinds))
    return Grid(names, tuple(run.columns()), where, tuple(notes), run.breaks, letters)


def _names(above: list[list[str]], cells: int) -> tuple[str, ...]:
    """Headings from the row above a block, if it holds words; from the two rows above if the next one holds units."""
    rows = [_padded(row, cells) for row in above[:2]]
    names = rows[0] if rows else None
    if names is None or not _words_in(names):
        return ("",) * cells
    upper = rows[1] if len(rows) > 1 else None
    if upper and _words_in(upper) and _all_units(names):
        units = [name.strip(" #-").strip("()[]") for name in names]
        names = [f"{name} ({unit})" if unit else name for name, unit in zip(upper, units, strict=True)]
    return tuple(name.strip().strip('"').lstrip("#%").strip() for name in names)


def _padded(row: list[str], cells: int) -> list[str] | None:
    """The row with as many cells as a block; None if it has more."""
    while len(row) > cells and not row[-1].strip():
        row = row[:-1]
    return row + [""] * (cells - len(row)) if len(row) <= cells else None


def _words_in(row: list[str]) -> bool:
    return any(number(cell) is None for cell in row)


def _all_units(names: list[str]) -> bool:
    given = [name.strip().strip("()[]") for name in names if name.strip(" #-")]
    return bool(given) and all(parse_unit(name) for name in given)
