"""`tikitaka reproduce states | update-noise | mvm-noise | reference`: what each training rule tolerates."""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from tikitaka import plot
from tikitaka._internal.statistics import plus_minus
from tikitaka.cli.output import common_options, keep, print_json
from tikitaka.experiments import claims
from tikitaka.experiments import networks as study
from tikitaka.experiments.axes import axes
from tikitaka.nn import nets

__all__ = ["commands", "table"]

_ABOUT = {
    "states": "Conductance states: how few does each rule get along with?",
    "update-noise": "Cycle noise of updates: how much does each rule tolerate?",
    "mvm-noise": "Output noise of products: how much does each rule tolerate?",
    "reference": "Errors of the reference of A: how large may they be?",
}


def commands() -> list[click.Command]:
    """A command for every claim about a tolerance, and one for the networks."""
    return [*(_command(claim) for claim in axes), _networks]


@click.command("networks")
@click.option("--data-dir", metavar="DIR", envvar="TIKITAKA_DATA", help="Folder of data sets (TIKITAKA_DATA).")
@click.option("--nets", "names", metavar="LIST", default=",".join(nets), show_default=True, help="With commas.")
@click.option("--rules", metavar="LIST", default=",".join(study.RULES), show_default=True, help="Rules, with commas.")
@click.option("--seeds", type=click.IntRange(min=1), help="Seeds of each rule (default: 1 to 3).")
@click.option("--scale", type=click.Choice(list(study.scales)), default="full", show_default=True, help="Size.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    required=True,
    help="Keeps trainings and networks.json; an interrupted study goes on there.",
)
@common_options
def _networks(
    data_dir: str | None,
    names: str,
    rules: str,
    seeds: int | None,
    scale: str,
    out: Path,
    threads: int,
    as_json: bool,
) -> None:
    """Every rule on the paper's networks, on devices of 20 states with the full periphery."""
    result = study.networks(
        out=out,
        names=_names(names),
        rules=_names(rules),
        seeds=seeds,
        scale=scale,
        data_dir=data_dir,
        threads=threads,
        progress=sys.stderr.isatty(),
    )
    keep(result, out)
    if as_json:
        print_json(result)
        return
    click.echo(f"{'net':<7}{'rule':<7}{'test error':>16}{'loss':>9}{'of the average':>16}   rates")
    for row in result["rows"]:
        error = f"{plus_minus(row['error_percent'], row['spread'])} %"
        loss = "–" if row["loss"] is None else f"{row['loss']:.3f}"
        average = "–" if row["average_error_percent"] is None else f"{row['average_error_percent']:.2f} %"
        rates = ", ".join(f"{name} {row[name]:.3g}" for name in ("lr", "fast_lr", "transfer_lr") if name in row)
        click.echo(f"{row['net']:<7}{row['rule']:<7}{error:>16}{loss:>9}{average:>16}   {rates}")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def _command(claim: str) -> click.Command:
    known = axes[claim].rules

    @click.command(claim, help=_ABOUT[claim])
    @click.option("--net", type=click.Choice(list(nets)), default="fcn", show_default=True, help="Network.")
    @click.option("--data", metavar="NAME", help="Data set (default: that of the network).")
    @click.option("--data-dir", metavar="DIR", envvar="TIKITAKA_DATA", help="Folder of data sets (TIKITAKA_DATA).")
    @click.option("--rules", metavar="LIST", default=",".join(known), show_default=True, help="Rules, with commas.")
    @click.option("--seeds", type=click.IntRange(min=1), help="Seeds beside a crossing (default: 3, quick: 2).")
    @click.option("--scale", type=click.Choice(list(claims.scales)), default="full", show_default=True, help="Size.")
    @click.option(
        "--out",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        required=True,
        help=f"Keeps trainings, {claim}.json and, with matplotlib, {claim}.png; an interrupted study goes on there.",
    )
    @common_options
    def command(
        net: str,
        data: str | None,
        data_dir: str | None,
        rules: str,
        seeds: int | None,
        scale: str,
        out: Path,
        threads: int,
        as_json: bool,
    ) -> None:
        result = claims.study(
            claim,
            net=net,
            data=data,
            data_dir=data_dir,
            rules=_names(rules),
            seeds=seeds,
            scale=scale,
            out=out,
            threads=threads,
            progress=sys.stderr.isatty(),
        )
        keep(result, out)
        if find_spec("matplotlib") is not None:
            plot.claim(result, out / f"{claim}.png")
        if as_json:
            print_json(result)
        else:
            click.echo(table(result))

    return command


def table(result: dict[str, Any]) -> str:
    """The tolerances of a study, and how much more ttv2 tolerates than the others."""
    exact = result["float"]
    lines = [
        f"{result['label']}: {result['net']} on {result['data']}, scale {result['scale']}; "
        f"float {plus_minus(exact['error_percent'], exact['spread'])} % (seeds: {exact['seeds']})",
        f"{'':<28}{'within':<10}{'rule':<6}{'tolerance':>12}  {'95 % interval':<20}ttv2 is better by",
    ]
    ratios = {(r.get("panel"), r["points"], r["over"]): r for r in result["ratios"]}
    for row in result["tolerances"]:
        factor = ratios.get((row.get("panel"), row["points"], row["rule"]))
        words = "" if factor is None or factor["ratio"] is None else _factor(factor)
        lines.append(
            f"{row.get('panel', ''):<28}{row['points']:<10g}{row['rule']:<6}{_value(row):>12}  "
            f"{_interval(row):<20}{words}"
        )
    return "\n".join(lines)


def _value(row: dict[str, Any]) -> str:
    if row["tolerance"] is None:
        return "seeds differ"
    return "nowhere" if row["tolerance"] == 0 else f"{row['sign']} {_number(row['tolerance'])}".strip()


def _interval(row: dict[str, Any]) -> str:
    return "" if row["low"] is None else f"{_number(row['low'])} to {_number(row['high'])}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _factor(factor: dict[str, Any]) -> str:
    words = f"{factor['bound'] + ' ' if factor['bound'] else ''}{_number(factor['ratio'])} ×"
    return words if factor["low"] is None else f"{words} ({_number(factor['low'])} to {_number(factor['high'])})"
