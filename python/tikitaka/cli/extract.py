"""`tikitaka extract`: writes a digital model from a RUN to a file."""

from pathlib import Path
from typing import Literal

import click

from tikitaka import export
from tikitaka._internal.atomic_write import remove_parts
from tikitaka._internal.lock import locked
from tikitaka.cli.output import Failed, print_json
from tikitaka.model import file
from tikitaka.training import Run

__all__ = ["extract"]


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--to", type=click.Path(path_type=Path), required=True, metavar="FILE", help=".safetensors, .npz, .onnx")
@click.option(
    "--what",
    type=click.Choice(["average", "read", "reads"]),
    default="average",
    help="The average of iterates (default), one read of the last iterate, or the mean of --reads of it.",
)
@click.option("--reads", type=click.IntRange(min=1), default=16, show_default=True, help="Reads for --what reads.")
@click.option("--force", is_flag=True, help="Replace FILE.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def extract(
    run: Path, to: Path, what: Literal["average", "read", "reads"], reads: int, force: bool, as_json: bool
) -> None:
    """Write the digital model that reads of RUN's hardware yield."""
    endings = (*file.endings, ".onnx")
    if to.suffix not in endings:
        raise ValueError(f"--to {to} must end in one of {', '.join(endings)}")
    with locked(to):
        if to.exists() and not force:
            raise FileExistsError(f"{to} exists already; --force replaces it")
        remove_parts(to)
        model = Run.open(run).extract(what, reads=reads)
        if to.suffix == ".onnx":
            try:
                export.onnx(model, to)
            except ModuleNotFoundError as error:
                raise Failed(str(error)) from error
        else:
            model.save(to)
    size = sum(w.size for w in model.weights)
    if as_json:
        print_json({"file": str(to), "what": what, "weights": size, "metadata": dict(model.metadata)})
    else:
        click.echo(f"{to}: {what} of {run}, {size:,} weights")
