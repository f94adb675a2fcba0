"""`tikitaka fit`: from files to a device file, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

import tikitaka as tt
from support.chips import sweeps_of
from support.commands import Command, refused
from tikitaka.cli.fit import _columns


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of one device, two cycles of 60 pulses each way, in µS."""
    sweeps = sweeps_of(tt.SoftBounds(states=40), pulses=60, cycles=2, read_noise=0.02).measured.sweeps
    columns = [1e6 * each.values for each in sweeps]
    path = tmp_path / "A3.csv"
    rows = ["up 1 (uS),down 1 (uS),up 2 (uS),down 2 (uS)"]
    rows += [",".join(f"{column[k]:.4f}" for column in columns) for k in range(60)]
    path.write_text("\n".join(rows))
    return path


FAST = ("--models", "constant,linear", "--noise", "additive", "--replicates", 3, "--threads", 1)


def test_fit_writes_a_device_that_everything_reads(command: Command, table: Path, tmp_path: Path) -> None:
    out, picture = tmp_path / "device.toml", tmp_path / "fit.png"
    code, said, err = command("fit", table, "--out", out, "--plot", picture, *FAST)
    assert (code, err) == (0, "")
    assert "understood: conductance in uS" in said
    assert "soft bounds, additive noise" in said or "linear step, additive noise" in said
    assert said.rstrip().endswith(str(out))
    found = tt.config.read_device(out)
    assert len(found.replicates) == 3
    assert tt.Crossbar(2, 2, found.device).shape == (2, 2)
    assert picture.read_bytes()[:4] == b"\x89PNG"
    refused(command("fit", table, "--out", out, *FAST), "exists already; --force replaces it")
    code, said, _ = command("fit", table, "--out", out, "--force", "--json", *FAST)
    result = json.loads(said)
    assert code == 0
    assert result["file"] == str(out)
    assert result["device"]["kind"] == found.device.kind
    assert result["fit"]["values"]["states"]["estimate"] > 10


def test_options_of_the_reader_are_flags(command: Command, table: Path, tmp_path: Path) -> None:
    columns = np.loadtxt(table, delimiter=",", skiprows=1)
    both = tmp_path / "both.txt"
    np.savetxt(both, np.concatenate(list(columns.T)) / 10)
    flags = ("--pattern", "60u,60d", "--unit", "uA", "--read-voltage", 0.1, "--columns", "1", "--device", "B1")
    code, said, _ = command("fit", both, "--out", tmp_path / "b.toml", *flags, *FAST)
    assert code == 0
    assert "pattern 60u,60d" in said
    assert "1 device, 2 cycles, 120 up and 120 down pulses" in said


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--models", "cubic"), "models must be one of"),
        (("--bound", 0), "bound must be from"),
        (("--unit", "parsec"), "unit must be one such as"),
        (("--columns", "99"), "99"),
        (("--out", "device.json"), "must end in .toml"),
        (("--plot", "fit.gif"), "must end in .png"),
        (("--draw-measured",), "draw_measured needs 20 devices"),
    ],
)
def test_bad_options_are_refused_in_one_line(
    command: Command, table: Path, tmp_path: Path, flags: tuple[object, ...], words: str
) -> None:
    out = tmp_path / "device.toml"
    refused(command("fit", table, "--out", out, *flags), words)
    assert not out.exists()


def test_files_that_show_no_update_are_refused(command: Command, table: Path, tmp_path: Path) -> None:
    for name, text, words in (
        ("empty.csv", "", "it is empty"),
        ("words.csv", "up,down\n", "words.csv"),
        ("one.csv", "up 1\n" + "\n".join(map(str, range(30))), "one.csv"),
    ):
        path = tmp_path / name
        path.write_text(text)
        refused(command("fit", path, "--out", tmp_path / "device.toml"), words)
    refused(command("fit", tmp_path / "none.csv", "--out", tmp_path / "device.toml"), "none.csv: No such file")


def test_columns_by_number_letter_heading_and_device() -> None:
    assert _columns("2, 4") == [2, 4]
    assert _columns("D,AB") == ["D", "AB"]
    assert _columns("A1=2,A2=4") == "A1=2,A2=4"
    assert _columns("LTP (uS)") == "LTP (uS)"
