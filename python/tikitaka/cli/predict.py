"""`tikitaka predict`: predictions of a trained network or an extracted model for test examples."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from tikitaka.cli.output import common_options, print_json
from tikitaka.cli.source import open_source, source_options
from tikitaka.score import softmax

__all__ = ["distributions", "predict"]


@click.command()
@source_options
@click.option("--distribution", is_flag=True, help="Probability of every class instead of the most likely class.")
@common_options
def predict(
    path: Path,
    data: str | None,
    data_dir: str | None,
    examples: int | None,
    distribution: bool,
    threads: int,
    as_json: bool,
) -> None:
    """Class of each test example, one per line, by the hardware of a RUN or the model in a FILE.

    For a text: the most likely next character after each one of a test sequence, a sequence per line, as JSON.
    """
    source = open_source(path)
    predictor, dataset = source.predictor, source.dataset(data, data_dir)
    x = dataset.test_x[:examples]
    if distribution:
        for words in distributions(predictor.forward(x, threads=threads), dataset.name, as_json=as_json):
            click.echo(words, nl=False)
        return
    classes = predictor.predict(x, threads=threads)
    result: dict[str, Any] = {"classes": classes.tolist()}
    lines = [str(c) for c in classes]
    if dataset.vocabulary is not None:
        result["text"] = [dataset.vocabulary.decode(row) for row in classes]
        lines = [json.dumps(row, ensure_ascii=False) for row in result["text"]]
    if as_json:
        print_json({**result, "data": dataset.name})
    else:
        click.echo("\n".join(lines))


def distributions(outputs: NDArray[np.float32], data: str, *, as_json: bool) -> Iterator[str]:
    """The softmax of `outputs` as text, a row per line or one JSON object, example after example.

    Python numbers for a whole text would need ten times the memory of `outputs`.
    """
    rows = (softmax(each).astype(float).round(6) for each in outputs)
    if not as_json:
        for example in rows:
            yield "".join(" ".join(f"{p:.6f}" for p in row) + "\n" for row in np.atleast_2d(example))
        return
    yield '{"probabilities": ['
    for i, example in enumerate(rows):
        yield (", " if i else "") + json.dumps(example.tolist(), allow_nan=False)
    yield f'], "data": {json.dumps(data)}}}\n'
