"""`tikitaka sample`: text that a network writes."""

from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from tikitaka.cli.output import common_options, print_json
from tikitaka.cli.source import Source, open_source
from tikitaka.data import Vocabulary
from tikitaka.model import Model
from tikitaka.network import Network

__all__ = ["sample"]


@click.command()
@click.argument("path", metavar="RUN_OR_FILE", type=click.Path(path_type=Path))
@click.option("--chars", type=click.IntRange(min=1), default=300, show_default=True, help="Characters to write.")
@click.option("--prime", metavar="TEXT", help="Text to continue (default: a new line, or else the first character).")
@click.option(
    "--temperature",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Divides the outputs: below 1 more predictable, above 1 more varied.",
)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Seed of the sampling.")
@click.option(
    "--what",
    type=click.Choice(["hardware", "read", "average"]),
    help="Of a RUN: the hardware as trained (default), its last weights read once, or their average.",
)
@common_options
def sample(
    path: Path,
    chars: int,
    prime: str | None,
    temperature: float,
    seed: int,
    what: str | None,
    threads: int,
    as_json: bool,
) -> None:
    """Text that the network of a RUN or the model in a FILE writes after --prime, character by character."""
    source = open_source(path)
    vocabulary = source.vocabulary
    if vocabulary is None:
        raise ValueError(f"{path} must hold a network for text, not one for images")
    writer = _writer(source, what)
    start = _start(vocabulary) if prime is None else prime
    codes = writer.sample(_codes(vocabulary, start), chars, temperature=temperature, seed=seed, threads=threads)
    text = start + vocabulary.decode(codes)
    if as_json:
        kind = (what or "hardware") if isinstance(source.predictor, Network) else "model"
        print_json({"text": text, "prime": start, "temperature": temperature, "seed": seed, "what": kind})
    else:
        click.echo(text)


def _writer(source: Source, what: str | None) -> Network | Model:
    """The model that writes."""
    if isinstance(source.predictor, Model):
        if what is not None:
            raise ValueError(f"--what chooses among the models of a RUN, but {source.path} holds a single model")
        return source.predictor
    if what == "average":
        return source.predictor.extract("average")
    return source.predictor.extract("read") if what == "read" else source.predictor


def _start(vocabulary: Vocabulary) -> str:
    return "\n" if "\n" in vocabulary.characters else vocabulary.characters[0]


def _codes(vocabulary: Vocabulary, prime: str) -> NDArray[np.int64]:
    if not prime:
        raise ValueError("--prime must contain at least one character, and is empty")
    try:
        return vocabulary.encode(prime)
    except ValueError as error:
        raise ValueError(f"--prime: {error}") from error
