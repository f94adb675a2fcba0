"""Shared code of the benchmarks: settings and data of trainings, rounds, quartiles, tables and the file of results."""

import argparse
import json
import os
import platform
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tikitaka as tt
from tikitaka import _core

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

Row = Sequence[str]
Rows = Sequence[Row]
Table = tuple[str, Row, Rows]
"""Title, header and rows."""

NETS = ("fcn", "lenet", "lstm", "cifar", "wide", "wider")
"""Networks: cifar is a convolutional one for 3 × 32 × 32 pixels; wide is 3072-1024-1024-10 and wider 3072-2048-2048-10,
both with ReLU on dense inputs."""
UNIFORM = ("cifar", "wide", "wider")
"""Those that learn from random images."""
STEPS = 100
"""Characters of a sequence of lstm; every character is a sample."""


DEVICES: dict[str, dict[str, float]] = {
    "soft-bounds": {},
    "linear-step": {"up_slope": 0.5, "down_slope": 0.5},
    "exponential-step": {
        **{"up_amplitude": 0.25, "down_amplitude": 0.25, "up_rate": 2.0, "down_rate": 2.0, "scale": 0.5, "offset": 0.0}
    },
    **{kind: {} for kind in ("constant-step", "power-step", "table-step", "jump-table")},
}
"""Fields of device models that the benchmarks set; others have their defaults."""


@dataclass(frozen=True)
class Work:
    """A training of a network, or its evaluation, independent of the number of threads."""

    rule: str
    states: int = 0  # float has none
    mvm: str = "ideal"
    batch: int = 1
    net: str = "fcn"
    faster: int = 1  # factor of all learning rates
    evaluate: bool = False
    device: str = "soft-bounds"  # a kind of `DEVICES`

    def __str__(self) -> str:
        net = "" if self.net == "fcn" else f"{self.net} "
        what = f"{self.rule} {self.states} {self.mvm}" if self.states else self.rule
        what += "" if self.device == "soft-bounds" else f" {self.device}"
        rates = "" if self.faster == 1 else f" rates ×{self.faster}"
        return f"{net}{'evaluate ' if self.evaluate else ''}{what} batch {self.batch}{rates}"

    def settings(self) -> dict[str, Any]:
        """Everything that both sides of a comparison must agree on; rates as in the design of the comparison.

        Rates are those of a loss that is the mean over the samples of a mini-batch: images, or characters.
        """
        return {
            "net": self.net,
            **{"rule": self.rule, "states": self.states, "mvm": self.mvm, "batch": self.batch},
            **{"bound": 0.6, "cycle_noise": 0.3, "step_spread": 0.3, "bound_spread": 0.3, "asymmetry": 0.1},
            **{"max_length": 31, "lr": 0.01 * self.faster, "fast_lr": 0.1 * self.faster, "transfer_every": 2},
            # TTv2: thresholds per unit of A, so finer devices need a larger one
            "transfer_lr": 30.0 if self.rule == "ttv2" and self.states > 100 else 1.0,
            **({"steps": STEPS} if self.net == "lstm" else {}),
            **({"evaluate": True} if self.evaluate else {}),
            **({} if self.device == "soft-bounds" else {"device": self.device, **DEVICES[self.device]}),
        }

    def config(self) -> tt.RuleConfig:
        """The rule."""
        s = self.settings()
        # our loss of a sequence is the sum over its steps, so the same gradient needs a rate smaller by that factor
        for rate in ("lr", "fast_lr"):
            s[rate] /= s.get("steps", 1)
        if self.rule == "float":
            return tt.DigitalSgd(lr=s["lr"])
        spreads = ("states", "bound", "cycle_noise", "step_spread", "bound_spread", "asymmetry")
        model: Any = tt.config.devices[self.device]
        device = model(**{name: s[name] for name in (*spreads, *DEVICES.get(self.device, ()))})
        periphery = tt.Periphery.full() if self.mvm == "full" else tt.Periphery.ideal()
        arrays: dict[str, Any] = {
            "device": device,
            "periphery": periphery,
            "pulse_trains": tt.PulseTrains(s["max_length"]),
        }
        if self.rule == "sgd":
            return tt.AnalogSgd(lr=s["lr"], **arrays)
        if self.rule == "mp":
            return tt.MixedPrecision(lr=s["lr"], device=device, periphery=periphery)
        transfers = {name: s[name] for name in ("fast_lr", "transfer_lr", "transfer_every")}
        rule: Any = {"ttv1": tt.Ttv1, "ttv2": tt.Ttv2, "cttv2": tt.Cttv2, "agad": tt.Agad}[self.rule]
        made: tt.RuleConfig = rule(**transfers, **arrays)
        return made

    def layers(self, inputs: int = 784) -> list[tt.nn.Layer]:
        """The network for images with `inputs` pixels, or for a text with that many different characters."""
        if self.net != "lstm":
            nets: dict[str, Callable[[int], list[tt.nn.Layer]]] = {"fcn": tt.nn.fcn, "lenet": tt.nn.lenet}
            return (nets | {"cifar": cifar, "wide": wide, "wider": wider})[self.net](inputs)
        # char_lstm as PyTorch and aihwkit have it: no output scales, and every sequence starts from zero
        return [tt.nn.LSTM(inputs, 64), tt.nn.LSTM(64, 64), tt.nn.Linear(64, inputs)]

    def network(self, seed: int = 1, inputs: int = 784) -> tt.Network:
        """A new network that learns by the rule."""
        return tt.Network(self.layers(inputs), self.config(), seed=seed)


def wide(inputs: int, hidden: int = 1024) -> list[tt.nn.Layer]:
    """3072-1024-1024-10 with ReLU."""
    first, second = tt.nn.Linear(inputs, hidden), tt.nn.Linear(hidden, hidden)
    return [first, tt.nn.ReLU(), second, tt.nn.ReLU(), tt.nn.Linear(hidden, 10)]


