"""Plans keep to the time, and follow from numbers that do not change."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

import tikitaka as tt
from tikitaka.assessment import cost, plan
from tikitaka.assessment.cost import Sizes
from tikitaka.assessment.first import First, candidates, trained_ratios
from tikitaka.assessment.hardware import Hardware
from tikitaka.assessment.intervals import interval
from tikitaka.assessment.plan import Plan
from tikitaka.assessment.trainings import neighbours
from tikitaka.experiments import learning_rates
from tikitaka.training import TrainConfig

DIGITS = TrainConfig(data="digits")
SIZES = Sizes(DIGITS, DIGITS.dataset())


@pytest.mark.parametrize("minutes", [0.5, 2, 8, 30, 120])
@pytest.mark.parametrize("pulses", [0, 1_000, 50_000])
def test_the_work_is_what_the_minutes_allow(minutes: float, pulses: float) -> None:
    whole = Plan(minutes, 2, (0,))
    size = plan.sized(whole, SIZES, 5.0, [pulses] * 20, [pulses] * 20, 5, None)
    search = size.search
    reported = 20 * size.seeds * SIZES.seconds(size.examples, size.epochs, SIZES.tests, pulses)
    assert search.final_examples is not None
    tried = 20 * 2 * 5 * SIZES.seconds(search.examples or 0, search.epochs, search.held_out, pulses)
    again = 20 * 2 * 2 * SIZES.seconds(search.final_examples, search.final_epochs, search.held_out, pulses)
    most = size.seeds == 20
    least = size.examples * size.epochs < 1_000
    assert most or least or 0.6 < (reported + tried + again + 5) / whole.seconds < 1.1
    assert size.examples <= SIZES.examples
    assert search.examples is not None
    assert max(search.examples, search.final_examples) + search.held_out <= SIZES.examples


def test_more_time_means_more_training_then_more_seeds() -> None:
    sizes = [plan.sized(Plan(m, 2, (0,)), SIZES, 1.0, [500] * 20, [500] * 20, 5, None) for m in (0.2, 1, 5, 20, 200)]
    samples = [size.examples * size.epochs for size in sizes]
    assert samples == sorted(samples)
    assert (sizes[0].seeds, sizes[-1].seeds) == (3, 20)
    fixed = plan.sized(Plan(5, 2, (0,)), SIZES, 1.0, [500] * 20, [500] * 20, 5, 7)
    assert fixed.seeds == 7


def test_examples_and_epochs() -> None:
    assert plan.split(1_000, 1_442) == (200, 5)
    assert plan.split(30_000, 1_442) == (1_442, 21)
    assert plan.split(1e9, 1_442) == (1_442, 30)
    assert plan.split(100_000, 60_000) == (18_000, 5) or plan.split(100_000, 60_000)[1] == 6


def test_a_faster_machine_does_more_in_steps() -> None:
    assert Plan(1, 1, (1,)).seconds == pytest.approx(cost.CLASS * Plan(1, 1, (0,)).seconds)


def test_the_class_of_speed_is_that_of_the_trainings_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    config = replace(DIGITS, rule=tt.Ttv2())
    assert isinstance(cost.speed_class([config], config.dataset(), 2), int)
    for factor, expected in ((1, 0), (2, 7), (0.83, -2)):
        seconds = cost.example_seconds(SIZES.work, 500.0) / factor
        monkeypatch.setattr(cost, "_probed", lambda *_, seconds=seconds: (500.0, seconds))
        assert cost.speed_class([config, config], config.dataset(), 3) == expected


def test_pulses_are_counted_the_same_everywhere() -> None:
    config = TrainConfig(data="digits", rule=tt.Ttv2())
    assert cost.pulses_per_example(config, config.dataset()) == cost.pulses_per_example(config, config.dataset()) > 0


def test_intervals() -> None:
    single = interval([1.0])
    assert (single.mean, single.low, single.significant) == (1.0, None, False)
    same = interval([1.0, 1.0, 1.0], least=0.3)
    assert (same.low, same.high, same.significant) == (0.7, 1.3, True)
    assert not interval([0.1, 0.1], least=0.3).significant


def test_the_words_say_which_plan_it_was(tmp_path: Path) -> None:
    kept = plan.kept(tmp_path, {"net": "fcn"}, lambda: Plan(2.0, 3, (-1,)))
    assert plan.kept(tmp_path, {"net": "fcn"}, lambda: Plan(9.0, 9, (9,))) == kept == Plan(2.0, 3, (-1,))
    with pytest.raises(ValueError, match=re.escape("another assessment: net differ")):
        plan.kept(tmp_path, {"net": "lenet"}, lambda: kept)


def test_speed_is_measured_once_for_each_part_and_kept(tmp_path: Path) -> None:
    first = plan.kept(tmp_path, {}, lambda: Plan(2.0, 3, (-1,)))
    second = plan.timed(tmp_path, first, lambda: 4)
    assert second == plan.timed(tmp_path, first, lambda: 9) == Plan(2.0, 3, (-1, 4))
    third = plan.timed(tmp_path, second, lambda: 2)
    assert (third.speeds, third.seconds) == ((-1, 4, 2), Plan(2.0, 3, (2,)).seconds)
    assert plan.read(tmp_path / "plan.json")[0] == third
    assert plan.kept(tmp_path, {}, lambda: first) == first


def test_rows_tell_the_class_of_speed() -> None:
    row = {"config": {"examples": 200, "epochs": 5}, "epochs": 3, "pulses": 300.0 * 600}
    seconds = SIZES.seconds(200, 3, SIZES.tests, 300.0)
    assert cost.class_of([{**row, "seconds": seconds / cost.CLASS**4}] * 3, SIZES) == 4


def test_reports_take_the_time_that_searches_leave() -> None:
    whole = Plan(2, 1, (0,))
    size = plan.sized(whole, SIZES, 5.0, [5_000] * 20, [5_000] * 4, 5, 3)
    longer, shorter = (plan.lengthened(whole, SIZES, used, size, [5_000] * 20, 10.0) for used in (20.0, 60.0))
    assert longer.examples * longer.epochs > shorter.examples * shorter.epochs
    for found, used in ((longer, 20.0), (shorter, 60.0)):
        seconds = 20 * found.seeds * SIZES.seconds(found.examples, found.epochs, SIZES.tests, 5_000)
        assert 0.85 * whole.seconds < seconds + used + 10.0 < 1.02 * whole.seconds
    assert longer.search == size.search


def test_the_time_of_a_row_is_that_of_its_counts() -> None:
    row = {"config": {"examples": 200, "epochs": 5, "holdout": 100}, "pulses": 1_000 * 300.0}
    assert SIZES.of_row(row) == SIZES.seconds(200, 5, 100, 300.0)
    assert SIZES.of_row({"config": {"examples": 200, "epochs": 5}}) == SIZES.seconds(200, 5, SIZES.tests, 0.0)


def test_other_steps_are_tried_with_rates_in_proportion_and_with_automatic_ones() -> None:
    first = First(best={}, pulses={}, errors={}, states=40.0)
    present = tt.Ttv2(fast_lr=0.6, transfer_lr=5.0)
    finer, same = Hardware(tt.SoftBounds(states=160)), Hardware(tt.SoftBounds(states=40, cycle_noise=0.0))
    tried = first.few(finer, present, "fcn")
    assert [(rule.fast_lr, rule.transfer_lr, rule.max_pulses) for rule in tried[:3]] == [
        (0.6, 5.0, 1),
        (pytest.approx(2.4), 5.0, 4),
        (0.6, pytest.approx(20.0), 4),
    ]
    assert all(rule.fast_lr is None and rule.device.states == 160 for rule in tried[3:])
    assert set(tried) < set(first.tried(finer, present, "fcn"))
    assert first.tried(same, present, "fcn") == neighbours(same.under(present))
    assert len(first.few(finer, tt.AnalogSgd(), "fcn")) == 2


def test_searches_begin_with_rates_by_hand_and_automatic_ones() -> None:
    tried = candidates("ttv2", Hardware(tt.SoftBounds(states=40)), "fcn")
    assert {rule.fast_lr is None for rule in tried} == {False, True}
    assert candidates("sgd", Hardware(tt.SoftBounds()), "fcn") == learning_rates.candidates("sgd", 20, "fcn")


def test_with_little_time_three_properties_are_made_half_as_bad() -> None:
    ratios = {(name, level): 1.0 for name in "abcdef" for level in ("ideal", "half", "double")}
    ratios[("g", "introduced")] = 3.0
    assert trained_ratios(ratios, thorough=True) == [1.0] * 18 + [3.0]
    assert sorted(trained_ratios(ratios, thorough=False)) == [1.0] * 9 + [3.0]
