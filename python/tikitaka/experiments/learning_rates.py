"""The search for the learning rates of every rule, on held-out training images and never on the test set.

A candidate is trained on the first images of the training set and judged on the last ones, with a seed for which no
result is reported. Short trainings favour high rates, so the best candidates may be compared again in a longer round.
SGD also tries reading its array relative to the symmetry points of its devices, like A in the other rules.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import product
from math import ceil
from pathlib import Path
from statistics import fmean
from typing import Any, TypeVar

from tikitaka._internal.shown import listed
from tikitaka._internal.validation import hints_of, one_of
from tikitaka.config import Agad, AnalogSgd, Cttv2, Device, DigitalSgd, Reference, TransferRule, Ttv1, Ttv2, rules
from tikitaka.config.size import step_of
from tikitaka.experiments.quality import quality_of
from tikitaka.nn import nets
from tikitaka.training import TrainConfig

__all__ = [
    "RATES",
    "SEED",
    "Run",
    "Search",
    "around",
    "candidates",
    "check_data",
    "check_names",
    "chosen",
    "error_of",
    "judged",
    "rates_of",
    "searched",
    "usual_states",
]

K = TypeVar("K", bound=Hashable)

Run = Callable[[Iterable[TrainConfig]], Sequence[Mapping[str, Any]]]
"""A function that measures trainings, such as `sweep` with its file."""


def _float(_states: float) -> list[Any]:
    return [DigitalSgd(lr=lr) for lr in (0.02, 0.05, 0.1, 0.2)]


def _sgd(_states: float) -> list[Any]:
    references = (Reference(), Reference("ideal"))
    return [AnalogSgd(lr=lr, reference=r) for lr, r in product((0.003, 0.01, 0.03, 0.1), references)]


def _ttv1(_states: float) -> list[Any]:
    return [Ttv1(fast_lr=a, transfer_lr=c) for a, c in product((0.1, 0.5), (0.03, 0.1, 0.3, 1.0))]


def _ttv2(states: float) -> list[Any]:
    """The transfer rate grows with the states, and with it the pulses that one crossing of the threshold may send: the
    step of C that a gradient leads to is then the same for all."""
    return _filtered(Ttv2, (0.3, 1.0, 3.0, 10.0), states)


def _filtered(rule: Any, transfer_lr: tuple[float, ...], states: float) -> list[Any]:
    factor, pulses = max(1.0, states / 20), max(1, ceil(states / 20))
    rates = product((0.2, 0.8), transfer_lr)
    return [rule(fast_lr=a, transfer_lr=c * factor, max_pulses=pulses) for a, c in rates]


_GRIDS: dict[str, Callable[[float], list[Any]]] = {
    "float": _float,
    "sgd": _sgd,
    "ttv1": _ttv1,
    "ttv2": _ttv2,
    "cttv2": lambda states: _filtered(Cttv2, (0.1, 0.3, 1.0, 3.0), states),
    "agad": lambda states: _filtered(Agad, (0.1, 0.3, 1.0, 3.0), states),
}
"""Grids of rules for fcn by kind, as functions of the states; a kind without a grid is searched `around` its defaults.
"""

_ALSO_CHOSEN: dict[str, tuple[str, ...]] = {
    "sgd": ("reference",),
    "ttv2": ("max_pulses",),
    "cttv2": ("max_pulses",),
    "agad": ("max_pulses",),
}
"""Fields other than rates that the grid of a kind varies."""


@dataclass(frozen=True)
class Search:
    """The amount of work of a search."""

    examples: int
    """training examples of the first round"""
    held_out: int
    """the last training examples, on which rates are judged"""
    epochs: int
    """epochs of the first round"""
    finalists: int = 1
    """candidates that are compared again in a second round (1: no second round)"""
    final_examples: int | None = None
    """its training examples (None: all except those held out)"""
    final_epochs: int = 1
    """its epochs"""


RATES = ("lr", "learning_rate", "fast_lr", "transfer_lr")
"""The fields of rules that are learning rates."""

SEED = 1_000_003
"""First seed of a search."""


def rates_of(rule: Any) -> tuple[str, ...]:
    """The fields of `rule` that are its learning rates: those set by hand, and the one that any others follow, which is
    `lr`, or with the formulas of R24 `learning_rate`."""
    single = {name: getattr(rule, name) for name in hints_of(type(rule)) if name.endswith("_lr")}
    leading = "lr" if getattr(rule, "rates", "auto") == "auto" else "learning_rate"
    follow = (leading,) if hasattr(rule, leading) and (None in single.values() or not single) else ()
    return follow + tuple(name for name, rate in single.items() if rate is not None)


def around(rule: Any) -> list[Any]:
    """`rule` with each of its learning rates unchanged, a third of it and three times as high."""
    names = rates_of(rule)
    return [
        replace(rule, **{name: factor * getattr(rule, name) for name, factor in zip(names, factors, strict=True)})
        for factors in product((1.0, 1 / 3, 3.0), repeat=len(names))
    ]


def usual_states(device: Device) -> float:
    """The states at which the grids of rates suit `device`: those of one with its step and the range ±0.6."""
    return float(f"{1.2 / step_of(device):.6g}")


def candidates(kind: str, states: float, net: str = "fcn", batch: int | None = None) -> list[Any]:
    """The candidate rules of a kind on devices with `states` states, for mini-batches of so many examples (default:
    those of the recipe).

    On fcn, rates of rules with a fast array are set by hand; on other networks their `lr` varies. Rates of float and
    SGD are those for fcn times the ratio of the network's recipe to the defaults. Other settings are those of the
    recipe.
    """
    one_of("rule", kind, rules)
    recipe: Any = nets[net].rule(kind, batch)
    if kind not in _GRIDS or (net != "fcn" and isinstance(recipe, TransferRule)):
        return around(recipe)
    factor = recipe.lr / rules[kind]().lr  # type: ignore[attr-defined]
    return [
        replace(rule, **{name: factor * getattr(rule, name) for name in _of_updates(rule)}, **_others(recipe, rule))
        for rule in _GRIDS[kind](states)
    ]


def _of_updates(rule: Any) -> list[str]:
    """The rates of `rule` at which gradients update an array; not those of transfers."""
    return [name for name in rates_of(rule) if name != "transfer_lr"]


def _others(recipe: Any, rule: Any) -> dict[str, Any]:
    """The settings other than rates that the recipe changes and no candidate does."""
    default = rules[recipe.kind]()
    names = (f.name for f in fields(recipe) if f.init and f.name not in RATES)
    return {
        name: getattr(recipe, name)
        for name in names
        if getattr(recipe, name) != getattr(default, name) == getattr(rule, name)
    }


def check_names(what: str, names: Sequence[str], known: Sequence[str]) -> None:
    """Raise ValueError unless there are names, each of them is `known`, and none occurs twice."""
    if not names or any(name not in known for name in names):
        raise ValueError(f"{what} must be among {', '.join(known)}, not {listed(names) or 'none'}")
    if len(set(names)) < len(names):
        raise ValueError(f"{what} must not contain a name twice, as in {listed(names)}")


def check_data(config: TrainConfig, search: Search, data_dir: str | Path | None) -> None:
    """Check that the data can be loaded and suffices for the search; ValueError if there is not enough."""
    dataset = replace(config, examples=None).dataset(data_dir)
    dataset.first(config.examples)
    remaining = dataset.holdout(search.held_out)
    for examples in (search.examples, search.final_examples):
        remaining.first(examples)


def searched(
    run: Run, config: TrainConfig, tried: Mapping[K, Sequence[Any]], search: Search, seeds: int = 1
) -> dict[K, Any]:
    """The best of the rules `tried` for each key: the first with the lowest mean error on the held-out examples, or for
    a text the lowest mean loss.

    `run` measures trainings, as `sweep` does, all of a round in one call; each is done with so many `seeds`.
    """
    best = _round(run, config, tried, search.examples, search.held_out, search.epochs, search.finalists, seeds)
    if search.finalists > 1:
        best = _round(run, config, best, search.final_examples, search.held_out, search.final_epochs, 1, seeds)
    return {key: rules[0] for key, rules in best.items()}


def _round(
    run: Run,
    config: TrainConfig,
    tried: Mapping[K, Sequence[Any]],
    examples: int | None,
    held_out: int,
    epochs: int,
    keep: int,
    seeds: int,
) -> dict[K, list[Any]]:
    """The `keep` best rules for each key, the best first."""
    judge = replace(config, examples=examples, holdout=held_out, epochs=epochs, average_from=None)
    measured = judged(run, judge, tried, range(SEED, SEED + seeds))
    of = quality_of(config.net).of
    errors = {key: [fmean(map(of, rows)) for rows in each] for key, each in measured.items()}
    best = {key: sorted(range(len(each)), key=each.__getitem__)[:keep] for key, each in errors.items()}
    return {key: [rules[place] for place in best[key]] for key, rules in tried.items()}


def judged(
    run: Run, judge: TrainConfig, tried: Mapping[K, Sequence[Any]], seeds: Sequence[int]
) -> dict[K, list[list[Mapping[str, Any]]]]:
    """The measurements of trainings as `judge` says, by every rule `tried` for each key: for each rule a list of those
    with each of the `seeds`. All are measured in one call of `run`."""
    grid = [replace(judge, rule=rule, seed=seed) for rules in tried.values() for rule in rules for seed in seeds]
    rows = iter(run(grid))
    return {key: [[next(rows) for _ in seeds] for _ in rules] for key, rules in tried.items()}


def error_of(rows: Sequence[Mapping[str, Any]]) -> float:
    """The mean test error of trainings that differ in their seeds."""
    return fmean(float(row["test_error"]) for row in rows)


def chosen(rule: Any) -> dict[str, Any]:
    """The settings of `rule` that the search has chosen, as plain values; of a reference the method."""
    values = asdict(rule)
    settings = {name: values[name] for name in (*rates_of(rule), *_ALSO_CHOSEN.get(rule.kind, ()))}
    return {name: value["method"] if name == "reference" else value for name, value in settings.items()}