def wider(inputs: int) -> list[tt.nn.Layer]:
    """3072-2048-2048-10 with ReLU."""
    return wide(inputs, 2048)


def cifar(_inputs: int) -> list[tt.nn.Layer]:
    """Convolutions 3 × 3 of 32 and 64 filters with ReLU, max-pooling, 128 with ReLU, 10; images of 3 × 32 × 32."""
    first = tt.nn.Conv2d(3, 32, 32, filters=32, kernel=3, padding=1)
    second = tt.nn.Conv2d(*first.image, filters=64, kernel=3, padding=1)
    pool = tt.nn.MaxPool2d(*second.image)
    flat = tt.nn.Flatten(*pool.image)
    features = pool.image[0] * pool.image[1] * pool.image[2]
    return [
        *(first, tt.nn.ReLU(), second, tt.nn.ReLU(), pool, flat),
        *(tt.nn.Linear(features, 128), tt.nn.ReLU(), tt.nn.Linear(128, 10)),
    ]


def many_pulses(batch: int) -> Work:
    """lstm at rates that give a character the weight of an image in the other networks.

    A mean over the characters gives each a hundredth: at the usual rates devices receive almost no pulses.
    """
    return Work("ttv2", 20, batch=batch, net="lstm", faster=STEPS)


@dataclass(frozen=True, eq=False)
class Examples:
    """The training data of one epoch."""

    x: F32 | I64
    """images (examples, pixels), or codes of characters (examples, STEPS)"""
    y: I64
    """classes (examples,), or codes of the characters that follow (examples, STEPS)"""
    inputs: int
    """pixels, or different characters"""
    source: str
    """their source"""

    @property
    def samples(self) -> int:
        """Images, or characters."""
        return self.y.size


def sparse_images(n: int) -> tuple[F32, I64]:
    """Random images of 784 pixels, of which one in five is not 0, with classes in turn."""
    generator = np.random.default_rng(0)
    x = generator.random((n, 784), dtype=np.float32) * (generator.random((n, 784)) < 0.2)
    return x, np.arange(n) % 10


def examples(net: str, n: int, data_dir: str | None = None) -> Examples:
    """The first `n` examples for the network: of MNIST or War and Peace if available, otherwise of a substitute."""
    if net in UNIFORM:
        rng = np.random.default_rng(1)
        return Examples(rng.random((n, 3072), dtype=np.float32), rng.integers(0, 10, n), 3072, "uniform")
    if net != "lstm":
        x, y, source = images(n, data_dir)
        return Examples(x, y, x.shape[1], source)
    try:
        data = tt.data.load("war-and-peace", data_dir, STEPS)
    except FileNotFoundError:
        if data_dir:
            raise
        text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
        vocabulary = tt.data.Vocabulary.of(text)
        codes = np.resize(vocabulary.encode(text), n * STEPS + 1)  # repeated as often as needed
        return Examples(codes[:-1].reshape(n, STEPS), codes[1:].reshape(n, STEPS), len(vocabulary), "our README")
    data = data.first(n)
    return Examples(data.train_x, data.train_y, data.inputs, "war-and-peace")


def images(n: int, data_dir: str | None = None) -> tuple[F32, I64, str]:
    """The first `n` training images of MNIST with classes, or synthetic ones of the same sparsity, and their source."""
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
    """The results of each run in each round; a round contains all runs, so drifts of the machine affect all equally."""
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


def about(nets: Mapping[str, Examples]) -> dict[str, Any]:
    """Data and samples for the file of results: of fcn at the top, of each other network under its name in "nets"."""
    each = {net: {"data": e.source, "samples": e.samples} for net, e in nets.items()}
    return {**each.pop("fcn", {}), "nets": each}


def amount(results: Mapping[str, Any], net: str) -> str:
    """The `about` of the network, to be printed."""
    of = results if net == "fcn" else results["nets"][net]
    what = f"characters, sequences of {STEPS}" if net == "lstm" else "images"
    return f"{of['samples']:,} {what} ({of['data']})"


def chosen_nets(rows: Sequence[Mapping[str, Any]]) -> Collection[str]:
    """The networks of the rows, in their order."""
    return dict.fromkeys(row["settings"]["net"] for row in rows)


def pulses(per_sample: float) -> str:
    """Pulses per sample, to be printed: those of a character may be few."""
    return f"{per_sample:,.{3 if 0 < per_sample < 10 else 0}f}"


def print_table(title: str, header: Row, rows: Rows) -> None:
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
    p.add_argument("--quick", action="store_true", help="little work: a test that it runs, not a measurement")
    return p


def data_option(p: argparse.ArgumentParser) -> None:
    """The option for the folder of MNIST."""
    p.add_argument(
        "--data-dir",
        help="folder with mnist and war-and-peace (or TIKITAKA_DATA); without, synthetic images and our README",
    )


def record(path: str | None, section: str, results: Mapping[str, Any]) -> None:
    """Add the results of one benchmark to the file."""
    if not path:
        return
    file = Path(path)
    whole = json.loads(file.read_text()) if file.is_file() else {}
    whole["machine"] = machine()
    whole[section] = results
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")


def machine() -> dict[str, Any]:
    """The machine and versions of a measurement."""
    info = Path("/proc/cpuinfo")
    fields = [line.partition(":") for line in info.read_text().splitlines()] if info.is_file() else []
    cpu: dict[str, str] = {key.strip(): value.strip() for key, _, value in reversed(fields)}
    return {
        "cpu": cpu.get("model name", platform.processor()),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "simd": _core.simd(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "tikitaka": tt.__version__,
    }
