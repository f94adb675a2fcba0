"""A RUN folder or a model file, opened, with the data it is for."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tikitaka.data import Dataset, Vocabulary, load
from tikitaka.model import Model
from tikitaka.network import Network
from tikitaka.training import Run

__all__ = ["Opened", "open_used"]

T = TypeVar("T", str, int)


@dataclass(frozen=True)
class Opened:
    """A trained network or an extracted model, and what its RUN or file says about it."""

    path: Path
    """the RUN folder or the file"""
    used: Network | Model
    """the network of a RUN as its hardware stands, or the model of a file"""
    data: str | None
    """name of the data set it was trained on; None where that is not known"""
    sequence: int
    """characters per sequence of text"""
    vocabulary: Vocabulary | None
    """the characters it reads and writes; None for images"""
    epochs: int = 0
    """epochs of the whole training of a RUN"""

    def dataset(self, data: str | None, data_dir: str | None) -> Dataset:
        """The data set `data` (None: the one it was trained on), a text in the codes of the network.

        Raises what `tikitaka.data.load` does, and ValueError for a set that does not fit the network.
        """
        name = self.data if data is None else data
        if name is None:
            raise ValueError(f"{self.path} does not say what data it was trained on: give --data")
        dataset = load(name, data_dir, self.sequence, vocabulary=self.vocabulary)
        if (dataset.vocabulary is None) != (self.vocabulary is None):
            holds, takes = ("images", "text") if dataset.vocabulary is None else ("text", "images")
            raise ValueError(f"{name} holds {holds}, the network of {self.path} takes {takes}")
        if dataset.inputs != self.used.inputs:
            raise ValueError(f"{name} has {dataset.inputs} pixels per image, the network {self.used.inputs} inputs")
        return dataset


def open_used(path: Path) -> Opened:
    """What is at `path`; OSError or ValueError when there is nothing, or it is damaged."""
    if path.is_dir():
        run = Run.open(path)
        config, last = run.config, run.last()
        opened = Opened(path, run.network(last), config.data, config.sequence, last.vocabulary, config.epochs)
    elif path.exists():
        model = Model.load(path)
        characters, sequence = _told(path, model, "vocabulary", str), _told(path, model, "sequence", int)
        vocabulary, sequence = (
            None if characters is None else Vocabulary(characters),
            100 if sequence is None else sequence,
        )
        opened = Opened(path, model, _told(path, model, "data", str), sequence, vocabulary)
    else:
        raise FileNotFoundError(f"{path}: no such RUN folder or model file")
    if opened.vocabulary is not None and len(opened.vocabulary) != opened.used.inputs:
        raise ValueError(f"{path}: {len(opened.vocabulary)} characters for a network of {opened.used.inputs} inputs")
    return opened


def _told(path: Path, model: Model, name: str, kind: type[T]) -> T | None:
    """What the metadata of the model say under `name`, None where that is nothing; ValueError for another kind."""
    value = model.metadata.get(name)
    if value is None or (isinstance(value, kind) and not isinstance(value, bool)):
        return value
    raise ValueError(f"{path}: its metadata have {name} = {value!r}; {kind.__name__} needed")
