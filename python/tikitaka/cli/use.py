"""`tikitaka evaluate` and `tikitaka predict`: what a trained network does."""

from pathlib import Path
from typing import Any

import click

from tikitaka import extract
from tikitaka.cli.output import common_options, percent, print_json
from tikitaka.data import Dataset, load
from tikitaka.network import Network
from tikitaka.run import Run

__all__ = ["evaluate", "predict"]


def _open(run: Path, data: str | None, data_dir: str | None) -> tuple[Network, Dataset]:
    opened = Run.open(run)
    dataset = load(opened.config.data if data is None else data, data_dir)
    network = opened.network()
    if network.inputs != dataset.inputs:
        raise ValueError(f"{dataset.name} has {dataset.inputs} pixels per image, the network {network.inputs} inputs")
    return network, dataset


_run = click.argument("run", type=click.Path(path_type=Path))
_data = click.option("--data", metavar="NAME", help="Data set (default: the one of the run).")
_data_dir = click.option(
    "--data-dir", metavar="DIR", envvar="TIKITAKA_DATA", help="Folder of data sets (TIKITAKA_DATA)."
)
_examples = click.option("--examples", type=click.IntRange(min=1), metavar="N", help="The first N test examples only.")


@click.command()
@_run
@_data
@_data_dir
@_examples
@common_options
def evaluate(
    run: Path, data: str | None, data_dir: str | None, examples: int | None, threads: int, as_json: bool
) -> None:
    """Test error of RUN: the hardware as it stands, its last weights read once, and their average."""
    network, dataset = _open(run, data, data_dir)
    if dataset.classes > network.outputs:
        raise ValueError(f"{dataset.name} has {dataset.classes} classes, the network {network.outputs} outputs")
    x, y = dataset.test_x[:examples], dataset.test_y[:examples]
    test = network.evaluate(x, y, threads=threads)
    average = extract.average(network)
    result: dict[str, Any] = {
        "test_error": test.error,
        "last_read_test_error": extract.last_read(network).evaluate(x, y, threads=threads).error,
        "average_test_error": None if average is None else average.evaluate(x, y, threads=threads).error,
        "test_loss": test.loss,
        "examples": len(y),
        "data": dataset.name,
    }
    if as_json:
        print_json(result)
        return
    click.echo(f"test error       {percent(result['test_error'])} of {len(y):,} examples (the hardware as it stands)")
    click.echo(f"of one read      {percent(result['last_read_test_error'])} (exact arithmetic)")
    click.echo(f"of the average   {percent(result['average_test_error'])} (exact arithmetic)")


@click.command()
@_run
@_data
@_data_dir
@_examples
@click.option("--distribution", is_flag=True, help="Probability of every class instead of the most likely class.")
@common_options
def predict(
    run: Path,
    data: str | None,
    data_dir: str | None,
    examples: int | None,
    distribution: bool,
    threads: int,
    as_json: bool,
) -> None:
    """Class of each test example, one per line, as RUN's hardware gives it."""
    network, dataset = _open(run, data, data_dir)
    x = dataset.test_x[:examples]
    if distribution:
        rows = network.probabilities(x, threads=threads).astype(float).round(6).tolist()
        lines = [" ".join(f"{p:.6f}" for p in row) for row in rows]
    else:
        rows = network.predict(x, threads=threads).tolist()
        lines = [str(c) for c in rows]
    if as_json:
        print_json({"probabilities" if distribution else "classes": rows, "data": dataset.name})
    else:
        click.echo("\n".join(lines))
