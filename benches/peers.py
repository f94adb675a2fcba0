"""Speed ratios to others: aihwkit and plain PyTorch, if installed, and the slow NumPy twin of the tests.

    python -m venv ENV
    ENV/bin/pip install --only-binary=aihwkit aihwkit==1.1.0 torch==2.10.0 torchvision==0.25.0 numpy
    python benches/peers.py --aihwkit-python ENV/bin/python --data-dir DATA

    python benches/peers.py --only "l*"               (lenet and lstm)

All sides train the same network (fcn is 784-256-128-10) on the same examples with the same settings,
`common.Work.settings`. A round trains one more epoch of one network on every side, so both sides of a ratio are at the
same epoch and measured within the same minute; the first epoch is not counted. Mini-batches use more images, because an
epoch would otherwise take a few milliseconds, mostly for starting. The peer runs with one thread and with two, and each
of its rates is the better of the two, because threads that wait for each other suffer most from other load. Differences
remain: its biases are digital, its reads of A exact, and its initial weights different. Its pulses are unknown, because
it counts them on a GPU only.
"""

import argparse
import fnmatch
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import common
import numpy as np
from common import Work

import tikitaka as tt

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
    bridge: bool = False
    """whether ours trains as a model of PyTorch, by `tikitaka.torch`"""

    @property
    def name(self) -> str:
        return f"{'bridge ' if self.bridge else ''}{self.ours} / {self.side}" + (
            "" if self.theirs == self.ours else f" {self.theirs}"
        )


def every_rule(net: str, batch: int, target: float, full_target: float | None = None) -> list[Case]:
    """A network under each rule against aihwkit; cases without a target are for information."""
    digital, sgd = Work("float", batch=batch, net=net), Work("sgd", 20, batch=batch, net=net)
    ttv2, full = (Work("ttv2", 20, mvm, batch, net) for mvm in ("ideal", "full"))
    return [
        *(Case(work, "aihwkit", work, target) for work in (digital, sgd, ttv2)),
        Case(full, "aihwkit", full, full_target),
        *([Case(full, "ours", ttv2, -1.5)] if net == "lenet" else []),
        Case(digital, "torch", digital),
        Case(ttv2, "torch", digital),
    ]


def against_torch(net: str, batch: int, digital: float, ttv2: Mapping[str, float], analog: float) -> list[Case]:
    """A network that PyTorch trains and evaluates near the limit of the machine: our float against it, and TTv2 against
    it and against aihwkit."""
    plain = Work("float", batch=batch, net=net)
    evaluation = replace(plain, evaluate=True)
    full, ideal = Work("ttv2", 20, "full", batch, net), Work("ttv2", 20, "ideal", batch, net)
    return [
        Case(plain, "torch", plain, digital),
        Case(evaluation, "torch", evaluation, digital),
        Case(replace(ideal, evaluate=True), "torch", evaluation),
        Case(ideal, "torch", plain, ttv2.get("ideal")),
        Case(full, "torch", plain, ttv2.get("full")),
        Case(ideal, "aihwkit", ideal, analog),
    ]


CASES = [
    Case(TTV2, "aihwkit", TTV2, 45),
    Case(TTV2_FULL, "aihwkit", TTV2_FULL, 25),
    Case(Work("sgd", 1200), "aihwkit", Work("sgd", 1200), 10),
    Case(Work("ttv2", 1200), "aihwkit", Work("ttv2", 1200), 15),
    Case(Work("ttv2", 20, batch=32), "aihwkit", Work("ttv2", 20, batch=32), 12),
    Case(Work("ttv2", 20, "full", 32), "aihwkit", Work("ttv2", 20, "full", 32), 10),
    *(
        Case(Work(rule, 20, device=device), "aihwkit", Work(rule, 20, device=device), 20)
        for device, rule in product(("linear-step", "exponential-step"), ("ttv2", "sgd"))
    ),
    *(
        Case(Work("ttv2", 20, device=device), "ours", TTV2, -2.0 if device in ("table-step", "jump-table") else -1.5)
        for device in common.DEVICES
        if device != "soft-bounds"
    ),
    *(Case(Work(rule, 20), "aihwkit", Work(rule, 20), 10 if rule == "mp" else 30) for rule in ("cttv2", "agad", "mp")),
    *(Case(Work(rule, 20), "ours", TTV2, target) for rule, target in (("cttv2", -1.05), ("agad", -1.1), ("mp", None))),
    Case(FLOAT, "torch", FLOAT),
    Case(FLOAT_32, "torch", FLOAT_32),
    Case(TTV2, "torch", FLOAT),
    Case(TTV2, "ours", FLOAT, -2.5),
    *every_rule("lenet", 1, 10, 15),
    *every_rule("lenet", 8, 5),
    *every_rule("lstm", 1, 5),
    *every_rule("lstm", 16, 5),
    *(Case(common.many_pulses(batch), "aihwkit", common.many_pulses(batch), 5) for batch in (1, 16)),
    *against_torch("wide", 128, 0.85, {"ideal": 1.0, "full": 0.8}, 30),
    *against_torch("cifar", 32, 0.7, {}, 15),
    *(
        Case(work, side, work, target if side == "aihwkit" else None, bridge=True)
        for net, batch, target in (("fcn", 32, 5), ("lenet", 8, 5), ("lstm", 16, 4))
        for work in (Work("ttv2", 20, batch=batch, net=net),)
        for side in ("aihwkit", "ours")
    ),
]

