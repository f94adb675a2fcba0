"""The small search that gives every rule its learning rates: on held-out training images, never on the test set.

A candidate is trained on the first images of the training set and judged on its last ones, by a seed that no result is
reported for. Short trainings favour high rates, so that the best may have to prove themselves in a longer round. SGD
may also choose to be read against the symmetry points of its devices, as A is in the other rules.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import ceil
from typing import Any, TypeVar

from tikitaka.config import Float, Reference, Sgd, Ttv1, Ttv2
from tikitaka.run import TrainConfig

__all__ = ["SEED", "Search", "candidates", "chosen", "searched"]

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Search:
    """How much work the search is."""

    examples: int
    """training examples of the first round"""
    held_out: int
    """the last training examples, which rates are judged on"""
    epochs: int
    """epochs of the first round"""
    finalists: int = 1
    """candidates that meet in a second round (1: there is none)"""
    final_examples: int | None = None
    """its training examples (None: all that are not held out)"""
    final_epochs: int = 1
    """its epochs"""


SEED = 1_000_003
"""Seed of the search."""


def candidates(kind: str, states: float) -> list[Any]:
    """The rules of a kind that are tried on devices of so many states.

    TTv2's transfer rate grows with the states, and with it the pulses that one crossing may send: the step of C that a
    gradient leads to is then the same for all.
    """
    if kind == "float":
        return [Float(lr=lr) for lr in (0.02, 0.05, 0.1, 0.2)]
    if kind == "sgd":
        references = (Reference(), Reference("ideal"))
        return [Sgd(lr=lr, reference=r) for lr, r in product((0.003, 0.01, 0.03, 0.1), references)]
    if kind == "ttv1":
        return [Ttv1(fast_lr=a, transfer_lr=c) for a, c in product((0.1, 0.5), (0.03, 0.1, 0.3, 1.0))]
    if kind == "ttv2":
        more, pulses = max(1.0, states / 20), max(1, ceil(states / 20))
        rates = product((0.2, 0.8), (0.3, 1.0, 3.0, 10.0))
        return [Ttv2(fast_lr=a, transfer_lr=c * more, max_pulses=pulses) for a, c in rates]
    raise ValueError(f"rule must be one of float, sgd, ttv1, ttv2, not {kind!r}")


def searched(
    run: Callable[[Iterable[TrainConfig]], Sequence[Mapping[str, Any]]],
    config: TrainConfig,
    tried: Mapping[K, Sequence[Any]],
    search: Search,
) -> dict[K, Any]:
    """Of the rules `tried` for each key the one with the lowest error on what is held out, of equal ones the first.

    `run` measures trainings, as `sweep` does; all of a round are given to it at once.
    """
    left = _round(run, config, tried, search.examples, search.held_out, search.epochs, search.finalists)
    if search.finalists > 1:
        left = _round(run, config, left, search.final_examples, search.held_out, search.final_epochs, 1)
    return {key: rules[0] for key, rules in left.items()}


def _round(
    run: Callable[[Iterable[TrainConfig]], Sequence[Mapping[str, Any]]],
    config: TrainConfig,
    tried: Mapping[K, Sequence[Any]],
    examples: int | None,
    held_out: int,
    epochs: int,
    keep: int,
) -> dict[K, list[Any]]:
    """The `keep` best rules for each key, the best first."""
    judge = replace(config, examples=examples, holdout=held_out, epochs=epochs, average_from=None, seed=SEED)
    rows = iter(run([replace(judge, rule=rule) for rules in tried.values() for rule in rules]))
    errors = {key: [float(next(rows)["test_error"]) for _ in rules] for key, rules in tried.items()}
    best = {key: sorted(range(len(each)), key=each.__getitem__)[:keep] for key, each in errors.items()}
    return {key: [rules[place] for place in best[key]] for key, rules in tried.items()}


def chosen(rule: Mapping[str, Any]) -> dict[str, Any]:
    """What the search has chosen of a rule, for the record."""
    names = {"float": ("lr",), "sgd": ("lr",), "ttv1": ("fast_lr", "transfer_lr")}
    kept = {name: rule[name] for name in names.get(rule["kind"], ("fast_lr", "transfer_lr", "max_pulses"))}
    return {**kept, "reference": rule["reference"]["method"]} if rule["kind"] == "sgd" else kept
