"""Checkpoints: all state of a training in one file, and the file before it.

`checkpoint.safetensors` holds the arrays of `Network.state` and a header of strings: the format with its version, the
size of the network, the config of the training, how far it has come, the SHA-256 of its data, the vocabulary of a
text, and the SHA-256 over all that and the arrays. Floats are hexadecimal, so that they come back bit for bit.
"""

import json
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tikitaka import _core
from tikitaka._internal.atomic_write import sync_folder
from tikitaka._internal.checksum import verify, with_checksum
from tikitaka._internal.validation import check_kind
from tikitaka.data import Vocabulary
from tikitaka.data.targets import Task
from tikitaka.training.metrics import Progress

__all__ = ["NEWEST", "PREVIOUS", "VERSION", "Checkpoint", "load", "save"]

VERSION = 1
"""version of the format that `save` writes and `load` reads"""

NEWEST: Final = "checkpoint.safetensors"
PREVIOUS: Final = "checkpoint.previous.safetensors"

_FORMAT = "tikitaka-checkpoint"


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds."""

    state: Mapping[str, NDArray[Any]]
    """arrays of `Network.state`"""
    inputs: int
    """inputs of the network"""
    outputs: int
    """outputs of the network"""
    config: Mapping[str, Any]
    """the config of the training, as plain values"""
    progress: Progress
    """how far it has come"""
    data: str | None = None
    """`Dataset.digest` of what it trains on; None where that is not known"""
    vocabulary: Vocabulary | None = None
    """the vocabulary of a text; None for all else"""
    shape: tuple[int, int, int] | None = None
    """rows, columns and channels of images; None for all else and where it is not known"""
    task: Task = "classification"
    """what the targets are for"""


def save(folder: str | Path, checkpoint: Checkpoint) -> None:
    """Make `checkpoint` the newest of `folder`, and the one that was so the previous.

    Whenever this is killed, one of the two is whole. Raises OSError when the file cannot be written, ValueError for
    numbers that are not finite and TypeError for arrays of other than float32 and uint64; both are then as they were.
    """
    check_kind("checkpoint", checkpoint, Checkpoint)
    check_kind("progress", checkpoint.progress, Progress)
    folder = Path(folder)
    header = {
        "inputs": str(checkpoint.inputs),
        "classes": str(checkpoint.outputs),
        "config": json.dumps(checkpoint.config),
        **{name: _text(value) for name, value in vars(checkpoint.progress).items()},
    }
    if checkpoint.data is not None:
        check_kind("data", checkpoint.data, str)
        header["data"] = checkpoint.data
    if checkpoint.vocabulary is not None:
        check_kind("vocabulary", checkpoint.vocabulary, Vocabulary)
        header["vocabulary"] = checkpoint.vocabulary.characters
    if checkpoint.shape is not None:
        header["shape"] = json.dumps(checkpoint.shape)
    if checkpoint.task == "regression":
        header["task"] = checkpoint.task
    state = {name: _stored(name, array) for name, array in checkpoint.state.items()}
    newest, part = folder / NEWEST, folder / f".{NEWEST}.{os.getpid()}.part"
    try:
        _core.save_tensors(str(part), state, with_checksum(header, state, format=_FORMAT, version=VERSION))
        if newest.exists():
            os.replace(newest, folder / PREVIOUS)
        os.replace(part, newest)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(newest)) from error
    sync_folder(folder)


def load(folder: str | Path, *, mend: bool = False) -> Checkpoint:
    """The newest checkpoint of `folder`, or where that is missing or damaged the previous one, with a warning.

    With `mend` the previous one then takes its place, so that the next `save` loses no whole checkpoint. Raises
    FileNotFoundError when there is none, ValueError when there is no whole one, OSError when it cannot be read.
    """
    folder = Path(folder)
    newest, previous = folder / NEWEST, folder / PREVIOUS
    try:
        return _read(newest)
    except (FileNotFoundError, ValueError) as error:
        if not previous.is_file():
            raise
        reason = str(error)
    try:
        checkpoint = _read(previous)
    except ValueError as error:
        raise ValueError(f"{reason}; {error}") from error
    if mend:
        os.replace(previous, newest)
        sync_folder(folder)
    warnings.warn(f"{reason}; the checkpoint before it is taken", stacklevel=2)
    return checkpoint


def _read(path: Path) -> Checkpoint:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    state, header = _core.load_tensors(str(path))
    verify(path, header, state, format=_FORMAT, version=VERSION, what="checkpoint")
    try:
        config = json.loads(header["config"])
        if not isinstance(config, dict):
            raise ValueError(f"config must be a table of fields, not {config!r}")
        progress = {f.name: _number(header[f.name], whole=f.type is int) for f in fields(Progress)}
        characters = header.get("vocabulary")
        return Checkpoint(
            state,
            int(header["inputs"]),
            int(header["classes"]),
            config,
            Progress(**progress),  # type: ignore[arg-type]
            header.get("data"),
            None if characters is None else Vocabulary(characters),
            _shape(header.get("shape")),
            "regression" if header.get("task") == "regression" else "classification",
        )
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path}: not a checkpoint of tikitaka: {error}") from error


def _shape(text: str | None) -> tuple[int, int, int] | None:
    if text is None:
        return None
    rows, columns, channels = json.loads(text)
    return int(rows), int(columns), int(channels)


def _stored(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """The array as files hold it: one of another kind would be converted, and fail its checksum when it is read."""
    dtype = np.asarray(array).dtype.newbyteorder("=")
    if dtype not in (np.float32, np.uint64):
        raise TypeError(f"{name} of the state must have dtype float32 or uint64, not {dtype}")
    return np.require(array, dtype, ["C", "A"])


def _text(value: float) -> str:
    return str(value) if isinstance(value, int) else float(value).hex()


def _number(text: str, *, whole: bool) -> float:
    return int(text) if whole else float.fromhex(text)
