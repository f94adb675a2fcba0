"""The first search for rates, where the others begin, and the size of everything after it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from typing import Any

from tikitaka.assessment import plan as plans
from tikitaka.assessment.cost import Sizes, pulses_per_example
from tikitaka.assessment.hardware import Hardware
from tikitaka.assessment.plain import plain
from tikitaka.assessment.targets import POINTS
from tikitaka.assessment.trainings import Trainings, neighbours
from tikitaka.config import TransferRule, rules, to_dict
from tikitaka.data import Dataset
from tikitaka.experiments import learning_rates
from tikitaka.experiments.learning_rates import Search, rates_of
from tikitaka.nn import nets
from tikitaka.training import TrainConfig

__all__ = [
    "FIRST",
    "First",
    "Searches",
    "against_automatic",
    "digital_rates",
    "first_rates",
    "helped_most",
    "lengthened",
    "second_rates",
    "size_of",
    "trained_ratios",
]

_SEARCH_SEEDS = 2
"""Seeds of a candidate when there is time to search the rates of every changed device; else one, as in the first
search, which finds where to begin."""
_MORE = 1.2
"""Pulses of what is found at last, relative to what the first search found: higher rates send more."""


_OTHER = 2
"""Changed devices with another step, among whose rates there is a search even if there is little time."""


@dataclass(frozen=True)
class First:
    """What the first searches found: the best rates of each rule, and what finding them took."""

    best: dict[str, Any]
    """the best rule, which may have other rates than any candidate"""
    pulses: dict[str, float]
    """pulses per example that it sends"""
    errors: dict[str, float]
    """its error on held-out examples, 0 to 1"""

    def few(self, hardware: Hardware, present: Any, net: str) -> list[Any]:
        """The rules that are tried on hardware whose step differs, `present` being the best on the hardware itself:
        with the same rates, with each in proportion to the number of steps in a unit of weight, and with automatic
        ones."""
        ratio = hardware.usual_states / self.states
        most = {"max_pulses": ceil(max(ratio, 1) * present.max_pulses)} if hasattr(present, "max_pulses") else {}
        moved = [replace(present, **{name: ratio * getattr(present, name)}, **most) for name in rates_of(present)]
        return [hardware.under(rule) for rule in dict.fromkeys([present, *moved, *_automatic(present.kind, net)])]

    def tried(self, hardware: Hardware, present: Any, net: str) -> list[Any]:
        """The same with time for more: neighbours, and where the step differs the whole grid for it."""
        near = neighbours(hardware.under(present))
        if hardware.usual_states == self.states:
            return near
        grid = [hardware.under(rule) for rule in candidates(present.kind, hardware, net)]
        return list(dict.fromkeys([*near, *self.few(hardware, present, net), *grid]))

    states: float
    """`Hardware.usual_states` of the hardware"""


def candidates(kind: str, hardware: Hardware, net: str) -> list[Any]:
    """The rules of a kind with which a search begins: those of the studies, and those that set their own rates."""
    grid = learning_rates.candidates(kind, hardware.usual_states, net)
    return list(dict.fromkeys([*grid, *_automatic(kind, net)]))


def _automatic(kind: str, net: str) -> list[Any]:
    """Rules with a fast array whose rates follow from the hardware; none of other kinds."""
    recipe: Any = nets[net].rule(kind)
    if not isinstance(recipe, TransferRule) or not hasattr(recipe, "lr"):
        return []
    automatic: Any = replace(recipe, fast_lr=None, transfer_lr=None)
    return [replace(automatic, lr=factor * recipe.lr) for factor in (1, 3, 1 / 3)]


def first_rates(
    kinds: Iterable[str],
    trainings: Trainings,
    plan: plans.Plan,
    base: TrainConfig,
    dataset: Dataset,
    hardware: Hardware,
    sizes: Sizes,
) -> First:
    """Search the rates of rules of each kind, from their grids and then among neighbours until none is better."""
    tried = {kind: [hardware.under(rule) for rule in candidates(kind, hardware, base.net)] for kind in kinds}
    pulses = [pulses_per_example(replace(base, rule=rule), dataset) for each in tried.values() for rule in each]
    search = plans.broad(plan, sizes, pulses, 1)
    started, begun = trainings.searched(base, tried, search, 1)
    best, more = trainings.climbed(base, started, search, 1)
    samples = (search.examples or 1) * search.epochs
    rows = {kind: [*begun[kind], *more[kind]] for kind in tried}
    chosen = {
        kind: next(row for row in rows[kind] if row["config"]["rule"] == plain(to_dict(best[kind]))) for kind in tried
    }
    return First(
        best=best,
        pulses={kind: row.get("pulses", 0) / samples for kind, row in chosen.items()},
        errors={kind: float(row["test_error"]) for kind, row in chosen.items()},
        states=hardware.usual_states,
    )


FIRST = ("ideal", "introduced")
"""Levels of properties that are trained before it is known which properties matter."""


def trained_ratios(ratios: Mapping[tuple[str, str], float], thorough: bool) -> list[float]:
    """Of the ratios of all levels, by property and level, those of what is trained. Which properties are made half
    as bad is not known yet, so a mean ratio counts for each."""
    if thorough:
        return list(ratios.values())
    halves = [ratio for (_, level), ratio in ratios.items() if level == "half"]
    some = [sum(halves) / len(halves)] * min(plans.FOCUS, len(halves)) if halves else []
    return [*(ratio for (_, level), ratio in ratios.items() if level in FIRST), *some]


@dataclass(frozen=True)
class Searches:
    """The searches after the first one, and what is reported after them."""

    size: plans.Size
    """the size of everything"""
    thorough: bool
    """whether every changed property is trained, with rates of its own; else only the levels in FIRST and some halves
    are, with the rates of the device as it is, or where the step differs the best of few"""
    candidates: int
    """candidates of each search"""


def size_of(
    plan: plans.Plan,
    sizes: Sizes,
    used: float,
    first: First,
    candidate: str,
    changed: Mapping[tuple[str, str], float],
    count: int | None,
) -> Searches:
    """The size of everything after the first search, which has `used` so many seconds, as if `candidate` were the rule
    that is studied. `changed` are the pulses of each changed property, relative to the device as it is."""
    of_rule = len(neighbours(rules[candidate]()))
    pulses = {kind: _MORE * number for kind, number in first.pulses.items()}
    one = pulses[candidate]
    each = [one * ratio for ratio in trained_ratios(changed, thorough=True)]
    reported = [*pulses.values(), *each, 0.5 * one, *_compared(pulses)]
    searched = [*pulses.values()] * 2  # the second ones stand for their prospects
    whole = plans.sized(plan, sizes, used, reported, [*searched, *each], of_rule, count, _SEARCH_SEEDS)
    if whole.examples * whole.epochs >= plans.ENOUGH or whole.examples * whole.epochs >= plans.most(sizes):
        return Searches(whole, True, of_rule)
    each = [one * ratio for ratio in trained_ratios(changed, thorough=False)]
    reported = [*pulses.values(), *each, 0.5 * one, *_compared(pulses)]
    searched += [one] * _OTHER
    return Searches(plans.sized(plan, sizes, used, reported, searched, of_rule, count, 1), False, of_rule)


def second_rates(trainings: Trainings, base: TrainConfig, first: First, size: plans.Size) -> dict[str, Any]:
    """The rules that send pulses with the best rates by kind, searched among neighbours of the first ones."""
    tried = {kind: neighbours(first.best[kind]) for kind, pulses in first.pulses.items() if pulses > 0}
    if not tried:
        return {}
    return trainings.searched(base, tried, size.search, size.search_seeds)[0]


def helped_most(
    trainings: Trainings, base: TrainConfig, best: Mapping[str, Any], ideal: Iterable[Hardware], size: plans.Size
) -> tuple[str, str]:
    """The best rule on the hardware, and the one that is best where one property alone is `ideal`, by held-out errors.

    A rule that does badly on the hardware as it is may gain the most from better hardware. Short trainings find the
    best property for each rule; trainings as long as those reported, with two seeds, confirm that another rule than the
    best gets better by more than a point: short ones favour rules that learn fast.
    """
    lowest = min(best, key=lambda kind: float(_longest(trainings.done, best[kind])["test_error"]))
    hardware, seed = list(ideal), learning_rates.SEED
    search, whole = size.search, _whole(size, size.search.final_examples or 1)

    def errors(tried: Mapping[str, Sequence[Any]], search: Search, seeds: Sequence[int]) -> dict[str, list[float]]:
        judge = replace(base, examples=search.examples, holdout=search.held_out, epochs=search.epochs)
        found = learning_rates.judged(partial(trainings.rows, "search"), judge, tried, seeds)
        return {kind: list(map(learning_rates.error_of, rows)) for kind, rows in found.items()}

    if not hardware:
        return lowest, lowest
    on_ideal = {kind: [other.under(rule) for other in hardware] for kind, rule in best.items()}
    short = errors(on_ideal, search, [seed])
    likely = _better({kind: min(each) for kind, each in short.items()}, lowest)
    if likely == lowest:
        return lowest, lowest
    both = {kind: [on_ideal[kind][short[kind].index(min(short[kind]))]] for kind in (lowest, likely)}
    long = errors(both, whole, [seed, seed + 1])
    return lowest, _better({kind: each[0] for kind, each in long.items()}, lowest)


def _better(errors: Mapping[str, float], best: str) -> str:
    """The rule with the lowest error if it is more than a point below that of the `best` one, else this."""
    likely = min(errors, key=errors.__getitem__)
    return likely if errors[likely] < errors[best] - POINTS / 100 else best


def _longest(rows: Iterable[Mapping[str, Any]], rule: Any) -> Mapping[str, Any]:
    """The row of the longest training by a rule."""
    return max((row for row in rows if row["config"]["rule"] == plain(to_dict(rule))), key=_work)


def _work(row: Mapping[str, Any]) -> float:
    """Training examples, all epochs together."""
    return float(row["config"]["examples"] * row["config"]["epochs"])


def against_automatic(
    trainings: Trainings,
    base: TrainConfig,
    hardware: Hardware,
    best: Mapping[str, Any],
    size: plans.Size,
    available: int,
) -> dict[str, Any]:
    """The better of `best` by kind and of rules that set their own rates, in trainings as long as those reported, with
    `available` examples besides those held out: rates that a short search likes best may be too high for long."""
    tried = {
        kind: list(dict.fromkeys([rule, *(hardware.under(other) for other in _automatic(kind, base.net)[:2])]))
        for kind, rule in best.items()
    }
    tried = {kind: rules for kind, rules in tried.items() if len(rules) > 1}
    if not tried:
        return dict(best)
    return {**best, **trainings.searched(base, tried, _whole(size, available), 2)[0]}


def _compared(pulses: Mapping[str, float]) -> list[float]:
    """The pulses of what `against_automatic` trains, as of trainings with all seeds: three rules with two seeds are as
    many as two with the fewest seeds that a report has."""
    return [number for kind, number in pulses.items() if issubclass(rules[kind], TransferRule)] * 2


def _whole(size: plans.Size, available: int) -> Search:
    """A search in trainings as long as those reported."""
    samples, examples = size.examples * size.epochs, min(size.examples, available)
    return Search(examples, size.search.held_out, max(1, round(samples / examples)))


def digital_rates(
    trainings: Trainings, base: TrainConfig, hardware: Hardware, first: First, size: plans.Size, available: int
) -> dict[str, Any]:
    """The rules without pulses, as float, with rates searched from their grid on, at the length of what is reported,
    with `available` examples besides those held out.

    They take a small part of the time, and their rates cannot be told apart in trainings too short for them to learn.
    Little training wants high rates, to which nothing may lead where all lower ones learn nothing: those three and nine
    times as high as the grid are tried at once.
    """
    whole = _whole(size, available)
    grids = {
        kind: [hardware.under(rule) for rule in candidates(kind, hardware, base.net)]
        for kind, pulses in first.pulses.items()
        if pulses == 0
    }
    tried = {
        kind: list(dict.fromkeys(_higher(rule, factor) for factor in (1, 3, 9) for rule in grid))
        for kind, grid in grids.items()
    }
    started = trainings.searched(base, tried, whole, size.search_seeds)[0]
    return trainings.climbed(base, started, whole, size.search_seeds)[0]


def _higher(rule: Any, factor: float) -> Any:
    return replace(rule, **{name: factor * getattr(rule, name) for name in learning_rates.rates_of(rule)})


def lengthened(
    plan: plans.Plan,
    sizes: Sizes,
    done: Iterable[Mapping[str, Any]],
    searches: Searches,
    best: Mapping[str, Any],
    changes: Callable[[str], Mapping[tuple[str, str], float]],
    candidate: str,
) -> plans.Size:
    """The size with reports as long as the time allows, from the pulses that the searches (`done`) have counted.

    `changes` are the pulses of each changed property under a rule, relative to the device as it is; `candidate` is the
    rule that is studied.
    """
    rows, size = list(done), searches.size
    last = [(kind, _longest(rows, rule)) for kind, rule in best.items()]
    pulses = {kind: row.get("pulses", 0) / _work(row) for kind, row in last}
    one = pulses[candidate]
    each = [one * ratio for ratio in trained_ratios(changes(candidate), searches.thorough)]
    reserved = plans.search_seconds(sizes, size, each if searches.thorough else [one] * _OTHER, searches.candidates)
    used = sum(map(sizes.of_row, rows))
    reported = [0.0, *pulses.values(), *each, 0.5 * one, *_compared(pulses)]
    return plans.lengthened(plan, sizes, used, size, reported, reserved)
