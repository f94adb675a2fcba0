"""Each option of the reader overrides what it would find."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from support.pulses import LAYOUTS, cycles, in_a_row, rows_of, text

UPS, DOWNS = cycles()
ROW = in_a_row(UPS, DOWNS)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Three columns without headings that say what they are: down, something else, up."""
    path = tmp_path / "table.csv"
    path.write_text("a,b,c\n" + rows_of(text(DOWNS[0]), text(np.arange(60) % 7), text(UPS[0])))
    return path


@pytest.fixture
def row(tmp_path: Path) -> Path:
    """All cycles in a column."""
    path = tmp_path / "row.txt"
    path.write_text(rows_of(text(ROW)))
    return path


@pytest.mark.parametrize(("up", "down"), [(3, 1), ("c", "a"), ("3", "1"), ([3], [1]), ("C", "A")])
def test_columns_of_a_direction(table: Path, up: Any, down: Any) -> None:
    found = tt.read_measured(table, up=up, down=down, unit="uS")
    np.testing.assert_allclose(found.sweeps[0].values, UPS[0] * 1e-6, atol=1e-10)
    np.testing.assert_allclose(found.sweeps[1].values, DOWNS[0] * 1e-6, atol=1e-10)
    assert [set(each.signs.tolist()) for each in found.sweeps] == [{1}, {-1}]


@pytest.mark.parametrize("columns", [{"A1": 1, "B2": 3}, "A1=1,B2=3", {"A1": [1], "B2": "second"}])
def test_columns_of_devices(tmp_path: Path, columns: Any) -> None:
    (tmp_path / "two.tsv").write_text(
        "first\tno\tsecond\n" + rows_of(text(ROW), text(ROW), text(2 * ROW), delimiter="\t")
    )
    found = tt.read_measured(tmp_path / "two.tsv", columns=columns, pattern="60u,60d")
    assert found.devices == ("A1", "B2")
    np.testing.assert_allclose(np.concatenate([each.values for each in found.of("B2")]), 2 * ROW, atol=1e-4)


@pytest.mark.parametrize("column", [[1, 2], ["first", 2], 1, "second"])
def test_a_list_of_columns(tmp_path: Path, column: Any) -> None:
    (tmp_path / "two.csv").write_text("first,second\n" + rows_of(text(ROW), text(2 * ROW)))
    found = tt.read_measured(tmp_path / "two.csv", columns=column, pattern="60u,60d")
    assert found.cycles == 3


def test_a_pattern(row: Path) -> None:
    found = tt.read_measured(row, pattern="60u,60d")
    assert (found.cycles, found.up, found.down) == (3, 180, 180)
    assert "pattern 60u,60d, 120 pulses, repeated" in found.account


def test_a_pattern_with_alternating_pulses_and_reads(tmp_path: Path) -> None:
    g, values, signs = 20.0, [], [*[1] * 50, *[-1] * 50, *[1, -1] * 15, *[0] * 4] * 2
    for sign in signs:
        g += 0.03 * {1: 30 - g, -1: 10 - g, 0: 0}[sign]
        values.append(g)
    (tmp_path / "row.txt").write_text(rows_of(text(np.array(values))))
    found = tt.read_measured(tmp_path / "row.txt", pattern="50u, 50d, +-30, 4r")
    assert np.concatenate([each.signs for each in found.sweeps]).tolist() == signs
    assert [each.cycle for each in found.sweeps] == [1, 2]


def test_a_pattern_that_does_not_end(row: Path) -> None:
    found = tt.read_measured(row, pattern="60u,60d,60u,60d")
    assert found.warnings == ("the last repetition of the pattern has 120 of 240 reads",)


@pytest.mark.parametrize(
    ("unit", "voltage", "factor"),
    [("nS", None, 1e-9), ("S", None, 1.0), ("kohm", None, None), ("uA", 0.2, 5e-6), (None, 0.1, 10.0), ("", None, 1.0)],
)
def test_units(row: Path, unit: str | None, voltage: float | None, factor: float | None) -> None:
    flip = factor is None  # a resistance that rises is a conductance that falls
    found = tt.read_measured(row, unit=unit, read_voltage=voltage, pattern="60d,60u" if flip else "60u,60d")
    wanted = 1e-3 / ROW if factor is None else factor * ROW
    np.testing.assert_allclose(np.concatenate([each.values for each in found.sweeps]), wanted, rtol=1e-4)
    assert found.unit == ("" if unit == "" else "S")


def test_flip(tmp_path: Path) -> None:
    content = LAYOUTS["signs of voltages, in kilo-ohm"].content.decode()
    swapped = "\n".join(line[1:] if line[:1] == "-" else f"-{line}" for line in content.splitlines()[1:])
    (tmp_path / "swapped.tsv").write_text("V\tR (kohm)\n" + swapped)
    with pytest.raises(ValueError, match="if the signs are swapped, pass flip=True"):
        tt.read_measured(tmp_path / "swapped.tsv")
    found = tt.read_measured(tmp_path / "swapped.tsv", flip=True)
    np.testing.assert_allclose(found.sweeps[0].values, np.concatenate([UPS[0], DOWNS[0]]) * 1e-6, rtol=1e-4)
    assert "signs of pulses by column 'V': negative voltages are up" in found.account


def test_mirrored_down(tmp_path: Path) -> None:
    (tmp_path / "mirrored.csv").write_text("up,down\n" + rows_of(text(UPS[0]), text(DOWNS[0][::-1])))
    for mirrored in (None, True):
        found = tt.read_measured(tmp_path / "mirrored.csv", mirrored_down=mirrored)
        np.testing.assert_allclose(found.sweeps[1].values, DOWNS[0], atol=1e-4)
        assert "read backwards" in found.account[-1]
    with pytest.raises(ValueError, match=r"the down trace must fall, not rise by .* like the up trace"):
        tt.read_measured(tmp_path / "mirrored.csv", mirrored_down=False)


