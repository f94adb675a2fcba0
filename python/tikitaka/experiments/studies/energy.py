"""What does it cost to come near float? Energy and time on the chip until a rule is within float + 1 point.

Every rule trains the same network on devices of 20 states with the full periphery; SGD also on the devices that it
needs, 1,200 equal steps without noise, at the rate of float. Other rates are those of the network's recipe, which
follow from devices and signals for rules with a fast array. After each epoch the bill of all that was done so far is
drawn up, at low, usual and high numbers of `tikitaka.Costs`. A rule has arrived at the first epoch within the limit.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from tikitaka import plot
from tikitaka._internal.statistics import plus_minus, standard_deviation
from tikitaka._internal.validation import one_of
from tikitaka.config import ConstantStep, Periphery, RuleConfig, SoftBounds
from tikitaka.costs import Costs
from tikitaka.costs.band import Band, quantity, ranged
from tikitaka.experiments import learning_rates
from tikitaka.experiments.axis import rules_with
from tikitaka.experiments.measure import dataset_of
from tikitaka.experiments.study import DATA_DIR, Option, Study, one_writer
from tikitaka.experiments.sweep import sweep
from tikitaka.nn import nets
from tikitaka.training import Metrics, TrainConfig

__all__ = ["R24_NS", "RULES", "Scale", "billed", "scales", "study"]

RULES = rules_with("device")
"""Rules that the study knows."""

USUAL = ("sgd", "ttv1", "ttv2", "cttv2", "agad", "mp")
"""Rules of the study unless told otherwise."""

IDEAL = "sgd, 1,200 states"
"""SGD on the devices that it needs."""

R24_NS = {"sgd": 30.9, "ttv2": 56.3, "agad": 62.1, "mp": 3024.5}
"""R24 Table 1: nanoseconds of an update of one 512 × 512 array, by rule."""

POINTS = 1.0
"""The limit, in points (percent of the test images) above float."""


@dataclass(frozen=True)
class Scale:
    """The amount of work of the study."""

    examples: int | None
    """training examples (None: all)"""
    epochs: int
    """the most epochs of a training"""
    seeds: int
    """seeds of each rule"""


scales = {"quick": Scale(20_000, 10, 2), "full": Scale(None, 15, 3)}
"""Scales by name."""


def billed(
    config: TrainConfig, *, data_dir: str | Path | None = None, stop: Callable[[], bool] | None = None
) -> dict[str, Any]:
    """Train the network of `config`; for each epoch its test error, and the bill so far.

    Returns test_error (shares), energy_j (low, usual, high) and time_s, a value per epoch each, and samples, those of
    an epoch; a training that diverges ends with an error of 1. Raises the exceptions of loading data and of
    `tikitaka.fit`.
    """
    dataset, costs = dataset_of(config, data_dir), Costs()
    network = config.network(dataset)
    errors: list[float] = []
    energies: list[list[float]] = []
    times: list[float] = []

    def after(metrics: Metrics) -> None:
        bill = costs.of(network)
        errors.append(metrics.test_error)
        energies.append(list(bill.energy_j))
        times.append(bill.time_s.usual)

    try:
        config.fit(network, dataset, threads=1, progress=False, on_epoch=after, stop=stop)
    except ArithmeticError:
        errors.append(1.0)
        energies.append(energies[-1] if energies else [0.0, 0.0, 0.0])
        times.append(times[-1] if times else 0.0)
    return {"test_error": errors, "energy_j": energies, "time_s": times, "samples": len(dataset.train_x)}


class Energy(Study):
    """What does it cost to come near float?"""

    name = "energy"
    question = "Energy and time on the chip until each rule is within float + 1 point."
    scales = scales
    options = (
        Option("net", "name", "Network.", "fcn", tuple(name for name, net in nets.items() if not net.text)),
        DATA_DIR,
        Option("rules", "names", f"Rules among {', '.join(RULES)}, with commas.", USUAL),
    )
    seeds_help = "Seeds of each rule (default: 3, quick: 2)."

    @one_writer
    def run(
        self,
        *,
        out: str | Path,
        net: str = "fcn",
        rules: Sequence[str] = USUAL,
        seeds: int | None = None,
        scale: str = "full",
        data_dir: str | Path | None = None,
        executor: Executor | None = None,
        threads: int | None = None,
        progress: bool = True,
    ) -> dict[str, Any]:
        """Run the study and return its result: plain values, a row for each rule.

        A row has rule, error_percent and spread (of the last epoch), epochs, energy_j (low, usual, high) and time_s
        until the limit, each None where a seed does not reach it, reached (seeds that do), sample_nj and sample_ns (of
        the whole training, per sample), r24_ns and curve, a list of (energy_j, time_s, error_percent), means over seeds
        after each epoch. Trainings are stored in `out` and not repeated. Raises ValueError for unknown names, and the
        exceptions of `sweep` and of loading data.
        """
        size = scales[one_of("scale", scale, scales)]
        one_of("net", net, nets)
        learning_rates.check_names("rules", rules, RULES)
        count = size.seeds if seeds is None else seeds
        if count < 1:
            raise ValueError(f"seeds must be at least 1, not {count}")
        base = TrainConfig(net=net, examples=size.examples, epochs=size.epochs)
        named: dict[str, Any] = {"float": nets[net].rule("float"), **{kind: _rule(net, kind) for kind in rules}}
        if "sgd" in rules:
            named[IDEAL] = replace(named["sgd"], device=ConstantStep(states=1200), lr=named["float"].lr)
        folder = Path(out)
        folder.mkdir(parents=True, exist_ok=True)
        cells = [replace(base, rule=rule, seed=seed) for rule in named.values() for seed in range(count)]
        measure = partial(billed, data_dir=data_dir)
        measured = sweep(
            cells, executor, out=folder / "cells.jsonl", measure=measure, progress=progress, threads=threads
        )
        by_rule = {name: measured[k * count : (k + 1) * count] for k, name in enumerate(named)}
        exact = [100 * row["test_error"][-1] for row in by_rule.pop("float")]
        limit = fmean(exact) + POINTS
        rows = [_row(name, of_rule, limit) for name, of_rule in by_rule.items()]
        spread = standard_deviation(exact)
        float_ = {"error_percent": fmean(exact), "spread": spread, "seeds": count}
        return {"claim": self.name, "net": net, "data": base.data, "scale": scale, "float": float_, "rows": rows}

    def table(self, result: Mapping[str, Any]) -> str:
        """A line per rule."""
        exact = result["float"]
        lines = [
            f"{result['net']} on {result['data']}, scale {result['scale']}; float "
            f"{plus_minus(exact['error_percent'], exact['spread'])} %; until float + {POINTS:g} point",
            f"{'rule':<19}{'test error':>15}{'epochs':>8}{'energy':>31}{'time':>9}{'a sample':>22}{'R24':>12}",
        ]
        for row in result["rows"]:
            error = f"{plus_minus(row['error_percent'], row['spread'])} %"
            reached = row["energy_j"] is not None
            epochs = f"{row['epochs']:.1f}" if reached else "never"
            energy = ranged(Band(*row["energy_j"]), "J") if reached else ""
            time = quantity(row["time_s"], "s") if reached else ""
            each = f"{row['sample_nj']:,.1f} nJ, {row['sample_ns']:,.0f} ns"
            r24 = f"{row['r24_ns']:,.1f} ns" if row["r24_ns"] else ""
            lines.append(f"{row['rule']:<19}{error:>15}{epochs:>8}{energy:>31}{time:>9}{each:>22}{r24:>12}")
        lines.append("R24: an update of one 512 × 512 array (Table 1), without its products")
        return "\n".join(lines)

    def plot(self, result: Mapping[str, Any], path: str | Path) -> None:
        """The error of each rule against the energy and the time that it has taken."""
        plot.energy(result, path)


def _rule(net: str, kind: str) -> RuleConfig:
    """The rule of a recipe on the hardware of the study."""
    rule: Any = nets[net].rule(kind)
    changed: RuleConfig = replace(rule, device=SoftBounds(states=20), periphery=Periphery.full())
    return changed


def _row(name: str, of_rule: Sequence[Mapping[str, Any]], limit: float) -> dict[str, Any]:
    last = [100 * row["test_error"][-1] for row in of_rule]
    arrivals = [next((k for k, e in enumerate(row["test_error"]) if 100 * e <= limit), None) for row in of_rule]
    reached = [(row, k) for row, k in zip(of_rule, arrivals, strict=True) if k is not None]
    everywhere = len(reached) == len(of_rule)
    samples = [row["samples"] * len(row["test_error"]) for row in of_rule]
    epochs = min(len(row["test_error"]) for row in of_rule)

    return {
        "rule": name,
        "error_percent": fmean(last),
        "spread": standard_deviation(last),
        "seeds": len(of_rule),
        "reached": len(reached),
        "epochs": fmean(k + 1 for _, k in reached) if everywhere else None,
        "energy_j": [fmean(row["energy_j"][k][end] for row, k in reached) for end in range(3)] if everywhere else None,
        "time_s": fmean(row["time_s"][k] for row, k in reached) if everywhere else None,
        "sample_nj": 1e9 * fmean(row["energy_j"][-1][1] / n for row, n in zip(of_rule, samples, strict=True)),
        "sample_ns": 1e9 * fmean(row["time_s"][-1] / n for row, n in zip(of_rule, samples, strict=True)),
        "r24_ns": R24_NS.get(name),
        "curve": [
            [
                fmean(row["energy_j"][k][1] for row in of_rule),
                fmean(row["time_s"][k] for row in of_rule),
                fmean(100 * row["test_error"][k] for row in of_rule),
            ]
            for k in range(epochs)
        ],
    }


study = Energy()
