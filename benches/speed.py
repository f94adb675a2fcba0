"""Samples per second of whole trainings: every rule, 20 and 1,200 states, batch 1 and 32, one thread and two.

    python benches/speed.py --data-dir DATA
    python benches/speed.py --only "ttv2 20 *" --json FILE

The network is 784-256-128-10 on the first images of MNIST, or on made-up ones as sparse. Each case is trained for one
epoch; every repetition then trains the same second epoch from the same state, so that it does the same work bit for
bit. What an update costs depends on its pulses, which change while training goes on: pulses per sample stand beside
each rate.
"""

import fnmatch
import time
from functools import partial
from typing import Any

import common


def works() -> list[common.Work]:
    """Every training, before threads."""
    rules = [("float", 0, "ideal")] + [
        (rule, states, mvm) for rule in ("sgd", "ttv1", "ttv2") for states in (20, 1200) for mvm in ("ideal", "full")
    ]
    return [common.Work(*rule, batch) for rule in rules for batch in (1, 32)]


class Training:
    """One case after its first epoch."""

    def __init__(self, work: common.Work, x: common.F32, y: common.I64) -> None:
        self.work, self.x, self.y = work, x, y
        self.network = work.network()
        self.network.train(x, y, batch=work.batch)
        self.start = self.network.state()
        self.pulses_before = self.network.pulses

    def rate(self, threads: int) -> float:
        """Samples per second of the second epoch."""
        self.network.restore(self.start)
        start = time.perf_counter()
        self.network.train(self.x, self.y, batch=self.work.batch, threads=threads)
        return len(self.x) / (time.perf_counter() - start)

    @property
    def pulses(self) -> float:
        """Pulses per sample of the second epoch, which must have been the last."""
        return (self.network.pulses - self.pulses_before) / len(self.x)


def measure(pattern: str, samples: int, repeats: int, data_dir: str | None) -> dict[str, Any]:
    """A row per case whose name fits the pattern."""
    x, y, source = common.images(samples, data_dir)
    cases = {f"{work} threads {threads}": (work, threads) for work in works() for threads in (1, 2)}
    chosen = {name: case for name, case in cases.items() if fnmatch.fnmatch(name, pattern)}
    if not chosen:
        raise SystemExit(f"no case fits {pattern!r}; there are {', '.join(cases)}")
    trainings = {work: Training(work, x, y) for work, _ in chosen.values()}
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
    return {"data": source, "samples": samples, "repeats": repeats, "rows": rows}


def main() -> None:
    p = common.parser(__doc__)
    common.data_option(p)
    p.add_argument("--samples", type=int, help="images of an epoch (2,000; quick: 100)")
    p.add_argument("--repeats", type=int, help="rounds over all cases (7; quick: 1)")
    p.add_argument("--only", default="*", metavar="PATTERN", help="cases whose names fit, as file names do")
    a = p.parse_args()
    samples, repeats = a.samples or (100 if a.quick else 2000), a.repeats or (1 if a.quick else 7)
    results = measure(a.only, samples, repeats, a.data_dir)
    title = f"Training, samples/s: {samples:,} images ({results['data']}), median [quartiles] of {repeats}"
    header = ["case", "samples/s", "pulses/sample"]
    lines = [
        [row["name"], common.spread(row["samples_per_second"]), f"{row['pulses_per_sample']:,.0f}"]
        for row in results["rows"]
    ]
    common.print_table(title, header, lines)
    common.record(a.json, "speed", results)


if __name__ == "__main__":
    main()