def test_the_first_read_and_a_pattern(tmp_path: Path) -> None:
    """Before the first pulse there is one read more: the pattern begins after it."""
    (tmp_path / "row.txt").write_text(rows_of(text(np.concatenate([[9.5], ROW]))))
    for initial in (None, True):
        found = tt.read_measured(tmp_path / "row.txt", pattern="60u,60d", initial_read=initial)
        assert [each.signs.tolist() for each in found.sweeps] == [
            [0, *[1] * 60, *[-1] * 60],
            *[[*[1] * 60, *[-1] * 60]] * 2,
        ]
        assert not found.warnings
    with pytest.raises(ValueError, match="pattern must be blocks such as"):
        tt.read_measured(tmp_path / "row.txt", pattern="")


def test_a_pattern_counts_missing_reads() -> None:
    row = ROW.copy()
    row[[0, 1, 70, 359]] = np.nan
    found = tt.measured(row, pattern="60u,60d")
    assert [each.up for each in found.sweeps] == [58, 60, 60]
    assert [each.down for each in found.sweeps] == [60, 60, 59]


def test_skip(tmp_path: Path) -> None:
    (tmp_path / "long.csv").write_text("\n".join(["1,2"] * 100) + "\nup,down\n" + rows_of(text(UPS[0]), text(DOWNS[0])))
    found = tt.read_measured(tmp_path / "long.csv", skip=100)
    np.testing.assert_allclose(found.sweeps[0].values, UPS[0], atol=1e-4)


def test_window(row: Path) -> None:
    found = tt.read_measured(row, pattern="60u,60d", window=(12, 25))
    assert 12 <= found.range[0] < found.range[1] <= 25
    outside = int(((ROW < 12) | (ROW > 25)).sum())
    assert found.warnings[0] == f"{outside:,} reads outside the window 12 to 25 are left out"


def test_decimal(tmp_path: Path) -> None:
    """Two columns of whole numbers, or one of numbers with decimal commas."""
    lines = [f"{value:.4f}".replace(".", ",") for value in ROW + 100]
    (tmp_path / "numbers.txt").write_text("\n".join(line for line in lines) + "\n")
    found = tt.read_measured(tmp_path / "numbers.txt", decimal=",")
    np.testing.assert_allclose(np.concatenate([each.values for each in found.sweeps]), ROW + 100, atol=1e-3)


def test_the_name_of_the_device(row: Path) -> None:
    assert tt.read_measured(row).devices == ("row",)
    assert tt.read_measured(row, device="B12").devices == ("B12",)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"columns": 9}, "columns must be from 1 to 3"),
    ({"columns": 0}, "a column of columns must be from 1 to"),
    ({"columns": 1.5}, "columns must be columns by number or heading"),
    ({"columns": []}, "columns must name at least one column"),
    ({"columns": {"A": 1.5}}, "a column of columns must be a whole number"),
    ({"columns": 1, "up": 2}, "columns must not be given together with up and down"),
    ({"up": "nothing"}, "up must name a column of the file, a, b, c, not 'nothing'"),
    ({"pattern": "12x"}, "pattern must be blocks such as 1000u,1000d"),
    ({"pattern": "0u"}, "pattern must have from 1 to 100,000,000 pulses, not 0"),
    ({"unit": "cm"}, "unit must be one such as S, mS"),
    ({"unit": "s"}, "unit must be one such as S, mS"),
    ({"read_voltage": 0}, "read_voltage must be in V and not 0, not 0"),
    ({"flip": 1}, "flip must be true or false, not 1"),
    ({"mirrored_down": "no"}, "mirrored_down must be true or false"),
    ({"skip": -1}, "skip must be from 0 to 1,000,000,000, not -1"),
    ({"window": (3, 1)}, r"window must be \(lowest, highest\)"),
    ({"window": 3}, r"window must be a pair \(lowest, highest\)"),
    ({"window": "1;2"}, r"window must be a pair"),
    ({"decimal": ";"}, 'decimal must be "." or ",", not \';\''),
    ({"sheet": 0}, "sheet must be from 1 to"),
    ({"device": 3}, "device must be a string, not 3"),
]


@pytest.mark.parametrize(("given", "words"), WRONG, ids=lambda each: str(each)[:40])
def test_wrong_options_are_named(table: Path, given: dict[str, Any], words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        tt.read_measured(table, **given)


def test_arrays_by_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", first=ROW, second=2 * ROW, up=UPS[0], down=DOWNS[0])
    assert tt.read_measured(tmp_path / "a.npz").up == 60
    found = tt.read_measured(tmp_path / "a.npz", columns={"A1": "second"}, pattern="60u,60d")
    assert (found.devices, found.up) == (("A1",), 180)
    assert found.range[1] == 2 * ROW.max()
    found = tt.read_measured(tmp_path / "a.npz", up="up", down="down")
    assert found.up == 60
    with pytest.raises(ValueError, match="columns must be among the keys first, second, up, down, not 'third'"):
        tt.read_measured(tmp_path / "a.npz", columns="third")


def test_a_pattern_comes_before_a_column_of_voltages(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("V,G\n" + rows_of(["1", "-1"] * 180, text(ROW)))
    assert tt.read_measured(tmp_path / "v.csv", pattern="60u,60d").cycles == 3
    with pytest.raises(ValueError, match="pulses and pattern must not both be given"):
        tt.measured(ROW, pulses=np.ones(360), pattern="60u,60d")
