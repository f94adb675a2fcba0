"""The RUN folder of one training: its settings, metrics, checkpoints and summary."""

import json
import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args, get_origin

from tikitaka import _core, checkpoint
from tikitaka.checked import check_kind, check_types, hints_of, one_of
from tikitaka.checkpoint import NEWEST, PREVIOUS, Checkpoint
from tikitaka.config import RuleConfig, doc_of, from_dict, kinds_of, named, to_dict
from tikitaka.data import Dataset, Vocabulary, load
from tikitaka.model import Model
from tikitaka.models import Sizes, nets
from tikitaka.network import Network, losses
from tikitaka.train import Metrics, Progress, schedules
from tikitaka.training import train
from tikitaka.whole import write_whole

__all__ = ["Run", "TrainConfig", "read_toml"]

_FILES = ("config.toml", "metrics.jsonl", NEWEST, PREVIOUS, "summary.json")


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
        one_of("net", self.net, nets)
        one_of("schedule", self.schedule, schedules)
        recipe = nets[self.net]
        usual = {"data": recipe.data, "epochs": recipe.epochs, "batch": recipe.batch, "rule": recipe.rule("ttv2")}
        for name, value in usual.items():
            if getattr(self, name) is _RECIPE:
                object.__setattr__(self, name, value)
        check_types(self)
        if any(character < " " for character in self.data):
            raise ValueError(f"data must be a name without line breaks and the like, not {self.data!r}")
        for name, number, least in (
            ("sequence", self.sequence, 1),
            ("examples", self.examples, 1),
            ("holdout", self.holdout, 1),
            ("epochs", self.epochs, 1),
            ("batch", self.batch, 1),
            ("average_from", self.average_from, 1),
            ("seed", self.seed, 0),
        ):
            if number is not None and not least <= number < 2**63:  # what TOML can hold
                raise ValueError(f"{name} must be from {least} to 2^63 - 1, not {number}")

        if self.average_from is not None and self.average_from > self.epochs + 1:
            raise ValueError(f"average_from must be at most epochs + 1 = {self.epochs + 1}, not {self.average_from}")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The config of nested plain values, as `to_dict` gives them; ValueError or TypeError names what is wrong.

        What is absent is as the recipe of the network says, the fields of the rule among it. A rule may be given by its
        kind alone; `tikitaka.config.from_dict` says how devices and peripheries may be.
        """
        if not isinstance(values, Mapping):
            raise TypeError(f"a config must be a table of fields, not {values!r}")
        net, rule = values.get("net", "fcn"), values.get("rule")
        rule = {"kind": rule} if isinstance(rule, str) else rule
        if isinstance(rule, Mapping):
            kind = rule.get("kind", "ttv2")
            usual = nets[net].rules.get(kind) if net in list(nets) and isinstance(kind, str) else None
            rule = {**(to_dict(usual) if usual is not None else {}), **rule, "kind": kind}
        return from_dict(cls, {**values, "rule": rule} if "rule" in values else values)

    def to_dict(self) -> dict[str, Any]:
        """The config as nested plain values."""
        return to_dict(self)

    def to_toml(self) -> str:
        """The config as TOML: every field with its documentation beside it, those that are not set as comments.

        Presets are written out, field by field.
        """
        lines, headed = _unset(self), set[str]()
        comments = _comments(TrainConfig)
        for line in _core.to_toml(self.to_dict()).splitlines():
            if line.startswith("["):
                part, path = self, ""
                for name in line.strip("[]").split("."):  # a table of tables alone has no line of its own yet
                    above, part, path = part, getattr(part, name), f"{path}.{name}".lstrip(".")
                    hint = hints_of(type(above))[name]
                    if path not in headed:
                        headed.add(path)
                        lines += [""] if lines[-1] else []
                        lines += [f"[{path}]  # {_about(doc_of(type(above))[name], hint)}", *_unset(part)]
                comments = _comments(type(part), hint)
            else:
                comment = comments.get(line.partition(" = ")[0])
                lines.append(f"{line}  # {comment}" if comment else line)
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

    def network(self, data: Sizes) -> Network:
        """The untrained network for `data`: its inputs, outputs, shape of images and task, of which follows the loss.

        Raises ValueError for data that the network cannot be built for.
        """
        return Network(nets[self.net].build(data), self.rule, loss=losses[data.task], seed=self.seed)


def _unset(part: Any) -> list[str]:
    docs = doc_of(type(part))
    return [f"# {f.name} is not set: {docs[f.name]}" for f in fields(part) if getattr(part, f.name) is None]


def _comments(cls: type[Any], hint: Any = None) -> dict[str, str]:
    """What is said beside every field of a table of class `cls` that stands for a field of type `hint`."""
    comments = doc_of(cls)
    known = {name: get_args(each) for name, each in hints_of(cls).items() if get_origin(each) is Literal}
    known |= {"net": tuple(nets), "schedule": tuple(schedules)} if cls is TrainConfig else {}
    for name in known.keys() & comments.keys():
        comments[name] += f" [{' | '.join(known[name])}]"
    if "kind" in known:
        comments["kind"] = f"which [{' | '.join(kinds_of(hint))}]"
    return comments


def _about(doc: str, hint: Any) -> str:
    """What is said beside the name of a table for a field of type `hint`."""
    return f"{doc}; may begin with preset = [{' | '.join(named(hint))}]" if named(hint) else doc


class Run:
    """A RUN folder. Each file in it is written whole or not at all.

    config.toml (the `TrainConfig`), metrics.jsonl (a line per epoch), checkpoint.safetensors (all state of the
    training; first written before the first example) with the one before it, checkpoint.previous.safetensors, and
    summary.json (when the training is complete). Where the newest checkpoint is missing or damaged, the previous one
    takes its place, with a warning.
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
        check_kind("config", config, TrainConfig)
        if path.exists() and not path.is_dir():
            raise NotADirectoryError(f"{path} is a file, not a folder")
        if path.is_dir() and any(path.iterdir()) and not force:
            raise FileExistsError(f"{path} is not empty; --force (force=True) replaces a run in it")
        path.mkdir(parents=True, exist_ok=True)
        run = cls(path, config)
        run._tidy()
        for name in _FILES:
            (path / name).unlink(missing_ok=True)
        run._write("config.toml", config.to_toml())
        return run

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """An earlier run; FileNotFoundError or ValueError when the folder holds none or its config.toml is damaged."""
        path = Path(path)
        if not path.is_dir():
            raise FileNotFoundError(f"{path}: no such RUN folder")
        file = path / "config.toml"
        values = read_toml(file)
        try:
            return cls(path, TrainConfig.from_dict(values))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{file}: {error}") from error

    def train(
        self,
        dataset: Dataset | None = None,
        *,
        data_dir: str | Path | None = None,
        threads: int = 1,
        progress: bool = True,
        checkpoint_epochs: int = 1,
        checkpoint_minutes: float = 10.0,
        stop: Callable[[], bool] | None = None,
    ) -> dict[str, Any]:
        """Train to the end, from the last checkpoint where there is one, and return the summary.

        However often and wherever it was stopped, with any numbers of threads, weights and metrics come out bit for
        bit as if it never was. A run that is complete returns its summary and does nothing. `dataset` is by default
        the one of the config, in the folder `data_dir`. Raises what `prepare` and `tikitaka.training.train` raise.
        """
        if (done := self.summary()) is not None:
            return done
        dataset = self.config.dataset(data_dir) if dataset is None else dataset
        network, start = self.prepare(dataset)
        return train(
            self.config,
            network,
            dataset,
            run=self,
            start=start,
            threads=threads,
            progress=progress,
            checkpoint_epochs=checkpoint_epochs,
            checkpoint_minutes=checkpoint_minutes,
            stop=stop,
        )

    def prepare(self, dataset: Dataset) -> tuple[Network, Progress]:
        """The network of the last checkpoint and how far its training has come, ready to go on.

        The untrained network where there is no checkpoint yet. The epochs after the checkpoint are cut from
        metrics.jsonl, and what killed processes left unfinished is removed. Raises ValueError for data that the run
        did not begin on, and OSError or ValueError when the checkpoints or the metrics are missing or damaged.
        """
        check_kind("dataset", dataset, Dataset)
        if not any((self.path / name).exists() for name in (NEWEST, PREVIOUS)):
            last, network = None, self.config.network(dataset)
        else:
            last = self.last(mend=True)
            network = self.network(last)
        progress = Progress() if last is None else last.progress
        if last is not None and last.data not in (None, dataset.digest):
            raise ValueError(f"{dataset.name} is not the data that {self.path} was begun with: its examples differ")
        lines = self._metrics_lines() if progress.epoch or (self.path / "metrics.jsonl").exists() else []
        if len(lines) < progress.epoch:
            raise ValueError(
                f"{self.path / 'metrics.jsonl'} holds {len(lines)} epochs, the checkpoint is after {progress.epoch}"
            )
        self._tidy()
        self._lines = lines[: progress.epoch]
        if len(lines) > progress.epoch:
            self._write("metrics.jsonl", "".join(self._lines))
        return network, progress

    def log(self, metrics: Metrics) -> None:
        """Add the line of an epoch to metrics.jsonl."""
        values = {name: None if math.isnan(value) else value for name, value in asdict(metrics).items()}
        self._lines.append(json.dumps(values) + "\n")
        self._write("metrics.jsonl", "".join(self._lines))

    def metrics(self) -> list[Metrics]:
        """The metrics of every epoch so far; OSError or ValueError when metrics.jsonl is missing or damaged."""
        try:
            return [_metrics(json.loads(line)) for line in self._metrics_lines()]
        except (json.JSONDecodeError, TypeError, AttributeError) as error:
            raise ValueError(f"{self.path / 'metrics.jsonl'}: {error}") from error

    def checkpoint(
        self, network: Network, *, epoch: int = 0, progress: Progress | None = None, dataset: Dataset | None = None
    ) -> None:
        """Save all state of `network`, after epoch number `epoch` (0: the start) or where `progress` says.

        `dataset` is what it is trained on: the vocabulary of a text is kept, and no other data is then gone on with.
        Raises OSError when it cannot be written and ValueError for weights that are not finite; the checkpoint before
        is then still there.
        """
        check_kind("network", network, Network)
        for name, given, kind in (("progress", progress, Progress), ("dataset", dataset, Dataset)):
            if given is not None:
                check_kind(name, given, kind)
        checkpoint.save(
            self.path,
            Checkpoint(
                network.state(),
                network.inputs,
                network.outputs,
                self.config.to_dict(),
                Progress(epoch) if progress is None else progress,
                None if dataset is None else dataset.digest,
                None if dataset is None else dataset.vocabulary,
                None if dataset is None else dataset.shape,
                "classification" if dataset is None else dataset.task,
            ),
        )

    def last(self, *, mend: bool = False) -> Checkpoint:
        """The last checkpoint, of which `mend` makes the newest; OSError or ValueError when there is no whole one.

        ValueError too where it was made with another config than config.toml has now.
        """
        last = checkpoint.load(self.path, mend=mend)
        ours, made = self.config.to_dict(), TrainConfig.from_dict(last.config).to_dict()
        if ours != made:
            differ = ", ".join(name for name in ours if ours[name] != made[name])
            raise ValueError(f"{self.path / 'config.toml'} is not what the checkpoint was made with: {differ} differ")
        return last

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write summary.json."""
        self._write("summary.json", json.dumps(summary, indent=2) + "\n")

    def summary(self) -> dict[str, Any] | None:
        """What summary.json says, None while the training is not complete; ValueError when it is damaged."""
        path = self.path / "summary.json"
        try:
            summary = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
        if not isinstance(summary, dict):
            raise ValueError(f"{path} holds no summary of a training")
        return summary

    def network(self, last: Checkpoint | None = None) -> Network:
        """The network of the last checkpoint, by default read now; OSError or ValueError when there is no whole one."""
        last = self.last() if last is None else last
        check_kind("last", last, Checkpoint)
        network = self.config.network(last)
        network.restore(last.state)
        return network

    def vocabulary(self) -> Vocabulary | None:
        """The vocabulary of the text that the network reads, None for images; raises as `network` does."""
        return self.last().vocabulary

    def epochs_averaged(self, last: Checkpoint | None = None) -> int:
        """Over how many epochs averages had been gathered at the last checkpoint, one that had begun among them.

        Raises as `network` does.
        """
        last = self.last() if last is None else last
        check_kind("last", last, Checkpoint)
        at = last.progress
        first = self.config.average_from
        return max(0, at.epoch + (at.position > 0) + 1 - (2 * self.config.epochs // 3 + 1 if first is None else first))

    def extract(self, what: Literal["average", "read", "reads"] = "average", *, reads: int = 16) -> Model:
        """The digital model that `Network.extract` gives, with the run noted in its metadata.

        That is net, data, the epochs of an average and, for text, sequence and vocabulary. Raises ValueError where no
        average was gathered, OSError or ValueError when there is no whole checkpoint.
        """
        last = self.last()
        model = self.network(last).extract(what, reads=reads).noted(net=self.config.net, data=self.config.data)
        if last.vocabulary is not None:
            model = model.noted(sequence=self.config.sequence, vocabulary=last.vocabulary.characters)
        return model.noted(epochs_averaged=self.epochs_averaged(last)) if what == "average" else model

    def _metrics_lines(self) -> list[str]:
        path = self.path / "metrics.jsonl"
        try:
            return path.read_text(encoding="utf-8").splitlines(keepends=True)
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: {error}") from error

    def _tidy(self) -> None:
        """Remove the temporary files of processes that were killed."""
        for name in _FILES:
            for part in self.path.glob(f".{name}.*"):
                part.unlink(missing_ok=True)

    def _write(self, name: str, text: str) -> None:
        write_whole(self.path / name, text.encode())


def _metrics(line: dict[str, Any]) -> Metrics:
    values: dict[str, Any] = {name: math.nan if value is None else value for name, value in line.items()}
    return Metrics(**values)


def read_toml(path: str | Path) -> dict[str, Any]:
    """The tables of a TOML file; OSError when it cannot be read, ValueError naming it when it is no TOML."""
    with Path(path).open("rb") as file:
        try:
            return tomllib.load(file)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path}: {error}") from error
