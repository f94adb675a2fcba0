"""`tikitaka cost`: time, energy and area of a training."""

from pathlib import Path

import click

from tikitaka import plot as figures
from tikitaka.cli.output import Failed, print_json
from tikitaka.costs import Costs
from tikitaka.network import Network
from tikitaka.training import Run
from tikitaka.training.checkpoint import NEWEST, PREVIOUS, load_previous

__all__ = ["cost"]


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--costs",
    "table",
    type=click.Path(path_type=Path),
    metavar="FILE.toml",
    help="Numbers to use instead of those of the table, by name.",
)
@click.option(
    "--figure",
    type=click.Path(path_type=Path),
    metavar="FILE.png",
    help="Also draw where energy and time go; an existing picture is replaced.",
)
@click.option("--sources", is_flag=True, help="Also print the table, with the source of each number.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def cost(run: Path, table: Path | None, figure: Path | None, sources: bool, as_json: bool) -> None:
    """Print what the training in RUN took on the chip so far: time, energy and area, by part.

    RUN is a run folder or a checkpoint in it. The costs follow from what the training did and a table of numbers,
    each with its source and a low, a usual and a high value; FILE.toml overrides them.
    """
    costs = Costs() if table is None else Costs.from_toml(table)
    if figure is not None:
        figures.check_picture(figure)
    bill = costs.of(_network(run))
    if figure is not None:
        try:
            figures.costs(bill, figure)
        except ModuleNotFoundError as error:
            raise Failed("plots need matplotlib: pip install 'tikitaka[plot]'") from error
    if as_json:
        print_json({**bill.to_dict(), **({"table": costs.to_dict()} if sources else {})})
        return
    click.echo(repr(bill))
    if sources:
        click.echo(f"\n{costs.table()}")


def _network(path: Path) -> Network:
    """The network of a run folder, or of a checkpoint in one."""
    if path.is_dir() or not path.exists():
        return Run.open(path).network()
    if path.name not in (NEWEST, PREVIOUS):
        raise ValueError(f"{path} must be a RUN folder or a checkpoint in one: other files have no ledger")
    run = Run.open(path.parent)
    if path.name == NEWEST:
        return run.network()
    last = load_previous(path.parent)
    if last is None:
        raise ValueError(f"{path} is damaged")
    return run.network(last)
