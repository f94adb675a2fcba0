"""Nanoseconds per item of the kernels: runs `cargo bench` and rewrites divan's items per second.

    python benches/kernels.py
    python benches/kernels.py --only update_

An item is a random value, a product of a vector, a thousand multiply-adds of a mini-batch, a pulse, a value read from a
line, or a step of the float rule: see `kernels.rs`, `batches.rs` and `updates.rs`.
"""

import re
import subprocess
from typing import Any

import common

_PREFIX = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_COLUMNS = ("fastest", "slowest", "median", "mean")


def parse(text: str) -> list[dict[str, Any]]:
    """A row per benchmark in divan's tree, whose items per second are in the line below its times."""
    rows: list[dict[str, Any]] = []
    start, group, name = 0, "", ""
    for line in text.splitlines():
        if "fastest" in line and "slowest" in line:
            start = line.index("fastest")
            continue
        branch = re.match(r"([│ ]*)[├╰]─ (.*)", line[:start])
        if branch:
            indent, label = branch[1], branch[2].strip()
            if indent:
                name = f"{group} {label}"
            else:
                group = name = label
        items = re.findall(r"([\d.]+) ([KMGT]?)item/s", line)
        if items:
            times = [1e9 / (float(value) * _PREFIX[prefix]) for value, prefix in items]
            rows.append({"name": name, "ns_per_item": dict(zip(_COLUMNS, times, strict=True))})
    return rows


def main() -> None:
    p = common.parser(__doc__)
    p.add_argument("--only", default="", metavar="TEXT", help="benchmarks whose names contain this")
    a = p.parse_args()
    command = ["cargo", "bench", "--quiet", *(f"--bench={name}" for name in ("kernels", "batches", "updates")), "--"]
    effort = ["--sample-count", "3", "--max-time", "0.01"] if a.quick else ["--min-time", "0.2"]
    done = subprocess.run([*command, *effort, *filter(None, [a.only])], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    rows = parse(done.stdout)
    path = re.search(r"SIMD path: (\w+)", done.stdout)
    simd = path[1].lower() if path else ""
    lines = [[row["name"], *(f"{row['ns_per_item'][column]:,.2f}" for column in ("median", "fastest"))] for row in rows]
    common.print_table(f"Kernels, ns per item ({simd})", ["benchmark", "median", "fastest"], lines)
    common.record(a.json, "kernels", {"simd": simd, "rows": rows})


if __name__ == "__main__":
    main()
