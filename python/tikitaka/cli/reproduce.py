"""`tikitaka reproduce`: claims of the literature, run again."""

import json
import sys
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from tikitaka.cli.output import common_options, print_json
from tikitaka.experiments import weight_programming as wp

__all__ = ["reproduce"]


@click.group()
def reproduce() -> None:
    """Run a claim again and print its numbers."""


def _numbers(_context: click.Context, _option: click.Parameter, text: str) -> list[float]:
    try:
        return [int(word) if word.strip().isdigit() else float(word) for word in text.split(",")]
    except ValueError:
        raise click.BadParameter(f"numbers with commas between them, not {text!r}") from None


@reproduce.command("weight-programming")
@click.option("--rules", metavar="LIST", default=",".join(wp.RULES), show_default=True, help="Rules, with commas.")
@click.option(
    "--states",
    metavar="LIST",
    default=",".join(map(str, wp.STATES)),
    show_default=True,
    callback=_numbers,
    help="Numbers of states, with commas.",
)
@click.option("--seeds", type=click.IntRange(min=1), help="Seeds of each cell (default: 3).")
@click.option(
    "--scale", type=click.Choice(list(wp.scales)), default="full", show_default=True, help="Inputs to train on."
)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Also write weight-programming.json there.")
@common_options
def weight_programming(
    rules: str, states: list[float], seeds: int | None, scale: str, out: Path | None, threads: int, as_json: bool
) -> None:
    """R24 Fig. 4: 100·rms(W − target) of a 20 × 20 array over states, for SGD and TTv2."""
    names = [name.strip() for name in rules.split(",")]
    size = wp.scales[scale]
    runs = seeds or size.seeds
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    total = wp.trainings(rules=names, states=states, seeds=runs)
    with tqdm(total=total, unit="run", file=sys.stderr, disable=None) as bar:
        rows = wp.weight_programming(
            rules=names,
            states=states,
            seeds=runs,
            inputs=size.inputs,
            threads=threads,
            progress=bar.update,
        )
    result = {"claim": "weight-programming", "scale": scale, "inputs": size.inputs, "rows": rows}
    if out is not None:
        whole = out / "weight-programming.json"
        part = out / ".weight-programming.json.part"
        part.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        part.replace(whole)
    if as_json:
        print_json(result)
    else:
        click.echo(_table(rows))


def _table(rows: list[dict[str, Any]]) -> str:
    lines = [f"{'rule':<6}{'states':>8}{'error':>9}{'spread':>9}{'R24':>8}{'lr':>8}   error: 100·rms(W − target)"]
    for row in rows:
        r24 = "–" if row["r24_percent"] is None else f"{row['r24_percent']:.1f}"
        lr = "r24" if row["lr"] is None else f"{row['lr']:g}"
        lines.append(
            f"{row['rule']:<6}{row['states']:>8g}{row['error_percent']:>9.2f}{row['spread']:>9.2f}{r24:>8}{lr:>8}"
        )
    return "\n".join(lines)
