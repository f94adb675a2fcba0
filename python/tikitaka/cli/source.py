"""The contents of RUN folders and model files, and their data."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from tikitaka._internal.shown import shown
from tikitaka.data import Dataset, Vocabulary, load
from tikitaka.model import Model
from tikitaka.network import Network
from tikitaka.training import Run

__all__ = ["Source", "open_source", "source_options"]

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T", str, int)


def source_options(command: F) -> F:
    """Options of commands that use a source on data: its path, --data, --data-dir and --examples."""
    for option in reversed(
        (
            click.argument("path", metavar="RUN_OR_FILE", type=click.Path(path_type=Path)),
            click.option("--data", metavar="NAME", help="Data set (default: the one it was trained on)."),
            click.option(
                "--data-dir", metavar="DIR", envvar="TIKITAKA_DATA", help="Folder of data sets (TIKITAKA_DATA)."
            ),
            click.option("--examples", type=click.IntRange(min=1), metavar="N", help="The first N test examples only."),
        )
    ):
        command = option(command)
    return command


@dataclass(frozen=True)
class Source:
    """A trained network or an extracted model, with the information in its RUN or file."""

    path: Path
    """the RUN folder or the file"""
    predictor: Network | Model
    """the trained network of a RUN, or the model of a file"""
    data: str | None
    """name of the data set it was trained on; None if unknown"""
    sequence: int
    """characters per sequence of text"""
    vocabulary: Vocabulary | None
    """the characters it reads and writes; None for images"""
    epochs: int = 0
    """epochs of the complete training of a RUN"""
    digest: str | None = None
    """`Dataset.digest` of the data it was trained on; None if unknown"""
    holdout: int | None = None
    """training examples that were the test part of its training; None if there was another"""
    examples: int | None = None
    """training examples of its training; None for all"""

    def dataset(self, data: str | None, data_dir: str | None) -> Dataset:
        """The data set `data` (None: the one it was trained on), a text in the codes of the network.

        Raises what `tikitaka.data.load` does, and ValueError for a set that does not fit the network, and for other
        data than it was trained on, unless they are named by `data`: then there is a warning.
        """
        name = self.data if data is None else data
        if name is None:
            raise ValueError(f"{self.path} does not say what data it was trained on: give --data")
        if name == self.data and self.digest is not None:
            self._check_same(name, data_dir, named=data is not None)
        dataset = load(name, data_dir, self.sequence, vocabulary=self.vocabulary)
        if (dataset.vocabulary is None) != (self.vocabulary is None):
            holds, takes = ("images", "text") if dataset.vocabulary is None else ("text", "images")
            raise ValueError(f"{name} must hold {takes} for the network of {self.path}, not {holds}")
        if dataset.inputs != self.predictor.inputs:
            raise ValueError(
                f"{name} must have {self.predictor.inputs} pixels per image for this network, not {dataset.inputs}"
            )
        return dataset

    def _check_same(self, name: str, data_dir: str | None, *, named: bool) -> None:
        """Compare the digest of the data set with that of the training."""
        try:
            dataset = load(name, data_dir, self.sequence)
            dataset = (dataset if self.holdout is None else dataset.holdout(self.holdout)).first(self.examples)
            same = dataset.digest == self.digest
        except ValueError:  # there are too few examples
            same = False
        if same:
            return
        if not named:
            raise ValueError(
                f"{name} must be the data that {self.path} was trained on; its examples differ: "
                f"--data {name} uses them nevertheless"
            )
        warnings.warn(f"{name} is not the data that {self.path} was trained on: its examples differ", stacklevel=4)


def open_source(path: Path) -> Source:
    """The source at `path`; OSError or ValueError if there is none or it is damaged."""
    if path.is_dir():
        run = Run.open(path)
        config, last = run.config, run.last()
        source = Source(
            path,
            run.network(last),
            config.data,
            config.sequence,
            last.vocabulary,
            config.epochs,
            last.data,
            config.holdout,
            config.examples,
        )
    elif path.exists():
        model = Model.load(path)
        characters, sequence = _metadata(path, model, "vocabulary", str), _metadata(path, model, "sequence", int)
        vocabulary, sequence = (
            None if characters is None else Vocabulary(characters),
            100 if sequence is None else sequence,
        )
        source = Source(
            path,
            model,
            _metadata(path, model, "data", str),
            sequence,
            vocabulary,
            digest=_metadata(path, model, "data_digest", str),
            holdout=_metadata(path, model, "holdout", int),
            examples=_metadata(path, model, "examples", int),
        )
    else:
        raise FileNotFoundError(f"{path}: no such RUN folder or model file")
    if source.vocabulary is not None and len(source.vocabulary) != source.predictor.inputs:
        raise ValueError(
            f"{path}: the vocabulary must have a character for each of the {source.predictor.inputs} inputs, "
            f"not {len(source.vocabulary)}"
        )
    return source


def _metadata(path: Path, model: Model, name: str, kind: type[T]) -> T | None:
    """The metadata of the model under `name`, None if there is none; ValueError for another type."""
    value = model.metadata.get(name)
    if value is None or (isinstance(value, kind) and not isinstance(value, bool)):
        return value
    raise ValueError(f"{path}: {name} in its metadata must be a {kind.__name__}, not {shown(value)}")
