"""The weight-programming task of R24 Fig. 4: how close does a rule bring one array to given weights?

A 20 × 20 array learns targets Ŵ ~ N(0, 0.3²) from inputs x ~ N(0, 1) by the loss (1/2m)·Σ(Wx − Ŵx)². The
result is 100·rms(W − Ŵ), over the last tenth of the inputs. Soft-bounds devices with b = 1 and σ_d = σ_c = 0.3,
σ_± = 0.1, σ_b = 0.3 on A and 0 on C; a reference with a given error; R24's rates with λ = 0.1, ns = 5, BL_max = 5,
γ₀ = 200, η₀ = 1; H set to 0 after a pulse; no noise in the products. The initial W = 0 is our choice.

For c-TTv2 and AGAD we take λ = 0.01 and flips at every tenth read. With the λ = 0.1 that R24 prints, AGAD's errors, and
those of c-TTv2 at σ_R = 0.5, are 1.5 times and more those of its figure. R24 gives neither the learning rate nor the
train length of SGD. We use the trains of TTv2, and for each number of states the best constant rate of `SGD_RATES` on a
separate seed, which is not reported; the same for mixed precision.
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
from tikitaka.config import Agad, AnalogSgd, Cttv2, MixedPrecision, PulseTrains, Reference, RuleConfig, SoftBounds, Ttv2
from tikitaka.experiments.study import Option, Study
from tikitaka.network import Network

__all__ = [
    "RULES",
    "SGD_RATES",
    "STATES",
    "Scale",
    "programming_error",
    "r24_percent",
    "scales",
    "study",
    "weight_programming",
]

STATES = (10, 20, 40, 100, 200)
"""Numbers of states of R24 Fig. 4."""

_ERRORS = (0.0, 0.05, 0.1, 0.25, 0.5, 1.0)
_R24_PERCENT: dict[str, dict[float, tuple[float, ...]]] = {  # by rule and states, at each of these errors
    "sgd": {
        10: (38.1, 38.3, 38.6, 41.3, 50.7, 87.0),
        20: (26.4, 26.6, 27.0, 30.1, 42.0, 82.7),
        40: (18.6,),
        100: (12.6, 12.8, 13.4, 17.9, 34.0, 81.1),
        200: (9.8, 10.1, 10.7, 15.7, 33.5, 82.9),
    },
    "ttv2": {
        10: (9.8, 10.7, 13.3, 32.9, 76.0, 90.5),
        20: (4.8, 6.0, 9.0, 30.7, 77.7, 91.8),
        40: (2.5,),
        100: (1.2, 3.3, 7.8, 40.8, 81.8, 94.2),
        200: (0.9, 3.1, 7.7, 43.8, 82.2, 94.5),
    },
    "cttv2": {
        10: (8.8, 8.9, 8.9, 8.8, 8.9, 8.8),
        20: (4.2, 4.3, 4.2, 4.2, 4.1, 4.2),
        100: (1.1, 1.1, 1.1, 1.3, 3.0, 8.4),
        200: (0.8, 0.8, 0.9, 2.1, 6.6, 14.4),
    },
    "agad": {
        10: (9.4, 9.5, 9.3, 9.6, 9.3, 9.4),
        20: (4.6, 4.5, 4.5, 4.5, 4.5, 4.5),
        100: (1.2, 1.2, 1.2, 1.2, 1.2, 1.2),
        200: (0.9, 0.9, 0.9, 0.9, 0.9, 0.9),
    },
}


def r24_percent(rule: str, states: float, reference_error: float = 0.0) -> float | None:
    """100·rms(W − Ŵ) of R24 Fig. 4, None if it has none; for SGD only the order of magnitude is comparable."""
    row = _R24_PERCENT.get(rule, {}).get(states, ())
    return dict(zip(_ERRORS, row, strict=False)).get(reference_error)


SGD_RATES = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Rates that the searches for SGD and mixed precision try."""

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


def _filtered(rule: str, states: float, reference_error: float) -> RuleConfig:
    """TTv2, c-TTv2 or AGAD at R24's rates."""
    settings: dict[str, Any] = {
        "rates": "r24",
        "learning_rate": 0.1 if rule == "ttv2" else 0.01,
        "transfer_every": 5,
        "reads": 200.0,
        "granularity": 1.0,
        "after_pulse": "zero",
        "pulse_trains": PulseTrains(max_length=5),
        "device": _device(states, bound_spread=0.3),
        "slow_device": _device(states, bound_spread=0.0),
        "reference": Reference("ideal", spread=reference_error),
    }
    if rule == "ttv2":
        return Ttv2(**settings)
    if rule == "cttv2":
        return Cttv2(**settings, flip_rate=0.1)
    return Agad(**settings, flip_rate=0.1, reference_rate=0.5)


def _at_rate(rule: str, states: float, reference_error: float, lr: float) -> RuleConfig:
    """SGD or mixed precision, whose array is read relative to a reference only where that has an error, as in R24."""
    device = _device(states, bound_spread=0.0)
    reference = Reference("ideal", spread=reference_error) if reference_error else Reference()
    if rule == "mp":
        return MixedPrecision(lr=lr, device=device, reference=reference)
    return AnalogSgd(lr=lr, pulse_trains=PulseTrains(max_length=5), device=device, reference=reference)


def _device(states: float, *, bound_spread: float) -> SoftBounds:
    return SoftBounds(
        states=states, bound=1.0, cycle_noise=0.3, step_spread=0.3, asymmetry=0.1, bound_spread=bound_spread
    )


RULES = ("sgd", "ttv2", "cttv2", "agad", "mp")
"""Rules that the study knows."""

USUAL = ("sgd", "ttv2")
"""Rules of the study unless told otherwise."""

