"""`tikitaka assess`: will a device train a network, what limits it, and what must improve?"""

from pathlib import Path
from typing import Any

import click

from tikitaka._internal.cpu import cores
from tikitaka._internal.shown import shown
from tikitaka.assessment import assess as made
from tikitaka.cli.output import print_json
from tikitaka.config import Periphery, Reference, peripheries
from tikitaka.nn import nets

__all__ = ["assess"]


def _seeds(_context: click.Context, _option: click.Parameter, text: str | None) -> int | list[int] | None:
    """A number of seeds, or the seeds themselves with commas."""
    if text is None:
        return None
    try:
        given = [int(word) for word in text.split(",") if word.strip()]
    except ValueError:
        raise click.BadParameter(f"must be a number of seeds, or seeds with commas, not {shown(text)}") from None
    return given if "," in text else given[0]


@click.command(context_settings={"max_content_width": 120})
@click.argument("device", metavar="DEVICE_OR_FILE")
@click.option(
    "--net", type=click.Choice([name for name in nets if not nets[name].text]), default="fcn", show_default=True,
    help="Network.",
)  # fmt: skip
@click.option("--data", metavar="NAME", help="Data set (default: that of the network).")
@click.option("--data-dir", metavar="DIR", envvar="TIKITAKA_DATA", help="Folder of data sets (TIKITAKA_DATA).")
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True, max=100_000),
    default=10.0,
    show_default=True,
    help="Time that the work is planned for, on all threads.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder of the report and the trainings; an interrupted assessment continues there.",
)
@click.option("--seeds", callback=_seeds, metavar="N|N,N,…", help="Seeds of every number (default: 3 to 20, by time).")
@click.option("--reference-mean", type=float, default=0.0, help="Mean error of the reference (weight units).")
@click.option(
    "--reference-spread", type=click.FloatRange(min=0), default=0.0, help="Spread of that error (weight units)."
)
@click.option("--periphery", type=click.Choice(list(peripheries)), help="Exact products, or converters and noise.")
@click.option("--mvm-noise", type=click.FloatRange(min=0), help="Output noise of all products; above 0 implies full.")
@click.option(
    "--endurance", type=click.FloatRange(min=0, min_open=True), metavar="N", help="Pulses that a device survives."
)
@click.option(
    "--plan",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="PLAN.json",
    help="The plan of an earlier assessment, for the same numbers on another machine.",
)
@click.option(
    "--threads", type=click.IntRange(1, 1024), default=cores, help="Threads (default: cores); the plan counts them."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def assess(
    device: str,
    reference_mean: float,
    reference_spread: float,
    periphery: str | None,
    mvm_noise: float | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Find out whether a device trains a network, what limits it, and what must improve.

    \b
    DEVICE_OR_FILE is a kind or preset of devices, a device.toml, or a file of measured pulses, which is fitted first.
    Trains float, SGD, TTv1 and TTv2, then makes each property alone better and worse; writes report.txt, report.json
    and report.html.
    The same command on the same folder gives the same report, from the trainings that are kept there.
    """
    if mvm_noise and periphery not in (None, "full"):
        raise ValueError(f"--mvm-noise above 0 needs --periphery full, not {periphery}")
    circuits = None if periphery is None else peripheries[periphery]
    if mvm_noise is not None and (mvm_noise > 0 or periphery == "full"):
        circuits = Periphery.full(mvm_noise)
    reference = Reference("ideal", mean=reference_mean, spread=reference_spread)
    found = made(device, reference=reference, periphery=circuits, **given)
    if as_json:
        print_json(found.result)
    else:
        click.echo(found.text)
