"""What a training took on the chip: time, energy and area, by part and by array."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from tikitaka._internal import display
from tikitaka._internal.validation import check_int, one_of
from tikitaka.costs.band import Band, quantity, share, total
from tikitaka.costs.parts import QUANTITIES

__all__ = ["EXCLUDED", "Bill"]

EXCLUDED = (
    "wires between arrays",
    "instruction control",
    "leakage",
    "activation functions",
    "DRAM",
    "the area of DACs, digital circuits and memories",
    "the time of programming and of zero-shifting, whose pulses count",
    "evaluations",
)
"""What no bill contains."""

_WIDTH = 100
_NAMES = {"time_s": "time", "energy_j": "energy", "area_mm2": "area"}


@dataclass(frozen=True, repr=False)
class Bill:
    """Time, energy and area of what a ledger counted; `print` shows them by part.

    Each is a `Band`: with all numbers of the table at their cheap ends, at usual values, and at their dear ends.
    Layers run one after another, and so do the arrays of a rule. Energies are those of the training so far.
    """

    parts: Mapping[str, Mapping[str, Band]]
    """the parts of "time_s" (s), "energy_j" (J) and "area_mm2" (mm²), by name"""
    arrays: Mapping[str, "Bill"]
    """the bill of each array of a network by name; empty in such a bill"""
    assumed: tuple[str, ...] = ()
    """what was taken where the settings leave something open"""

    @property
    def time_s(self) -> Band:
        """Time on the chip (s)."""
        return total(self.parts["time_s"].values())

    @property
    def energy_j(self) -> Band:
        """Energy (J)."""
        return total(self.parts["energy_j"].values())

    @property
    def area_mm2(self) -> Band:
        """Area of the arrays with their ADCs (mm²)."""
        return total(self.parts["area_mm2"].values())

    @property
    def excluded(self) -> tuple[str, ...]:
        """What the bill does not contain."""
        return EXCLUDED

    def largest(self, of: str = "energy_j", n: int = 3) -> dict[str, float]:
        """The `n` largest parts of "energy_j", "time_s" or "area_mm2", with their shares of its usual value."""
        one_of("of", of, QUANTITIES)
        check_int("n", n, 1)
        parts, whole = self.parts[of], total(self.parts[of].values())
        ordered = sorted(parts, key=lambda name: -parts[name].usual)
        return {name: share(parts[name], whole) for name in ordered[: int(n)] if parts[name].usual > 0}

    def to_dict(self) -> dict[str, Any]:
        """Everything as nested plain values."""
        sums = {name: total(parts.values())._asdict() for name, parts in self.parts.items()}
        parts = {name: {part: band._asdict() for part, band in each.items()} for name, each in self.parts.items()}
        of_arrays = {
            name: {key: value for key, value in bill.to_dict().items() if key in (*QUANTITIES, "parts")}
            for name, bill in self.arrays.items()
        }
        return {
            **sums,
            "parts": parts,
            "largest": self.largest(),
            "arrays": of_arrays,
            "assumed": list(self.assumed),
            "excluded": list(self.excluded),
        }

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _repr_html_(self) -> str:
        rows: list[tuple[str, ...]] = [(*row, "") for row in self._totals()]
        rows += [(f"{_NAMES[of]}: {part}", *cells) for of in QUANTITIES for part, *cells in self._rows(of)]
        notes = [("assumed", note, "", "") for note in self.assumed]
        notes += [("excluded", ", ".join(self.excluded), "", "")]
        return display.table("Bill", ("part", "usual", "low to high", "share"), [*rows, *notes])

    def _lines(self) -> Iterator[str]:
        cells = [["", "usual", "low to high", "share"], *([*row, ""] for row in self._totals())]
        for of in QUANTITIES:
            rows = self._rows(of)
            cells += [[""] * 4, [f"{_NAMES[of]} by part", "", "", ""]] if rows else []
            cells += [[f"  {row[0]}", *row[1:]] for row in rows]
        if len(self.arrays) > 1:
            cells += [[""] * 4, ["energy by array", "", "", ""]]
            cells += [
                [f"  {name}", *_cells(bill.energy_j, "J"), f"{100 * share(bill.energy_j, self.energy_j):.1f} %"]
                for name, bill in self.arrays.items()
            ]
        widths = [max(len(row[k]) for row in cells) for k in range(4)]
        for first, *others in cells:
            aligned = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
            yield f"{first.ljust(widths[0])}  {'  '.join(aligned)}".rstrip()
        yield ""
        named = (f"{name} {100 * part:.0f} %" for name, part in self.largest().items())
        yield f"most of the energy: {', '.join(named) or 'none'}"
        for note in (*(f"assumed: {note}" for note in self.assumed), f"excluded: {', '.join(self.excluded)}"):
            yield from wrap(note, _WIDTH, subsequent_indent="  ")

    def _totals(self) -> list[tuple[str, str, str]]:
        """Time, energy and area with their ends."""
        return [(_NAMES[of], *_cells(total(self.parts[of].values()), unit)) for of, unit in QUANTITIES.items()]

    def _rows(self, of: str) -> list[list[str]]:
        """Name, value, ends and share of each part that is not 0, the largest first."""
        parts, unit = self.parts[of], QUANTITIES[of]
        shares = self.largest(of, len(parts))
        return [[name, *_cells(parts[name], unit), f"{100 * part:.1f} %"] for name, part in shares.items()]


def _cells(band: Band, unit: str) -> tuple[str, str]:
    usual, ends = quantity(band.usual, unit), (quantity(band.low, unit), quantity(band.high, unit))
    return usual, " to ".join(ends) if ends[0] != ends[1] else ""
