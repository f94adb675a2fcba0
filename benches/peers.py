"""How many times as fast as others: aihwkit and plain PyTorch where they are installed, and our slow NumPy twin.

    python -m venv ENV
    ENV/bin/pip install --only-binary=aihwkit aihwkit==1.1.0 torch==2.10.0 torchvision==0.25.0 numpy
    python benches/peers.py --aihwkit-python ENV/bin/python --data-dir DATA

All sides train the same network (784-256-128-10) on the same images with the same settings, `common.Work.settings`.
A round trains one more epoch on every side, so both sides of a ratio are at the same epoch and met the same minute of
the machine; the first epoch is not counted. The peer runs with one thread and with two, and each of its rates is the
better of the two: two threads that wait for each other suffer most from a neighbour. Differences that remain: its
biases are digital, its reads of A exact, and its weights start elsewhere.
"""

import argparse
import fnmatch
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import common
import numpy as np
from common import Work

INSTALL = """no aihwkit: for these ratios do
    python -m venv ENV
    ENV/bin/pip install --only-binary=aihwkit aihwkit==1.1.0 torch==2.10.0 torchvision==0.25.0 numpy
and give --aihwkit-python ENV/bin/python, or the environment variable TIKITAKA_AIHWKIT_PYTHON"""

TTV2, TTV2_FULL = Work("ttv2", 20), Work("ttv2", 20, "full")
FLOAT, FLOAT_32 = Work("float"), Work("float", batch=32)


@dataclass(frozen=True)
class Case:
    """Our training against another; `target` is a ratio of speeds to reach or, below 0, one of times not to exceed."""

    ours: Work
    side: str
    theirs: Work
    target: float | None = None

    @property
    def name(self) -> str:
        return f"{self.ours} / {self.side}" + ("" if self.theirs == self.ours else f" {self.theirs}")


CASES = [
    Case(TTV2, "aihwkit", TTV2, 40),
    Case(TTV2_FULL, "aihwkit", TTV2_FULL, 25),
    Case(Work("sgd", 1200), "aihwkit", Work("sgd", 1200), 10),
    Case(Work("ttv2", 1200), "aihwkit", Work("ttv2", 1200), 15),
    Case(Work("ttv2", 20, batch=32), "aihwkit", Work("ttv2", 20, batch=32), 12),
    Case(Work("ttv2", 20, "full", 32), "aihwkit", Work("ttv2", 20, "full", 32), 10),
    Case(FLOAT, "torch", FLOAT),
    Case(FLOAT_32, "torch", FLOAT_32),
    Case(TTV2, "torch", FLOAT),
    Case(TTV2, "ours", FLOAT, -2.5),
]


class Ours:
    """Our network, trained epoch after epoch."""

    def __init__(self, work: Work, threads: int, x: common.F32, y: common.I64) -> None:
        self.batch, self.threads, self.x, self.y = work.batch, threads, x, y
        self.network = work.network()
        self.pulses: list[float] = []

    def rate(self) -> float:
        """Samples per second of the next epoch."""
        before, start = self.network.pulses, time.perf_counter()
        self.network.train(self.x, self.y, batch=self.batch, threads=self.threads)
        seconds = time.perf_counter() - start
        self.pulses.append((self.network.pulses - before) / len(self.x))
        return len(self.x) / seconds


