"""The gain of two threads, the memory per weight, and the time against the size of an array.

    python benches/scaling.py --data-dir DATA --plot target/bench/scaling.png
    python benches/scaling.py --only threads          (or memory, or curve)

Threads: 16 trainings in one process by 1 and by 2 Python threads, and one training on 1 and on 2 threads; two
independent processes show the capacity of the machine. Memory: growth of the resident set in a separate process that
builds and trains one TTv2 layer. Curve: see `curve.py`.
"""

import argparse
import json
import multiprocessing
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import common
import numpy as np
from common import Work
from curve import curve_part, layer, plot, sparse

PARTS = ("threads", "memory", "curve")
TRAININGS = 16


# --- threads ----------------------------------------------------------------------------------------------------------


class Sweep:
    """Equal trainings with seeds of their own, each on one thread, shared out among Python threads."""

    def __init__(self, work: Work, x: common.F32, y: common.I64) -> None:
        self.work, self.x, self.y = work, x, y
        self.networks = [work.network(seed) for seed in range(TRAININGS)]
        self.starts = [network.state() for network in self.networks]

    def rate(self, workers: int) -> float:
        """Samples per second of all trainings together."""
        for network, start in zip(self.networks, self.starts, strict=True):
            network.restore(start)
        with ThreadPoolExecutor(workers) as pool:
            start_time = time.perf_counter()
            list(pool.map(lambda network: network.train(self.x, self.y, batch=self.work.batch), self.networks))
            return TRAININGS * len(self.x) / (time.perf_counter() - start_time)


class Single:
    """One training, over and over from its start."""

    def __init__(self, work: Work, x: common.F32, y: common.I64) -> None:
        self.work, self.x, self.y = work, x, y
        self.network = work.network()
        self.start = self.network.state()

    def rate(self, threads: int) -> float:
        """Samples per second."""
        self.network.restore(self.start)
        start = time.perf_counter()
        self.network.train(self.x, self.y, batch=self.work.batch, threads=threads)
        return len(self.x) / (time.perf_counter() - start)


class Control:
    """Processes that share nothing: no more than their gain can be had from the machine as busy as it is."""

    LOOPS = 3_000_000

    def __init__(self) -> None:
        self.pool = ProcessPoolExecutor(2, multiprocessing.get_context("spawn"))
        self.rate(2)  # starts both

    def rate(self, processes: int) -> float:
        """Loops per second."""
        start = time.perf_counter()
        list(self.pool.map(spin, [self.LOOPS] * processes))
        return processes * self.LOOPS / (time.perf_counter() - start)


def spin(loops: int) -> None:
    """Keeps a processor busy."""
    for _ in range(loops):
        pass


def longest_stall(x: common.F32, y: common.I64) -> dict[str, float]:
    """Seconds that a training took in another thread, and the longest wait of this one for the lock meanwhile."""
    network = Work("ttv2", 1200).network()
    training = threading.Thread(target=network.train, args=(x, y))
    stall, start = 0.0, time.perf_counter()
    training.start()
    last = start
    while training.is_alive():
        time.sleep(0.001)  # releases the lock, and needs it again to continue
        now = time.perf_counter()
        stall, last = max(stall, now - last), now
    training.join()
    return {"training": last - start, "longest_stall": stall}


