"""The weight-programming task of R24 Fig. 4: how close does a rule bring one array to given weights?

A 20 × 20 array learns targets Ŵ ~ N(0, 0.3²) from inputs x ~ N(0, 1) by the loss (1/2m)·Σ(Wx − Ŵx)². The
result is 100·rms(W − Ŵ), over the last tenth of the inputs. Soft-bounds devices with b = 1 and σ_d = σ_c = 0.3,
σ_± = 0.1, σ_b = 0.3 on A and 0 on C; ideal reference; R24's rates with λ = 0.1, ns = 5, BL_max = 5, γ₀ = 200,
η₀ = 1; H set to 0 after a pulse; no noise in the products. The initial W = 0 is our choice.

R24 gives neither the learning rate nor the train length of SGD. We use the trains of TTv2, and for each number of
states the best constant rate of `SGD_RATES` on a separate seed, which is not reported.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from tikitaka import _core, nn, plot
from tikitaka._internal.progress import bar_disabled
from tikitaka._internal.statistics import standard_deviation
from tikitaka._internal.validation import check_int, one_of
from tikitaka.config import AnalogSgd, PulseTrains, Reference, RuleConfig, SoftBounds, Ttv2
from tikitaka.experiments.study import Option, Study
from tikitaka.network import Network

__all__ = [
    "R24_PERCENT",
    "RULES",
    "SGD_RATES",
    "STATES",
    "Scale",
    "programming_error",
    "scales",
    "study",
    "weight_programming",
]

STATES = (10, 20, 40, 100, 200)
"""Numbers of states of R24 Fig. 4."""

R24_PERCENT: dict[str, dict[float, float]] = {
    "sgd": dict(zip(STATES, (38.1, 26.4, 18.6, 12.6, 9.8), strict=True)),
    "ttv2": dict(zip(STATES, (9.8, 4.8, 2.5, 1.2, 0.9), strict=True)),
}
"""100·rms(W − Ŵ) of R24 Fig. 4 by rule and states; for SGD only the order of magnitude is comparable."""

SGD_RATES = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Rates that the search for SGD tries."""

_SIZE = 20
_TARGET = 0.3
_CHECKS = 60  # readings of the error, spread over the last tenth of the inputs
_TUNING_SEED = 1_000_003


@dataclass(frozen=True)
class Scale:
    """The amount of work of the study."""

    inputs: int
    """inputs x of each training, a multiple of 600"""
    seeds: int
    """seeds of each cell"""


scales = {"quick": Scale(inputs=18_000, seeds=3), "full": Scale(inputs=60_000, seeds=3)}
"""Scales by name; `full` is that of R24."""


def _ttv2(states: float) -> Ttv2:
    return Ttv2(
        rates="r24",
        learning_rate=0.1,
        transfer_every=5,
        reads=200.0,
        granularity=1.0,
        after_pulse="zero",
        pulse_trains=PulseTrains(max_length=5),
        device=_device(states, bound_spread=0.3),
        slow_device=_device(states, bound_spread=0.0),
        reference=Reference("ideal"),
    )


def _sgd(states: float, lr: float) -> AnalogSgd:
    return AnalogSgd(lr=lr, pulse_trains=PulseTrains(max_length=5), device=_device(states, bound_spread=0.0))


def _device(states: float, *, bound_spread: float) -> SoftBounds:
    return SoftBounds(
        states=states, bound=1.0, cycle_noise=0.3, step_spread=0.3, asymmetry=0.1, bound_spread=bound_spread
    )


RULES = ("sgd", "ttv2")
"""Rules of the study."""


def programming_error(rule: RuleConfig, *, inputs: int, seed: int) -> float:
    """100·rms(W − Ŵ) of one training by `rule`, the mean of 60 readings over the last tenth of `inputs`."""
    numbers = _core.normals(seed, _SIZE * _SIZE + inputs * _SIZE)
    target = np.float32(_TARGET) * numbers[: _SIZE * _SIZE].reshape(_SIZE, _SIZE)
    x = numbers[_SIZE * _SIZE :].reshape(inputs, _SIZE)
    y = x @ target.T
    network = Network([nn.Linear(_SIZE, _SIZE, bias=False)], rule, loss="mse", seed=seed)
    network.weights = [np.zeros((_SIZE, _SIZE), dtype=np.float32)]
    first = inputs - inputs // 10
    network.train(x[:first], y[:first])
    readings = []
    for part in np.array_split(np.arange(first, inputs), _CHECKS):
        network.train(x[part], y[part])
        readings.append(100 * float(np.sqrt(np.mean((network.weights[0] - target) ** 2, dtype=np.float64))))
    return fmean(readings)


