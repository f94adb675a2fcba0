"""`tikitaka fit`: a device file from files of measured pulses."""

import re
from pathlib import Path
from typing import Any

import click

from tikitaka import plot as figures
from tikitaka._internal.atomic_write import remove_parts
from tikitaka._internal.lock import locked
from tikitaka.cli.output import Failed, common_options, print_json
from tikitaka.config import to_dict, write_device
from tikitaka.fitting import fit_device
from tikitaka.fitting.form import NOISES, SHAPES
from tikitaka.measurement import is_jump_table, read_jump_table, read_measured

__all__ = ["fit"]

_READER = (
    click.option("--columns", metavar="C", help="Columns of values: 2 or D or G1,G2, or by device: A1=2,A2=4."),
    click.option("--up", metavar="C", help="Columns of reads after up pulses."),
    click.option("--down", metavar="C", help="Columns of reads after down pulses."),
    click.option("--pattern", metavar="P", help="Pulses of a column: 1000u,1000d or 200u,200d,+-400; 20r: reads only."),
    click.option("--unit", metavar="U", help="Unit of the values: uS, kohm, nA, …; '' for none."),
    click.option("--read-voltage", type=float, metavar="V", help="Voltage of the reads, which turns currents into S."),
    click.option("--flip", is_flag=True, help="Negative pulses raise the conductance."),
    click.option("--mirrored-down/--no-mirrored-down", default=None, help="Down traces are stored backwards, or not."),
    click.option("--initial-read/--no-initial-read", default=None, help="The first read comes before any pulse."),
    click.option(
        "--seconds-per-pulse", type=float, metavar="S", help="Time from pulse to pulse, where a column has times."
    ),
    click.option("--sheet", metavar="S", help="Sheet of a spreadsheet, by name or number."),
    click.option(
        "--skip", type=click.IntRange(0, 10**9), default=0, metavar="N", help="Lines to leave out at the start."
    ),
    click.option("--window", metavar="LOW,HIGH", help="Leave out reads below and above, in the unit of the file."),
    click.option("--decimal", type=click.Choice([".", ","]), help="The decimal separator."),
    click.option("--device", metavar="NAME", help="Name of the device."),
)


def _reader_options(command: Any) -> Any:
    for option in reversed(_READER):
        command = option(command)
    return command


@click.command(context_settings={"max_content_width": 120})
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, metavar="DEVICE.toml", help="The device file to write."
)
@click.option(
    "--plot", "picture", type=click.Path(path_type=Path), metavar="FIT.png", help="Also a picture: .png, .svg or .pdf."
)
@_reader_options
@click.option("--models", metavar="M", default=",".join(SHAPES), show_default=True, help="Shapes to choose from.")
@click.option("--noise", metavar="N", default=",".join(NOISES), show_default=True, help="Forms of the pulse noise.")
@click.option("--bound", type=float, default=0.6, show_default=True, help="Mean half range in weights.")
@click.option(
    "--replicates",
    type=click.IntRange(0, 10_000),
    default=50,
    show_default=True,
    help="Devices in the file that say how uncertain the fit is.",
)
@click.option("--draw-measured", is_flag=True, help="Draw from the measured devices (20 or more), not from spreads.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Seed of draws.")
@click.option("--force", is_flag=True, help="Replace DEVICE.toml.")
@common_options
def fit(
    files: tuple[Path, ...],
    out: Path,
    picture: Path | None,
    models: str,
    noise: str,
    bound: float,
    replicates: int,
    draw_measured: bool,
    seed: int,
    force: bool,
    threads: int,
    as_json: bool,
    **reader: Any,
) -> None:
    """Fit a device to measured pulses and write it to DEVICE.toml (needs the extra `fit`).

    \b
    FILE is text of any layout (CSV, TSV, ...), JSON, NPY, NPZ, MAT or XLSX. The report says how it was read, which
    model fits, how well, and what the measurement does not show. DEVICE.toml is a device for `--device` of other
    commands. Two jump tables, of up and of down pulses, become a device as they are.
    """
    if out.suffix != ".toml":
        raise ValueError(f"--out {out} must end in .toml")
    if picture is not None:
        figures.check_picture(picture)
    with locked(out):
        if out.exists() and not force:
            raise FileExistsError(f"{out} exists already; --force replaces it")
        remove_parts(out)
        if any(is_jump_table(each) for each in files):
            if picture is not None:
                raise ValueError("--plot: jump tables are not fitted; tikitaka plot --device shows the device")
            return _jump_table(files, out, bound, as_json)
        try:
            measured = read_measured(list(files), **_options(reader))
            found = fit_device(
                measured,
                models=models.split(","),
                noise=noise.split(","),
                bound=bound,
                replicates=replicates,
                draw_measured=draw_measured,
                seed=seed,
                threads=threads,
            )
            if picture is not None:
                found.plot(picture)
        except ModuleNotFoundError as error:
            raise Failed(_missing(error)) from error
        found.write(out)
    if as_json:
        print_json({"file": str(out), **found.to_dict()})
    else:
        click.echo(str(measured))
        click.echo()
        click.echo(found.report())
        click.echo(f"{'file':<12} {out}")


def _jump_table(files: tuple[Path, ...], out: Path, bound: float, as_json: bool) -> None:
    """Write the device of two jump tables."""
    if len(files) != 2:
        raise ValueError(f"a device needs two jump tables, of up and of down pulses, not {len(files)} files")
    found = read_jump_table(*files, bound=bound)
    write_device(out, found.device, physical=found.physical)
    if as_json:
        print_json({"file": str(out), "device": to_dict(found.device), "physical": dict(found.physical)})
        return
    mean = found.physical
    device: Any = found.device
    rows = {
        "tables": f"{len(device.up)} conductances from {mean['lower_bound']:.3g} to {mean['upper_bound']:.3g} S",
        "states": f"{2 * bound / device.weight_step:.3g} (range/step)",
        "step": f"{mean['step']:.3g} S at weight 0",
        "weights": f"weight 0 = {mean['conductance_at_weight_0']:.4g} S, one unit of weight = "
        f"{mean['conductance_per_unit_weight']:.4g} S",
        "not known": "spreads: one device; those of R24 stand in; retention, drift and endurance; reads",
        "file": str(out),
    }
    click.echo("\n".join(f"{name:<12} {words}" for name, words in rows.items()))


def _missing(error: ModuleNotFoundError) -> str:
    return "plots need matplotlib: pip install 'tikitaka[plot]'" if error.name == "matplotlib" else str(error)


def _options(given: dict[str, Any]) -> dict[str, Any]:
    """Options of the reader, without those that are not given."""
    found = {name: value for name, value in given.items() if value is not None}
    for name in ("columns", "up", "down"):
        if name in found:
            found[name] = _columns(found[name])
    if found.get("sheet", "").isdecimal():
        found["sheet"] = int(found["sheet"])
    return found


def _columns(text: str) -> Any:
    """A list of columns by number or letter; headings and devices with their columns as they are."""
    parts = [part.strip() for part in text.split(",")]
    plain = all(re.fullmatch(r"\d+|[A-Za-z]{1,2}", part) for part in parts)
    return [int(part) if part.isdecimal() else part for part in parts] if plain else text