def threads_part(samples: int, repeats: int, data_dir: str | None) -> dict[str, Any]:
    """A row per training: rates on one thread and on two, and their ratio."""
    x, y, source = common.images(samples, data_dir)
    few = max(samples // 4, 1)
    cases: dict[str, Sweep | Single | Control] = {"control: processes": Control()}
    for states in (20, 1200):
        work = Work("ttv2", states)
        cases[f"{TRAININGS} × {work}"] = Sweep(work, x[:few], y[:few])
        for one in (Work("ttv2", states, batch=32), work):
            cases[f"one {one}"] = Single(one, x, y)
    runs = {f"{name} {n}": partial(case.rate, n) for name, case in cases.items() for n in (1, 2)}
    rates = common.interleave(runs, repeats)
    rows: list[dict[str, Any]] = []
    for name in cases:
        alone, both = (np.array(rates[f"{name} {n}"]) for n in (1, 2))
        rows.append(
            {
                "name": name,
                "gain": float(np.median(both) / np.median(alone)),
                "per_round": common.quartiles(both / alone),
            }
            | {f"per_second_{n}": common.quartiles(r) for n, r in ((1, alone), (2, both))}
        )
    lines = [
        [
            row["name"],
            *(common.spread(row[f"per_second_{n}"]) for n in (1, 2)),
            f"{row['gain']:.2f}",
            common.spread(row["per_round"], 2),
        ]
        for row in rows
    ]
    title = f"Two threads against one, samples/s: {samples:,} images ({source}), medians [quartiles] of {repeats}"
    common.print_table(title, ["training", "1 thread", "2 threads", "of medians", "per round"], lines)
    if rows[0]["gain"] < 1.8:
        print("\nThe control says that the machine had no two processors to spare: no gain can be read off this.")
    stall = longest_stall(x, y)
    print(
        f"\nThe interpreter waited for its lock at most {1e3 * stall['longest_stall']:.0f} ms"
        f" during {1e3 * stall['training']:.0f} ms of training in another thread."
    )
    return {"data": source, "samples": samples, "repeats": repeats, "rows": rows, "interpreter": stall}


# --- memory -----------------------------------------------------------------------------------------------------------


def resident() -> tuple[int, int]:
    """Bytes of this process in memory, now and at most. (`getrusage` would count the parent's before the exec, too.)"""
    lines = Path("/proc/self/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    now, most = (1024 * int(fields[name].split()[0]) for name in ("VmRSS", "VmHWM"))
    return now, most


def measure_memory(n: int) -> dict[str, float]:
    """In a separate process: bytes per crosspoint of a layer after building and training it."""
    rng = np.random.default_rng(1)
    x, y = sparse(rng, n, 16, n // 5), rng.standard_normal((16, n), dtype=np.float32)
    layer(64).train(x[:, :64], y[:, :64])  # memory that only the first training allocates
    before, _ = resident()
    network = layer(n)
    built, _ = resident()
    start = time.perf_counter()
    network.train(x, y)
    seconds = time.perf_counter() - start
    after, most = resident()
    return {
        "n": n,
        "built_bytes_per_crosspoint": (built - before) / n**2,
        "bytes_per_crosspoint": (after - before) / n**2,
        "peak_bytes_per_crosspoint": (most - before) / n**2,
        "peak_bytes": most,
        "seconds_per_sample": seconds / len(x),
    }


def memory_part(n: int) -> dict[str, Any]:
    """Memory of one n × n layer of TTv2."""
    if not Path("/proc/self/status").is_file():
        print("\nno memory figures: they come from /proc, which this system lacks")
        return {}
    command = [sys.executable, __file__, "--measure-memory", str(n)]
    row: dict[str, Any] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
    header = ["layer", "built, B/crosspoint", "trained", "peak", "peak of the process, MiB", "below 1 GiB"]
    sizes = [f"{row[f'{name}bytes_per_crosspoint']:.1f}" for name in ("built_", "", "peak_")]
    line = [f"{n} × {n}", *sizes, f"{row['peak_bytes'] / 2**20:,.0f}", "yes" if row["peak_bytes"] < 2**30 else "no"]
    common.print_table("Memory of TTv2", header, [line])
    return row


def main() -> None:
    p = common.parser(__doc__)
    common.data_option(p)
    p.add_argument("--only", choices=PARTS, nargs="+", default=PARTS, help="parts to do")
    p.add_argument("--samples", type=int, help="images of a training (4,000; quick: 24)")
    p.add_argument("--repeats", type=int, help="rounds (7; quick: 1)")
    p.add_argument("--sizes", type=int, nargs="+", help="sizes n of the curve (128 to 4,096; quick: 32, 64)")
    p.add_argument("--memory-size", type=int, help="size n of the layer that is weighed (4,096; quick: 256)")
    p.add_argument("--plot", metavar="FILE", help="draw the curve")
    p.add_argument("--measure-memory", type=int, help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.measure_memory:
        print(json.dumps(measure_memory(a.measure_memory)))
        return
    repeats = a.repeats or (1 if a.quick else 7)
    results: dict[str, Any] = {}
    if "threads" in a.only:
        results["threads"] = threads_part(a.samples or (24 if a.quick else 4000), repeats, a.data_dir)
    if "memory" in a.only:
        results["memory"] = memory_part(a.memory_size or (256 if a.quick else 4096))
    if "curve" in a.only:
        sizes = a.sizes or ([32, 64] if a.quick else [128, 256, 512, 1024, 2048, 4096])
        results["curve"] = curve_part(sizes, repeats, 0.001 if a.quick else 0.05)
        if a.plot:
            plot(results["curve"]["rows"], a.plot)
    common.record(a.json, "scaling", results)


if __name__ == "__main__":
    main()
