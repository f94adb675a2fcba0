"""Plans keep to the time, and follow from numbers that do not change."""

import re
from pathlib import Path

import pytest

import tikitaka as tt
from tikitaka.assessment import cost, plan
from tikitaka.assessment.cost import Sizes
from tikitaka.assessment.intervals import interval
from tikitaka.assessment.plan import Plan
from tikitaka.training import TrainConfig

DIGITS = TrainConfig(data="digits")
SIZES = Sizes(DIGITS, DIGITS.dataset())


@pytest.mark.parametrize("minutes", [0.5, 2, 8, 30, 120])
@pytest.mark.parametrize("pulses", [0, 1_000, 50_000])
def test_the_work_is_what_the_minutes_allow(minutes: float, pulses: float) -> None:
    whole = Plan(minutes, 2, 0)
    size = plan.sized(whole, SIZES, 5.0, [pulses] * 20, [pulses] * 20, 5, None)
    search = size.search
    reported = 20 * size.seeds * SIZES.seconds(size.examples, size.epochs, SIZES.tests, pulses)
    assert search.final_examples is not None
    tried = 20 * 2 * 5 * SIZES.seconds(search.examples or 0, search.epochs, search.held_out, pulses)
    again = 20 * 2 * 2 * SIZES.seconds(search.final_examples, search.final_epochs, search.held_out, pulses)
    most = size.seeds == 10
    least = size.examples * size.epochs < 1_000
    assert most or least or 0.6 < (reported + tried + again + 5) / whole.seconds < 1.1
    assert size.examples <= SIZES.examples
    assert search.examples is not None
    assert max(search.examples, search.final_examples) + search.held_out <= SIZES.examples


def test_more_time_means_more_training_then_more_seeds() -> None:
    sizes = [plan.sized(Plan(m, 2, 0), SIZES, 1.0, [500] * 20, [500] * 20, 5, None) for m in (0.2, 1, 5, 20, 200)]
    samples = [size.examples * size.epochs for size in sizes]
    assert samples == sorted(samples)
    assert (sizes[0].seeds, sizes[-1].seeds) == (3, 10)
    fixed = plan.sized(Plan(5, 2, 0), SIZES, 1.0, [500] * 20, [500] * 20, 5, 7)
    assert fixed.seeds == 7


def test_examples_and_epochs() -> None:
    assert plan.split(1_000, 1_442) == (200, 5)
    assert plan.split(30_000, 1_442) == (1_442, 21)
    assert plan.split(1e9, 1_442) == (1_442, 30)
    assert plan.split(100_000, 60_000) == (18_000, 5) or plan.split(100_000, 60_000)[1] == 6


def test_a_faster_machine_does_more_in_steps() -> None:
    assert Plan(1, 1, 1).seconds == pytest.approx(1.5 * Plan(1, 1, 0).seconds)
    assert isinstance(cost.speed_class(), int)


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
    kept = plan.kept(tmp_path, {"net": "fcn"}, lambda: Plan(2.0, 3, -1))
    assert plan.kept(tmp_path, {"net": "fcn"}, lambda: Plan(9.0, 9, 9)) == kept == Plan(2.0, 3, -1)
    with pytest.raises(ValueError, match=re.escape("another assessment: net differ")):
        plan.kept(tmp_path, {"net": "lenet"}, lambda: kept)
