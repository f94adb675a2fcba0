"""`tikitaka plot`: pictures of trainings."""

import math
from pathlib import Path

import click

from tikitaka.cli.output import Failed
from tikitaka.models import nets
from tikitaka.plot import curves
from tikitaka.run import Run

__all__ = ["plot"]


@click.command()
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", metavar="FILE.png", required=True, type=click.Path(path_type=Path), help="The picture.")
@click.option(
    "--line",
    "lines",
    metavar="NAME=LOSS",
    multiple=True,
    help="A loss to compare with, drawn across; may be given several times.",
)
def plot(runs: tuple[Path, ...], out: Path, lines: tuple[str, ...]) -> None:
    """Test loss and test error of each RUN after every epoch, as a picture (needs the extra `plot`)."""
    given = dict(_line(line) for line in lines)
    opened = {path.resolve().name: Run.open(path) for path in runs}
    if len(opened) < len(runs):
        raise ValueError("the RUN folders must have different names, which tell the curves apart")
    kinds = {nets[run.config.net].text for run in opened.values()}
    if len(kinds) > 1:
        raise ValueError("runs on images and runs on texts do not go into one picture")
    if out.suffix not in (".png", ".svg", ".pdf"):
        raise ValueError(f"{out} must end in .png, .svg or .pdf")
    try:
        curves({name: run.metrics() for name, run in opened.items()}, out, text=kinds.pop(), lines=given)
    except ModuleNotFoundError as error:
        raise Failed("plots need matplotlib: pip install 'tikitaka[plot]'") from error


def _line(text: str) -> tuple[str, float]:
    name, equals, loss = text.rpartition("=")
    try:
        if equals and name and 0 < float(loss) < math.inf:
            return name, float(loss)
    except ValueError:
        pass
    raise ValueError(f"--line must be NAME=LOSS with a loss above 0, not {text!r}")