# some seconds per round: the peer processes 200 images or 2,000 characters/s
EXAMPLES = {"fcn": 2000, "lenet": 96, "lstm": 16, "wide": 512, "cifar": 96}
MANY_EXAMPLES = {("fcn", 32): 16_000, ("lenet", 8): 768}
QUICK = {"fcn": 50, "lenet": 4, "lstm": 2, "wide": 8, "cifar": 2}


class Ours:
    """Our network, trained or evaluated epoch after epoch."""

    def __init__(self, work: Work, threads: int, examples: common.Examples) -> None:
        self.work, self.batch, self.threads, self.examples = work, work.batch, threads, examples
        self.network = work.network(inputs=examples.inputs)
        self.pulses: list[float] = []

    def rate(self) -> float:
        """Samples per second of the next epoch."""
        before, start = self.network.pulses, time.perf_counter()
        if self.work.evaluate:
            self.network.evaluate(self.examples.x, self.examples.y, threads=self.threads)
        else:
            self.network.train(self.examples.x, self.examples.y, batch=self.batch, threads=self.threads)
        seconds = time.perf_counter() - start
        self.pulses.append((self.network.pulses - before) / self.examples.samples)
        return self.examples.samples / seconds


class Peer:
    """The interpreter with aihwkit and PyTorch, which trains one epoch per request."""

    def __init__(self, python: str, data: Path, threads: int) -> None:
        self.python, self.threads = python, threads
        command = [python, str(Path(__file__).with_name("peer_aihwkit.py")), str(data), "--threads", str(threads)]
        env = os.environ | {"PYTHONPATH": str(Path(tt.__file__).parents[1])}  # for the bridge
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
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
    """The NumPy twin of the tests beside our network. It draws no cycle noise, which favours it."""

    def __init__(self, work: Work, x: common.F32, y: common.I64) -> None:
        sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
        import twin
        from support.of_core import twin_rule

        self.x, self.y, self.batch = x, y, work.batch
        self.core = work.network(seed=1)
        ties = twin.Ties()
        self.mlp = twin.Mlp([twin_rule(work.config(), self.core, k, 1, ties) for k in range(3)])

    def ratio(self) -> float:
        """Our speed over the twin's."""
        start = time.perf_counter()
        self.core.train(self.x, self.y, batch=self.batch)
        between = time.perf_counter()
        for i in range(0, len(self.x), self.batch):
            self.mlp.train(self.x[i : i + self.batch].astype(float), self.y[i : i + self.batch])
        return (time.perf_counter() - between) / (between - start)


