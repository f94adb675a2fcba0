"""Measured pulses from files of any layout."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tikitaka._internal.shown import listed, shortened, shown
from tikitaka.measurement.assemble import assemble
from tikitaka.measurement.containers import from_json, from_mat, from_npy, from_npz
from tikitaka.measurement.found import Found, together
from tikitaka.measurement.jump_table import holds_jump_table
from tikitaka.measurement.layout import from_grid
from tikitaka.measurement.options import Columns, Options, options_of
from tikitaka.measurement.rows import from_rows
from tikitaka.measurement.sheet import read_sheet
from tikitaka.measurement.table import Measured
from tikitaka.measurement.text import Blocks, find_blocks, text_of
from tikitaka.measurement.words import direction_of, remainder

__all__ = ["read_measured"]

_LARGEST = 2 << 30  # bytes of a file
_LARGEST_JSON = 256 << 20  # and of JSON, which takes some twenty times as much in memory
_FILES = 10_000

Paths = str | Path | Sequence[str | Path]


def read_measured(
    path: Paths,
    *,
    columns: Columns | Mapping[str, Columns] | None = None,
    up: Columns | None = None,
    down: Columns | None = None,
    pattern: str | None = None,
    unit: str | None = None,
    read_voltage: float | None = None,
    flip: bool = False,
    mirrored_down: bool | None = None,
    initial_read: bool | None = None,
    seconds_per_pulse: float | None = None,
    sheet: str | int | None = None,
    skip: int = 0,
    window: tuple[float, float] | None = None,
    decimal: str | None = None,
    device: str | None = None,
) -> Measured:
    """Measured pulses from a file, or from several: text of any layout (CSV, TSV, …), JSON, NPY, NPZ, MAT, or XLSX.

    The layout is found, `print` shows how it was understood, and arguments override each decision: see the page
    "Files of measured pulses". Several files are several devices, or, if one file has the up
    and one the down pulses, one device.

    `columns` names the columns of values, by number from 1, heading or (XLSX) letter, or as a dict by device, also as
    text: `"A1=2,A2=4"`. `up` and `down` name columns of reads after up and after down pulses. `pattern` says the
    pulses of a column that holds both, such as `"1000u,1000d"` or `"200u,200d,+-400"`, repeated; without it, turning
    points are looked for. `unit` is that of the values ("uS", "ohm", "nA", …; "" for none), if headings do not say it;
    resistances become 1/R, and currents with `read_voltage`, in V, I/V. `flip`: negative pulses are up.
    `mirrored_down` says whether down traces are stored backwards (by default, those that rise are). `initial_read`:
    the first read of each trace comes before any pulse. A column that counts pulses says how many there were between
    two reads; `seconds_per_pulse` finds them from a column of times. `sheet` is the name or number of a sheet, `skip`
    the number of lines to leave out at the start, `window` = (lowest, highest) leaves out other reads, in the unit of
    the file, `decimal` is "." or ",", and `device` names the device.

    Raises OSError if a file cannot be read, ModuleNotFoundError for XLSX without openpyxl (the extra `xlsx`) and for
    MAT without SciPy (the extra `fit`), and ValueError, beginning with the path, for a file without numbers, one
    direction only, fewer than 20 pulses in a direction, pulses of different amplitudes, an up trace that falls, cells
    that switch in one pulse, negative conductances, up and down ranges that do not overlap, and jump tables.

    >>> import tikitaka as tt
    >>> from pathlib import Path
    >>> rows = [f"{20 - 10 * 0.95**k:.3f};{10 + 10 * 0.95**k:.3f}" for k in range(50)]
    >>> _ = Path("A1.csv").write_text("LTP (uS);LTD (uS)\\n" + "\\n".join(rows))
    >>> print(tt.read_measured("A1.csv"))
    A1.csv: 1 device, 1 cycle, 50 up and 50 down pulses, 1e-05 to 2e-05 S
    understood: 50 rows × 2 columns, lines 2 to 51, semicolons between cells; headings LTP (uS), LTD (uS)
    understood: columns are traces: 1 up, 1 down
    understood: conductance in uS
    """
    options = options_of(
        columns=columns,
        up=up,
        down=down,
        pattern=pattern,
        unit=unit,
        read_voltage=read_voltage,
        flip=flip,
        mirrored_down=mirrored_down,
        initial_read=initial_read,
        seconds_per_pulse=seconds_per_pulse,
        sheet=sheet,
        skip=skip,
        window=window,
        decimal=decimal,
        device=device,
    )
    paths = _paths(path)
    found = []
    for each in paths:
        with _named(str(each)):
            found.append(_found(each, options, paths))
    source = str(paths[0]) if len(paths) == 1 else f"{len(paths):,} files, {paths[0].name} … {paths[-1].name}"
    with _named(source):
        return assemble(_together(found, paths), options, source)


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Puts `name` in front of the messages of ValueErrors."""
    try:
        yield
    except ValueError as error:
        words = str(error)
        raise ValueError(shortened(words if words.startswith(name) else f"{name}: {words}")) from None


