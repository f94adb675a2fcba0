"""Round trips of the fit: devices of known parameters are simulated, fitted, and compared with the truth.

For every shape of the step, chips of some 100 states with reads of 4 % of the range are fitted one by one. The table
says how often 95 % intervals cover the truth, how often the true shape or a simpler one that predicts as well is
chosen, and how far off estimates are on average. It takes some minutes.

    python benches/fit_roundtrips.py [--chips 20] [--cycles 5] [--read 0.04] [--json FILE]
"""

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tikitaka as tt
from tikitaka.fitting.form import SHAPES, steps

F64 = NDArray[np.float64]

LOW, HIGH = 20.0, 80.0
"""Range of the devices."""

READ = 0.04
"""Noise of a read, as a fraction of the range."""

TABLE = (0.014, 0.0115, 0.0105, 0.0105, 0.011, 0.009)


def truth(shape: str, rng: np.random.Generator) -> F64:
    """Parameters of a chip in units of its range, with x = 0 in the middle; as in `fit::Shape` of the crate."""
    a = 0.01 * np.exp(0.2 * rng.standard_normal(2))
    if shape == "constant":
        return a
    if shape == "linear":
        return np.concatenate([a, np.array([-1.0, 1.0]) * rng.uniform(1.2, 2.0, 2)])
    if shape == "power":
        return np.concatenate([1.5 * a, np.array([0.6, -0.6]), rng.uniform(1.6, 2.2, 2)])
    if shape == "exponential":
        return np.concatenate([a, np.array([-1.0, 1.0]) * rng.uniform(0.8, 1.2, 2), [3.0, -3.0]])
    return np.concatenate([TABLE, TABLE[::-1]]) * np.exp(0.05 * rng.standard_normal(12))


def pulse_noise(shape: str, p: F64, multiplicative: bool) -> float:
    """Half the step, or as large as the mean step in the middle."""
    return 0.5 if multiplicative else float(np.sqrt(p[0] * p[6 if shape == "table" else 1]))


def simulate(
    shape: str, p: F64, multiplicative: bool, cycles: int, rng: np.random.Generator, read: float = READ
) -> tt.Measured:
    """Cycles of 200 up and 200 down pulses from the lower end of the range on, each read once with noise `read`."""
    noise = pulse_noise(shape, p, multiplicative)
    flat, sweeps = np.concatenate([p, [noise, 0.0]])[None], []
    count = 90 if shape in ("constant", "table") else 200  # these have no end in sight
    x = -0.45
    for cycle in range(1, cycles + 1):
        for sign in (1, -1):
            values = []
            for _ in range(count):
                f = float(steps(shape, flat, sign, np.array([x]))[0, 0])
                x = x + sign * f + noise * (f if multiplicative else 1.0) * rng.standard_normal()
                values.append(x)
            reads = (np.array(values) + 0.5) * (HIGH - LOW) + LOW + read * (HIGH - LOW) * rng.standard_normal(count)
            sweeps.append(tt.Sweep("chip", cycle, np.full(count, sign), reads))
    return tt.Measured(tuple(sweeps))


def compared(
    shape: str, p: F64, multiplicative: bool, fit: tt.DeviceFit, read: float
) -> list[tuple[str, float, float, float, float]]:
    """What is compared: name, truth, estimate, and the ends of its interval."""
    curves = fit.members[0].curves
    size, found = HIGH - LOW, []
    low, high = curves.used
    flat = np.concatenate([p, [1.0, 0.0]])[None]
    places = {"step": (low + high) / 2, "step low": 0.8 * low + 0.2 * high, "step high": 0.2 * low + 0.8 * high}
    for name, at in places.items():
        for sign, side in ((1, "up"), (-1, "down")):
            x = np.array([(at - LOW) / size - 0.5])
            true = float(steps(shape, flat, sign, x)[0, 0]) * size
            found.append((f"{name} {side}", true, curves.step(sign, at)))
    if shape == "linear":
        for k, side in enumerate(("up", "down")):
            found.append((f"slope {side}", float(p[k] * p[2 + k]), curves.p[:, k] * curves.p[:, 2 + k]))
    noise = pulse_noise(shape, p, multiplicative) * (1.0 if multiplicative else size)
    found += [("pulse noise", noise, curves.pulse_noise())]
    rows = []
    for name, true, values in found:
        ends = np.quantile(values[1:], [0.025, 0.975])
        rows.append((name, true, float(values[0]), float(ends[0]), float(ends[1])))
    found_read = fit.values["read_noise"]
    rows.append(("read noise", read * size, found_read.estimate, found_read.low, found_read.high))
    return rows


def one(task: tuple[str, bool, int, int], read: float = READ) -> dict[str, Any]:
    """Fit one chip twice: with its own shape, and with all shapes."""
    shape, multiplicative, cycles, seed = task
    rng = np.random.default_rng([SHAPES.index(shape), multiplicative, seed])
    p = truth(shape, rng)
    measured = simulate(shape, p, multiplicative, cycles, rng, read)
    noise = "multiplicative" if multiplicative else "additive"
    own = tt.fit_device(measured, models=[shape], noise=[noise], replicates=0, threads=1)
    free = tt.fit_device(measured, replicates=0, threads=1)
    return {
        "rows": compared(shape, p, multiplicative, own, read),
        "chosen": free.form.shape,
        "noise": free.form.noise,
        "passed": own.goodness.passed,
    }


def main() -> None:
    """Run all chips and print the table."""
    parser = argparse.ArgumentParser(description="round trips of the fit")
    parser.add_argument("--chips", type=int, default=20)
    parser.add_argument("--cycles", type=int, default=5)
    parser.add_argument("--read", type=float, default=READ, help="noise of a read, as a fraction of the range")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--shapes", default=",".join(SHAPES))
    parser.add_argument("--json")
    options = parser.parse_args()
    results = {}
    print(f"{'shape':12} {'noise':14} {'covered':>8} {'chosen':>7} {'passes':>7}  bias of estimates (mean)")
    with ProcessPoolExecutor(options.workers) as pool:
        for shape in options.shapes.split(","):
            for multiplicative in (False, True):
                tasks = [(shape, multiplicative, options.cycles, seed) for seed in range(options.chips)]
                chips = list(pool.map(partial(one, read=options.read), tasks))
                rows = [row for chip in chips for row in chip["rows"]]
                covered = float(np.mean([low <= true <= high for _, true, _, low, high in rows]))
                rank = SHAPES.index(shape)
                right = float(np.mean([SHAPES.index(chip["chosen"]) <= rank for chip in chips]))
                bias = {
                    name: float(np.mean([row[2] / row[1] - 1 for row in rows if row[0] == name and row[1] != 0]))
                    for name in dict.fromkeys(row[0] for row in rows if row[1] != 0)
                }
                noise = "multiplicative" if multiplicative else "additive"
                shown = ", ".join(f"{name} {100 * value:+.0f} %" for name, value in bias.items() if "low" not in name)
                passed = float(np.mean([chip["passed"] for chip in chips]))
                print(f"{shape:12} {noise:14} {100 * covered:7.1f}% {100 * right:6.0f}% {100 * passed:6.0f}%  {shown}")
                sys.stdout.flush()
                chosen = [chip["chosen"] for chip in chips]
                results[f"{shape}, {noise}"] = {"covered": covered, "right": right, "bias": bias, "chosen": chosen}
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
