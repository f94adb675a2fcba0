"""`tikitaka demo`: rules side by side on the bundled digits, by default four."""

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import fmean
from typing import Any

import click
from tqdm import tqdm

from tikitaka._internal.statistics import plus_minus, standard_deviation
from tikitaka.cli.output import common_options, print_json
from tikitaka.config import Agad, AnalogSgd, Cttv2, DigitalSgd, MixedPrecision, RuleConfig, SoftBounds, Ttv1, Ttv2
from tikitaka.data import Dataset
from tikitaka.data.sets import bundled
from tikitaka.model import Model, extract
from tikitaka.network import Network
from tikitaka.nn import fcn
from tikitaka.training import Metrics, fit

__all__ = ["demo"]

EPOCHS = 40

# Rates of float and SGD are the best of a small grid on a held-out fifth of the training images; others set themselves.
DEVICE = SoftBounds(states=20)
RULES: dict[str, RuleConfig] = {
    "float": DigitalSgd(lr=0.2),
    "sgd": AnalogSgd(lr=0.1, device=DEVICE),
    "ttv1": Ttv1(device=DEVICE),
    "ttv2": Ttv2(device=DEVICE),
    "cttv2": Cttv2(device=DEVICE),
    "agad": Agad(device=DEVICE),
    "mp": MixedPrecision(device=DEVICE),
}
USUAL = "float,sgd,ttv1,ttv2"


def _chosen(_context: click.Context, _option: click.Parameter, text: str) -> list[str]:
    names = list(RULES) if text == "all" else list(dict.fromkeys(name.strip() for name in text.split(",")))
    if unknown := [name for name in names if name not in RULES]:
        raise click.BadParameter(f"must be among {', '.join(RULES)}, or all, not {', '.join(map(repr, unknown))}")
    return names


@click.command()
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True, help="Seeds of each rule.")
@click.option("--epochs", type=click.IntRange(min=1), default=EPOCHS, show_default=True, help="Passes over the data.")
@click.option("--rules", default=USUAL, show_default=True, callback=_chosen, metavar="NAMES", help="Rules, or all.")
@common_options
def demo(seeds: int, epochs: int, rules: list[str], threads: int, as_json: bool) -> None:
    """Train on 1,442 real digits by several rules, on the same noisy 20-state devices, and compare."""
    start = time.perf_counter()
    digits = bundled("digits")
    jobs = [(rule, seed) for rule in rules for seed in range(seeds)]
    with (
        tqdm(total=len(jobs) * epochs, unit="epoch", file=sys.stderr, disable=None) as bar,
        ThreadPoolExecutor(threads) as pool,
    ):
        runs = list(pool.map(lambda job: _one(digits, RULES[job[0]], job[1], epochs, bar.update), jobs))
    rows = [_row(rule, [run for run, job in zip(runs, jobs, strict=True) if job[0] == rule]) for rule in rules]
    seconds = time.perf_counter() - start
    if as_json:
        print_json({"rows": rows, "seeds": seeds, "epochs": epochs, "seconds": seconds})
    else:
        click.echo(_text(rows, seeds, epochs, seconds))


def _one(
    digits: Dataset, rule: RuleConfig, seed: int, epochs: int, step: Callable[[], object]
) -> dict[str, float | None]:
    network = Network(fcn(digits.inputs, digits.classes), rule, seed=seed)

    def on_epoch(_: Metrics) -> None:  # returns None: the True of a progress bar would end the training
        step()

    last = fit(network, digits, epochs=epochs, progress=False, on_epoch=on_epoch)[-1]
    average = extract.average(network)

    def error(twin: Model) -> float:
        return 100 * twin.evaluate(digits.test_x, digits.test_y).error

    return {
        "error_percent": 100 * last.test_error,
        "last_read_percent": None if average is None else error(extract.last_read(network)),
        "average_percent": None if average is None else error(average),
        "pulses_per_sample": last.pulses_per_sample,
    }


def _row(rule: str, runs: list[dict[str, float | None]]) -> dict[str, Any]:
    def over_seeds(name: str) -> list[float]:
        return [value for run in runs if (value := run[name]) is not None]

    errors = over_seeds("error_percent")
    row: dict[str, Any] = {"rule": rule, "spread": standard_deviation(errors), "seeds": len(runs)}
    for name in runs[0]:
        row[name] = fmean(over_seeds(name)) if over_seeds(name) else None
    return row


def _text(rows: list[dict[str, Any]], seeds: int, epochs: int, seconds: float) -> str:
    lines = [
        "Digits 8 × 8, 1,442 to train on and 355 to test; network 64-256-128-10, "
        f"batch 1, {epochs} epochs, {seeds} seeds.",
        f"Analog rules on devices of {DEVICE.states:g} states and cycle noise {DEVICE.cycle_noise:g}, ideal periphery.",
        "",
        f"{'rule':<8}{'test error':>18}{'one read':>12}{'average':>12}{'pulses/sample':>16}",
    ]
    for row in rows:
        error = f"{plus_minus(row['error_percent'], row['spread'], 1)} %"
        read, average = (_cell(row[name]) for name in ("last_read_percent", "average_percent"))
        lines.append(f"{row['rule']:<8}{error:>18}{read:>12}{average:>12}{row['pulses_per_sample']:>16,.0f}")
    errors = {row["rule"]: row["error_percent"] for row in rows}
    lines.append("")
    if errors.keys() == set(USUAL.split(",")):
        lines += [
            "float is exact arithmetic, the line to reach. On the same noisy devices",
            f"sgd ends at {errors['sgd']:.1f} % and ttv1 at {errors['ttv1']:.1f} %; "
            f"ttv2, which filters its gradients, at {errors['ttv2']:.1f} % (float: {errors['float']:.1f} %).",
            "one read, average: weights taken off the hardware by its own reads, in exact arithmetic.",
        ]
    return "\n".join([*lines, f"{seconds:.0f} s."])


def _cell(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} %"
