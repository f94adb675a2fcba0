"""Instructions per normal, product, pulse and sample, which do not depend on the load of the machine.

    python benches/instructions.py
    python benches/instructions.py --only "pulse*"

`instructions.rs` does the same work each time. Valgrind counts its instructions for N operations and for 2 N; the
difference excludes the set-up. Valgrind does not support AVX-512, so this is the AVX2 path; a vector instruction counts
as one, and a cache miss as nothing: the numbers compare two versions of the code, not two kinds of work.
"""

import fnmatch
import json
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import common

CASES = {
    "normal": 300,
    "forward, exact": 300,
    "forward, full": 300,
    "backward, exact": 300,
    "backward, full": 300,
    "read of a line, full": 300,
    "pulse, 256×785, 20 states": 256,
    "pulse, 256×785, 1200 states": 64,
    "pulse, 128×257, 20 states": 256,
    "pulse, 128×257, 1200 states": 64,
    "pulse, 10×129, 20 states": 256,
    "pulse, 10×129, 1200 states": 64,
    "sample, float": 128,
    "sample, sgd, 20 states": 128,
    "sample, sgd, 1200 states": 128,
    "sample, ttv2, 20 states": 128,
    "sample, ttv2, 20 states, full": 128,
    "sample, ttv2, 1200 states": 64,
}
"""Operations N of each case: in the units of `instructions.rs`, and enough to average out chance."""


def executable() -> str:
    """Builds the counted program; its path."""
    command = ["cargo", "bench", "--quiet", "--no-run", "--bench", "instructions", "--message-format=json"]
    lines = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    artifacts = [message for message in map(json.loads, lines) if message["reason"] == "compiler-artifact"]
    return next(str(m["executable"]) for m in artifacts if m["target"]["name"] == "instructions" and m["executable"])


def count(program: str, case: str, n: int) -> tuple[int, int, str]:
    """Instructions, items and the SIMD path of n operations."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, case, str(n)]
    done = subprocess.run(command, capture_output=True, text=True)
    collected, items = re.search(r"Collected : (\d+)", done.stderr), re.search(r"items: (\d+)", done.stdout)
    path = re.search(r"SIMD path: (\w+)", done.stdout)
    if done.returncode or not (collected and items and path):
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    return int(collected[1]), int(items[1]), path[1].lower()


def main() -> None:
    p = common.parser(__doc__)
    p.add_argument("--only", default="*", metavar="PATTERN", help="cases whose names fit, as file names do")
    a = p.parse_args()
    if not shutil.which("valgrind"):
        print("no instruction counts: valgrind is not installed (on Debian: apt-get install valgrind)")
        return
    program = executable()
    chosen = {case: max(n // 16, 4) if a.quick else n for case, n in CASES.items() if fnmatch.fnmatch(case, a.only)}
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # counts do not depend on other processes
        once = pool.map(lambda case: count(program, case, chosen[case]), chosen)
        twice = pool.map(lambda case: count(program, case, 2 * chosen[case]), chosen)
        pairs = list(zip(chosen, once, twice, strict=True))
    rows = [{"name": case, "instructions": (b[0] - a[0]) / (b[1] - a[1]), "simd": b[2]} for case, a, b in pairs]
    lines = [[str(row["name"]), f"{row['instructions']:,.1f}"] for row in rows]
    paths = ", ".join(sorted({str(row["simd"]) for row in rows}))
    common.print_table(f"Instructions under valgrind ({paths})", ["per", "instructions"], lines)
    common.record(a.json, "instructions", {"rows": rows})


if __name__ == "__main__":
    main()
