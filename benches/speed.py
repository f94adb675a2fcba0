"""Samples per second of whole trainings: networks, rules, states, peripheries and batch sizes, one thread and two.

    python benches/speed.py --data-dir DATA
    python benches/speed.py --only "ttv2 20 *" --json FILE
    python benches/speed.py --only "l*"               (lenet and lstm)

fcn (784-256-128-10; every rule, 20 and 1,200 states, batch 1 and 32) and lenet on the first images of MNIST, or on
synthetic ones of the same sparsity; lstm on the first characters of War and Peace, or on our README: a sample is a
character. cifar, wide and wider (10 million weights) learn from random images. Each case is trained for one epoch;
every repetition then trains the same second epoch from the same state, so that it does the same work bit for bit. The
cost of an update depends on its pulses, which change during training, so pulses per sample are listed with each rate.
"""

import fnmatch
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import common
from common import Work

EXAMPLES = {"fcn": 2000, "lenet": 400, "lstm": 64, "cifar": 192, "wide": 512, "wider": 512}
QUICK = {"fcn": 100, "lenet": 4, "lstm": 2, "cifar": 2, "wide": 8, "wider": 8}


def works() -> list[Work]:
    """Every training, before threads."""
    rules = [("float", 0, "ideal")] + [
        (rule, states, mvm) for rule in ("sgd", "ttv1", "ttv2") for states in (20, 1200) for mvm in ("ideal", "full")
    ]
    fcn = [Work(*rule, batch) for rule in rules for batch in (1, 32)]
    few = [("float", 0, "ideal"), ("sgd", 20, "ideal"), ("ttv2", 20, "ideal"), ("ttv2", 20, "full")]
    batches = {"lenet": (1, 8), "lstm": (1, 16), "cifar": (32,), "wide": (128,), "wider": (128,)}
    others = [Work(*rule, batch, net) for net in batches for rule in few for batch in batches[net]]
    return fcn + others + [common.many_pulses(batch) for batch in batches["lstm"]]


class Training:
    """One case after its first epoch."""

    def __init__(self, work: Work, examples: common.Examples) -> None:
        self.work, self.examples = work, examples
        self.network = work.network(inputs=examples.inputs)
        self.network.train(examples.x, examples.y, batch=work.batch)
        self.start = self.network.state()
        self.pulses_before = self.network.pulses

    def rate(self, threads: int) -> float:
        """Samples per second of the second epoch."""
        self.network.restore(self.start)
        start = time.perf_counter()
        self.network.train(self.examples.x, self.examples.y, batch=self.work.batch, threads=threads)
        return self.examples.samples / (time.perf_counter() - start)

    @property
    def pulses(self) -> float:
        """Pulses per sample of the second epoch, which must have been the last."""
        return (self.network.pulses - self.pulses_before) / self.examples.samples


def measure(pattern: str, count: Mapping[str, int], repeats: int, data_dir: str | None) -> dict[str, Any]:
    """A row per case whose name fits the pattern, with `count` examples for each network."""
    cases = {f"{work} threads {threads}": (work, threads) for work in works() for threads in (1, 2)}
    chosen = {name: case for name, case in cases.items() if fnmatch.fnmatch(name, pattern)}
    if not chosen:
        raise SystemExit(f"no case fits {pattern!r}; there are {', '.join(cases)}")
    works_of = dict.fromkeys(work for work, _ in chosen.values())
    nets = {net: common.examples(net, count[net], data_dir) for net in dict.fromkeys(work.net for work in works_of)}
    trainings = {work: Training(work, nets[work.net]) for work in works_of}
    runs = {name: partial(trainings[work].rate, threads) for name, (work, threads) in chosen.items()}
    rates = common.interleave(runs, repeats)
    rows = [
        {
            "name": name,
            "settings": work.settings(),
            "threads": threads,
            "samples_per_second": common.quartiles(rates[name]),
            "pulses_per_sample": trainings[work].pulses,
        }
        for name, (work, threads) in chosen.items()
    ]
    return {**common.about(nets), "repeats": repeats, "rows": rows}


def tables(results: Mapping[str, Any]) -> dict[str, common.Table]:
    """A table for each network."""
    made: dict[str, common.Table] = {}
    for net in common.chosen_nets(results["rows"]):
        amount = common.amount(results, net)
        made[net] = (
            f"Training {net}, samples/s: {amount}, median [quartiles] of {results['repeats']}",
            ["case", "samples/s", "pulses/sample"],
            [
                [row["name"], common.spread(row["samples_per_second"]), common.pulses(row["pulses_per_sample"])]
                for row in results["rows"]
                if row["settings"]["net"] == net
            ],
        )
    return made


def main() -> None:
    p = common.parser(__doc__)
    common.data_option(p)
    p.add_argument("--samples", type=int, help=f"images, or sequences, of an epoch ({EXAMPLES}; quick: {QUICK})")
    p.add_argument("--repeats", type=int, help="rounds over all cases (7; quick: 1)")
    p.add_argument("--only", default="*", metavar="PATTERN", help="cases whose names fit, as file names do")
    a = p.parse_args()
    count = dict.fromkeys(common.NETS, a.samples) if a.samples else QUICK if a.quick else EXAMPLES
    results = measure(a.only, count, a.repeats or (1 if a.quick else 7), a.data_dir)
    for table in tables(results).values():
        common.print_table(*table)
    common.record(a.json, "speed", results)


if __name__ == "__main__":
    main()