def _paths(path: Any) -> list[Path]:
    given = list(path) if isinstance(path, list | tuple) else [path]
    for each in given:
        if not isinstance(each, str | Path):
            raise TypeError(f"path must be a path or a list of paths, not {shown(each)}")
    if not 1 <= len(given) <= _FILES:
        raise ValueError(f"path must be from 1 to {_FILES:,} files, not {len(given):,}")
    return [Path(each) for each in given]


def _device(path: Path) -> str:
    """The name of a file without words for a direction, or that of its folder if nothing else is left."""
    name = remainder(path.stem)[0] if direction_of(path.stem) else path.stem
    return name or path.resolve().parent.name or "device"


def _found(path: Path, options: Options, paths: list[Path]) -> Found:
    size = path.stat().st_size
    most = _LARGEST_JSON if path.suffix.casefold() == ".json" else _LARGEST
    if size > most:
        raise ValueError(f"a file must have at most {most:,} bytes, not {size:,}")
    sign = direction_of(path.stem) if len(paths) > 1 else 0
    name = _device(path) if sign else path.stem
    content = path.read_bytes()
    if not content:
        raise ValueError("it is empty")
    if content[:6] == b"\x93NUMPY":
        return from_npy(content, options, name, sign)
    ending = path.suffix.casefold()
    if ending == ".npz":
        return from_npz(path, options, name, sign)
    if ending == ".mat":
        return from_mat(content, options, name, sign)
    if ending in (".xlsx", ".xlsm"):
        sheets = read_sheet(content, options.sheet, options.skip)
        several = len(sheets) > 1
        parts = [
            _of_blocks(each, options, name, direction_of(sheet) if several else sign) for sheet, each in sheets.items()
        ]
        found = together(parts, "sheets")
        for sheet, part in zip(sheets, parts, strict=True):
            found.account += [f"sheet {shown(sheet)}: {part.account[0]}", *part.account[1:]]
        return found
    if content[:4] == b"PK\x03\x04" or content[:4] == b"\xd0\xcf\x11\xe0":
        raise ValueError("it is a spreadsheet or an archive: save it as .xlsx or as text (.csv)")
    if ending == ".json" or content[:64].lstrip()[:1] in (b"{", b"["):
        return from_json(content, options, name, sign)
    if holds_jump_table(content):
        raise ValueError(
            "it is a jump table, not pulses: tt.read_jump_table, or tikitaka fit with the tables of up and of down "
            "pulses, makes a device of it"
        )
    text = text_of(content)
    del content
    return _of_blocks(find_blocks(text, options.skip, options.decimal), options, name, sign)


def _of_blocks(blocks: Blocks, options: Options, name: str, sign: int) -> Found:
    """The traces of the blocks of a source."""
    if blocks.rows:
        return from_rows(blocks.rows, options, name, sign)
    parts = [from_grid(grid, options, name, sign) for grid in blocks.grids]
    found = together(parts, "blocks")
    found.account = parts[0].account
    more = len(parts) - 1
    if more:
        where = blocks.grids[-1].where
        found.account.append(f"{more:,} more block{'s' * (more > 1)} of these columns, the last in {where}")
    found.warnings += blocks.warnings
    return found


def _together(parts: list[Found], paths: list[Path]) -> Found:
    """The traces of several files."""
    if len(parts) == 1:
        return parts[0]
    found = together(parts, "files")
    accounts: dict[tuple[str, ...], list[str]] = {}
    for part, path in zip(parts, paths, strict=True):
        accounts.setdefault(tuple(part.account), []).append(path.name)
    for account, names in list(accounts.items())[:5]:
        found.account += [f"{listed(names) if len(names) < 4 else f'{len(names)} files'}: {line}" for line in account]
    return found
