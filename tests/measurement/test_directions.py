"""Turning points, patterns and trends, and the words of headings."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.pulses import cycles, in_a_row
from tikitaka.measurement.direction import pattern_length, pattern_signs, runs_of, trend, turning_signs
from tikitaka.measurement.words import direction_of, heading, parse_unit, remainder


@pytest.mark.parametrize("noise", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(("pulses", "count"), [(50, 1), (200, 5), (1000, 3)])
def test_turning_points_of_noisy_traces(noise: float, pulses: int, count: int) -> None:
    """Reads of up to 5 % of the range; 1,000 pulses saturate, so that most of a trace is flat."""
    row = in_a_row(*cycles(pulses, count, noise=noise))
    for initial in (False, True):
        found = turning_signs(np.concatenate([row[:1], row]) if initial else row)
        assert found is not None
        signs, first, _, even = found
        assert even
        assert first == initial
        assert signs[initial:].tolist() == np.tile(np.repeat([1, -1], pulses), count).tolist()


def test_turning_points_of_blocks_of_different_lengths() -> None:
    up, down = np.linspace(0, 1, 300), np.linspace(1, 0, 120)
    signs, _, words, even = turning_signs(np.concatenate([down, up, down, up[:280]])) or pytest.fail("none found")
    ends = [end for _, end, _ in runs_of(signs)]
    assert np.abs(np.array(ends) - [120, 420, 540, 820]).max() <= 3
    assert signs[0] == -1
    assert even
    assert words.startswith("4 blocks of ")


def test_what_never_turns() -> None:
    for values in (np.linspace(0, 1, 100), np.zeros(100), np.full(100, np.nan), np.arange(3.0)):
        assert turning_signs(values) is None
    assert trend(np.array([1.0, np.nan, 2.0])) == 1.0
    assert trend(np.array([np.nan])) == 0.0


@given(st.lists(st.sampled_from([0, 1, -1]), max_size=60))
def test_runs_cover_every_read_once(signs: list[int]) -> None:
    runs = runs_of(np.array(signs, np.int8))
    if any(signs):
        assert [runs[0][0], runs[-1][1]] == [0, len(signs)]
        assert all(before[1] == after[0] and before[2] != after[2] for before, after in pairwise(runs))
    for start, end, sign in runs:
        assert set(signs[start:end]) <= {0, sign}


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(1, 9), st.sampled_from("udr")), min_size=1, max_size=4), st.integers(0, 40))
def test_a_pattern_repeats(blocks: list[tuple[int, str]], reads: int) -> None:
    once = [{"u": 1, "d": -1, "r": 0}[kind] for count, kind in blocks for _ in range(count)]
    pattern = ",".join(f"{count}{kind}" for count, kind in blocks)
    length = pattern_length(pattern)
    signs, numbers = pattern_signs(pattern, reads)
    assert length == len(once)
    assert signs.tolist() == [once[k % length] for k in range(reads)]
    assert numbers.tolist() == [k // length + 1 for k in range(reads)]


@pytest.mark.parametrize(
    ("text", "quantity", "unit", "sign"),
    [
        ("G (uS)", "G", 1e-6, 0),
        ("G_uS", "G", 1e-6, 0),
        ("G/µS", "G", 1e-6, 0),
        ("G [MS]", "G", 1e6, 0),
        ("g (us)", "G", 1e-6, 0),
        ("Conductance in nS", "G", 1e-9, 0),
        ("R (ohm)", "R", 1.0, 0),
        ("R_low (kΩ)", "R", 1e3, 0),
        ("R [MOhm]", "R", 1e6, 0),
        ("I (A)", "I", 1.0, 0),
        ("Id (nA)", "I", 1e-9, 0),
        ("V", "V", None, 0),
        ("pulse amplitude (V)", "V", 1.0, 0),
        ("# pulse_v", "V", None, 0),
        ("read_V", "read_V", None, 0),
        ("V_read (mV)", "read_V", 1e-3, 0),
        ("width", "width", None, 0),
        ("pulse width (s)", "width", 1.0, 0),
        ("t", "t", None, 0),
        ("Time(min)", "t", 60.0, 0),
        ("device", "device", None, 0),
        ("Cycle", "cycle", None, 0),
        ("pulse", "pulse", None, 0),
        ("pulse number", "counter", None, 0),
        ("Gset", "G", None, 1),
        ("Greset (S)", "G", 1.0, -1),
        ("LTP", "", None, 1),
        ("LTD conductance (nS)", "G", 1e-9, -1),
        ("average G", "derived", None, 0),
        ("Gset_norm", "derived", None, 1),
        ("A1 up", "", None, 1),
        ("Vcap", "", None, 0),
        ("", "", None, 0),
    ],
)
def test_headings(text: str, quantity: str, unit: float | None, sign: int) -> None:
    found = heading(text)
    assert (found.quantity, found.sign) == (quantity, sign)
    assert (found.unit.factor if found.unit else None) == (unit if unit is None else pytest.approx(unit))


def test_names_and_numbers_in_headings() -> None:
    assert remainder("A3 up (uS)") == ("A3", None)
    assert remainder("cycle 12 LTP") == ("", 12)
    assert remainder("LTD 2 (uS)") == remainder("LTD2") == ("", 2)
    assert remainder("device 3 up") == ("3", None)
    assert remainder("G1 (uS)") == ("G1", None)
    assert remainder("B2 sweep#4 G (nS)") == ("B2", 4)
    assert direction_of("set and reset") == 0
    assert parse_unit("furlong") is None


@given(st.text(max_size=30))
def test_any_heading_says_something(text: str) -> None:
    assert heading(text).sign in (-1, 0, 1)
    assert isinstance(remainder(text)[0], str)
