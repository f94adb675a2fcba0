"""Following rules along an axis of the hardware, from its easy end to where they fail.

At every value a rule gets its rates by `learning_rates.searched` and is trained with one seed. Once it has left the
widest limit at two values in a row, it is not followed further. The other seeds are trained where they decide: beside
the value at which a rule leaves a limit, and further on where they leave it elsewhere.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import fmean
from typing import Any

from tikitaka._internal.statistics import standard_deviation
from tikitaka.experiments import learning_rates
from tikitaka.experiments.axis import Panel
from tikitaka.experiments.quality import Quality
from tikitaka.experiments.tolerance import missing
from tikitaka.training import TrainConfig

__all__ = ["Followed", "Key", "named"]

Key = tuple[str, Panel, float]
"""A rule, a panel and a value of the axis."""


@dataclass
class Followed:
    """The trainings of rules along an axis, each with the rates that suit it best."""

    run: Callable[[str, Iterable[TrainConfig]], list[dict[str, Any]]]
    """measures the trainings of a grid, and keeps them in the file of this name"""
    base: TrainConfig
    """the training, but for its rule and its seed"""
    search: learning_rates.Search
    """the search for rates"""
    tried: Callable[[Key], list[Any]]
    """the candidate rules of a key"""
    quality: Quality
    """what is measured"""
    values: Sequence[float]
    """the values of the axis, from easy to hard"""
    best: dict[Key, Any] = field(default_factory=dict)
    """the rule with the best rates, by key"""
    rows: dict[Key, dict[int, dict[str, Any]]] = field(default_factory=dict)
    """the measurements, by key and seed"""

    def follow(self, lines: Sequence[tuple[str, Panel]], limit: float) -> None:
        """Train each rule in each panel with the first seed, until it exceeds `limit` at two values in a row."""
        followed = list(lines)
        for value in self.values:
            self.train([((*line, value), 0) for line in followed])
            followed = [line for line in followed if not all(e > limit for e in self._last(line))]
            if not followed:
                return

    def decide(self, lines: Sequence[tuple[str, Panel]], limits: Sequence[float], seeds: int) -> None:
        """Train the other seeds where they decide where a rule leaves one of the `limits`."""
        while wanted := {
            ((*line, value), seed)
            for line in lines
            for limit in limits
            for seed, needed in enumerate(missing(self.by_seed(line, seeds), self.values, limit))
            for value in needed
        }:
            order = {line: k for k, line in enumerate(lines)}
            self.train(sorted(wanted, key=lambda each: (each[1], order[each[0][:2]], self.values.index(each[0][2]))))

    def train(self, cells: Sequence[tuple[Key, int]]) -> None:
        """Train every key with its seed, after a search for the rates of those that have none."""
        new = [key for key in dict.fromkeys(key for key, _ in cells) if key not in self.best]
        if new:
            tried = {key: self.tried(key) for key in new}
            self.best |= learning_rates.searched(partial(self.run, "search"), self.base, tried, self.search)
        measured = self.run("cells", [replace(self.base, rule=self.best[key], seed=seed) for key, seed in cells])
        for (key, seed), row in zip(cells, measured, strict=True):
            self.rows.setdefault(key, {})[seed] = row

    def by_seed(self, line: tuple[str, Panel], seeds: int) -> list[dict[float, float]]:
        """The errors of a rule in a panel, by value for each seed."""
        known = {value: self.rows.get((*line, value), {}) for value in self.values}
        return [
            {value: self.quality.of(rows[seed]) for value, rows in known.items() if seed in rows}
            for seed in range(seeds)
        ]

    def keys(self, lines: Sequence[tuple[str, Panel]]) -> list[Key]:
        """The keys of `lines` that were trained, in order."""
        return [(*line, value) for line in lines for value in self.values if (*line, value) in self.rows]

    def row(self, key: Key) -> dict[str, Any]:
        """A row of the result: the mean over the seeds of a key, their spread, and how many were given up."""
        by_seed = self.rows[key]
        each = [self.quality.of(by_seed[seed]) for seed in sorted(by_seed)]
        averages = [row["average_error"] for row in by_seed.values() if row.get("average_error") is not None]
        kind, panel, value = key
        return {
            **named(panel),
            "rule": kind,
            "value": value,
            self.quality.key: fmean(each),
            "spread": standard_deviation(each),
            "seeds": len(each),
            "each": each,
            "average_error_percent": 100 * fmean(averages) if averages else None,
            "given_up": sum(bool(row.get("given_up") or row.get("diverged")) for row in by_seed.values()),
        }

    def _last(self, line: tuple[str, Panel]) -> list[float]:
        """The errors of the first seed at the last two values, with 0 before the first value."""
        return [0.0, *self.by_seed(line, 1)[0].values()][-2:]


def named(panel: Panel) -> Mapping[str, Any]:
    """The name of the panel as an entry of a row; nothing for a panel without one."""
    return {} if panel.name is None else {"panel": panel.name}
