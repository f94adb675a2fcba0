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


BOTH = np.concatenate([UP, DOWN])
SIGNS = np.repeat([1, -1], 60)


@pytest.mark.parametrize("name", ["index", "No.", "n", "Point", "Step"])
@pytest.mark.parametrize("known", [True, False])
def test_rows_of_several_devices_in_turns(tmp_path: Path, name: str, known: bool) -> None:
    rows = [f"{4 * k + d},{d},{SIGNS[k]},{BOTH[k]:.4f}" for k in range(120) for d in range(4)]
    names = f"{name},device,{'pulse' if known else 'x'},G (uS)"
    found = read(tmp_path / "a.csv", "\n".join([names, *rows]))
    assert (found.up, found.down, len(found.devices)) == (240, 240, 4)


def test_known_pulses_count_whatever_the_counter_says(tmp_path: Path) -> None:
    signs = np.concatenate([SIGNS, np.tile([1, -1], 60)])
    trace = np.concatenate([BOTH, 10 + 0.3 * (signs[120:] + 1)])
    numbers = np.concatenate([np.arange(1, 121), 121 + np.arange(120) // 2])
    for name in ("n", "pulse number", "pulse train"):
        found = read(tmp_path / "a.csv", table(numbers, signs, trace, names=f"{name},polarity,G (uS)"))
        assert (found.up, found.down) == (120, 120), name


@pytest.mark.parametrize("name", ["pulse index", "pulse #", "n"])
def test_rows_from_0_to_a_round_number_less_1_are_pulses(tmp_path: Path, name: str) -> None:
    found = read(tmp_path / "a.csv", table(np.arange(120), BOTH, names=f"{name},G (uS)"), pattern="60u,60d")
    assert (found.up, found.down, found.cycles, found.warnings) == (60, 60, 1, ())
    again = read(tmp_path / "b.csv", table(np.tile(np.arange(60), 2), BOTH, names=f"{name},G (uS)"))
    assert (again.up, again.down) == (60, 60)


def test_patterns_with_counters(tmp_path: Path) -> None:
    fifth = np.arange(0, 121, 5)
    trace = np.append(10.0, BOTH)[fifth]
    for given in ({"initial_read": True}, {}):
        found = read(tmp_path / "a.csv", table(fifth, trace, names="pulses,G (uS)"), pattern="60u,60d", **given)
        assert (found.up, found.down, found.cycles) == (60, 60, 1)
    thrice = table(np.repeat(np.arange(1, 121), 3), np.repeat(BOTH, 3), names="pulse number,G (uS)")
    found = read(tmp_path / "b.csv", thrice, pattern="60u,60d")
    assert (found.up, found.down, found.cycles) == (60, 60, 1)
    anew = table(np.tile(np.arange(1, 61), 4), np.tile(BOTH, 2), names="pulse,G (uS)")
    found = read(tmp_path / "c.csv", anew, pattern="60u,60d")
    assert (found.up, found.down, found.cycles) == (120, 120, 2)


@pytest.mark.parametrize("names", ["LTP,LTP pulse number,LTD,LTD pulse number", "up,pulse,down,pulse"])
def test_counters_to_the_right_of_their_values(tmp_path: Path, names: str) -> None:
    second, fifth = np.arange(1, 61, 2), np.arange(1, 151, 5)
    longer = 10 + 10 * 0.95 ** np.arange(1, 151)
    found = read(tmp_path / "a.csv", table(UP[second - 1], second, longer[fifth - 1], fifth, names=names))
    assert (found.up, found.down) == (59, 146)


def test_counts_of_a_converter_count_no_pulses(tmp_path: Path) -> None:
    a, b = np.round(100 * UP), np.round(100 * DOWN)
    text = table(a, b, a + 3, b + 3, names="A up count,A down count,B up count,B down count")
    found = read(tmp_path / "a.csv", text, up="A up count", down="A down count", unit="")
    assert (found.up, found.down) == (60, 60)
    found = read(tmp_path / "b.csv", table(a, UP, DOWN, names="count,up (uS),down (uS)"))
    assert (found.up, found.down) == (60, 60)


@pytest.mark.parametrize(
    ("times", "name", "given", "words"),
    [
        (np.arange(120.0), "t (s)", 1.5, "must fit the times, whose steps are 0.6667 to 0.6667 pulses"),
        (np.arange(120.0), "T (K)", 1.0, "needs a column of times"),
        (np.append(np.nan, np.arange(119.0)), "t (s)", 1.0, "must fit the times"),
    ],
)
def test_times_that_do_not_fit_are_refused(tmp_path: Path, times: Any, name: str, given: float, words: str) -> None:
    with pytest.raises(ValueError, match=f"seconds_per_pulse {words}"):
        read(tmp_path / "a.csv", table(times, BOTH, names=f"{name},G (uS)"), seconds_per_pulse=given)


def test_a_pause_is_no_pulses(tmp_path: Path) -> None:
    times = np.arange(120.0) + 60.3 * (np.arange(120) >= 60)
    found = read(tmp_path / "a.csv", table(times, BOTH, names="t (s),G (uS)"), seconds_per_pulse=1.0)
    assert (found.up, found.down) == (60, 60)


def test_noisy_parts_of_a_trace_lead_up_or_down_as_a_whole(tmp_path: Path) -> None:
    random, up = np.random.default_rng(0), 1 - 0.85 ** np.arange(1, 21)
    for _ in range(100):
        trace = np.tile(np.concatenate([up, 1 - up]), 5) + random.normal(0, 0.075, 200)
        found = read(tmp_path / "a.csv", table(np.tile(np.arange(1, 21), 10), trace + 1, names="pulse number,G"))
        assert (found.up, found.down) == (100, 100)


def test_too_many_pulses_are_refused(tmp_path: Path) -> None:
    text = table(9_000 * np.arange(1, 7001), np.tile(BOTH, 60)[:7000], names="pulse number,G (uS)")
    with pytest.raises(ValueError, match="at most 50,000,000 pulses, not 6"):
        read(tmp_path / "a.csv", text)
