"""The small search that gives every rule its learning rates: on held-out training images, never on the test set.

A candidate is trained on the first images of the training set and judged on its last ones, by a seed that no result is
reported for. SGD may also choose to be read against the symmetry points of its devices, as A is in the other rules:
without them it hardly ever works on devices as asymmetric as these.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from math import ceil
from typing import Any, TypeVar

from tikitaka.config import Float, Reference, Sgd, Ttv1, Ttv2
from tikitaka.run import TrainConfig

__all__ = ["SEED", "candidates", "chosen", "search", "searched"]

K = TypeVar("K", bound=Hashable)

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


def search(
    config: TrainConfig, rules: Iterable[Any], *, examples: int, held_out: int, epochs: int
) -> list[TrainConfig]:
    """The trainings on the first `examples` that judge `rules`, in the place of that of `config`, on the last ones."""
    return [
        replace(config, rule=rule, examples=examples, holdout=held_out, epochs=epochs, average_from=None, seed=SEED)
        for rule in rules
    ]


def searched(
    run: Callable[[Iterable[TrainConfig]], Sequence[Mapping[str, Any]]],
    config: TrainConfig,
    tried: Mapping[K, Sequence[Any]],
    *,
    examples: int,
    held_out: int,
    epochs: int,
) -> dict[K, Any]:
    """Of the rules `tried` for each key the one with the lowest error on what is held out, of equal ones the first.

    `run` measures trainings, as `sweep` does; all are given to it at once.
    """
    grids = {
        key: search(config, rules, examples=examples, held_out=held_out, epochs=epochs) for key, rules in tried.items()
    }
    rows = iter(run([cell for grid in grids.values() for cell in grid]))
    found = {}
    for key, grid in grids.items():
        errors = [float(next(rows)["test_error"]) for _ in grid]
        found[key] = tried[key][errors.index(min(errors))]
    return found


def chosen(rule: Mapping[str, Any]) -> dict[str, Any]:
    """What the search has chosen of a rule, for the record."""
    names = {"float": ("lr",), "sgd": ("lr",), "ttv1": ("fast_lr", "transfer_lr")}
    kept = {name: rule[name] for name in names.get(rule["kind"], ("fast_lr", "transfer_lr", "max_pulses"))}
    return {**kept, "reference": rule["reference"]["method"]} if rule["kind"] == "sgd" else kept
