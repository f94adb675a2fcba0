"""Checkpoints: the complete state of a training in one file, and the previous one.

`checkpoint.safetensors` holds the arrays of `Network.state` and a header of strings: the format with its version, the
size of the network, the config of the training, its progress, the SHA-256 of its data, the vocabulary of a
text, and the SHA-256 of all of these and the arrays. Floats are hexadecimal, so that they are restored bit for bit.
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
    """The content of a file."""

    state: Mapping[str, NDArray[Any]]
    """arrays of `Network.state`"""
    inputs: int
    """inputs of the network"""
    outputs: int
    """outputs of the network"""
    config: Mapping[str, Any]
    """the config of the training, as plain values"""
    progress: Progress
    """how far the training has come"""
    data: str | None = None
    """`Dataset.digest` of the data; None if it is unknown"""
    vocabulary: Vocabulary | None = None
    """the vocabulary of a text; None for other data"""
    shape: tuple[int, int, int] | None = None
    """rows, columns and channels of images; None for other data and if unknown"""
    task: Task = "classification"
    """what the targets are for"""


def save(folder: str | Path, checkpoint: Checkpoint) -> None:
    """Make `checkpoint` the newest of `folder`, and the newest so far the previous one.

    One of the two is complete even if the process is killed. Raises OSError if the file cannot be written, ValueError
    for numbers that are not finite and TypeError for arrays other than float32 and uint64; both files are then
    unchanged.
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
    """The newest checkpoint of `folder`, or, if it is missing or damaged, the previous one, with a warning.

    With `mend` the previous one then replaces it, so that the next `save` loses no complete checkpoint. Raises
    FileNotFoundError if there is none, ValueError if none is complete, OSError if it cannot be read.
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
    warnings.warn(f"{reason}; the previous checkpoint is used", stacklevel=2)
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
        progress = {f.name: _number(header[f.name], integer=f.type is int) for f in fields(Progress)}
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
    """The array in the format of the file; another type would be converted, and its checksum would fail on reading."""
    dtype = np.asarray(array).dtype.newbyteorder("=")
    if dtype not in (np.float32, np.uint64):
        raise TypeError(f"{name} of the state must have dtype float32 or uint64, not {dtype}")
    return np.require(array, dtype, ["C", "A"])


def _text(value: float) -> str:
    return str(value) if isinstance(value, int) else float(value).hex()


def _number(text: str, *, integer: bool) -> float:
    return int(text) if integer else float.fromhex(text)
