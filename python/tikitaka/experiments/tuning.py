"""The search for the learning rates of one training, for those who want more than the rates that are usual.

Rates are tried on a grid of factors. As long as the best lie at its edge, the grid grows there. Short trainings favour
high rates, so the best few are compared again in trainings of full length, with rates between the best and its
neighbours. Trainings are judged on held-out training examples, with seeds for which no result is reported.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from math import inf
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from tikitaka import _core
from tikitaka._internal.validation import check_int, check_kind
from tikitaka.data import Dataset
from tikitaka.experiments.learning_rates import SEED, Run, Search, check_data, error_of, judged, rates_of
from tikitaka.experiments.measure import scored
from tikitaka.experiments.quality import quality_of
from tikitaka.experiments.sweep import sweep
from tikitaka.experiments.tuned import Tried, Tuned
from tikitaka.training import TrainConfig
from tikitaka.training.validation import hold_out

__all__ = ["tune"]

Place = tuple[int, ...]
"""The rates of a candidate: for each the power of √3 by which it differs from the given one."""

Rows = Sequence[Mapping[str, Any]]
"""Measurements of a candidate, one for each seed."""

_STEP = 2
_ONE, _SEVERAL = (-4, -2, 0, 2, 4), (-2, 0, 2)  # of a single rate, and of each of several
_EXTENSIONS = 4  # of a round
_SEEDS = 100


def tune(
    config: TrainConfig,
    *,
    out: str | Path,
    held_out: int | None = None,
    finalists: int = 3,
    seeds: int = 3,
    first_epochs: int | None = None,
    data_dir: str | Path | None = None,
    executor: Executor | None = None,
    threads: int | None = None,
    progress: bool = True,
) -> Tuned:
    """Search the learning rates of the rule of `config` on held-out training examples.

    The rates are the `lr` that others follow, and those set by hand, as `fast_lr` and `transfer_lr`; other settings
    and `layer_rules` stay. The first round tries ninths, thirds, three times and nine times the given rate (of several
    rates each third and each threefold) in `first_epochs` epochs (by default a third of those of `config`), with one
    seed. The second round compares the `finalists` best, and the rates between the best and its neighbours, in
    trainings as `config` says, with so many `seeds`; 1 finalist: no second round. While rates at the edge are the
    best, a round goes on beyond them, at most four times; `Tuned.at_edge` then says where it ended too early.

    Trainings are judged by their error on the last `held_out` training examples (by default a sixth), never on the test
    part, and with other seeds than that of `config`. Those that diverge count as wrong everywhere. Where errors
    are equal, the loss decides, and then which rates are closest to the given ones. For texts the loss judges, and then
    the error.

    Trainings run as the cells of a `sweep`, with its `executor`, `threads` and `progress`, and are kept in the file
    `out`, so the same call continues an interrupted search. `data_dir` is the folder of data sets.

    Raises ValueError and TypeError for arguments that are not allowed, a `config` with a holdout and a rule without
    rates above 0, ArithmeticError if every training diverges, and the exceptions of `sweep` and of loading data.

    >>> import tikitaka as tt
    >>> config = tt.TrainConfig(data="digits", epochs=6, rule=tt.DigitalSgd(lr=0.1))
    >>> tuned = tt.tune(config, out="tuned.jsonl", first_epochs=4, seeds=1, progress=False)
    >>> tuned.rates, tuned.at_edge
    ({'lr': 0.9}, ())
    >>> tuned.config == tt.TrainConfig(data="digits", epochs=6, rule=tt.DigitalSgd(lr=0.9))
    True
    """
    check_kind("config", config, TrainConfig)
    finalists, seeds = check_int("finalists", finalists, 1), check_int("seeds", seeds, 1, _SEEDS)
    first = -(-config.epochs // 3) if first_epochs is None else first_epochs
    first = check_int("first_epochs", first, 1, config.epochs)
    if config.holdout is not None:
        raise ValueError(f"holdout must be None in config, as held_out is what judges here, not {config.holdout:,}")
    names = tuple(name for name in rates_of(config.rule) if getattr(config.rule, name) > 0)
    if not names:
        raise ValueError(
            f"rule must have a learning rate above 0, from which the search starts, not {config.rule}: "
            f"all of {', '.join(rates_of(config.rule))} are 0"
        )
    whole = replace(config, examples=None).dataset(data_dir)
    held_out = max(1, len(whole.train_y) // 6) if held_out is None else check_int("held_out", held_out, 1)
    check_data(config, Search(1, held_out, first, final_examples=config.examples), data_dir)
    judge = replace(config, holdout=held_out, average_from=None)

    def run(grid: Iterable[TrainConfig]) -> Sequence[Mapping[str, Any]]:
        measure = partial(scored, data_dir=data_dir, patient=True)
        return sweep(grid, executor, out=out, measure=measure, progress=progress, threads=threads)

    start = SEED + seeds if config.seed in range(SEED, SEED + seeds) else SEED
    by_loss = quality_of(config.net).name == "loss"
    rounds = [_Round(run, _shortened(judge, first), names, range(start, start + 1), by_loss, step=_STEP)]
    rounds[0].climb(product(_ONE if len(names) == 1 else _SEVERAL, repeat=len(names)))
    if finalists > 1:
        ranked = rounds[0].ranked()
        rounds.append(_Round(run, judge, names, range(start, start + seeds), by_loss, step=1))
        between = (_moved(ranked[0], k, by) for k in range(len(names)) for by in (1, -1))
        rounds[1].climb([*ranked[:finalists], *between])
    last = rounds[-1]
    best = last.ranked()[0]
    if all(row.get("diverged") for row in last.found[best]):
        rates = ", ".join(f"{name} = {getattr(config.rule, name):g}" for name in names)
        raise ArithmeticError(f"every training diverged, with rates around {rates}; start from much lower ones")
    dataset = judge.dataset(data_dir)
    samples = _samples(dataset, config.validation)
    return Tuned(
        config=replace(config, rule=last.rule(best)),
        rates=last.rates(best),
        tried=tuple(each for number, of in enumerate(rounds, 1) for each in of.tried(number, samples)),
        held_out=held_out,
        epochs=tuple(of.judge.epochs for of in rounds),
        judge="loss" if by_loss else "error",
        guessing=_guessing(dataset, by_loss),
        at_edge=last.at_edge(best),
    )


@dataclass
class _Round:
    """Candidates that are compared in trainings of the same length."""

    run: Run
    """measures trainings"""
    judge: TrainConfig
    """their settings, with the given rates"""
    names: Sequence[str]
    """the rates that are searched"""
    seeds: Sequence[int]
    """seeds of each candidate"""
    by_loss: bool
    """whether the loss judges before the error"""
    step: int
    """distance of neighbours, in powers of √3"""
    found: dict[Place, Rows] = field(default_factory=dict)
    """measurements of each candidate so far"""

    def climb(self, places: Iterable[Place]) -> None:
        """Measure the candidates at `places`, and the neighbours of the best until there is none that was not tried."""
        self._measure(places)
        for _ in range(_EXTENSIONS):
            if beyond := self._beyond(self.ranked()[0]):
                self._measure(beyond)

    def _measure(self, places: Iterable[Place]) -> None:
        new = [place for place in dict.fromkeys(places) if place not in self.found and self._allowed(place)]
        rows = judged(self.run, self.judge, {"": [self.rule(place) for place in new]}, self.seeds)[""]
        self.found.update(zip(new, rows, strict=True))

    def ranked(self) -> list[Place]:
        """All candidates, the best first; of equals, the closest to the given rates."""

        def merit(place: Place) -> tuple[Any, ...]:
            rows = self.found[place]
            loss = fmean(inf if row.get("test_loss") is None else row["test_loss"] for row in rows)
            judges = (loss, error_of(rows)) if self.by_loss else (error_of(rows), loss)
            return *judges, sum(map(abs, place)), place

        return sorted(self.found, key=merit)

    def at_edge(self, best: Place) -> tuple[str, ...]:
        """The rates in which a neighbour of the best was not tried."""
        beyond = self._beyond(best)
        return tuple(name for k, name in enumerate(self.names) if any(place[k] != best[k] for place in beyond))

    def _beyond(self, best: Place) -> list[Place]:
        """The neighbours of the best that were not tried; beyond everything that was tried, a whole step away."""
        places = []
        for k, power in enumerate(best):
            tried = [place[k] for place in self.found]
            for sign, end in ((1, max(tried)), (-1, min(tried))):
                whole = _moved(best, k, sign * _STEP)
                far = power == end and self._allowed(whole)
                places.append(whole if far else _moved(best, k, sign * self.step))
        return [place for place in places if place not in self.found and self._allowed(place)]

    def _allowed(self, place: Place) -> bool:
        limits = _core.bounds(self.judge.rule.kind)
        return all(limits[name][0] <= rate <= limits[name][1] for name, rate in self.rates(place).items())

    def rates(self, place: Place) -> dict[str, float]:
        """The rates of a candidate, with three digits."""
        given = {name: getattr(self.judge.rule, name) for name in self.names}
        return {
            name: float(f"{rate * 3 ** (power / 2):.3g}") if power else rate
            for (name, rate), power in zip(given.items(), place, strict=True)
        }

    def rule(self, place: Place) -> Any:
        """The rule of a candidate."""
        rule: Any = self.judge.rule
        return replace(rule, **self.rates(place))

    def tried(self, number: int, samples: int) -> Iterator[Tried]:
        """Every candidate of round `number`, by its rates, with trainings of so many samples per epoch."""
        for place in sorted(self.found):
            rows = self.found[place]
            diverged = sum(bool(row.get("diverged")) for row in rows)
            pulses = None if diverged else fmean(row["pulses"] / (samples * row["epochs"]) for row in rows)
            yield Tried(
                round=number,
                rates=self.rates(place),
                errors=tuple(float(row["test_error"]) for row in rows),
                losses=tuple(row.get("test_loss") for row in rows),
                diverged=diverged,
                pulses_per_sample=pulses,
            )


def _moved(place: Place, rate: int, by: int) -> Place:
    return (*place[:rate], place[rate] + by, *place[rate + 1 :])


def _shortened(config: TrainConfig, epochs: int) -> TrainConfig:
    """`config` with fewer epochs; of factors for each epoch, some at equal distances remain."""
    schedule = config.schedule
    if isinstance(schedule, tuple):
        schedule = tuple(schedule[(2 * epoch + 1) * len(schedule) // (2 * epochs)] for epoch in range(epochs))
    return replace(config, epochs=epochs, schedule=schedule)


def _guessing(dataset: Dataset, by_loss: bool) -> float:
    """What a guess from the frequencies of classes is judged to be."""
    shares = np.bincount(dataset.test_y.reshape(-1)) / dataset.test_y.size
    if not by_loss:
        return float(1 - shares.max())
    return float(-np.sum(shares[shares > 0] * np.log(shares[shares > 0])))


def _samples(dataset: Dataset, validation: float | None) -> int:
    """Training samples per epoch."""
    dataset, _ = hold_out(dataset, validation)
    return len(dataset.train_y) * dataset.time_steps
