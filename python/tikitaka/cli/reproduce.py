"""`tikitaka reproduce`: claims of the literature, run again."""

import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from tikitaka import plot
from tikitaka._internal.statistics import plus_minus
from tikitaka.cli import claims
from tikitaka.cli.output import common_options, keep, print_json
from tikitaka.experiments import extraction as study
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
        keep(result, out)
    if as_json:
        print_json(result)
    else:
        click.echo(_table(rows))


def _table(rows: list[dict[str, Any]]) -> str:
    lines = [f"{'rule':<6}{'states':>8}{'error':>9}{'spread':>9}{'R24':>8}{'lr':>8}   error: 100·rms(W − target)"]
    for row in rows:
        r24 = "–" if row["r24_percent"] is None else f"{row['r24_percent']:.1f}"
        lr = "r24" if row["lr"] is None else f"{row['lr']:g}"
        apart = "–" if row["spread"] is None else f"{row['spread']:.2f}"
        lines.append(f"{row['rule']:<6}{row['states']:>8g}{row['error_percent']:>9.2f}{apart:>9}{r24:>8}{lr:>8}")
    return "\n".join(lines)


@reproduce.command("extraction")
@click.option("--data", metavar="NAME", default="mnist", show_default=True, help="Data set.")
@click.option("--data-dir", metavar="DIR", envvar="TIKITAKA_DATA", help="Folder of data sets (TIKITAKA_DATA).")
@click.option("--settings", metavar="LIST", default=",".join(study.SETTINGS), show_default=True, help="With commas.")
@click.option(
    "--seeds", type=click.IntRange(min=1), help="Trainings of each setting and schedule (default: 3, quick: 2)."
)
@click.option("--scale", type=click.Choice(list(study.scales)), default="full", show_default=True, help="Size.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    required=True,
    help="Keeps the runs, extraction.json and, with matplotlib, extraction.png; an interrupted study goes on there.",
)
@common_options
def extraction(
    data: str,
    data_dir: str | None,
    settings: str,
    seeds: int | None,
    scale: str,
    out: Path,
    threads: int,
    as_json: bool,
) -> None:
    """The model that comes out of noisy hardware: read, averaged, quantised, and on other chips."""
    names = [name.strip() for name in settings.split(",")]
    size = study.scales[scale]
    size = size if seeds is None else replace(size, seeds=seeds)
    total = len(names) * len(study.SCHEDULES) * size.seeds
    with tqdm(total=total, unit="run", file=sys.stderr, disable=None) as bar:
        rows = study.extraction(
            data, data_dir, settings=names, scale=size, out=out, threads=threads, progress=bar.update
        )
    result = {"claim": "extraction", "data": data, "scale": scale, "epochs": size.epochs, "rows": rows}
    keep(result, out)
    if find_spec("matplotlib") is not None:
        plot.extraction(rows, out / "extraction.png")
    if as_json:
        print_json(result)
    else:
        click.echo(_extraction_table(rows))


def _extraction_table(rows: list[dict[str, Any]]) -> str:
    lines = []
    columns = list(dict.fromkeys((row["setting"], row["schedule"]) for row in rows))
    for setting, schedule in columns:
        lines += ["", f"{setting}, schedule {schedule}"]
        for row in rows:
            if (row["setting"], row["schedule"]) == (setting, schedule):
                error = plus_minus(row["error_percent"], row["spread"])
                lines.append(f"  {row['model']:<31}{error} %  (n = {row['n']})")
    return "\n".join(lines[1:])


for command in claims.commands():
    reproduce.add_command(command)
