"""The tables of docs/performance.md in Markdown, from a file of results.

python benches/tables.py target/bench/bench.json
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import common

Results = Mapping[str, Any]

TYPICAL = {
    ("fcn", 1): "fcn, 784-256-128-10",
    ("fcn", 32): "fcn",
    ("lenet", 8): "lenet",
    ("lstm", 16): "char_lstm, characters",
    ("cifar", 32): "convolutions, 3 × 32 × 32",
    ("wide", 128): "3072-1024-1024-10",
    ("wider", 128): "3072-2048-2048-10",
}
"""Networks and sizes of mini-batches that show what to expect."""


def markdown(title: str, header: common.Row, rows: common.Rows) -> str:
    """The table, its first column to the left and the others to the right."""
    rule = [":--", *("--:" for _ in header[1:])]
    return "\n".join([f"{title}:", "", *(f"| {' | '.join(line)} |" for line in (header, rule, *rows))])


def typical(speed: Results) -> common.Table:
    """Samples per second by network, rule and threads."""
    rates = {
        (s["net"], s["batch"], s["rule"], s["mvm"], row["threads"]): row["samples_per_second"]["median"]
        for row in speed["rows"]
        if (s := row["settings"])["states"] in (0, 20) and "rates" not in row["name"]
    }
    rules = [("float", "ideal"), ("ttv2", "ideal"), ("ttv2", "full")]
    rows = [
        [
            name,
            f"{weights(net) / 1e6:.2g}",
            str(batch),
            *(" / ".join(f"{rates[net, batch, *rule, threads]:,.0f}" for threads in (1, 2)) for rule in rules),
        ]
        for (net, batch), name in TYPICAL.items()
        if (net, batch, "float", "ideal", 1) in rates
    ]
    header = ["network", "million weights", "batch", "float", "TTv2, exact products", "TTv2, full periphery"]
    return f"Samples/s on one thread / on two, medians of {speed['repeats']}", header, rows


def weights(net: str) -> int:
    """Crosspoints of a network, with biases; lstm for 87 different characters."""
    inputs = 87 if net == "lstm" else 3072 if net in common.UNIFORM else 784
    network = common.Work("float", net=net).network(inputs=inputs)
    return sum(array.size for array in network.weights)


def against(peers: Results) -> common.Table:
    """A row per case: our rates, theirs, and the ratios on one thread and on two."""
    cases: dict[str, dict[int, Results]] = {}
    for row in peers["rows"]:
        cases.setdefault(row["name"], {})[row["threads"]] = row
    rows = []
    for name, of in cases.items():
        faster = of[1]["ratio_of"] == "speed"
        target = "–" if of[1]["target"] is None else f"{'≥' if faster else '≤'} {of[1]['target']:g}"
        rates = [f"{of[n]['ours_per_second']['median']:,.0f}" for n in (1, 2)]
        ratios = [common.spread(of[n]["ratio"], 2) for n in (1, 2)]
        theirs = f"{of[1]['theirs_per_second']['median']:,.0f}"
        rows.append([name if faster else f"{name}, time", *rates, theirs, *ratios, target])
    header = ["case", "ours", "two threads", "theirs", "ratio [quartiles]", "two threads", "target"]
    return f"Samples/s and ratios, medians of {peers['rounds']} rounds", header, rows


def kernels(measured: Results) -> common.Table:
    """Nanoseconds per item."""
    rows = [[row["name"], f"{row['ns_per_item']['median']:,.2f}"] for row in measured["rows"]]
    return f"Kernels ({measured['simd']})", ["kernel", "ns per item"], rows


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("file", type=Path, help="what the benchmarks wrote with --json")
    results = json.loads(p.parse_args().file.read_text())
    for section, table in (("speed", typical), ("peers", against), ("kernels", kernels)):
        if section in results:
            print(markdown(*table(results[section])), end="\n\n")


if __name__ == "__main__":
    main()
