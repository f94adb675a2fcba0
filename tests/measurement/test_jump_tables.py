"""Jump tables in files become devices with the same distributions."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tikitaka as tt
from support.commands import Command, refused
from tikitaka import config

F64 = NDArray[np.float64]

LOW, HIGH, NOISE = 2e-5, 6e-5, 3e-7
G, CDF = np.linspace(LOW, HIGH, 41), np.linspace(0.005, 0.995, 100)


def mean(sign: int, g: F64 | float) -> Any:
    """Soft bounds: 1 µS in the middle."""
    return 1e-6 * ((HIGH - g) if sign > 0 else (LOW - g)) / (2e-5)


def normals() -> F64:
    draws = np.sort(np.random.default_rng(1).standard_normal(200_000))
    return np.asarray(np.quantile(draws, CDF))


def write(path: Path, sign: int, *, g: F64 = G, head: str = "# G, CDF, dG\n", separator: str = ",") -> Path:
    rows = [g, CDF, *(mean(sign, g) + NOISE * xi for xi in normals())]
    path.write_text(head + "\n".join(separator.join(f"{each:.8g}" for each in row) for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return write(tmp_path / "dG_increasing.txt", 1), write(tmp_path / "dG_decreasing.txt", -1)


def test_pulses_have_the_distribution_of_the_file(files: tuple[Path, Path]) -> None:
    """Mean and standard deviation of 20,000 pulses at five conductances, within five standard errors and 2 %."""
    found = tt.read_jump_table(*files)
    device: Any = found.device
    zero, unit = found.physical["conductance_at_weight_0"], found.physical["conductance_per_unit_weight"]
    assert zero == pytest.approx((LOW + HIGH) / 2, rel=1e-3)
    assert 2 * 0.6 / device.weight_step == pytest.approx(40, rel=0.01)
    same: dict[str, Any] = {"step_spread": 0.0, "bound_spread": 0.0, "asymmetry": 0.0}
    array = tt.Crossbar(100, 200, config.from_dict(tt.JumpTable, {**config.to_dict(device), **same}), seed=1)
    for g in (2.5e-5, 3.1e-5, 4e-5, 5.2e-5, 5.5e-5):
        for sign in (1, -1):
            array.weights = np.full((100, 200), (g - zero) / unit)
            before = array.weights
            array.pulse(np.full((100, 200), sign))
            changes = (array.weights - before) * unit
            error = 5 * NOISE / np.sqrt(changes.size) + 0.02 * abs(mean(sign, g))
            assert changes.mean() == pytest.approx(mean(sign, g), abs=error)
            assert changes.std() == pytest.approx(NOISE, rel=0.04)


def test_order_and_layout_do_not_matter(files: tuple[Path, Path], tmp_path: Path) -> None:
    first = tt.read_jump_table(*files).device
    assert tt.read_jump_table(*files[::-1]).device == first
    others = [write(tmp_path / f"{k}.txt", sign, head="", separator="\t") for k, sign in enumerate((1, -1))]
    assert tt.read_jump_table(*others).device == first


def test_asymmetric_tables_cancel_at_weight_0(tmp_path: Path) -> None:
    path = write(tmp_path / "up.txt", 1)
    rows = path.read_text(encoding="utf-8").split("\n")
    half = [",".join(str(0.5 * float(cell)) for cell in row.split(",")) for row in rows[3:]]
    path.write_text("\n".join(rows[:3] + half), encoding="utf-8")
    found = tt.read_jump_table(path, write(tmp_path / "down.txt", -1))
    zero = found.physical["conductance_at_weight_0"]
    assert 0.5 * mean(1, zero) + mean(-1, zero) == pytest.approx(0, abs=5e-9)
    points = tt.Crossbar(3, 3, found.device, seed=1).device_parameters["symmetry_point"]
    assert np.isfinite(points).all()


def test_what_is_wrong_is_said(files: tuple[Path, Path], tmp_path: Path) -> None:
    up, down = files
    rows = up.read_text(encoding="utf-8").split("\n")

    def wrong(words: str, lines: list[str]) -> None:
        path = tmp_path / "wrong.txt"
        path.write_text("\n".join(lines), encoding="utf-8")
        with pytest.raises(ValueError, match=words) as error:
            tt.read_jump_table(path, down)
        assert str(error.value).startswith(str(path))
        assert len(str(error.value)) < 400

    wrong("100 probabilities and 99 rows", rows[:-1])
    wrong("not every later row has 41 numbers", [*rows[:-1], "1,2,3"])
    wrong("first row does not rise", [rows[0], rows[4], *rows[2:]])
    wrong("second row goes only from 2e-05", [rows[0], rows[1], rows[1], *rows[3:]])
    wrong("second row does not rise from 0 to 1", [rows[0], rows[1], *rows[3:]])
    wrong("cells must be numbers", [*rows[:5], "x,y", *rows[5:]])
    wrong("it has 0 rows", ["words"])
    with pytest.raises(ValueError, match="on average"):
        tt.read_jump_table(up, up)
    other = write(tmp_path / "other.txt", -1, g=G + 1e-5)
    with pytest.raises(ValueError, match="range of conductances"):
        tt.read_jump_table(up, other)
    with pytest.raises(ValueError, match="bound must be"):
        tt.read_jump_table(up, down, bound=0)
    with pytest.raises(TypeError, match="up must be a path"):
        tt.read_jump_table(3, down)  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError):
        tt.read_jump_table(tmp_path / "none.txt", down)


def test_pulses_are_no_jump_tables(files: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="jump table, not pulses"):
        tt.read_measured(list(files))
    sweeps = np.linspace(0.1, 0.9, 30) + 1e-3 * np.arange(6)[:, None]
    np.savetxt(tmp_path / "rows.txt", np.concatenate([sweeps, sweeps[:, ::-1]]), delimiter=",")
    assert tt.read_measured(tmp_path / "rows.txt").up == 180


def test_the_command_writes_a_device(files: tuple[Path, Path], tmp_path: Path, command: Command) -> None:
    out = tmp_path / "device.toml"
    status, printed, _ = command("fit", *files, "--out", out)
    assert status == 0
    assert "states       40" in printed
    assert config.read_device(out).device == tt.read_jump_table(*files).device
    refused(command("fit", files[0], "--out", tmp_path / "one.toml"), "two jump tables")
    refused(command("fit", *files, "--out", tmp_path / "two.toml", "--plot", tmp_path / "fit.png"), "are not fitted")
