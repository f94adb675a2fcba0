"""Would three times the epochs move the tolerances? The values on either side of each one, at three times the epochs.

    python results/claims/longer.py results/claims/fcn/states/states.json DATA OUT.jsonl

Rates are those of the result; what is in OUT is not trained again. With fcn, some 10 minutes on two cores.
"""

import json
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import tikitaka as tt
from tikitaka.experiments import sweep
from tikitaka.experiments.measure import scored
from tikitaka.experiments.quality import quality_of


def main(result_file: str, data_dir: str, out: str) -> None:
    result = json.loads(Path(result_file).read_text())
    quality, longer = quality_of(result["net"]), 3 * result["epochs"]
    cells = [json.loads(line) for line in (Path(result_file).parent / "cells.jsonl").read_text().splitlines()]
    points = quality.points[0]
    wanted: dict[str, tt.TrainConfig] = {}
    for cell in cells:
        config = tt.TrainConfig.from_dict(cell["config"])
        if config.seed == 0 and config.rule.kind == "float":
            wanted[f"float: {quality.of(cell):.2f} {quality.unit}"] = replace(config, epochs=longer)
    for each in result["tolerances"]:
        if each["points"] != points or each["beyond"] or not each["tolerance"]:
            continue
        rows = [row for row in result["rows"] if (row["rule"], row.get("panel")) == (each["rule"], each.get("panel"))]
        above = [row for row in rows if row["value"] >= each["tolerance"]]
        below = [row for row in rows if row["value"] < each["tolerance"]]
        for row in (min(above, key=lambda r: r["value"]), max(below, key=lambda r: r["value"])):
            config = next(
                config
                for cell in cells
                if (config := tt.TrainConfig.from_dict(cell["config"])).seed == 0 and _is(cell, config, row, quality)
            )
            name = f"{each.get('panel', '')} {row['rule']} at {row['value']:g}".strip()
            wanted[f"{name}: {row['each'][0]:.2f} {quality.unit}"] = replace(config, epochs=longer)
    measured = sweep(wanted.values(), out=out, measure=partial(scored, data_dir=data_dir))
    for name, row in zip(wanted, measured, strict=True):
        print(f"{name} after {result['epochs']} epochs, {quality.of(row):.2f} {quality.unit} after {longer}")


def _is(cell: Any, config: tt.TrainConfig, row: Any, quality: Any) -> bool:
    """Whether a cell is that of a row: its first seed has the same error."""
    return quality.of(cell) == row["each"][0] and config.rule.kind == row["rule"].partition("-")[0]


if __name__ == "__main__":
    main(*sys.argv[1:])
