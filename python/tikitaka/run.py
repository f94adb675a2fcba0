"""The RUN folder of one training: its settings, metrics, checkpoint and summary."""

import json
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from numpy.typing import NDArray

from tikitaka import _core, extract
from tikitaka.config import RuleConfig, doc_of, from_dict, to_dict
from tikitaka.data import Dataset, Vocabulary, load
from tikitaka.model import Model
from tikitaka.models import nets
from tikitaka.network import Network
from tikitaka.train import Metrics, schedules

__all__ = ["Run", "TrainConfig", "summarize"]

_FILES = ("config.toml", "metrics.jsonl", "checkpoint.safetensors", "summary.json")


_RECIPE: Any = None
"""Stands for what the recipe of the network says."""


@dataclass(frozen=True)
class TrainConfig:
    """All that decides the result of a training, and nothing else: no paths, no threads.

    Without data, epochs, batch or rule a config has those of the recipe that `tikitaka.models.nets` holds for its
    network; the rule is then ttv2. Once made it holds what it has: `dataclasses.replace` with another network keeps
    them. Of a text, examples are sequences.
    """

    net: Annotated[str, "network"] = "fcn"
    data: Annotated[str, "data set: digits (bundled), or a folder or text file in the data folder"] = _RECIPE
    sequence: Annotated[int, "characters per sequence, text alone"] = 100
    examples: Annotated[int | None, "train on the first so many examples (default: all)"] = None
    holdout: Annotated[int | None, "test on the last so many training examples, for tuning (default: none)"] = None
    epochs: Annotated[int, "passes over the training data"] = _RECIPE
    batch: Annotated[int, "examples per mini-batch"] = _RECIPE
    schedule: Annotated[str, "learning-rate schedule"] = "decay"
    average_from: Annotated[int | None, "epoch from which averages are gathered (default: the last third)"] = None
    seed: Annotated[int, "seed of all randomness, 0 to 2^63 - 1"] = 0
    rule: Annotated[RuleConfig, "training rule"] = _RECIPE

    def __post_init__(self) -> None:
        for name, chosen, known in (("net", self.net, list(nets)), ("schedule", self.schedule, list(schedules))):
            if chosen not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, not {chosen!r}")
        recipe = nets[self.net]
        usual = {"data": recipe.data, "epochs": recipe.epochs, "batch": recipe.batch, "rule": recipe.rule("ttv2")}
        for name, value in usual.items():
            if getattr(self, name) is _RECIPE:
                object.__setattr__(self, name, value)
        for name, number, least in (
            ("sequence", self.sequence, 1),
            ("examples", self.examples, 1),
            ("holdout", self.holdout, 1),
            ("epochs", self.epochs, 1),
            ("batch", self.batch, 1),
            ("average_from", self.average_from, 1),
            ("seed", self.seed, 0),
        ):
            if number is None and name in ("examples", "holdout", "average_from"):
                continue
            if not isinstance(number, int) or isinstance(number, bool):
                raise TypeError(f"{name} must be a whole number, not {number!r}")
            if not least <= number < 2**63:  # what TOML can hold
                raise ValueError(f"{name} must be from {least} to 2^63 - 1, not {number}")

        if self.average_from is not None and self.average_from > self.epochs + 1:
            raise ValueError(f"average_from must be at most epochs + 1 = {self.epochs + 1}, not {self.average_from}")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The config of nested plain values, as `to_dict` gives them; ValueError or TypeError names what is wrong.

        What is absent is as the recipe of the network says, the fields of the rule among it.
        """
        recipe, rule = nets.get(values.get("net", "fcn")), values.get("rule")
        if recipe is not None and isinstance(rule, Mapping) and rule.get("kind") in recipe.rules:
            values = {**values, "rule": {**to_dict(recipe.rule(rule["kind"])), **rule}}
        return from_dict(cls, values)

    def to_dict(self) -> dict[str, Any]:
        """The config as nested plain values."""
        return to_dict(self)

    def to_toml(self) -> str:
        """The config as TOML, with the documentation of each field beside it and those that are not set as comments."""
        lines: list[str] = [*_unset(self)]
        part: Any = self
        for line in _core.to_toml(self.to_dict()).splitlines():
            lines.append(line)
            if line.startswith("["):
                part = self
                for name in line.strip("[]").split("."):
                    part = getattr(part, name)
                lines += _unset(part)
            elif doc := doc_of(type(part)).get(line.partition(" = ")[0]):
                lines[-1] += f"  # {doc}"
        return "\n".join(lines) + "\n"

    def dataset(
        self, data_dir: str | Path | None = None, *, load: Callable[[str, str | Path | None, int], Dataset] = load
    ) -> Dataset:
        """The data to train and test on, as `load` reads it by name, folder and length of sequences.

        Raises what `tikitaka.data.load` does, and ValueError for images where the network reads text or the reverse.
        """
        whole = load(self.data, data_dir, self.sequence)
        kinds = {False: "images", True: "text"}
        reads, holds = nets[self.net].text, whole.vocabulary is not None
        if reads != holds:
            raise ValueError(f"the network {self.net} reads {kinds[reads]}, and {self.data} holds {kinds[holds]}")
        return (whole if self.holdout is None else whole.holdout(self.holdout)).first(self.examples)

    def network(self, inputs: int, classes: int) -> Network:
        """The untrained network for data of so many inputs and classes."""
        return Network(nets[self.net].build(inputs, classes), self.rule, seed=self.seed)


def _unset(part: Any) -> list[str]:
    docs = doc_of(type(part))
    return [f"# {f.name} is not set: {docs[f.name]}" for f in fields(part) if getattr(part, f.name) is None]


class Run:
    """A RUN folder. Each file in it is written whole or not at all.

    config.toml (the `TrainConfig`), metrics.jsonl (a line per epoch), checkpoint.safetensors (all state of the
    network; first written before the first example), summary.json (when the training is complete).
    """

    def __init__(self, path: Path, config: TrainConfig) -> None:
        self.path = path
        self.config = config
        self._lines: list[str] = []

    @classmethod
    def create(cls, path: str | Path, config: TrainConfig, *, force: bool = False) -> Self:
        """Begin a run in a new or empty folder; with `force` an earlier run there is removed first.

        Raises FileExistsError when the folder holds anything and `force` is off, NotADirectoryError when it is a file.
        """
        path = Path(path)
        if path.exists() and not path.is_dir():
            raise NotADirectoryError(f"{path} is a file, not a folder")
        if path.is_dir() and any(path.iterdir()) and not force:
            raise FileExistsError(f"{path} is not empty; --force (force=True) replaces a run in it")
        path.mkdir(parents=True, exist_ok=True)
        for name in _FILES:
            (path / name).unlink(missing_ok=True)
        run = cls(path, config)
        run._write("config.toml", config.to_toml())
        return run

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """An earlier run; FileNotFoundError or ValueError when the folder holds none or its config.toml is damaged."""
        path = Path(path)
        if not path.is_dir():
            raise FileNotFoundError(f"{path}: no such RUN folder")
        return cls(path, TrainConfig.from_dict(read_toml(path / "config.toml")))

    def log(self, metrics: Metrics) -> None:
        """Add the line of an epoch to metrics.jsonl."""
        self._lines.append(json.dumps(asdict(metrics)) + "\n")
        self._write("metrics.jsonl", "".join(self._lines))

    def metrics(self) -> list[Metrics]:
        """The metrics of every epoch so far; OSError or ValueError when metrics.jsonl is missing or damaged."""
        path = self.path / "metrics.jsonl"
        try:
            return [Metrics(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
        except (json.JSONDecodeError, UnicodeDecodeError, TypeError) as error:
            raise ValueError(f"{path}: {error}") from error

    def checkpoint(
        self, network: Network, *, epoch: int, position: int = 0, vocabulary: Vocabulary | None = None
    ) -> None:
        """Save all state of `network`, `position` examples after the end of epoch number `epoch` (0: the start).

        `vocabulary` is that of the text it is trained on.
        """
        metadata = {
            "inputs": str(network.inputs),
            "classes": str(network.outputs),
            "epoch": str(epoch),
            "position": str(position),
        }
        if vocabulary is not None:
            metadata["vocabulary"] = vocabulary.characters
        _core.save_tensors(str(self.path / "checkpoint.safetensors"), network.state(), metadata)

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write summary.json."""
        self._write("summary.json", json.dumps(summary, indent=2) + "\n")

    def network(self) -> Network:
        """The network of the last checkpoint; OSError or ValueError when that is missing or damaged."""
        state, metadata = self._load()
        network = self.config.network(self._number(metadata, "inputs"), self._number(metadata, "classes"))
        network.restore(state)
        return network

    def vocabulary(self) -> Vocabulary | None:
        """The vocabulary of the text that the network reads, None for images; raises as `network` does."""
        characters = self._load()[1].get("vocabulary")
        return None if characters is None else Vocabulary(characters)

    def epochs_averaged(self) -> int:
        """Over how many epochs averages had been gathered at the checkpoint, one that had begun among them.

        OSError or ValueError when the checkpoint is missing or damaged.
        """
        metadata = self._load()[1]
        begun = self._number(metadata, "epoch") + (self._number(metadata, "position") > 0)
        first = self.config.average_from
        return max(0, begun + 1 - (2 * self.config.epochs // 3 + 1 if first is None else first))

    def extract(self, what: Literal["average", "read", "reads"] = "average", *, reads: int = 16) -> Model:
        """The digital model that `Network.extract` gives, with the run noted in its metadata.

        That is net, data, the epochs of an average and, for text, sequence and vocabulary. Raises ValueError where no
        average was gathered, OSError or ValueError when the checkpoint is missing or damaged.
        """
        model = self.network().extract(what, reads=reads).noted(net=self.config.net, data=self.config.data)
        vocabulary = self.vocabulary()
        if vocabulary is not None:
            model = model.noted(sequence=self.config.sequence, vocabulary=vocabulary.characters)
        return model.noted(epochs_averaged=self.epochs_averaged()) if what == "average" else model

    def _load(self) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
        """Arrays and metadata of the checkpoint."""
        path = self.path / "checkpoint.safetensors"
        if not path.is_file():
            raise FileNotFoundError(f"{path}: no such file")
        return _core.load_tensors(str(path))

    def _number(self, metadata: Mapping[str, str], name: str) -> int:
        try:
            return int(metadata[name])
        except (KeyError, ValueError) as error:
            path = self.path / "checkpoint.safetensors"
            raise ValueError(f"{path}: not a checkpoint of tikitaka (no number of {error})") from error

    def _write(self, name: str, text: str) -> None:
        whole = self.path / name
        part = whole.with_name(f".{name}.part")
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(whole)


def read_toml(path: str | Path) -> dict[str, Any]:
    """The tables of a TOML file; OSError when it cannot be read, ValueError naming it when it is no TOML."""
    with Path(path).open("rb") as file:
        try:
            return tomllib.load(file)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path}: {error}") from error


def summarize(
    config: TrainConfig, network: Network, dataset: Dataset, history: list[Metrics], *, seconds: float, threads: int
) -> dict[str, Any]:
    """What a finished training reports, in plain values; errors are shares from 0 to 1 (None: there is no average)."""
    last, average = history[-1], extract.average(network)
    of_read = extract.last_read(network).evaluate(dataset.test_x, dataset.test_y, threads=threads)
    of_average = average and average.evaluate(dataset.test_x, dataset.test_y, threads=threads)

    return {
        "test_error": last.test_error,
        "last_read_test_error": of_read.error,
        "average_test_error": of_average and of_average.error,
        "test_loss": last.test_loss,
        "last_read_test_loss": of_read.loss,
        "average_test_loss": of_average and of_average.loss,
        "train_loss": last.train_loss,
        "samples_per_second": last.samples_per_second,
        "pulses_per_sample": last.pulses_per_sample,
        "seconds": seconds,
        "seed": config.seed,
        "epochs": len(history),
        "threads": threads,
        "digest": network.digest(),
        "config": config.to_dict(),
        "ledger": network.ledger,
    }