def against(cases: list[Case], peers: list[Peer], examples: common.Examples, rounds: int) -> list[dict[str, Any]]:
    """A row per case and number of our threads; the cases are of one network and size of mini-batches."""
    wanted = dict.fromkeys(work for case in cases for work in (case.ours, case.theirs)[: 1 + (case.side == "ours")])
    ours = {(work, threads): Ours(work, threads, examples) for work in wanted for threads in (1, 2)}
    runs: dict[str, Callable[[], float]] = {f"ours {work} {t}": side.rate for (work, t), side in ours.items()}
    for case in cases:
        for peer in peers:
            for side, work in ((case.side, case.theirs), *([("bridge", case.ours)] if case.bridge else [])):
                if side != "ours":
                    runs[f"{side} {work} {peer.threads}"] = partial(peer.rate, side, work, examples.samples)
    rates = {name: np.array(of[1:]) for name, of in common.interleave(runs, rounds + 1).items()}
    rows = []
    for case in cases:
        for threads in (1, 2):
            mine = rates.get(f"{'bridge' if case.bridge else 'ours'} {case.ours} {threads}")
            if mine is None:
                continue  # the peer ran with other threads only
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
                    "samples": examples.samples,
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
    epochs = f"images, or sequences, of an epoch ({EXAMPLES}; of batches {MANY_EXAMPLES}; quick: {QUICK})"
    p.add_argument("--samples", type=int, help=epochs)
    p.add_argument("--twin-samples", type=int, help="images of the NumPy twin (100; quick: 1)")
    p.add_argument("--only", default="*", metavar="PATTERN", help="cases whose names fit, as file names do")
    p.add_argument("--rounds", type=int, help="epochs that count (7; quick: 1)")
    a = p.parse_args()
    rounds = a.rounds or (1 if a.quick else 7)
    results = measure(a, rounds)
    for table in tables(results).values():
        common.print_table(*table)
    if fnmatch.fnmatch(f"{TTV2} / twin", a.only):
        twin_samples = a.twin_samples or (1 if a.quick else 100)
        x, y, _ = common.images(twin_samples, a.data_dir)
        twin = Twin(TTV2, x, y)
        ratio = common.quartiles(common.interleave({"twin": twin.ratio}, rounds)["twin"])
        print(
            f"\n{TTV2} against the NumPy twin of the tests, {twin_samples} images: {common.spread(ratio)} times as fast"
        )
        results["twin"] = {"samples": twin_samples, "ratio": ratio}
    common.record(a.json, "peers", results)


def tables(results: Mapping[str, Any]) -> dict[str, common.Table]:
    """A table for each network."""
    made: dict[str, common.Table] = {}
    for net in common.chosen_nets(results["rows"]):
        amount = common.amount(results, net)
        made[net] = (
            f"Peers of {net}, samples/s: {amount}, medians [quartiles] of {results['rounds']} epochs",
            ["case", "our threads", "ours", "theirs", "ratio", "target", "our pulses/sample"],
            [cells(row) for row in results["rows"] if row["settings"]["net"] == net],
        )
    return made


def cells(row: Mapping[str, Any]) -> list[str]:
    """A row of results, to be printed."""
    return [
        *(row["name"], str(row["threads"])),
        *(common.spread(row[side]) for side in ("ours_per_second", "theirs_per_second")),
        f"{row['ratio_of']} {common.spread(row['ratio'], 2)}",
        "–" if row["target"] is None else f"{'≥' if row['ratio_of'] == 'speed' else '≤'} {row['target']:g}",
        common.pulses(row["pulses_per_sample"]),
    ]


def count(a: argparse.Namespace, net: str, batch: int) -> int:
    """Images, or sequences, of an epoch."""
    return int(a.samples or (QUICK[net] if a.quick else MANY_EXAMPLES.get((net, batch), EXAMPLES[net])))


def measure(a: argparse.Namespace, rounds: int) -> dict[str, Any]:
    """The selected cases that can run here, grouped by network and size of mini-batches."""
    cases = [case for case in CASES if fnmatch.fnmatch(case.name, a.only)]
    has_peer = usable(a.aihwkit_python)
    if not has_peer:
        print(INSTALL)
        cases = [case for case in cases if case.side == "ours" and not case.bridge]
    kinds = dict.fromkeys((case.ours.net, case.ours.batch) for case in cases)
    data = {(net, batch): common.examples(net, count(a, net, batch), a.data_dir) for net, batch in kinds}
    nets = {net: examples for (net, _), examples in reversed(data.items())}  # those of its first case
    results: dict[str, Any] = {**common.about(nets), "rounds": rounds}
    with tempfile.TemporaryDirectory() as folder:
        for (net, batch), examples in data.items():
            np.savez(Path(folder) / f"{net}-{batch}.npz", x=examples.x, y=examples.y, inputs=examples.inputs)
        peers = [Peer(a.aihwkit_python, Path(folder), threads) for threads in (a.peer_threads if has_peer else [])]
        try:
            if peers:
                results["peer"] = [peer.versions for peer in peers]
            results["rows"] = [
                row
                for kind, examples in data.items()
                for row in against(
                    [case for case in cases if (case.ours.net, case.ours.batch) == kind], peers, examples, rounds
                )
            ]
        finally:
            for peer in peers:
                peer.close()
    return results


if __name__ == "__main__":
    main()