def weight_programming(
    *,
    rules: Sequence[str] = RULES,
    states: Sequence[float] = STATES,
    seeds: int = 3,
    inputs: int = 60_000,
    threads: int = 1,
    progress: Callable[[], object] = lambda: None,
) -> list[dict[str, Any]]:
    """Run the task for every rule and number of states over seeds 0, 1, … and return one row per cell.

    A row holds rule, states, error_percent (mean over seeds of 100·rms(W − Ŵ)), spread (sample standard deviation,
    None for one seed), seeds, lr (the best rate for SGD, None for TTv2) and r24_percent (None if R24 gives no number).
    `progress` is called after each training. Raises ValueError for an unknown rule, no rule or states, fewer than 1
    seed or under 600 inputs.
    """
    for rule in rules:
        one_of("rules", rule, RULES)
    if not rules or not states or seeds < 1 or inputs < 600:
        raise ValueError("rules and states must not be empty, seeds at least 1 and inputs at least 600")
    cells = [(rule, n) for rule in rules for n in states]

    def one(job: tuple[RuleConfig, int]) -> float:
        error = programming_error(job[0], inputs=inputs, seed=job[1])
        progress()
        return error

    with ThreadPoolExecutor(threads) as pool:
        tuning = [_sgd(n, lr) for rule, n in cells if rule == "sgd" for lr in SGD_RATES]
        errors = list(pool.map(one, [(rule, _TUNING_SEED) for rule in tuning]))
        best = {n: _best(errors[i * len(SGD_RATES) :]) for i, n in enumerate(n for r, n in cells if r == "sgd")}
        configs = [_sgd(n, best[n]) if rule == "sgd" else _ttv2(n) for rule, n in cells]
        errors = list(pool.map(one, [(config, seed) for config in configs for seed in range(seeds)]))
    rows = []
    for i, (rule, n) in enumerate(cells):
        of_cell = errors[i * seeds : (i + 1) * seeds]
        rows.append(
            {
                "rule": rule,
                "states": n,
                "error_percent": fmean(of_cell),
                "spread": standard_deviation(of_cell),
                "seeds": seeds,
                "lr": best[n] if rule == "sgd" else None,
                "r24_percent": R24_PERCENT[rule].get(n),
            }
        )
    return rows


def trainings(*, rules: Sequence[str], states: Sequence[float], seeds: int) -> int:
    """The number of trainings that `weight_programming` runs, for a progress bar."""
    return len(states) * (len(rules) * seeds + len(SGD_RATES) * ("sgd" in rules))


def _best(errors: Sequence[float]) -> float:
    return min(zip(errors, SGD_RATES, strict=False))[1]


class WeightProgramming(Study):
    """How close does a rule bring one array to given weights?"""

    name = "weight-programming"
    question = "R24 Fig. 4: 100·rms(W − target) of a 20 × 20 array over states, for SGD and TTv2."
    scales = scales
    options = (
        Option("rules", "names", "Rules, with commas.", RULES),
        Option("states", "numbers", "Numbers of states, with commas.", STATES),
    )
    seeds_help = "Seeds of each cell (default: 3)."
    resumable = False

    def run(
        self,
        *,
        out: str | Path | None = None,
        rules: Sequence[str] = RULES,
        states: Sequence[float] = STATES,
        seeds: int | None = None,
        scale: str = "full",
        threads: int = 1,
        progress: bool = True,
    ) -> dict[str, Any]:
        """Run the study and return its result, with the rows of `weight_programming`; nothing is stored in `out`."""
        size = scales[one_of("scale", scale, scales)]
        count = size.seeds if seeds is None else check_int("seeds", seeds, 1)
        total = trainings(rules=rules, states=states, seeds=count)
        with tqdm(total=total, unit="run", file=sys.stderr, disable=bar_disabled(progress)) as bar:
            rows = weight_programming(
                rules=rules, states=states, seeds=count, inputs=size.inputs, threads=threads, progress=bar.update
            )
        return {"claim": self.name, "scale": scale, "inputs": size.inputs, "rows": rows}

    def table(self, result: Mapping[str, Any]) -> str:
        """A line per rule and number of states."""
        lines = [f"{'rule':<6}{'states':>8}{'error':>9}{'spread':>9}{'R24':>8}{'lr':>8}   error: 100·rms(W − target)"]
        for row in result["rows"]:
            r24 = "–" if row["r24_percent"] is None else f"{row['r24_percent']:.1f}"
            lr = "r24" if row["lr"] is None else f"{row['lr']:g}"
            deviation = "–" if row["spread"] is None else f"{row['spread']:.2f}"
            lines.append(
                f"{row['rule']:<6}{row['states']:>8g}{row['error_percent']:>9.2f}{deviation:>9}{r24:>8}{lr:>8}"
            )
        return "\n".join(lines)

    def plot(self, result: Mapping[str, Any], path: str | Path) -> None:
        """The error of each rule over states, with the numbers of R24."""
        plot.weight_programming(result["rows"], path)


study = WeightProgramming()
