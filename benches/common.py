"""What the benchmarks share: settings and data of the trainings, rounds, quartiles, tables and the file of results."""

import argparse
import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tikitaka as tt

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


@dataclass(frozen=True)
class Work:
    """A training of the network 784-256-128-10: what it does, however many threads do it."""

    rule: str
    states: int = 0  # float has none
    mvm: str = "ideal"
    batch: int = 1

    def __str__(self) -> str:
        what = f"{self.rule} {self.states} {self.mvm}" if self.states else self.rule
        return f"{what} batch {self.batch}"

    def settings(self) -> dict[str, Any]:
        """Everything that both sides of a comparison must agree on; rates as in the design of the comparison."""
        return {
            "net": "fcn",
            **{"rule": self.rule, "states": self.states, "mvm": self.mvm, "batch": self.batch},
            **{"bound": 0.6, "cycle_noise": 0.3, "step_spread": 0.3, "bound_spread": 0.3, "asymmetry": 0.1},
            **{"max_train": 31, "lr": 0.01, "fast_lr": 0.1, "transfer_every": 2},
            # TTv2: thresholds per unit of A, so finer devices need a larger one
            "transfer_lr": 30.0 if self.rule == "ttv2" and self.states > 100 else 1.0,
        }

    def config(self) -> tt.RuleConfig:
        """The rule."""
        s = self.settings()
        if self.rule == "float":
            return tt.Float(lr=s["lr"])
        device = tt.SoftBounds(
            **{name: s[name] for name in ("states", "bound", "cycle_noise", "step_spread", "bound_spread", "asymmetry")}
        )
        periphery = tt.Periphery.full() if self.mvm == "full" else tt.Periphery.ideal()
        arrays: dict[str, Any] = {"device": device, "periphery": periphery, "trains": tt.Trains(s["max_train"])}
        if self.rule == "sgd":
            return tt.Sgd(lr=s["lr"], **arrays)
        transfers = {name: s[name] for name in ("fast_lr", "transfer_lr", "transfer_every")}
        return tt.Ttv1(**transfers, **arrays) if self.rule == "ttv1" else tt.Ttv2(**transfers, **arrays)

    def network(self, seed: int = 1) -> tt.Network:
        """A new network that learns by the rule."""
        return tt.Network(tt.models.fcn(), self.config(), seed=seed)


def images(n: int, data_dir: str | None = None) -> tuple[F32, I64, str]:
    """The first `n` training images of MNIST with their classes, or made-up images as sparse; and which they are."""
    try:
        data = tt.data.load("mnist", data_dir)
    except FileNotFoundError:
        if data_dir:
            raise
        rng = np.random.default_rng(1)
        lit = rng.random((n, 784)) < 0.19  # the share of MNIST's pixels that are not zero
        x = np.where(lit, rng.random((n, 784)), 0).astype(np.float32)
        return x, rng.integers(0, 10, n), "synthetic"
    data = data.first(n)
    return data.train_x, data.train_y, "mnist"


def interleave(runs: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """What each run returned in each round; a round takes all runs, so that drifts of the machine hit all alike."""
    results: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            results[name].append(run())
    return results


def quartiles(values: Sequence[float] | F64) -> dict[str, float]:
    """Median and quartiles."""
    low, median, high = np.percentile(values, [25, 50, 75])
    return {"median": float(median), "low": float(low), "high": float(high)}


def spread(q: Mapping[str, float], digits: int = 0) -> str:
    """A median with its quartiles, to be printed."""
    return f"{q['median']:,.{digits}f} [{q['low']:,.{digits}f}, {q['high']:,.{digits}f}]"


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table with its first column to the left and the others to the right."""
    lines = [list(header), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    print(f"\n{title}\n")
    for line in lines:
        first, *others = (cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join([first.strip().ljust(widths[0]), *others]), flush=True)


def parser(doc: str | None) -> argparse.ArgumentParser:
    """Options that every benchmark has."""
    p = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--json", metavar="FILE", help="add the results to FILE, under the name of this benchmark")
    p.add_argument("--quick", action="store_true", help="little work: does it run, not how fast")
    return p


def data_option(p: argparse.ArgumentParser) -> None:
    """The option that says where MNIST is."""
    p.add_argument("--data-dir", help="folder with the folder mnist (or TIKITAKA_DATA); made-up images without")


def record(path: str | None, section: str, results: Mapping[str, Any]) -> None:
    """Put the results of one benchmark into the file, beside those of the others."""
    if not path:
        return
    file = Path(path)
    whole = json.loads(file.read_text()) if file.is_file() else {}
    whole["machine"] = machine()
    whole[section] = results
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")


def machine() -> dict[str, Any]:
    """What a number was measured on."""
    info = Path("/proc/cpuinfo")
    fields = [line.partition(":") for line in info.read_text().splitlines()] if info.is_file() else []
    cpu: dict[str, str] = {key.strip(): value.strip() for key, _, value in reversed(fields)}
    return {
        "cpu": cpu.get("model name", platform.processor()),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "simd": simd(set(cpu.get("flags", "").split())),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "tikitaka": tt.__version__,
    }


def simd(flags: set[str]) -> str:
    """The path that `tikitaka::simd::path` takes on a processor with these features."""
    paths = ["baseline", "avx2", "avx512"]
    best = 2 if {"avx512f", "avx512bw", "avx512dq", "avx512vl"} <= flags else int("avx2" in flags)
    wanted = os.environ.get("TIKITAKA_SIMD", "")
    return paths[min(best, paths.index(wanted) if wanted in paths else 2)]
