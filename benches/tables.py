"""Tables of `speed.py` and `peers.py` in Markdown, from a file of results.

python benches/tables.py target/bench/bench.json --nets lenet lstm
"""

import argparse
import json
from pathlib import Path

import common
import peers
import speed


def markdown(title: str, header: common.Row, rows: common.Rows) -> str:
    """The table, its first column to the left and the others to the right."""
    rule = [":--", *("--:" for _ in header[1:])]
    return "\n".join([f"{title}:", "", *(f"| {' | '.join(line)} |" for line in (header, rule, *rows))])


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("file", type=Path, help="what the benchmarks wrote with --json")
    p.add_argument("--nets", choices=common.NETS, nargs="+", default=common.NETS, help="networks to show")
    a = p.parse_args()
    results = json.loads(a.file.read_text())
    for section, tables in (("speed", speed.tables), ("peers", peers.tables)):
        for net, table in tables(results[section]).items() if section in results else ():
            if net in a.nets:
                print(markdown(*table), end="\n\n")


if __name__ == "__main__":
    main()
