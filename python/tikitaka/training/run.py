"""The RUN folder of one training: its settings, metrics, checkpoints and summary."""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal, Self

from tikitaka._internal.atomic_write import atomic_write, remove_parts
from tikitaka._internal.lock import LOCK, locked_folder
from tikitaka._internal.text import decoded
from tikitaka._internal.validation import check_int, check_kind
from tikitaka.config import read_toml
from tikitaka.data import Dataset, Vocabulary
from tikitaka.model import Model
from tikitaka.network import Network
from tikitaka.training import checkpoint
from tikitaka.training.checkpoint import NEWEST, PREVIOUS, Checkpoint
from tikitaka.training.extension import extended
from tikitaka.training.metrics import Metrics, Progress
from tikitaka.training.session import train
from tikitaka.training.summary import FIELDS
from tikitaka.training.train_config import TrainConfig

__all__ = ["Run"]

_FILES = ("config.toml", "metrics.jsonl", NEWEST, PREVIOUS, "summary.json")


def _metrics(line: dict[str, Any]) -> Metrics:
    values: dict[str, Any] = {name: math.nan if value is None else value for name, value in line.items()}
    return Metrics(**values)


class Run:
    """A RUN folder. Each file in it is written completely or not at all.

    config.toml (the `TrainConfig`), metrics.jsonl (a line per epoch), checkpoint.safetensors (all state of the
    training; first written before the first example) with the previous one, checkpoint.previous.safetensors, and
    summary.json (when the training is complete). If the newest checkpoint is missing or damaged, the previous one is
    used, with a warning.
    """

    __slots__ = ("_config", "_known", "_lines", "_path")

    def __init__(self, path: Path, config: TrainConfig) -> None:
        self._path = path
        self._config = config
        self._lines: list[str] = []
        self._known: tuple[Dataset, str] | None = None  # the data that it trains on now, with its digest

    @property
    def path(self) -> Path:
        """The folder."""
        return self._path

    @property
    def config(self) -> TrainConfig:
        """The settings of the training, as in config.toml."""
        return self._config

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @classmethod
    def create(cls, path: str | Path, config: TrainConfig, *, force: bool = False) -> Self:
        """Begin a run in a new or empty folder; with `force`, an earlier run there is removed first.

        Raises FileExistsError if the folder is not empty and `force` is off, NotADirectoryError if it is a file, and
        BlockingIOError if a training in it is running.
        """
        path = Path(path)
        check_kind("config", config, TrainConfig)
        run = cls(path, config)
        with run.locked():
            if any(file.name != LOCK for file in path.iterdir()) and not force:
                raise FileExistsError(f"{path} is not empty; --force (force=True) replaces a run in it")
            run._tidy()
            for name in reversed(_FILES[1:]):
                (path / name).unlink(missing_ok=True)
            run._write("config.toml", config.to_toml())
        return run

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """An earlier run; FileNotFoundError or ValueError if the folder contains none or its config.toml is damaged."""
        path = Path(path)
        file = path / "config.toml"
        if not file.exists():
            why = "no RUN folder, since it has no config.toml" if path.is_dir() else "no such RUN folder"
            raise FileNotFoundError(f"{path}: {why}")
        values = read_toml(file)
        try:
            return cls(path, TrainConfig.from_dict(values))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{file}: {error}") from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """In this context, no other process or thread creates or trains a run in the folder.

        The lock ends with the process, however that ends. `create` and `train` take it themselves. Raises
        BlockingIOError if another process or thread has it, and NotADirectoryError if the path is a file.
        """
        if self.path.exists() and not self.path.is_dir():
            raise NotADirectoryError(f"{self.path} is a file, not a folder")
        with locked_folder(self.path, "another process trains in this folder"):
            yield

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
        """Train to the end, from the last checkpoint if there is one, and return the summary.

        Weights and metrics are the same, bit for bit, however often the training was interrupted and with any number of
        threads. A complete run just returns its summary. `dataset` is by default the one of the config, in the folder
        `data_dir`. Raises what `prepare` and `tikitaka.training.train` raise, and BlockingIOError if another process or
        thread trains in the folder.
        """
        if (summary := self.finished()) is not None:
            if dataset is not None:
                self._check_data(self.last(), dataset)
            return summary
        dataset = self.config.dataset(data_dir) if dataset is None else dataset
        with self.locked():
            network, start = self.prepare(dataset)
            self._known = dataset, dataset.digest
            try:
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
            finally:
                self._known = None

    def extend(
        self, epochs: int, *, schedule: str | Sequence[float] | None = None, average_from: int | None = None
    ) -> None:
        """Change the number of epochs of a run that has begun or ended; `train` then continues it.

        The result has the same bits as a training that was planned with the new config from the start. Raises
        ValueError where that cannot be: the schedule would have had other factors (named ones change after a third of
        the epochs), averages would have begun elsewhere, `patience` has ended the training, or fewer epochs are asked
        for than have begun. For a sequence of factors, `schedule` is the new one. Raises BlockingIOError if another
        process or thread trains in the folder, and what `last` raises.
        """
        epochs = check_int("epochs", epochs, 1)
        with self.locked():
            summary = self.finished()
            if summary is not None and summary["epochs"] < self.config.epochs:
                raise ValueError(
                    f"epochs cannot become {epochs:,}: patience ended the training after epoch {summary['epochs']:,}, "
                    "and would have done so"
                )
            last = self.last() if self._has_checkpoint() else None
            at = Progress() if last is None else last.progress
            self._lines_until(at)  # before any file changes
            new = extended(
                self.config, at.epoch + (at.position > 0), epochs, schedule=schedule, average_from=average_from
            )
            if new == self.config:
                return
            if last is not None:  # first: `last` takes the one before if a kill leaves the old config
                self._mend(last)
                checkpoint.save(self.path, replace(last, config=new.to_dict()))
            (self.path / "summary.json").unlink(missing_ok=True)
            self._write("config.toml", new.to_toml())
            self._config = new

    def prepare(self, dataset: Dataset) -> tuple[Network, Progress]:
        """The network of the last checkpoint and the progress of its training, ready to continue.

        The untrained network if there is no checkpoint yet. Epochs after the checkpoint are removed from metrics.jsonl,
        and so are the temporary files of killed processes. Raises ValueError for other data than the run was started
        with and for a config.toml that has changed since the run was opened, OSError or ValueError if the checkpoints
        or the metrics are missing or damaged, and BlockingIOError if another process or thread trains in the folder.
        """
        check_kind("dataset", dataset, Dataset)
        with self.locked():
            return self._prepared(dataset)

    def _prepared(self, dataset: Dataset) -> tuple[Network, Progress]:
        if type(self).open(self.path).config.to_dict() != self.config.to_dict():
            raise ValueError(f"{self.path / 'config.toml'} has changed since the run was opened: open it again")
        if not self._has_checkpoint():
            last, network = None, self.config.network(dataset)
        else:
            last = self.last()
            network = self.network(last)
        progress = Progress() if last is None else last.progress
        if last is not None:
            self._check_data(last, dataset)
        lines = self._lines_until(progress)
        self._tidy()
        if last is not None:
            self._mend(last)
        self._lines = lines[: progress.epoch]
        if len(lines) > progress.epoch:
            self._write("metrics.jsonl", "".join(self._lines))
        return network, progress

    def _check_data(self, last: Checkpoint, dataset: Dataset) -> None:
        if last.data not in (None, dataset.digest):
            raise ValueError(f"{dataset.name} must be the data that {self.path} was started with; its examples differ")

    def _lines_until(self, progress: Progress) -> list[str]:
        """All lines of metrics.jsonl; ValueError if an epoch before `progress` has none, or one that is damaged."""
        lines = self._metrics_lines() if progress.epoch or (self.path / "metrics.jsonl").exists() else []
        if len(lines) < progress.epoch:
            raise ValueError(
                f"{self.path / 'metrics.jsonl'} holds {len(lines)} epochs, the checkpoint is after {progress.epoch}"
            )
        self._parsed(lines[: progress.epoch])
        return lines

    def log(self, metrics: Metrics) -> None:
        """Add the line of an epoch to metrics.jsonl: NaN becomes null, and None is omitted."""
        values = {
            name: None if math.isnan(value) else value for name, value in asdict(metrics).items() if value is not None
        }
        self._lines.append(json.dumps(values) + "\n")
        self._write("metrics.jsonl", "".join(self._lines))

    def metrics(self) -> list[Metrics]:
        """The metrics of every epoch so far; OSError or ValueError if metrics.jsonl is missing or damaged."""
        return self._parsed(self._metrics_lines())

    def checkpoint(
        self, network: Network, *, epoch: int = 0, progress: Progress | None = None, dataset: Dataset | None = None
    ) -> None:
        """Save all state of `network`, after epoch number `epoch` (0: the start) or where `progress` says.

        `dataset` is the training data: the vocabulary of a text is stored, and the run then refuses to continue with
        other data. Raises OSError if it cannot be written and ValueError for weights that are not finite; the previous
        checkpoint then remains.
        """
        check_kind("network", network, Network)
        for name, value, kind in (("progress", progress, Progress), ("dataset", dataset, Dataset)):
            if value is not None:
                check_kind(name, value, kind)
        known = self._known[1] if self._known is not None and self._known[0] is dataset else None
        checkpoint.save(
            self.path,
            Checkpoint(
                network.state(),
                network.inputs,
                network.outputs,
                self.config.to_dict(),
                Progress(epoch) if progress is None else progress,
                None if dataset is None else known or dataset.digest,
                None if dataset is None else dataset.vocabulary,
                None if dataset is None else dataset.shape,
                "classification" if dataset is None else dataset.task,
            ),
        )

    def last(self) -> Checkpoint:
        """The last checkpoint; OSError or ValueError if none is complete.

        Also ValueError if config.toml has changed since it was written.
        """
        last = checkpoint.load(self.path)
        if not self._is_config(last.config):  # perhaps `extend` was killed before it wrote the new one
            before = checkpoint.load_previous(self.path)
            if before is not None and before.progress == last.progress and self._is_config(before.config):
                return before
        self._check_config(last.config, "checkpoint")
        return last

    def _mend(self, last: Checkpoint) -> None:
        """Make `last`, as the function of that name gives it, the newest checkpoint."""
        checkpoint.mend(self.path)
        if not self._is_config(checkpoint.load(self.path).config):
            checkpoint.save(self.path, last)

    def _has_checkpoint(self) -> bool:
        return any((self.path / name).exists() for name in (NEWEST, PREVIOUS))

    def _is_config(self, config: Mapping[str, Any]) -> bool:
        return self.config.to_dict() == TrainConfig.from_dict(config).to_dict()

    def _check_config(self, config: Mapping[str, Any], of: str) -> None:
        """Raise ValueError unless `config` is that of config.toml."""
        current, saved = self.config.to_dict(), TrainConfig.from_dict(config).to_dict()
        if current != saved:
            differ = ", ".join(name for name in {**current, **saved} if current.get(name) != saved.get(name))
            raise ValueError(f"{self.path / 'config.toml'} must be the config of the {of}; they differ in {differ}")

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write summary.json."""
        self._write("summary.json", json.dumps(summary, indent=2) + "\n")

    def summary(self) -> dict[str, Any] | None:
        """The content of summary.json, None until the training is complete; ValueError if it is damaged."""
        path = self.path / "summary.json"
        try:
            summary = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
        if not isinstance(summary, dict):
            raise ValueError(f"{path} is not a summary of a training")
        return summary

    def finished(self) -> dict[str, Any] | None:
        """The summary of a complete run, None until then; ValueError if config.toml has changed since."""
        summary = self.summary()
        if summary is None:
            return None
        if missing := [name for name in FIELDS if name not in summary]:
            raise ValueError(f"{self.path / 'summary.json'} is not a summary of a training: it has no {missing[0]}")
        check_kind("config of summary.json", summary["config"], Mapping)
        self._check_config(summary["config"], "summary")
        return summary

    def network(self, last: Checkpoint | None = None) -> Network:
        """The network of the last checkpoint, by default read from the folder; OSError or ValueError if none is
        complete."""
        last = self.last() if last is None else last
        check_kind("last", last, Checkpoint)
        network = self.config.network(last)
        network.restore(last.state)
        return network

    def vocabulary(self) -> Vocabulary | None:
        """The vocabulary of the text that the network reads, None for images; raises as `network` does."""
        return self.last().vocabulary

    def epochs_averaged(self, last: Checkpoint | None = None) -> int:
        """The number of epochs over which averages had been gathered at the last checkpoint, counting an incomplete
        one.

        Raises as `network` does.
        """
        last = self.last() if last is None else last
        check_kind("last", last, Checkpoint)
        progress = last.progress
        first = self.config.average_from
        return max(
            0,
            progress.epoch
            + (progress.position > 0)
            + 1
            - (2 * self.config.epochs // 3 + 1 if first is None else first),
        )

    def extract(self, what: Literal["average", "read", "reads"] = "average", *, reads: int = 16) -> Model:
        """The digital model that `Network.extract` gives, with the run recorded in its metadata.

        That is net, data with its digest, the epochs of an average and, for text, sequence and vocabulary. Raises
        ValueError if no
        average was gathered, OSError or ValueError if no checkpoint is complete.
        """
        last = self.last()
        model = self.network(last).extract(what, reads=reads).noted(net=self.config.net, data=self.config.data)
        if last.data is not None:
            chosen = {"holdout": self.config.holdout, "examples": self.config.examples}
            model = model.noted(data_digest=last.data, **{k: n for k, n in chosen.items() if n is not None})
        if last.vocabulary is not None:
            model = model.noted(sequence=self.config.sequence, vocabulary=last.vocabulary.characters)
        return model.noted(epochs_averaged=self.epochs_averaged(last)) if what == "average" else model

    def _parsed(self, lines: list[str]) -> list[Metrics]:
        try:
            return [_metrics(json.loads(line)) for line in lines]
        except (json.JSONDecodeError, TypeError, AttributeError) as error:
            raise ValueError(f"{self.path / 'metrics.jsonl'}: {error}") from error

    def _metrics_lines(self) -> list[str]:
        path = self.path / "metrics.jsonl"
        try:
            return decoded(path.read_bytes()).splitlines(keepends=True)
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: {error}") from error

    def _tidy(self) -> None:
        """Remove the temporary files of processes that were killed."""
        for name in _FILES:
            remove_parts(self.path / name)

    def _write(self, name: str, text: str) -> None:
        atomic_write(self.path / name, text.encode())
