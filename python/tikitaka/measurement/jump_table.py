"""Jump tables: files of the distribution of the change of conductance by a pulse, as CrossSim keeps them."""

import io
import math
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tikitaka._internal.shown import listed, shown
from tikitaka._internal.validation import check_kind
from tikitaka.config import DeviceFile, JumpTable
from tikitaka.measurement.text import text_of

__all__ = ["holds_jump_table", "is_jump_table", "read_jump_table"]

F64 = NDArray[np.float64]

_MOST_ROWS, _ENTRIES = 64, 33  # of a table of the simulator: conductances, and normals from −3 to 3
_LARGEST = 64 << 20  # bytes of a file
_HEAD = 1 << 20  # bytes from which a file is recognised


@dataclass(frozen=True, eq=False)
class _Table:
    """A file of one direction."""

    g: F64
    """conductances (n,), in the unit of the file"""
    probability: F64
    """cumulative probabilities (k,)"""
    change: F64
    """changes of conductance (k, n): the one that a pulse at `g` stays below with that probability"""

    def means(self) -> F64:
        """Mean change at each conductance: the integral of the quantiles (n,)."""
        ends = np.concatenate([[0.0], self.probability, [1.0]])
        return np.asarray(np.trapezoid(np.concatenate([self.change[:1], self.change, self.change[-1:]]), ends, axis=0))


def read_jump_table(up: str | Path, down: str | Path, *, bound: float = 0.6) -> DeviceFile:
    """A device from two jump tables, one of up and one of down pulses, as CrossSim writes them.

    Each file has a line of words, a row of conductances in S, a row of cumulative probabilities, and then a row for
    each probability: the change of conductance that a pulse at each conductance stays below with it. The files may
    come in either order.

    Weight 0 is the conductance where the mean changes up and down cancel, nearest to the middle of the table, and one
    unit of weight is so large that half the table is `bound`. The table of the simulator has the same distributions at
    up to 64 conductances and 33 probabilities. One file describes one device, so the spreads of R24 stand in.

    Returns a [`DeviceFile`][tikitaka.config.device_file.DeviceFile] with a [`JumpTable`][tikitaka.JumpTable]. Raises
    OSError if a file cannot be read, and ValueError, beginning with the path, for a file of another layout, for tables
    of different conductances, and for up pulses that do not raise the conductance on average.

    >>> import numpy as np, tikitaka as tt
    >>> g, p = np.linspace(1e-5, 3e-5, 3), [0, 0.5, 1]
    >>> for name, sign in (("up", 1), ("down", -1)):
    ...     changes = [[sign * 1e-6 + noise] * 3 for noise in (-1e-7, 0, 1e-7)]
    ...     np.savetxt(f"{name}.txt", [g, p, *changes], delimiter=",", header="G, CDF, dG")
    >>> found = tt.read_jump_table("up.txt", "down.txt")
    >>> print(f"{found.device.weight_step:.3f}, weight 0 at {found.physical['conductance_at_weight_0']:.1e} S")
    0.060, weight 0 at 2.0e-05 S
    """
    for name, path in (("up", up), ("down", down)):
        if not isinstance(path, str | Path):
            raise TypeError(f"{name} must be a path, not {shown(path)}")
    check_kind("bound", bound, Real)
    if not 1e-3 <= bound <= 1e3:
        raise ValueError(f"bound must be from 0.001 to 1,000, not {shown(bound)}")
    paths = [Path(up), Path(down)]
    tables = [_read(path) for path in paths]
    risen = [float(each.means().mean()) for each in tables]
    if risen[0] < 0 < risen[1]:
        paths, tables = paths[::-1], tables[::-1]
    elif not risen[1] < 0 < risen[0]:
        raise ValueError(
            f"{paths[0]}: its pulses must raise the conductance on average, and those of {paths[1].name} lower it; "
            f"they change it by {risen[0]:.3g} and {risen[1]:.3g}"
        )
    low, high = tables[0].g[0], tables[0].g[-1]
    if not np.allclose([tables[1].g[0], tables[1].g[-1]], [low, high], rtol=0, atol=1e-3 * (high - low)):
        raise ValueError(f"{paths[1]}: it must have the range of conductances of {paths[0].name}")
    return _device(tables[0], tables[1], float(bound), paths)


def is_jump_table(path: Path) -> bool:
    """Whether a file is a jump table."""
    with path.open("rb") as file:
        return holds_jump_table(file.read(_HEAD))


def holds_jump_table(content: bytes) -> bool:
    """Whether the content of a file, or its start, is a jump table."""
    content = content[:_HEAD]
    try:
        text = text_of(content if len(content) < _HEAD else content[: content.rfind(b"\n") + 1])
        if _wrong(_rows(text, 3), whole=False):  # which is so of almost all files
            return False
        rows = _rows(text)
    except ValueError:
        return False
    return len(rows) >= 4 and _wrong(rows, whole=len(content) < _HEAD) is None


