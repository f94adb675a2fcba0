"""The trainings of an assessment: searches for rates, and reported trainings, kept in two files of its folder."""

import warnings
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from tikitaka.experiments.learning_rates import Search, rates_of, searched
from tikitaka.experiments.measure import scored
from tikitaka.experiments.sweep import sweep
from tikitaka.training import TrainConfig

__all__ = ["Trainings", "neighbours"]

K = TypeVar("K", bound=Hashable)
Row = Mapping[str, Any]

_NEIGHBOUR = 3.0
"""Ratio of the rates of neighbours."""


def neighbours(rule: Any) -> list[Any]:
    """`rule`, and it with one of its rates three times as high or a third as high."""
    changed = ({name: factor * getattr(rule, name)} for name in rates_of(rule) for factor in (_NEIGHBOUR, 1 / 3))
    return [rule, *(replace(rule, **change) for change in changed)]


@dataclass(frozen=True)
class Trainings:
    """Runs trainings that are not in the files of `folder` yet."""

    folder: Path
    """folder of search.jsonl and cells.jsonl"""
    executor: Executor | None
    """where they run; None: on threads of this process"""
    threads: int | None
    """number of those threads"""
    data_dir: str | Path | None
    """folder of data sets"""
    progress: bool
    """whether bars are shown"""
    done: list[Row] = field(default_factory=list)
    """measurements of all trainings so far, of this call and of earlier ones"""

    def rows(self, name: str, grid: Iterable[TrainConfig]) -> list[dict[str, Any]]:
        """The measurements of every training of the grid, kept in the file `name`.jsonl."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "unusual setting")  # worse than usual, on purpose
            found = sweep(
                grid,
                self.executor,
                out=self.folder / f"{name}.jsonl",
                measure=partial(scored, data_dir=self.data_dir, patient=True),
                progress=self.progress,
                threads=None if self.executor is not None else self.threads,
            )
        self.done.extend(found)
        return found

    def searched(
        self, base: TrainConfig, tried: Mapping[K, Sequence[Any]], search: Search, seeds: int
    ) -> tuple[dict[K, Any], dict[K, list[Row]]]:
        """The best of the rules `tried` for each key by the mean held-out error over `seeds`, and a row of each in the
        first round."""
        found: list[Row] = []

        def run(grid: Iterable[TrainConfig]) -> list[dict[str, Any]]:
            rows = self.rows("search", grid)
            found.extend(rows[::seeds])
            return rows

        best = searched(run, base, tried, search, seeds)
        rows = iter(found)
        return best, {key: [next(rows) for _ in rules] for key, rules in tried.items()}

    def climbed(
        self, base: TrainConfig, starts: Mapping[K, Any], search: Search, seeds: int, most: int = 3
    ) -> tuple[dict[K, Any], dict[K, list[Row]]]:
        """Rules from whose rates no neighbour is better, found from `starts` in at most so many rounds; as `searched`.

        The grids that a search begins with suit long trainings; a short one may need rates beyond them.
        """
        best, rows = dict(starts), {key: list[Row]() for key in starts}
        moving = list(starts)
        for _ in range(most):
            found, measured = self.searched(base, {key: neighbours(best[key]) for key in moving}, search, seeds)
            for key in moving:
                rows[key] += measured[key]
            moving = [key for key in moving if found[key] != best[key]]
            best |= found
            if not moving:
                break
        return best, rows

    def reported(
        self, base: TrainConfig, rules: Mapping[K, Callable[[int], Any]], seeds: Sequence[int]
    ) -> dict[K, list[dict[str, Any]]]:
        """The rows of a training for each key and seed; a key's function makes the rule for the seed at a place."""
        grid = [replace(base, rule=of(place), seed=seed) for of in rules.values() for place, seed in enumerate(seeds)]
        rows = iter(self.rows("cells", grid))
        return {key: [next(rows) for _ in seeds] for key in rules}
