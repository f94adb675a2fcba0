"""How close do automatic rates come to a search? The grid of devices, their noise and the periphery, rule TTv2.

    TIKITAKA_DATA=FOLDER python benches/automatic_rates.py --out FILE.jsonl

Each cell is trained at automatic rates and at each candidate of the search, with the same seed; the best candidate is
the one with the lowest test error, which favours the search. A cell counts if the error at automatic rates is within
0.3 points or 15 % of it, and sends at most twice its pulses. What is in FILE is not trained again.
"""

import argparse
from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import tikitaka as tt
from tikitaka.experiments import sweep
from tikitaka.experiments.learning_rates import candidates

STATES = (20, 1200, 5, 100, 10, 300, 43)
NOISE = (0.3, 0.1, 1.0)
PERIPHERIES = {"ideal": tt.Periphery(), "full": tt.Periphery.full()}


def cells(args: argparse.Namespace) -> Iterable[tuple[str, list[tt.TrainConfig]]]:
    """The name of each cell, and its trainings: the first at automatic rates."""
    base = tt.TrainConfig(net=args.net, data=args.data, examples=args.examples, epochs=args.epochs, batch=args.batch)
    recipe: Any = base.rule
    for noise, periphery, states in product(NOISE, PERIPHERIES, STATES):
        device = tt.SoftBounds(states=states, cycle_noise=noise)
        rules = [replace(recipe, fast_lr=None, transfer_lr=None), *candidates("ttv2", states, args.net)]
        runs = [replace(rule, device=device, periphery=PERIPHERIES[periphery]) for rule in rules]
        yield f"{states} states, noise {noise}, {periphery}", [replace(base, rule=rule) for rule in runs]


def judged(name: str, rows: list[dict[str, Any]]) -> bool:
    """Print a cell; whether its error at automatic rates is close enough."""
    automatic, *tried = rows
    best = min(tried, key=lambda row: row["test_error"])
    gap, pulses = automatic["test_error"] - best["test_error"], automatic["pulses"] / best["pulses"]
    close = bool(gap <= max(0.003, 0.15 * best["test_error"]))
    errors = f"{100 * automatic['test_error']:6.2f} {100 * best['test_error']:6.2f}"
    print(f"{name:32} {errors} % {pulses:6.2f} × pulses  {'' if close else 'not close'}", flush=True)
    return close


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--out", type=Path, required=True, help="file of results")
    parser.add_argument("--net", default="fcn")
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--examples", type=int, help="default: all")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--cells", type=int, help="only the first N cells")
    parser.add_argument("--threads", type=int)
    args = parser.parse_args()
    grid = list(cells(args))[: args.cells]
    close = 0
    for name, runs in grid:
        close += judged(name, sweep(runs, out=args.out, threads=args.threads, progress=False))
    print(f"{close} of {len(grid)} cells close")


if __name__ == "__main__":
    main()
