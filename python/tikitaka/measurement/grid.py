"""Rectangular blocks of cells, and what a cell holds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tikitaka._internal.shown import shown

__all__ = ["Column", "Grid", "Row", "Words", "number", "word_column"]

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

    def numbers(self, place: int) -> F64:
        """A column of numbers; ValueError if it holds words."""
        column = self.columns[place]
        if isinstance(column, Words):
            raise ValueError(
                f"column {self.called(place)} must hold numbers, not words such as {shown(column.names[0])}"
            )
        return column

    def words(self, place: int) -> tuple[str, ...]:
        """The different words of a column."""
        column = self.columns[place]
        return column.names if isinstance(column, Words) else ()

    def called(self, place: int) -> str:
        """What a column is called in messages."""
        return shown(self.names[place]) if self.names[place] else f"{place + 1}"


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
