"""Tolerances: crossings, required seeds, bounds, intervals and ratios by hand."""

import math

import pytest

from tikitaka.experiments.tolerance import Tolerance, crossing, missing, ratio, tolerance

NOISE = (0.1, 1.0, 10.0, 100.0)


def test_crossings_by_hand() -> None:
    errors = {0.1: 2.0, 1.0: 2.5, 10.0: 4.5, 100.0: 50.0}
    assert crossing(errors, NOISE, 3.0, 1) == pytest.approx(10**0.25)
    assert crossing(errors, NOISE, 3.0, 1, logarithmic=False) == pytest.approx(1 + 9 * 0.25)
    assert crossing(errors, NOISE, 1.0, 1) == "easy"
    assert crossing(errors, NOISE, 60.0, 1) == "hard"
    falling = {1000.0: 2.0, 100.0: 2.0, 10.0: 6.0}
    assert crossing(falling, (1000.0, 100.0, 10.0), 4.0, 0) == pytest.approx(math.sqrt(1000))
    with pytest.raises(ValueError, match=r"the error at 10\.0 is needed"):
        crossing({0.1: 2.0, 1.0: 2.5}, NOISE, 3.0, 1)


def test_seeds_are_asked_for_beside_the_crossing_and_follow_it() -> None:
    first = {0.1: 2.0, 1.0: 2.5, 10.0: 4.5, 100.0: 50.0}
    second: dict[float, float] = {}
    truth = {0.1: 2.0, 1.0: 2.6, 10.0: 2.9, 100.0: 40.0}
    asked = []
    while missing([first, second], NOISE, 3.0)[1]:
        (value,) = missing([first, second], NOISE, 3.0)[1]
        asked.append(value)
        second[value] = truth[value]
    assert asked == [1.0, 10.0, 100.0]  # it crosses one further
    found = tolerance([first, second], NOISE, 3.0)
    each = [10**0.25, 10 ** (1 + 0.1 / 37.1)]
    assert found.each == pytest.approx(each)
    assert found.tolerance == pytest.approx(math.sqrt(each[0] * each[1]))
    # 95 %: t = 12.706 for two seeds, whose logarithms have the standard error |a − b| / 2.
    half = 12.706 * abs(math.log(each[0] / each[1])) / 2
    assert found.low == pytest.approx(found.tolerance / math.exp(half))
    assert found.high == pytest.approx(found.tolerance * math.exp(half))


def test_seeds_that_leave_the_sweep_leave_a_bound() -> None:
    inside, easy = {0.1: 2.0, 1.0: 4.0, 10.0: 9.0, 100.0: 9.0}, {0.1: 5.0, 1.0: 6.0, 10.0: 7.0, 100.0: 8.0}
    at = math.sqrt(0.1)  # where `inside` crosses
    found = tolerance([inside, easy], NOISE, 3.0)
    assert found == Tolerance(pytest.approx(math.sqrt(at * 0.1)), None, None, "easy", [pytest.approx(at), None])
    flat = dict.fromkeys(NOISE, 2.0)
    assert tolerance([flat], NOISE, 3.0) == Tolerance(pytest.approx(100.0), None, None, "hard", [None])
    assert tolerance([flat, easy], NOISE, 3.0) == Tolerance(None, None, None, "both", [None, None])
    alone = tolerance([inside], NOISE, 3.0)
    assert (alone.tolerance, alone.low) == (pytest.approx(at), None)


def test_what_comes_after_a_failure_does_not_count() -> None:
    again = {0.1: 2.0, 1.0: 4.0, 10.0: 2.0, 100.0: 2.0}
    assert tolerance([again], NOISE, 3.0).tolerance == pytest.approx(math.sqrt(0.1))
    never = {0.1: 4.0, 1.0: 2.0, 10.0: 2.0, 100.0: 2.0}
    assert tolerance([never], NOISE, 3.0).beyond == "easy"


def test_an_interval_of_a_linear_axis_ends_at_zero() -> None:
    values = (0.0, 0.1, 0.3)
    first, second = {0.0: 2.0, 0.1: 2.6, 0.3: 4.0}, {0.0: 2.0, 0.1: 6.0}
    found = tolerance([first, second], values, 3.0, logarithmic=False)
    assert found.each == pytest.approx([0.1 + 0.2 * 0.4 / 1.4, 0.025])
    assert (found.low, found.tolerance) == (0.0, pytest.approx(sum(found.each) / 2))  # type: ignore[arg-type]
    assert ratio(found, Tolerance(0.1, 0.09, 0.11, None, []), values)["low"] is None


def test_ratios_by_hand() -> None:
    a, b = Tolerance(8.0, 4.0, 16.0, None, []), Tolerance(2.0, 2.0, 2.0, None, [])
    found = ratio(a, b, NOISE)
    assert found == {"ratio": 4.0, "low": pytest.approx(2.0), "high": pytest.approx(8.0), "bound": None}
    assert ratio(b, a, (1000.0, 10.0, 1.0))["ratio"] == 4.0  # of states, fewer is better
    less, more = Tolerance(0.1, None, None, "easy", []), Tolerance(100.0, None, None, "hard", [])
    both = Tolerance(None, None, None, "both", [])
    assert ratio(a, less, NOISE) == {"ratio": pytest.approx(80.0), "low": None, "high": None, "bound": "at least"}
    for pair, factor, bound in (((more, b), 50, "at least"), ((more, less), 1000, "at least")):
        assert (ratio(*pair, NOISE)["ratio"], ratio(*pair, NOISE)["bound"]) == (pytest.approx(factor), bound)
    for pair, factor in (((less, b), 0.05), ((a, more), 0.08), ((less, more), 0.001)):
        assert (ratio(*pair, NOISE)["ratio"], ratio(*pair, NOISE)["bound"]) == (pytest.approx(factor), "at most")
    few, many = Tolerance(10.0, None, None, "hard", []), Tolerance(4000.0, None, None, "easy", [])
    assert ratio(few, many, (4000.0, 10.0)) == {"ratio": 400.0, "low": None, "high": None, "bound": "at least"}
    for pair in ((less, less), (more, more), (both, b), (a, Tolerance(0.0, None, None, "easy", []))):
        assert ratio(*pair, NOISE)["ratio"] is None
