"""How the time of a training sample grows with the size of an array; run by `scaling.py`.

One square layer under TTv2: pulses determine the cost of an update, non-zero inputs that of a forward product. With few
of both, only the costs linear in the size remain: outputs, converters, the line that is read.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import common
import numpy as np

import tikitaka as tt

SHARE = 1 / 16
"""Non-zero inputs, if proportional to the size."""
SERIES: dict[str, tuple[Callable[[int], int], Callable[[int], float]]] = {
    "8 inputs, 100 pulses": (lambda n: 8, lambda n: 100),
    "n/16 inputs, 100 pulses": (lambda n: int(n * SHARE), lambda n: 100),
    "n/16 inputs, n²/1,000 pulses": (lambda n: int(n * SHARE), lambda n: n * n / 1000),
}
"""Non-zero inputs and pulses of a sample for each curve, by the size n."""


def layer(n: int, fast_lr: float = 0.1) -> tt.Network:
    """One square TTv2 layer without a bias."""
    config = tt.Ttv2(fast_lr=fast_lr, periphery=tt.Periphery.full())
    return tt.Network([tt.nn.Linear(n, n, bias=False)], config, loss="mse", seed=1)


def sparse(rng: np.random.Generator, n: int, samples: int, lit: int) -> common.F32:
    """Vectors with `lit` values that are not zero."""
    x = np.zeros((samples, n), np.float32)
    for row in x:
        row[rng.choice(n, lit, replace=False)] = rng.uniform(0.5, 1, lit)
    return x


class Square:
    """One square layer under a fixed amount of work per sample."""

    VECTORS = 32

    def __init__(self, n: int, lit: int, pulses: float, seconds: float) -> None:
        rng = np.random.default_rng(n)
        self.n, self.lit = n, lit
        self.x = sparse(rng, n, self.VECTORS, lit)
        # Targets far above all outputs determine the error signals, (y − t)/n.
        self.y = rng.choice([-50, 50], (self.VECTORS, n)).astype(np.float32)
        # E[pulses] = lr/δ Σ|x| Σ|error|, with a step δ of 2·0.6/20 and errors of 50/n
        fast_lr = pulses * 0.06 / (float(self.x.sum(axis=1).mean()) * 50)
        self.network = layer(n, fast_lr)
        start = time.perf_counter()
        self.network.train(self.x, self.y)
        each = (time.perf_counter() - start) / self.VECTORS
        self.order = np.arange(max(int(seconds / each), self.VECTORS)) % self.VECTORS
        self.before, self.samples = self.network.pulses, 0

    def microseconds(self) -> float:
        """Per sample."""
        start = time.perf_counter()
        self.network.train(self.x, self.y, order=self.order)
        self.samples += len(self.order)
        return 1e6 * (time.perf_counter() - start) / len(self.order)

    @property
    def pulses(self) -> float:
        """Pulses per sample so far."""
        return (self.network.pulses - self.before) / self.samples


def curve_part(sizes: list[int], repeats: int, seconds: float) -> dict[str, Any]:
    """A row per curve and size."""
    rows: list[dict[str, Any]] = []
    for n in sizes:  # one size at a time: together they would need 2 GB
        squares = {name: Square(n, lit(n), pulses(n), seconds) for name, (lit, pulses) in SERIES.items()}
        times = common.interleave({name: square.microseconds for name, square in squares.items()}, repeats)
        for name, square in squares.items():
            us = common.quartiles(times[name])
            rows.append({"series": name, "n": n, "inputs": square.lit, "pulses": square.pulses, "microseconds": us})
    rows.sort(key=lambda row: (list(SERIES).index(row["series"]), row["n"]))
    lines = [
        [f"{row['n']} × {row['n']}", str(row["inputs"]), f"{row['pulses']:,.0f}", common.spread(row["microseconds"], 1)]
        for row in rows
    ]
    title = f"One square layer, batch 1, full periphery: µs per sample, median [quartiles] of {repeats}"
    common.print_table(title, ["layer", "non-zero inputs", "pulses", "µs/sample"], lines)
    return {"rows": rows}


def plot(rows: list[dict[str, Any]], path: str) -> None:
    """Time per sample by size, a line per curve."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    for (name, colour), mark in zip(zip(SERIES, ("#0072B2", "#D55E00", "#009E73"), strict=True), "os^", strict=True):
        of = [row for row in rows if row["series"] == name]
        n, us = [row["n"] for row in of], [row["microseconds"]["median"] for row in of]
        axes.loglog(n, us, color=colour, marker=mark, linewidth=2, markersize=7, label=name, base=2)
    sizes, (first, *_, last) = sorted({row["n"] for row in rows}), SERIES
    for name, power, style in ((first, 1, ":"), (last, 2, "--")):
        largest = next(row for row in rows if (row["series"], row["n"]) == (name, sizes[-1]))
        guide = [largest["microseconds"]["median"] * (n / sizes[-1]) ** power for n in sizes]
        axes.loglog(sizes, guide, style, color="grey", label=f"∝ n{'²' if power == 2 else ''}", base=2)
    axes.set_yscale("log", base=10)
    axes.set_xticks(sizes, [f"{n:,}" for n in sizes])
    axes.set_xlabel("size n of the n × n array (crosspoints per side)", fontsize=13)
    axes.set_ylabel("time per training sample (µs)", fontsize=13)
    axes.tick_params(labelsize=12)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=12)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
