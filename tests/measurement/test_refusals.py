"""Files that lie, and files that cannot say how a device learns: refused with the reason, or read with a warning."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import tikitaka as tt
from support.pulses import LAYOUTS, SCREEN, cycles, in_a_row, read_or_refused, rows_of, text

UPS, DOWNS = cycles(count=1)
UP, DOWN = UPS[0], DOWNS[0]
NOISE = np.random.default_rng(5).normal(0, 0.3, 60)
STEPS = np.arange(60)


def two(up: np.ndarray, down: np.ndarray, heads: str = "up,down") -> bytes:
    return f"{heads}\n{rows_of(text(up), text(down))}".encode()


def staircase() -> bytes:
    """A preamble, and voltages that climb, as for a programming curve."""
    volts = [*np.arange(0, 2.5, 0.1), *np.arange(2.5, 0, -0.1), *np.arange(0, -2.5, -0.1), *np.arange(-2.5, 0, 0.1)]
    ohms = 1e10 + 1e9 * np.cumsum(volts)
    lines = [f"{k},  {v:.3f},{r:.3f},{1.1 * r:.3f}" for k, (v, r) in enumerate(zip(volts, ohms, strict=True))]
    head = "title\tsweep\r\nground,pulse,start,end,step\r\nSMU2,1,0.0,2.5,0.1\r\n"
    return (head + "index, pulse amplitude (V), R_low (ohm), R_high (ohm)\r\n" + "\r\n".join(lines)).encode()


REFUSED: dict[str, tuple[str, bytes, str]] = {
    "nothing": ("a.csv", b"", "it is empty"),
    "a byte order mark": ("a.csv", b"\xef\xbb\xbf", "it is empty"),
    "blank lines": ("a.csv", b"\n\n  \n", "it is empty"),
    "headings only": ("a.csv", b"up,down\n", "it holds no numbers"),
    "words": ("a.txt", b"the cat sat on the mat\n" * 20, "it holds no numbers"),
    "bytes": ("a.csv", bytes(range(256)) * 4, "it is binary, not text"),
    "damaged UTF-16": ("a.csv", b"\xff\xfe1\x00,\x00\x00\xd8", "begins like UTF-16 and is damaged"),
    "half a JSON": ("a.json", b'{"up": [1, 2', "it is not valid JSON"),
    "JSON of a number": ("a.json", b"3", "it must hold lists of numbers, not 3"),
    "JSON of empty records": ("a.json", b"[{}]", "it must hold lists of numbers, not records without fields"),
    "JSON without lists": ("a.json", b'{"a": 1}', "it must hold lists of at least 20 numbers; its keys are a"),
    "half an NPY": ("a.npy", b"\x93NUMPY\x01\x00", "it is not a valid .npy file"),
    "no NPZ": ("a.npz", b"PK", "is not a valid .npz file"),
    "no XLSX": ("a.xlsx", b"PK\x03\x04", "it is not a valid .xlsx file"),
    "an old spreadsheet": ("a.xls", b"\xd0\xcf\x11\xe0" * 9, "save it as .xlsx or as text"),
    "one direction": ("a.txt", rows_of(text(UP)).encode(), "only up pulses, 60 of them.*half of a one-sided pair"),
    "the other direction": ("a.txt", rows_of(text(DOWN)).encode(), "only down pulses, 60 of them"),
    "swapped columns": ("a.csv", two(DOWN, UP), "must rise, not fall by .*; if the signs are swapped, pass flip=True"),
    "both fall": ("a.csv", two(DOWN, DOWN), "the up trace must rise, not fall .*; check which pulses are up"),
    "constants": ("a.csv", two(0 * UP + 3, 0 * UP + 3), "the up trace must rise, not stay the same"),
    "few pulses": ("a.csv", two(UP[:19], DOWN[:40]), "at least 20 pulses in each direction, and 19 are up"),
    "a switch": ("a.csv", two(5 + 90 * (STEPS > 30) + NOISE, 95 - 90 * (STEPS > 20) + NOISE), "it switches: one pulse"),
    "a negative conductance": (
        "a.csv",
        two(UP - 20, DOWN - 20, "up (uS),down (uS)"),
        "conductances must not be negative",
    ),
    "a negative resistance": (
        "a.csv",
        two(20 - UP, 20 - DOWN, "up (ohm),down (ohm)"),
        "resistances must not be negative",
    ),
    "currents at a negative voltage": (
        "a.csv",
        two(-UP, -DOWN, "up (nA),down (nA)"),
        "with its sign, such as read_voltage=-0.1",
    ),
    "ranges apart": ("a.csv", two(UP, 50 * DOWN), "must cover the same range: up traces are from .* to .*, down"),
    "units that differ": ("a.csv", two(UP, DOWN, "up (uS),down (nS)"), "all values must have one unit, not uS, nS"),
    "a staircase": ("a.csv", staircase(), "pulses must be identical, .* 25 different voltages .* a programming curve"),
    "widths that grow": (
        "a.csv",
        ("pulse,width (s),G\n" + "".join(f"{1 - 2 * (k > 30)},{1e-6 * 1.2**k:.3e},{k}\n" for k in range(60))).encode(),
        "different widths from 1e-06 to",
    ),
    "read voltages that differ": (
        "a.csv",
        (
            "pulse,I (nA),read_V\n" + "".join(f"{1 - 2 * (k > 30)},{k},{0.1 * (k % 2 + 1)}\n" for k in range(60))
        ).encode(),
        "the read voltage must be the same for all reads, not 2 different ones",
    ),
    "pulses of one voltage": (
        "a.csv",
        ("V,G\n" + "".join(f"2.5,{g}\n" for g in text(UP))).encode(),
        "there are only up pulses",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_reason(name: str, tmp_path: Path) -> None:
    file, content, words = REFUSED[name]
    path = tmp_path / file
    path.write_bytes(content)
    with pytest.raises(ValueError, match=words) as refused:
        tt.read_measured(path)
    assert str(refused.value).startswith(str(path))
    assert len(str(refused.value)) < SCREEN


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        tt.read_measured(tmp_path / "none.csv")
    for path in (3, [], [3], None):
        with pytest.raises((TypeError, ValueError), match="path must be"):
            tt.read_measured(path)  # type: ignore[arg-type]


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    with (tmp_path / "large.csv").open("wb") as file:
        file.truncate((2 << 30) + 1)  # a hole, which takes no space
    with pytest.raises(ValueError, match="a file must have at most 2,147,483,648 bytes, not 2,147,483,649"):
        tt.read_measured(tmp_path / "large.csv")


def test_a_deep_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "deep.json").write_text("[" * 100_000)
    with pytest.raises(ValueError, match="it is not valid JSON"):
        tt.read_measured(tmp_path / "deep.json")


@pytest.mark.parametrize(
    "name", [name for name in LAYOUTS if LAYOUTS[name].name.endswith(("csv", "txt", "tsv", "json"))]
)
def test_files_that_are_cut_are_read_or_refused(name: str, tmp_path: Path) -> None:
    content = LAYOUTS[name].content
    for end in range(1, len(content), max(1, len(content) // 12)):
        path = tmp_path / LAYOUTS[name].name
        path.write_bytes(content[:end])
        read_or_refused(path)


def warned(make: Callable[[], bytes], tmp_path: Path) -> str:
    (tmp_path / "a.csv").write_bytes(make())
    return "\n".join(tt.read_measured(tmp_path / "a.csv").warnings)


def test_what_is_unusual_is_said(tmp_path: Path) -> None:
    wide = np.exp((UP - 10) / 20 * np.log(3000))
    assert "times the lowest" in warned(lambda: two(wide, wide[::-1], "up (nS),down (nS)"), tmp_path)
    counts = np.round(UP * 4), np.round(DOWN * 4)
    assert "reads are quantised in steps of 1, " in warned(lambda: two(*counts), tmp_path)
    gap = np.where(STEPS == 30, np.nan, UP)
    assert "1 of 120 reads are missing" in warned(lambda: two(gap, DOWN), tmp_path)
    assert warned(lambda: two(UP, DOWN), tmp_path) == ""


def test_numbers_for_overflow_are_missing_reads(tmp_path: Path) -> None:
    up = UP.copy()
    up[[20, 40]] = 9.91e37, -1e300
    rows = rows_of([f"{value:.5e}" for value in up], text(DOWN))
    (tmp_path / "a.csv").write_text("up (uS),down (uS)\n" + rows)
    found = tt.read_measured(tmp_path / "a.csv")
    assert found.warnings[0] == "2 reads of 9e+36 or more, which stand for overflow, are missing"
    assert np.isnan(found.sweeps[0].values).nonzero()[0].tolist() == [20, 40]


def test_relative_values_may_be_negative(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(two(UP - 20, DOWN - 20, "up (uS),down (uS)"))
    assert tt.read_measured(tmp_path / "a.csv", unit="").range[0] < 0


def test_files_of_different_units_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(two(UP, DOWN, "up (uS),down (uS)"))
    (tmp_path / "b.csv").write_bytes(two(UP, DOWN))
    with pytest.raises(ValueError, match="all files must have values of one unit"):
        tt.read_measured([tmp_path / "a.csv", tmp_path / "b.csv"])


def test_long_names_do_not_fill_the_screen(tmp_path: Path) -> None:
    names = {"x" * 50_000: in_a_row(UPS, DOWNS)[:30].tolist()}
    (tmp_path / "a.json").write_text(json.dumps(names))
    with pytest.raises(ValueError, match="only up pulses") as refused:
        tt.read_measured(tmp_path / "a.json")
    assert len(str(refused.value)) < SCREEN
