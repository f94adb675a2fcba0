"""Checkpoints: the complete state of a training in one file, and the previous one.

`checkpoint.safetensors` holds the arrays of `Network.state` and a header of strings: the format with its version, the
size of the network, the config of the training, its progress, the SHA-256 of its data, the vocabulary of a
text, and the SHA-256 of all of these and the arrays. Floats are hexadecimal, so that they are restored bit for bit.
"""

import itertools
import json
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tikitaka import _core
from tikitaka._internal.atomic_write import beside, replacing, sync_folder
from tikitaka._internal.checksum import verify, with_checksum
from tikitaka._internal.shown import shown
from tikitaka._internal.validation import check_int, check_kind
from tikitaka.data import Vocabulary
from tikitaka.data.targets import Task
from tikitaka.training.metrics import Progress

__all__ = ["NEWEST", "PREVIOUS", "VERSION", "Checkpoint", "load", "load_previous", "mend", "save"]

VERSION = 1
"""version of the format that `save` writes and `load` reads"""

NEWEST: Final = "checkpoint.safetensors"
PREVIOUS: Final = "checkpoint.previous.safetensors"

_FORMAT = "tikitaka-checkpoint"
_HEADER = 1 << 24  # bytes of a header that are read to find its version


@dataclass(frozen=True)
class Checkpoint:
    """The content of a file."""

    state: Mapping[str, NDArray[Any]] = field(repr=False)
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
        "inputs": str(check_int("inputs", checkpoint.inputs, 1)),
        "classes": str(check_int("outputs", checkpoint.outputs, 1)),
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
    newest = folder / NEWEST
    with replacing(newest) as part:
        _core.save_tensors(str(part), state, with_checksum(header, state, format=_FORMAT, version=VERSION))
        if newest.exists():
            _keep(newest, folder / PREVIOUS)


def load(folder: str | Path) -> Checkpoint:
    """The newest checkpoint of `folder`, or, if it is missing or damaged, the previous one, with a warning.

    Raises FileNotFoundError if there is none, ValueError if none is complete and if one is of another release, OSError
    if it cannot be read.
    """
    folder = Path(folder)
    newest, previous = folder / NEWEST, folder / PREVIOUS
    for path in (newest, previous):
        _check_version(path)
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
    warnings.warn(f"{reason}; the previous checkpoint is used", stacklevel=2)
    return checkpoint


def mend(folder: str | Path) -> None:
    """Keep damaged checkpoints of `folder` as checkpoint.damaged.safetensors, and make the previous one the newest if
    there is no other.

    Otherwise the next `save` would replace the damaged one, or the only complete one.
    """
    folder = Path(folder)
    newest, previous = folder / NEWEST, folder / PREVIOUS
    for path in (newest, previous):
        if path.exists() and _complete(path) is None:
            os.replace(path, _free(folder / "checkpoint.damaged.safetensors"))
    if previous.exists() and not newest.exists():
        os.replace(previous, newest)
    sync_folder(folder)


def load_previous(folder: str | Path) -> Checkpoint | None:
    """The checkpoint before the newest of `folder`; None if there is none or it is damaged."""
    return _complete(Path(folder) / PREVIOUS)


def _check_version(path: Path) -> None:
    """Raise ValueError if the file is a checkpoint of another version, complete or not: it must not be replaced."""
    try:
        with path.open("rb") as file:
            header = json.loads(file.read(min(int.from_bytes(file.read(8), "little"), _HEADER)))["__metadata__"]
        of_format, version = header["format"], header["version"]
    except (OSError, ValueError, KeyError, TypeError):
        return  # `_read` says why
    if of_format == _FORMAT and version != str(VERSION):
        raise ValueError(
            f"{path} must be of format version {VERSION}, not {str(version)[:20]}: "
            "another release of tikitaka wrote it, and only such a release can continue"
        )


def _free(path: Path) -> Path:
    """`path`, or with a number if it exists."""
    names = itertools.chain([path], (path.with_stem(f"{path.stem}.{k}") for k in itertools.count(2)))
    return next(name for name in names if not name.exists())


def _keep(newest: Path, previous: Path) -> None:
    """Make `newest` the previous checkpoint, too, so that whoever reads meanwhile finds both."""
    link = beside(previous, "part")
    try:
        link.unlink(missing_ok=True)
        os.link(newest, link)
    except OSError:  # the file system has no links; for a moment, there is only the previous checkpoint
        os.replace(newest, previous)
    else:
        os.replace(link, previous)


def _complete(path: Path) -> Checkpoint | None:
    try:
        return _read(path)
    except (FileNotFoundError, ValueError):
        return None


def _read(path: Path) -> Checkpoint:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    state, header = _core.load_tensors(str(path))
    verify(path, header, state, format=_FORMAT, version=VERSION, what="checkpoint")
    try:
        config = json.loads(header["config"])
        if not isinstance(config, dict):
            raise ValueError(f"config must be a table of fields, not {shown(config)}")
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