_SEARCHED = ("sgd", "mp")


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
    rules: Sequence[str] = USUAL,
    states: Sequence[float] = STATES,
    reference_errors: Sequence[float] = (0.0,),
    seeds: int = 3,
    inputs: int = 60_000,
    threads: int = 1,
    progress: Callable[[], object] = lambda: None,
) -> list[dict[str, Any]]:
    """Run the task for every rule, number of states and error of the reference over seeds 0, 1, …: one row per cell.

    A row holds rule, states, reference_error (σ_R, in units of weight), error_percent (mean over seeds of
    100·rms(W − Ŵ)), spread (sample standard deviation, None for one seed), seeds, lr (the best rate for SGD and mixed
    precision, None for other rules) and r24_percent (None if R24 gives no number). `progress` is called after each
    training. Raises ValueError for an unknown rule, no rule, states or errors, fewer than 1 seed or under 600 inputs.
    """
    for rule in rules:
        one_of("rules", rule, RULES)
    if not rules or not states or not reference_errors or seeds < 1 or inputs < 600:
        raise ValueError(
            "rules, states and reference_errors must not be empty, seeds at least 1 and inputs at least 600"
        )
    cells = [(rule, n, error) for rule in rules for error in reference_errors for n in states]

    def one(job: tuple[RuleConfig, int]) -> float:
        error = programming_error(job[0], inputs=inputs, seed=job[1])
        progress()
        return error

    searched = [cell for cell in cells if cell[0] in _SEARCHED]
    with ThreadPoolExecutor(threads) as pool:
        tuning = [_at_rate(*cell, lr) for cell in searched for lr in SGD_RATES]
        errors = list(pool.map(one, [(config, _TUNING_SEED) for config in tuning]))
        best = {cell: _best(errors[i * len(SGD_RATES) :]) for i, cell in enumerate(searched)}
        configs = [_at_rate(*cell, best[cell]) if cell in best else _filtered(*cell) for cell in cells]
        errors = list(pool.map(one, [(config, seed) for config in configs for seed in range(seeds)]))
    rows = []
    for i, cell in enumerate(cells):
        of_cell = errors[i * seeds : (i + 1) * seeds]
        rule, n, reference_error = cell
        rows.append(
            {
                "rule": rule,
                "states": n,
                "reference_error": reference_error,
                "error_percent": fmean(of_cell),
                "spread": standard_deviation(of_cell),
                "seeds": seeds,
                "lr": best.get(cell),
                "r24_percent": r24_percent(*cell),
            }
        )
    return rows


def trainings(
    *, rules: Sequence[str], states: Sequence[float], seeds: int, reference_errors: Sequence[float] = (0.0,)
) -> int:
    """The number of trainings that `weight_programming` runs, for a progress bar."""
    searches = len(SGD_RATES) * sum(rule in _SEARCHED for rule in rules)
    return len(states) * len(reference_errors) * (len(rules) * seeds + searches)


def _best(errors: Sequence[float]) -> float:
    return min(zip(errors, SGD_RATES, strict=False))[1]


class WeightProgramming(Study):
    """How close does a rule bring one array to given weights?"""

    name = "weight-programming"
    question = "R24 Fig. 4: 100·rms(W − target) of a 20 × 20 array over states and errors of the reference."
    scales = scales
    options = (
        Option("rules", "names", f"Rules among {', '.join(RULES)}, with commas.", USUAL),
        Option("states", "numbers", "Numbers of states, with commas.", STATES),
        Option("reference_errors", "numbers", "Errors σ_R of A's reference (weight units), with commas.", (0.0,)),
    )
    seeds_help = "Seeds of each cell (default: 3)."
    resumable = False

    def run(
        self,
        *,
        out: str | Path | None = None,
        rules: Sequence[str] = USUAL,
        states: Sequence[float] = STATES,
        reference_errors: Sequence[float] = (0.0,),
        seeds: int | None = None,
        scale: str = "full",
        threads: int = 1,
        progress: bool = True,
    ) -> dict[str, Any]:
        """Run the study and return its result, with the rows of `weight_programming`; nothing is stored in `out`."""
        size = scales[one_of("scale", scale, scales)]
        count = size.seeds if seeds is None else check_int("seeds", seeds, 1)
        cells: dict[str, Any] = {"rules": rules, "states": states, "reference_errors": reference_errors, "seeds": count}
        total = trainings(**cells)
        with tqdm(total=total, unit="run", file=sys.stderr, disable=bar_disabled(progress)) as bar:
            rows = weight_programming(**cells, inputs=size.inputs, threads=threads, progress=bar.update)
        return {"claim": self.name, "scale": scale, "inputs": size.inputs, "rows": rows}

    def table(self, result: Mapping[str, Any]) -> str:
        """A line per rule, error of the reference and number of states."""
        head = f"{'rule':<6}{'states':>8}{'σ_R':>7}{'error':>9}{'spread':>9}{'R24':>8}{'lr':>8}"
        lines = [f"{head}   error: 100·rms(W − target)"]
        for row in result["rows"]:
            r24 = "–" if row["r24_percent"] is None else f"{row['r24_percent']:.1f}"
            lr = "r24" if row["lr"] is None else f"{row['lr']:g}"
            deviation = "–" if row["spread"] is None else f"{row['spread']:.2f}"
            lines.append(
                f"{row['rule']:<6}{row['states']:>8g}{row['reference_error']:>7g}{row['error_percent']:>9.2f}"
                f"{deviation:>9}{r24:>8}{lr:>8}"
            )
        return "\n".join(lines)

    def plot(self, result: Mapping[str, Any], path: str | Path) -> None:
        """The error of each rule over states, with the numbers of R24."""
        plot.weight_programming(result["rows"], path)


study = WeightProgramming()
