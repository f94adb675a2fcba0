"""Columns that count pulses, or say when they came."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tikitaka as tt

UP = 20 - 10 * 0.95 ** np.arange(1, 61)
DOWN = 10 + 10 * 0.95 ** np.arange(1, 61)


def table(*columns: Any, names: str, every: int = 1) -> str:
    """Lines of a table, of which one in `every` is kept."""
    rows = list(zip(*columns, strict=True))[every - 1 :: every]
    return "\n".join([names, *(",".join(f"{cell:.6g}" for cell in row) for row in rows)])


def read(path: Path, text: str, **options: Any) -> tt.Measured:
    path.write_text(text)
    return tt.read_measured(path, **options)


@pytest.mark.parametrize("name", ["Pulse number", "pulse #", "Pulses", "N", "index", "# of pulses"])
def test_reads_after_every_fifth_pulse(tmp_path: Path, name: str) -> None:
    numbers = np.arange(1, 241)
    trace = np.tile(np.concatenate([UP, DOWN]), 2)
    found = read(tmp_path / "a.csv", table(numbers, trace, names=f"{name},G (uS)", every=5))
    assert f"5 pulses from read to read, by column '{name.lstrip('# ')}'" in found.account, found.account
    assert (found.up, found.down, found.cycles) == (116, 120, 2)  # what came before the first read is unknown
    signs, values = found.sweeps[0].signs, found.sweeps[0].values
    assert signs.tolist() == [1] * 56 + [-1] * 60
    assert np.flatnonzero(~np.isnan(values)).tolist() == list(range(0, 116, 5))
    np.testing.assert_allclose(values[55], UP[-1] * 1e-6, rtol=1e-5)
    assert not found.warnings


def test_uneven_numbers(tmp_path: Path) -> None:
    numbers = np.array([1, 2, 3, 5, 7, 10, 15, 20, 25, 30, 40, 50, 60])
    text = table(numbers, UP[numbers - 1], DOWN[numbers - 1], names="pulse,LTP (uS),LTD (uS)")
    found = read(tmp_path / "a.csv", text)
    assert "1 to 10 pulses from read to read, by column 'pulse'" in found.account
    assert (found.up, found.down) == (60, 60)
    assert np.flatnonzero(~np.isnan(found.sweeps[0].values)).tolist() == (numbers - 1).tolist()


def test_counters_that_start_again_separate_cycles(tmp_path: Path) -> None:
    numbers = np.tile(np.arange(1, 61), 3)
    text = table(numbers, np.tile(UP, 3), np.tile(DOWN, 3), names="pulse,up,down")
    found = read(tmp_path / "a.csv", text)
    assert (found.cycles, found.up, found.down, len(found.sweeps)) == (3, 180, 180, 6)


def test_pulse_0_is_a_read_before_any_pulse(tmp_path: Path) -> None:
    numbers, start = np.arange(61), [[10.0], [20.0]]
    columns = [np.append(first, values) for first, values in zip(start, (UP, DOWN), strict=True)]
    found = read(tmp_path / "a.csv", table(numbers, *columns, names="Pulse,up (uS),down (uS)"))
    assert (found.up, found.down) == (60, 60)
    assert found.sweeps[0].signs[0] == 0
    rows = read(tmp_path / "b.csv", table(numbers, *columns, names="index,up (uS),down (uS)"))
    assert (rows.up, rows.down) == (61, 61)  # rows may be numbered from 0
    both = table(np.tile(numbers, 2), np.concatenate(columns), names="pulse,G (uS)")
    assert (read(tmp_path / "c.csv", both).up, read(tmp_path / "c.csv", both, initial_read=False).up) == (60, 61)


def test_several_reads_after_a_pulse(tmp_path: Path) -> None:
    numbers = np.repeat(np.arange(1, 121), 2)
    found = read(
        tmp_path / "a.csv", table(numbers, np.repeat(np.concatenate([UP, DOWN]), 2), names="pulse number,G (uS)")
    )
    assert "0 to 1 pulse from read to read, by column 'pulse number'" in found.account
    assert (found.up, found.down, sum(map(len, found.sweeps))) == (60, 60, 240)


def test_counters_of_each_column_and_of_each_device(tmp_path: Path) -> None:
    numbers = np.arange(5, 61, 5)
    text = table(
        numbers, UP[numbers - 1], numbers / 5, DOWN[: len(numbers)], names="pulses,LTP (uS),pulse number,LTD (uS)"
    )
    with pytest.raises(ValueError, match="at least 20 pulses in each direction, and 12 are down"):
        read(tmp_path / "a.csv", text)
    rows = [
        f"{device},{k + 1},{sign},{trace[k]:.4f}"
        for device in "AB"
        for sign, trace in ((1, UP), (-1, DOWN))
        for k in range(0, 60, 3)
    ]
    found = read(tmp_path / "b.csv", "\n".join(["device,pulse number,polarity,G (uS)", *rows]))
    assert "1 to 3 pulses from read to read, by column 'pulse number'" in found.account
    assert (found.up, found.down, len(found.devices)) == (2 * 58, 2 * 58, 2)


def test_options_that_name_columns_use_counters_too(tmp_path: Path) -> None:
    numbers = np.arange(1, 61)
    text = table(numbers, UP, DOWN, names="pulse,a,b", every=4)
    for options in ({"up": "a", "down": "b"}, {"columns": {"x": ["a", "b"]}}):
        found = read(tmp_path / "a.csv", text, **options)
        assert (found.up, found.down) == (57, 57)
        assert "4 pulses from read to read, by column 'pulse'" in found.account


def test_a_pattern_counts_pulses(tmp_path: Path) -> None:
    text = table(np.arange(1, 121), np.concatenate([UP, DOWN]), names="pulse,G (uS)", every=3)
    found = read(tmp_path / "a.csv", text, pattern="60u,60d")
    assert (found.up, found.down) == (58, 60)


def test_times(tmp_path: Path) -> None:
    times = 3.0 + 2e-3 * np.arange(120)
    text = table(times, np.concatenate([UP, DOWN]), names="t (s),G (uS)", every=4)
    found = read(tmp_path / "a.csv", text, seconds_per_pulse=2e-3)
    assert "4 pulses from read to read, by column 't (s)'" in found.account
    assert (found.up, found.down) == (57, 60)
    milli = text.replace("t (s)", "time (ms)")
    assert read(tmp_path / "b.csv", milli, seconds_per_pulse=2e-6).up == 57
    with pytest.raises(ValueError, match=r"seconds_per_pulse needs a column of times, such as t \(s\)"):
        read(tmp_path / "c.csv", text.replace("t (s)", "x"), seconds_per_pulse=2e-3)


@pytest.mark.parametrize(("value", "error"), [(0, ValueError), (-1.0, ValueError), ("1", TypeError)])
def test_seconds_per_pulse_is_a_positive_number(tmp_path: Path, value: Any, error: type[Exception]) -> None:
    (tmp_path / "a.csv").write_text("1\n2\n")
    with pytest.raises(error, match="seconds_per_pulse must be"):
        tt.read_measured(tmp_path / "a.csv", seconds_per_pulse=value)


@pytest.mark.parametrize(
    "numbers",
    [np.arange(60), np.arange(1, 61), np.arange(60, 0, -1), np.sin(np.arange(60)), 1e6 * np.arange(60), np.full(60, 3)],
)
def test_other_numbers_count_a_pulse_per_read(tmp_path: Path, numbers: Any) -> None:
    found = read(tmp_path / "a.csv", table(numbers, UP, DOWN, names="index,up,down"))
    assert (found.up, found.down, len(found.sweeps)) == (60, 60, 2)


def test_a_fit_counts_pulses_without_reads(tmp_path: Path) -> None:
    """Reads after every fifth pulse give the same number of states as all reads."""
    device = tt.Crossbar(1, 1, tt.SoftBounds(states=60, cycle_noise=0.3), seed=3)
    trace = []
    for sign in np.tile(np.repeat([1, -1], 120), 4):
        device.pulse_column(0, [sign])
        trace.append(10 + 5 * float(device.weights[0, 0]))
    numbers, reads = np.arange(1, 961), np.array(trace) + np.random.default_rng(1).normal(0, 0.05, 960)
    states = []
    for every in (1, 5):
        pulses = read(tmp_path / "a.csv", table(numbers, reads, names="pulse number,G (uS)", every=every))
        fit = tt.fit_device(pulses, models=["linear"], noise=["additive"], replicates=0)
        states.append(fit.values["states"].estimate)
    assert states[1] == pytest.approx(states[0], rel=0.1)
