"""The answer of a search for learning rates: the best settings, and everything that was tried."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import inf, isfinite
from statistics import fmean
from typing import Any

from tikitaka._internal.shown import listed
from tikitaka._internal.statistics import plus_minus, standard_deviation
from tikitaka.training import TrainConfig

__all__ = ["Tried", "Tuned"]

_LEARNT = 0.8  # of the error of guessing


@dataclass(frozen=True)
class Tried:
    """Rates that were tried in one round, and how trainings with them did."""

    round: int
    """1: the broad round; 2: the finer and longer round"""
    rates: Mapping[str, float]
    """the learning rates, by field of the rule"""
    errors: tuple[float, ...]
    """the error on the held-out examples after the last epoch for each seed, from 0 to 1; 1 if it diverged"""
    losses: tuple[float | None, ...]
    """the loss on them, in nats per example or character; None if it diverged"""
    diverged: int
    """how many of these trainings diverged, or drove all devices of an array to their bounds"""
    pulses_per_sample: float | None
    """pulses sent to all devices per training sample; None if a training diverged"""

    @property
    def error(self) -> float:
        """The mean error over seeds, from 0 to 1."""
        return fmean(self.errors)

    @property
    def loss(self) -> float:
        """The mean loss over seeds, in nats per example or character; infinite if a training diverged."""
        return fmean(inf if loss is None else loss for loss in self.losses)

    def measure(self, judge: str) -> float:
        """`error` or `loss`, whichever the `judge` is."""
        return self.loss if judge == "loss" else self.error


@dataclass(frozen=True, repr=False)
class Tuned:
    """The best learning rates of a search; `print` shows a table of everything that was tried."""

    config: TrainConfig
    """the given config, with the best rates"""
    rates: Mapping[str, float]
    """these rates, by field of the rule"""
    tried: tuple[Tried, ...]
    """everything that was tried, by round and then by rates"""
    held_out: int
    """the last training examples, which judged"""
    epochs: tuple[int, ...]
    """epochs of a training, for each round"""
    judge: str
    """what trainings are compared by: "error", or "loss" for texts"""
    guessing: float
    """the same of a guess: the error of the most frequent class of the held-out examples, from 0 to 1, or the loss of
    the frequencies of their characters, in nats"""
    at_edge: tuple[str, ...]
    """rates that were best at the end of what was tried, even after the grid had been extended as far as it may be"""

    @property
    def best(self) -> Tried:
        """What the best rates did in the last round."""
        return next(each for each in reversed(self.tried) if each.rates == self.rates)

    def to_dict(self) -> dict[str, Any]:
        """Everything as nested plain values."""
        return {
            "config": self.config.to_dict(),
            "rates": dict(self.rates),
            "error": self.best.error,
            "loss": _finite(self.best.loss),
            "judge": self.judge,
            "held_out": self.held_out,
            "epochs": list(self.epochs),
            "guessing": self.guessing,
            "at_edge": list(self.at_edge),
            "tried": [_plain(each) for each in self.tried],
        }

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        for number, epochs in enumerate(self.epochs, 1):
            rows = [each for each in self.tried if each.round == number]
            seeds = len(rows[0].errors)
            yield (
                f"round {number}: {_counted(epochs, 'epoch')}, {_counted(seeds, 'seed')}, "
                f"judged on {_counted(self.held_out, 'held-out example')}"
            )
            yield from _table(rows, self.best, self.judge)
            if min(each.measure(self.judge) for each in rows) > _LEARNT * self.guessing:
                guessing = f"{self.guessing:.2f} nats" if self.judge == "loss" else f"{100 * self.guessing:.0f} %"
                yield f"nothing learns much more than to guess ({guessing}): more epochs in this round would say more"
            yield ""
        yield f"best: {_named(self.rates)}"
        if self.at_edge:
            yield (
                f"at the end of what was tried: {listed(self.at_edge)}; rates beyond may be better, so search again "
                "from the best"
            )


def _plain(each: Tried) -> dict[str, Any]:
    lists = {"errors": list(each.errors), "losses": list(each.losses)}
    return {**asdict(each), **lists, "error": each.error, "loss": _finite(each.loss)}


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None


def _table(rows: Sequence[Tried], best: Tried, judge: str) -> Iterator[str]:
    """A line for each of the `rows`, in columns, with a mark at the best."""
    names = list(rows[0].rates)
    cells = [[*names, f"held-out {judge}", "pulses per sample"]]
    cells += [[*(f"{rate:.3g}" for rate in each.rates.values()), *_measured(each, judge)] for each in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line, row in zip(cells, [None, *rows], strict=True):
        mark = "*" if row is best else " "
        yield f"{mark} {'  '.join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))}"


def _measured(each: Tried, judge: str) -> tuple[str, str]:
    if each.diverged == len(each.errors):
        return "diverged", "–"
    some = f" ({each.diverged} diverged)" if each.diverged else ""
    pulses = "–" if each.pulses_per_sample is None else f"{each.pulses_per_sample:,.1f}"
    if judge == "loss":
        values, unit = [loss for loss in each.losses if loss is not None], "nats"
    else:
        values, unit = [100 * error for error in each.errors], "%"
    return f"{plus_minus(fmean(values), standard_deviation(values))} {unit}{some}", pulses


def _named(rates: Mapping[str, float]) -> str:
    return ", ".join(f"{name} = {rate:.6g}" for name, rate in rates.items())


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
