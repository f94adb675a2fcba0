"""How close do automatic rates come to a search? A grid of devices, their noise and the periphery, rule TTv2.

    TIKITAKA_DATA=FOLDER python benches/automatic_rates.py --out FILE.jsonl
    python benches/automatic_rates.py --data digits --epochs 30 --batch 8 --seeds 3 --out FILE.jsonl
    python benches/automatic_rates.py --net small --out FILE.jsonl

`small` and `tanh` are networks on Fashion-MNIST from which no rate was derived.

Each cell is trained at automatic rates and at each candidate of the search, with the same seeds; the best candidate is
the one with the lowest mean test error, which favours the search. A cell counts if the error at automatic rates is
within 0.3 points or 15 % of it, for texts the loss within 0.05 nats, and at most twice its pulses are sent. What is in
FILE is not trained again.
"""

import argparse
from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any

import tikitaka as tt
from tikitaka.experiments import sweep
from tikitaka.experiments.learning_rates import candidates
from tikitaka.experiments.quality import quality_of
from tikitaka.nn import nets
from tikitaka.nn.recipes import Recipe

STATES = (20, 1200, 5, 100, 10, 300, 43)
NOISE = (0.3, 0.1, 1.0)
OTHERS = {
    "small": Recipe(
        lambda data: [tt.nn.Linear(data.inputs, 64), tt.nn.Sigmoid(), tt.nn.Linear(64, data.outputs)],
        "fashion-mnist",
        epochs=30,
        batch=1,
    ),
    "tanh": Recipe(
        lambda data: [
            *(tt.nn.Linear(data.inputs, 256), tt.nn.Tanh(), tt.nn.Linear(256, 128), tt.nn.Tanh()),
            tt.nn.Linear(128, data.outputs),
        ],
        "fashion-mnist",
        epochs=30,
        batch=1,
    ),
}
"""Networks that are searched over the rates of fcn."""
PERIPHERIES = {"ideal": tt.Periphery(), "full": tt.Periphery.full()}


def cells(args: argparse.Namespace) -> Iterable[tuple[str, list[tt.TrainConfig]]]:
    """The name of each cell, and its trainings, with all seeds of a rule in a row: the first at automatic rates."""
    base = tt.TrainConfig(net=args.net, data=args.data, examples=args.examples, epochs=args.epochs, batch=args.batch)
    recipe: Any = nets[args.net].rule("ttv2", args.batch)
    for noise, periphery, states in product(args.noise, args.periphery, args.states):
        device = tt.SoftBounds(states=states, cycle_noise=noise)
        searched = candidates("ttv2", states, "fcn" if args.net in OTHERS else args.net, args.batch)
        rules = [replace(recipe, fast_lr=None, transfer_lr=None), *searched]
        runs = [replace(rule, device=device, periphery=PERIPHERIES[periphery]) for rule in rules]
        seeds = range(args.seeds)
        yield (
            f"{states} states, noise {noise}, {periphery}",
            [replace(base, rule=rule, seed=seed) for rule in runs for seed in seeds],
        )


def judged(name: str, rows: list[dict[str, Any]], net: str, seeds: int) -> bool:
    """Print a cell; whether automatic rates are close enough."""
    quality = quality_of(net)
    rules = [rows[k : k + seeds] for k in range(0, len(rows), seeds)]
    of_rules = [(fmean(map(quality.of, each)), fmean(row["pulses"] for row in each)) for each in rules]
    automatic, best = of_rules[0], min(of_rules[1:])
    gap, pulses = automatic[0] - best[0], automatic[1] / best[1]
    near = gap <= (0.05 if nets[net].text else max(0.3, 0.15 * best[0]))
    print(
        f"{name:32} {automatic[0]:6.3f} {best[0]:6.3f} {quality.unit} {pulses:6.2f} × pulses  "
        f"{'' if near else 'not close'}{'' if pulses <= 2 else ' too many pulses'}",
        flush=True,
    )
    return near and pulses <= 2


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--out", type=Path, required=True, help="file of results")
    parser.add_argument("--net", default="fcn")
    parser.add_argument("--data", help="default: that of the network")
    parser.add_argument("--examples", type=int, help="default: all")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each rule in a cell")
    parser.add_argument("--states", type=int, nargs="+", default=STATES)
    parser.add_argument("--noise", type=float, nargs="+", default=NOISE)
    parser.add_argument("--periphery", nargs="+", default=list(PERIPHERIES), choices=PERIPHERIES)
    parser.add_argument("--cells", type=int, help="only the first N cells")
    parser.add_argument("--threads", type=int)
    args = parser.parse_args()
    nets.update(OTHERS)
    args.data = args.data or nets[args.net].data
    grid = list(cells(args))[: args.cells]
    close = 0
    for name, runs in grid:
        close += judged(name, sweep(runs, out=args.out, threads=args.threads, progress=False), args.net, args.seeds)
    print(f"{close} of {len(grid)} cells close")


if __name__ == "__main__":
    main()