def _read(path: Path) -> _Table:
    size = path.stat().st_size
    if size > _LARGEST:
        raise ValueError(f"{path}: a jump table must have at most {_LARGEST:,} bytes, not {size:,}")
    try:
        rows = _rows(text_of(path.read_bytes()))
        wrong = _wrong(rows)
        if wrong:
            raise ValueError(
                "a jump table is a row of conductances, a row of cumulative probabilities, and a row of changes for "
                f"each of them; {wrong}"
            )
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return _Table(rows[0], rows[1], np.stack(rows[2:]))


def _rows(text: str, most: int | None = None) -> list[F64]:
    """The rows of numbers after leading lines of words, at most `most` of them."""
    rows: list[F64] = []
    for line in io.StringIO(text):
        if len(rows) == most:
            break
        cells = line.replace(",", " ").replace(";", " ").split()
        try:
            row = np.array([float(cell) for cell in cells])
        except ValueError:
            if rows:
                raise ValueError(f"cells must be numbers, not {shown(line.strip())}") from None
            continue
        if len(row):
            rows.append(row)
    return rows


def _wrong(rows: list[F64], whole: bool = True) -> str | None:
    """Why rows are no jump table, or None; of the start of a file, if not `whole`."""
    if len(rows) < 3:
        return f"it has {len(rows)} rows of numbers"
    g, probability, changes = rows[0], rows[1], rows[2:]
    if len(g) < 2 or not np.isfinite(g).all() or (np.diff(g) <= 0).any():
        return "the first row does not rise"
    if len(probability) < 2 or not ((probability >= 0) & (probability <= 1)).all() or (np.diff(probability) < 0).any():
        return "the second row does not rise from 0 to 1"
    if not (probability[0] <= 0.1 and probability[-1] >= 0.9):
        return f"the second row goes only from {probability[0]:g} to {probability[-1]:g}"
    if any(len(row) != len(g) or not np.isfinite(row).all() for row in changes):
        return f"not every later row has {len(g)} numbers, one for each conductance"
    if len(changes) > len(probability) or (whole and len(changes) != len(probability)):
        return f"there are {len(probability)} probabilities and {len(changes)} rows of changes"
    return None


def _device(up: _Table, down: _Table, bound: float, paths: list[Path]) -> DeviceFile:
    low, high = float(up.g[0]), float(up.g[-1])
    unit = (high - low) / 2 / bound
    at = np.linspace(low, high, 1001)
    rise, fall = np.interp(at, up.g, up.means()), np.interp(at, down.g, down.means())
    zero = _crossing(at, rise + fall)
    step = (float(np.interp(zero, at, rise)) - float(np.interp(zero, at, fall))) / 2
    normals = np.linspace(-3, 3, _ENTRIES)
    quantiles = [0.5 * (1 + math.erf(xi / math.sqrt(2))) for xi in normals]
    places = np.linspace(low, high, min(max(len(up.g), len(down.g)), _MOST_ROWS))
    device = JumpTable(
        weight_step=min(step / unit, 2 * bound),
        bound=bound,
        upper_bound=(high - zero) / unit,
        lower_bound=(low - zero) / unit,
        up=_table(up, places, np.array(quantiles), 1, step),
        down=_table(down, places, np.array(quantiles), -1, step),
    )
    physical: dict[str, Any] = {
        "unit": "S",
        "conductance_at_weight_0": zero,
        "conductance_per_unit_weight": unit,
        "lower_bound": low,
        "upper_bound": high,
        "step": step,
        "devices": 1,
        "source": listed([str(path) for path in paths]),
    }
    return DeviceFile(device, physical)


def _crossing(at: F64, net: F64) -> float:
    """Where the mean changes cancel, nearest to the middle; the middle if nowhere within nine tenths of the range."""
    inside = slice(len(at) // 20, -(len(at) // 20))
    at, net = at[inside], net[inside]
    cross = np.flatnonzero(np.sign(net[1:]) != np.sign(net[:-1]))
    middle = (at[0] + at[-1]) / 2
    if not len(cross):
        return float(middle)
    k = int(cross[np.argmin(np.abs(at[cross] - middle))])
    return float(at[k] + net[k] / (net[k] - net[k + 1]) * (at[k + 1] - at[k]))


def _table(table: _Table, places: F64, quantiles: F64, sign: int, step: float) -> tuple[tuple[float, ...], ...]:
    """Steps in the direction of a pulse over `step`: a row for each place, from the least to the largest."""
    columns = np.stack([np.interp(places, table.g, row) for row in table.change])  # (probabilities, places)
    found = np.stack([np.interp(quantiles, table.probability, column) for column in columns.T])  # (places, quantiles)
    found = np.sort(sign * found[:, ::sign], axis=1) / step
    return tuple(tuple(float(f"{each:.6g}") for each in row) for row in found)
