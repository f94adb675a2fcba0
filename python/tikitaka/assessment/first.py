"""The first search for rates, where the others begin, and the size of everything after it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from tikitaka.assessment import plan as plans
from tikitaka.assessment.cost import Sizes, pulses_per_example
from tikitaka.assessment.hardware import Hardware
from tikitaka.assessment.plain import plain
from tikitaka.assessment.properties import Level, Property
from tikitaka.assessment.trainings import Trainings, neighbours
from tikitaka.config import to_dict
from tikitaka.data import Dataset
from tikitaka.experiments import learning_rates
from tikitaka.training import TrainConfig

__all__ = ["First", "first_rates", "size_of"]

_SEARCH_SEEDS = 2
"""Seeds of a candidate when the rates of a device are searched; one in the first search, which finds where to begin."""
_MORE = 1.8
"""Pulses of what is found at last, relative to what the first search found: higher rates send more."""


@dataclass(frozen=True)
class First:
    """What the first searches found: the best rates of each rule, and what finding them took."""

    place: dict[str, int]
    """the place of the candidate of its grid that was best"""
    best: dict[str, Any]
    """the best rule, which may have other rates than any candidate"""
    pulses: dict[str, float]
    """pulses per example that it sends"""
    errors: dict[str, float]
    """its error on held-out examples, 0 to 1"""
    seconds: float
    """seconds of one core of class 0 that the searches took"""

    def rule(self, kind: str, hardware: Hardware, net: str) -> Any:
        """The rule for other hardware: the candidate at that place for its states, with rates as far from it."""
        (here, there) = (
            learning_rates.candidates(kind, states, net)[self.place[kind]]
            for states in (self.states, hardware.usual_states)
        )
        names = learning_rates.rates_of(here)
        rates = {name: getattr(there, name) * getattr(self.best[kind], name) / getattr(here, name) for name in names}
        return hardware.under(replace(there, **rates))

    def tried(self, kind: str, hardware: Hardware, present: Any, net: str) -> list[Any]:
        """The rules that are tried on hardware with another property, `present` being the best on the hardware itself.

        Where the step differs, rates far from the present ones may suit it: the grid of its states is tried as well,
        and each rate in proportion to the number of steps in a unit of weight.
        """
        if hardware.usual_states == self.states:
            return neighbours(self.rule(kind, hardware, net))
        ratio = hardware.usual_states / self.states
        names = learning_rates.rates_of(present)
        others = [replace(present, **{name: ratio * getattr(present, name)}) for name in names]
        others += learning_rates.candidates(kind, hardware.usual_states, net)
        centre = self.rule(kind, hardware, net)
        return list(dict.fromkeys([*neighbours(centre), *(hardware.under(rule) for rule in others)]))

    states: float
    """`Hardware.usual_states` of the hardware"""


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
    tried = {
        kind: [hardware.under(rule) for rule in learning_rates.candidates(kind, hardware.usual_states, base.net)]
        for kind in kinds
    }
    pulses = [pulses_per_example(replace(base, rule=rule), dataset) for each in tried.values() for rule in each]
    search = plans.broad(plan, sizes, pulses, 1)
    started, begun = trainings.searched(base, tried, search, 1)
    best, more = trainings.climbed(base, started, search, 1)
    place = {kind: tried[kind].index(started[kind]) for kind in tried}
    samples = (search.examples or 1) * search.epochs
    rows = {kind: [*begun[kind], *more[kind]] for kind in tried}
    used = sum(
        sizes.seconds(search.examples or 1, search.epochs, search.held_out, row.get("pulses", 0) / samples)
        for each in rows.values()
        for row in each
    )
    chosen = {
        kind: next(row for row in rows[kind] if row["config"]["rule"] == plain(to_dict(best[kind]))) for kind in tried
    }
    return First(
        place=place,
        best=best,
        pulses={kind: row.get("pulses", 0) / samples for kind, row in chosen.items()},
        errors={kind: float(row["test_error"]) for kind, row in chosen.items()},
        seconds=used,
        states=hardware.usual_states,
    )


def size_of(
    plan: plans.Plan,
    sizes: Sizes,
    first: First,
    candidate: str,
    hardware: Hardware,
    known: Iterable[tuple[Property, list[tuple[Level, Hardware]]]],
    count: int | None,
) -> plans.Size:
    """The size of everything after the first search, as if `candidate` were the rule that is studied."""
    of_rule = len(neighbours(hardware.under(learning_rates.candidates(candidate, 20)[0])))
    pulses = {kind: _MORE * number for kind, number in first.pulses.items()}
    one = pulses[candidate]
    each = [one * max(1.0, hardware.step / other.step) for _, levels in known for _, other in levels]
    searched = [*pulses.values(), *each]
    return plans.sized(plan, sizes, first.seconds, [*searched, 0.5 * one], searched, of_rule, count, _SEARCH_SEEDS)