class Peer:
    """The interpreter that has aihwkit and PyTorch, asked for one epoch at a time."""

    def __init__(self, python: str, data: Path, threads: int) -> None:
        self.python, self.threads = python, threads
        command = [python, str(Path(__file__).with_name("peer_aihwkit.py")), str(data), "--threads", str(threads)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.versions = self._answer()

    def close(self) -> None:
        """End the interpreter."""
        self.process.communicate()

    def rate(self, side: str, work: Work, samples: int) -> float:
        """Samples per second of the next epoch."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"side": side, **work.settings()}) + "\n")
        self.process.stdin.flush()
        return samples / float(self._answer()["seconds"])

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.python} ended: see above")
        return dict(json.loads(line))


class Twin:
    """The NumPy twin of the tests beside our network. It draws no cycle noise, which is in its favour."""

    def __init__(self, work: Work, x: common.F32, y: common.I64) -> None:
        sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
        import test_twin
        import twin

        self.x, self.y, self.batch = x, y, work.batch
        self.core = work.network(seed=1)
        ties = twin.Ties()
        self.mlp = twin.Mlp([test_twin.twin_rule(work.config(), self.core, k, 1, ties) for k in range(3)])

    def ratio(self) -> float:
        """Our speed over the twin's."""
        start = time.perf_counter()
        self.core.train(self.x, self.y, batch=self.batch)
        between = time.perf_counter()
        for i in range(0, len(self.x), self.batch):
            self.mlp.train(self.x[i : i + self.batch].astype(float), self.y[i : i + self.batch])
        return (time.perf_counter() - between) / (between - start)


def against(cases: list[Case], peers: list[Peer], x: common.F32, y: common.I64, rounds: int) -> list[dict[str, Any]]:
    """A row per case and number of our threads."""
    ours = {(work, t): Ours(work, t, x, y) for case in cases for work in (case.ours, FLOAT) for t in (1, 2)}
    runs: dict[str, Callable[[], float]] = {f"ours {work} {t}": side.rate for (work, t), side in ours.items()}
    for case in cases:
        for peer in peers if case.side != "ours" else []:
            runs[f"{case.side} {case.theirs} {peer.threads}"] = partial(peer.rate, case.side, case.theirs, len(x))
    rates = {name: np.array(of[1:]) for name, of in common.interleave(runs, rounds + 1).items()}
    rows = []
    for case in cases:
        for threads in (1, 2):
            mine = rates[f"ours {case.ours} {threads}"]
            if case.side == "ours":
                theirs = rates[f"ours {case.theirs} {threads}"]
                each = {}
            else:
                each = {peer.threads: rates[f"{case.side} {case.theirs} {peer.threads}"] for peer in peers}
                theirs = np.array(list(each.values())).max(axis=0)
            faster = case.target is None or case.target > 0
            rows.append(
                {
                    "name": case.name,
                    "threads": threads,
                    "settings": case.ours.settings(),
                    "ours_per_second": common.quartiles(mine),
                    "theirs_per_second": common.quartiles(theirs),
                    "theirs_by_their_threads": {str(n): common.quartiles(rate) for n, rate in each.items()},
                    "ratio_of": "speed" if faster else "time",
                    "ratio": common.quartiles(mine / theirs if faster else theirs / mine),
                    "target": case.target and abs(case.target),
                    "pulses_per_sample": float(np.median(ours[case.ours, threads].pulses[1:])),
                }
            )
    return rows


def usable(python: str | None) -> bool:
    """Whether this interpreter has aihwkit."""
    try:
        return (
            bool(python) and subprocess.run([str(python), "-c", "import aihwkit"], capture_output=True).returncode == 0
        )
    except OSError:
        return False


def main() -> None:
    p = common.parser(__doc__)
    common.data_option(p)
    p.add_argument("--aihwkit-python", metavar="PATH", default=os.environ.get("TIKITAKA_AIHWKIT_PYTHON"))
    p.add_argument("--peer-threads", type=int, nargs="+", default=[1, 2], help="threads of the peer; the best counts")
    p.add_argument("--samples", type=int, help="images of an epoch (2,000; quick: 50)")
    p.add_argument("--twin-samples", type=int, help="images of the NumPy twin (100; quick: 1)")
    p.add_argument("--only", default="*", metavar="PATTERN", help="cases whose names fit, as file names do")
    p.add_argument("--rounds", type=int, help="epochs that count (7; quick: 1)")
    a = p.parse_args()
    samples, rounds = a.samples or (50 if a.quick else 2000), a.rounds or (1 if a.quick else 7)
    twin_samples = a.twin_samples or (1 if a.quick else 100)
    x, y, source = common.images(samples, a.data_dir)
    results: dict[str, Any] = {"data": source, "samples": samples, "rounds": rounds}
    rows = measure(a, x, y, rounds, results)
    lines = [
        [
            *(row["name"], str(row["threads"])),
            *(common.spread(row[side]) for side in ("ours_per_second", "theirs_per_second")),
            f"{row['ratio_of']} {common.spread(row['ratio'], 2)}",
            "–" if row["target"] is None else f"{'≥' if row['ratio_of'] == 'speed' else '≤'} {row['target']:g}",
            f"{row['pulses_per_sample']:,.0f}",
        ]
        for row in rows
    ]
    title = f"Peers, samples/s: {samples:,} images ({source}), medians [quartiles] of {rounds} epochs"
    common.print_table(title, ["case", "our threads", "ours", "theirs", "ratio", "target", "our pulses"], lines)

    twin = Twin(TTV2, x[:twin_samples], y[:twin_samples])
    ratio = common.quartiles(common.interleave({"twin": twin.ratio}, rounds)["twin"])
    print(f"\n{TTV2} against the NumPy twin of the tests, {twin_samples} images: {common.spread(ratio)} times as fast")
    common.record(a.json, "peers", results | {"rows": rows, "twin": {"samples": twin_samples, "ratio": ratio}})


def measure(
    a: argparse.Namespace, x: common.F32, y: common.I64, rounds: int, results: dict[str, Any]
) -> list[dict[str, Any]]:
    """The rows of the cases that are wanted and can run here; notes the peer's versions in the results."""
    cases = [case for case in CASES if fnmatch.fnmatch(case.name, a.only)]
    if not usable(a.aihwkit_python):
        print(INSTALL)
        return against([case for case in cases if case.side == "ours"], [], x, y, rounds)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.npz"
        np.savez(data, x=x, y=y)
        peers = [Peer(a.aihwkit_python, data, threads) for threads in a.peer_threads]
        try:
            results["peer"] = [peer.versions for peer in peers]
            return against(cases, peers, x, y, rounds)
        finally:
            for peer in peers:
                peer.close()


if __name__ == "__main__":
    main()
