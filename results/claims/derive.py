"""Adds the derived tolerances to the results of the studies of noise, draws their figures again and prints a table.

    python results/claims/derive.py results/claims

The folder contains states/states.json, which the derivation starts from, update-noise/update-noise.json and
mvm-noise/mvm-noise.json. docs/limits.md explains the derivation.
"""

import json
import sys
from pathlib import Path

from tikitaka import plot
from tikitaka.experiments.limits import derived, resting_variance, ttv1_ratio


def main(folder: Path) -> None:
    states = json.loads((folder / "states" / "states.json").read_text())
    for each in states["tolerances"]:
        if each["rule"] == "ttv1" and each["tolerance"]:
            ratio = ttv1_ratio(resting_variance(0.6, 1.2 / each["tolerance"], 0.3))
            print(f"TTv1 leaves float + {each['points']:g} at {each['tolerance']:.1f} states, F = {ratio:.3f}")
    print(f"{'':<30}{'rule':<15}{'within':<8}{'derived':>8}{'measured':>10}  95 % interval")
    for name in ("update-noise", "mvm-noise"):
        file = folder / name / f"{name}.json"
        if not file.exists():
            continue
        result = json.loads(file.read_text())
        result["derived"] = derived(result, states)
        file.write_text(json.dumps(result, indent=2, ensure_ascii=True) + "\n")
        plot.claim(result, file.with_suffix(".png"))
        measured = {(row.get("panel"), row["points"], row["rule"]): row for row in result["tolerances"]}
        for row in result["derived"]:
            known = measured[row.get("panel"), row["points"], row["rule"]]
            value = "–" if known["tolerance"] is None else f"{known['sign']} {known['tolerance']:.2g}".strip()
            interval = "" if known["low"] is None else f"{known['low']:.2g} to {known['high']:.2g}"
            where = f"{row.get('panel', ''):<30}{row['rule']:<15}{row['points']:<8g}"
            print(f"{where}{row['value']:>8.2g}{value:>10}  {interval}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
