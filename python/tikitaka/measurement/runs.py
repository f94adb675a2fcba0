"""Blocks of numbers among other rows: the longest run of rows that have the same cells, and those like it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tikitaka.measurement.grid import Column, Grid, Words, number
from tikitaka.measurement.words import heading, parse_unit

__all__ = ["Run", "Runs"]

F64 = NDArray[np.float64]

_LONG = 20  # rows of a block that is not an accident


class Run:
    """Consecutive rows with the same cells, collected."""

    def __init__(self, line: int, above: list[list[str]], comma: bool = False) -> None:
        self._comma = comma  # whether decimals are commas
        self.line = line  # of its first row
        self.above = above  # the rows before it, from the nearest
        self.odd: list[tuple[int, str]] = []  # rows with a word that does not belong there, and the word
        self.kinds: list[str] = []  # n number, w word, ? only blanks yet
        self.rows = 0
        self._breaks: list[int] = []
        self._blocks: list[F64] = []  # (rows, cells), with a word as its number among the words of its cell
        self._open: list[list[float]] = []  # rows of the next block
        self._words: dict[int, dict[str, int]] = {}

    def takes(self, values: Sequence[float | None], cells: Sequence[Any]) -> bool:
        """Whether a row fits, and the first row holds a number; it is then part of the run.

        In a long run, a word among numbers is a missing one, such as OVERFLOW.
        """
        kinds = ["w" if value is None else "?" if value != value else "n" for value in values]
        if not self.rows:
            if "n" not in kinds:
                return False
            self.kinds = kinds
        if len(kinds) != len(self.kinds):
            return False
        row: list[float] = []
        odd = ""
        for cell, (old, new, value) in enumerate(zip(self.kinds, kinds, values, strict=True)):
            if old == "w" or (old == "?" and new == "w"):
                row += self.codes(cell, [cells[cell]]) if new != "?" else [np.nan]
                odd = odd or (str(cells[cell]) if new == "n" else "")
            elif value is None:
                row.append(np.nan)
                odd = odd or str(cells[cell])
            else:
                row.append(value)
        if odd:
            if self.rows < _LONG or "n" not in (new for old, new in zip(self.kinds, kinds, strict=True) if old == "n"):
                return False
            self.odd.append((self.rows, odd))
        self.kinds = [new if old == "?" else old for old, new in zip(self.kinds, kinds, strict=True)]
        self._open.append(row)
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

    @property
    def named(self) -> bool:
        """Whether it has headings."""
        return any(self._names())

    @property
    def telling(self) -> bool:
        """Whether its headings say what columns are, rather than being any other words."""
        headings = map(heading, self._names())
        return any(one.quantity or one.sign or one.unit for one in headings)

    def _names(self) -> tuple[str, ...]:
        return _names(self.above, len(self.kinds), self._comma)

    def like(self, other: "Run") -> bool:
        """Whether two runs have the same cells."""
        return len(self.kinds) == len(other.kinds) and not any(
            mine != its and "?" not in (mine, its) for mine, its in zip(self.kinds, other.kinds, strict=True)
        )

    @property
    def last(self) -> int:
        """The line of its last row, if there are no blank lines in it."""
        return self.line + self.rows - 1

    def grid(self, rows: str, notes: Sequence[str] = (), letters: bool = False) -> Grid:
        """The block, with the row above it as its headings; `rows` is what the source calls its rows."""
        where = f"{rows} {self.line:,} to {self.last:,}"
        if self.breaks:
            where = f"{self.rows:,} {rows} from {self.line:,} on"
        return Grid(self._names(), tuple(self.columns()), where, tuple(notes), self.breaks, letters)


class Runs:
    """Sorts rows into runs."""

    def __init__(self) -> None:
        self.open: Run | None = None  # which the next row may continue
        self._above: list[list[str]] = []  # the last rows, from the nearest
        self._long: list[Run] = []
        self._longest: Run | None = None

    def row(self, line: int, cells: list[Any], comma: bool, padded: bool) -> None:
        """One row: it continues a run, begins one, or is kept as a row above the next one.

        `padded`: rows may lack blank cells at their end.
        """
        values = [number(cell, comma) for cell in cells]
        blank = not any(str(cell).strip() for cell in cells if cell is not None)
        run = self.open
        if run is not None:
            if blank and run.rows > 2:  # between two blocks of the same columns, or at the end
                run.blank()
                return
            short = len(run.kinds) - len(cells)
            if padded and short > 0 and run.rows > 2:
                values, cells = [*values, *[np.nan] * short], [*cells, *[""] * short]
            if run.takes(values, cells):
                return
            self._close()
        if blank:
            return
        fresh = Run(line, self._above, comma)
        if fresh.takes(values, cells):
            self.open = fresh
        self._above = [["" if cell is None else str(cell) for cell in cells], *self._above][:2]

    def _close(self) -> None:
        run, self.open = self.open, None
        if run is None:
            return
        if run.rows >= _LONG:
            self._long.append(run)
        if self._longest is None or run.rows > self._longest.rows:
            self._longest = run

    def end(self) -> tuple[list[Run], list[Run]]:
        """The longest run and those like it, in their order, and the other long ones; empty without numbers."""
        self._close()
        longest = self._longest
        if longest is None:
            return [], []
        alike: list[Run] = []
        for run in (run for run in self._long if run.like(longest)):
            if alike and alike[-1].telling and not run.telling:  # after a row that does not fit, the table goes on
                run.above = alike[-1].above
            if run.named == longest.named:
                alike.append(run)
        return alike or [longest], [run for run in self._long if run not in alike]


def _names(above: list[list[str]], cells: int, comma: bool) -> tuple[str, ...]:
    """Headings from the row above a block, if it holds words, and no numbers but whole ones.

    If it holds units, or the same headings several times, the row above it is read, too: for names, or for devices
    above the first of their columns.
    """
    rows = [_padded(row, cells) for row in above[:2]]
    names = rows[0] if rows else None
    if names is None or not _may_be_names(names, comma):
        return ("",) * cells
    upper = rows[1] if len(rows) > 1 else None
    if upper and _may_be_names(upper, comma):
        given = [name.strip().strip("()[]") for name in names if name.strip(" #-")]
        if given and all(parse_unit(name) for name in given):
            units = [name.strip(" #-").strip("()[]") for name in names]
            names = [f"{name} ({unit})" if unit else name for name, unit in zip(upper, units, strict=True)]
        elif len(set(names)) < len([name for name in names if name.strip()]):
            devices = [""]
            for name in upper:
                devices.append(name.strip() or devices[-1])
            names = [f"{device} {name}".strip() for device, name in zip(devices[1:], names, strict=True)]
    return tuple(name.strip().strip('"').lstrip("#%").strip() for name in names)


def _padded(row: list[str], cells: int) -> list[str] | None:
    """The row with as many cells as a block; None if it has more."""
    while len(row) > cells and not row[-1].strip():
        row = row[:-1]
    return row + [""] * (cells - len(row)) if len(row) <= cells else None


def _may_be_names(row: list[str], comma: bool) -> bool:
    values = [number(cell, comma) for cell in row]
    numbers = [value for value in values if value is not None and value == value]
    return None in values and all(value.is_integer() for value in numbers)
