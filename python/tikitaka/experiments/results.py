"""The file of results of a sweep: a line of JSON for each finished cell."""

import errno
import json
import os
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import numpy as np

from tikitaka._internal.lock import locked
from tikitaka._internal.shown import shown
from tikitaka.training import TrainConfig

__all__ = ["Results", "key_of"]

_FORMAT = 1
_HEAD = b'{"format": 1, "key": "'  # the start of every line, which tells an incomplete line from another kind of file


def key_of(config: TrainConfig | Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON of a configuration, its seed included; equal numbers, 20 and 20.0, count as one."""
    table = config.to_dict() if isinstance(config, TrainConfig) else config
    return sha256(json.dumps(_canonical(_plain(table)), sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class Results:
    """The file at `path`, locked by this sweep until it is closed.

    A line is a JSON object: format, key (of the configuration), measure (name of the function that measured), config,
    and what was measured. Each is appended completely and synced; a line that a crash left incomplete is ignored, and
    overwritten by the next. `rows` are the lines by key, including those of earlier sweeps. A new file without
    a line is removed.

    Raises OSError if the file cannot be written or another sweep has locked it, and ValueError, with the file
    unchanged, if it contains lines that are not results, or of another format or measure.
    """

    def __init__(self, path: str | Path, measure: str) -> None:
        self.path = Path(path)
        self.measure = measure
        if self.path.exists() and not self.path.is_file():
            raise OSError(errno.EINVAL, "results must go to a plain file", str(path))
        if not self.path.parent.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
        self._end = 0
        with ExitStack() as opened:
            opened.enter_context(locked(self.path, "another sweep writes to this file"))
            if not self.path.exists():
                opened.callback(self._remove_if_empty)
            self._file = opened.enter_context(self.path.open("a+b", buffering=0))
            self.rows = self._read()
            self._opened = opened.pop_all()

    def add(self, config: TrainConfig, measured: Mapping[str, Any]) -> None:
        """Append the measurements of a cell; numbers that are not finite become null.

        Raises TypeError or ValueError unless `measured` is a mapping for JSON without the reserved names of a line, and
        OSError if it cannot be written; the file is then unchanged.
        """
        if not isinstance(measured, Mapping):
            raise TypeError(f"{self.measure} must return a mapping, not {shown(measured)}")
        key = key_of(config)
        row: dict[str, Any] = {"format": _FORMAT, "key": key, "measure": self.measure, "config": config.to_dict()}
        if taken := [name for name in row if name in measured]:
            raise ValueError(f"{self.measure} must not return {', '.join(taken)}: these names are reserved")
        line = json.dumps(_plain(row | dict(measured)), allow_nan=False).encode() + b"\n"
        try:
            self._file.truncate(self._end)
            unwritten = memoryview(line)
            while unwritten:
                unwritten = unwritten[self._file.write(unwritten) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            with suppress(OSError):
                self._file.truncate(self._end)
            raise OSError(error.errno, error.strerror, str(self.path)) from error
        self._end += len(line)
        self.rows[key] = json.loads(line)

    def close(self) -> None:
        """Let others write to the file."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _remove_if_empty(self) -> None:
        if self._end == 0:
            self.path.unlink(missing_ok=True)

    def _read(self) -> dict[str, dict[str, Any]]:
        self._file.seek(0)
        *lines, torn = self._file.readall().split(b"\n")
        torn = torn.rstrip(b"\0")  # left by a power cut before the line reached the disk
        if not torn.startswith(_HEAD[: len(torn)]):
            raise ValueError(f"{self.path}: line {len(lines) + 1} is not a result of a sweep")
        self._end = sum(len(line) + 1 for line in lines)
        rows: dict[str, dict[str, Any]] = {}
        for number, line in enumerate(lines, 1):
            row = self._row(line, f"{self.path}: line {number}")
            rows.setdefault(row["key"], row)
        return rows

    def _row(self, line: bytes, where: str) -> dict[str, Any]:
        try:
            row = json.loads(line)
            if row["format"] != _FORMAT:
                raise ValueError(f"{where} must be of format {_FORMAT}, not {shown(row['format'])}")
            key, measure, config = row["key"], row["measure"], row["config"]
        except (json.JSONDecodeError, UnicodeDecodeError, TypeError, KeyError) as error:
            raise ValueError(f"{where} is not a result of a sweep") from error
        if not isinstance(config, dict) or key != key_of(config):
            raise ValueError(f"{where} is damaged: its key does not match its config")
        if measure != self.measure:
            raise ValueError(
                f"{where} must be of measure {shown(self.measure)}, not {shown(measure)}; choose another file"
            )
        assert isinstance(row, dict)
        return row


def _plain(value: Any) -> Any:
    """A value for JSON: NumPy numbers and arrays become Python's, numbers that are not finite None."""
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, np.generic | np.ndarray):
        return _plain(value.tolist())
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _canonical(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _canonical(part) for name, part in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value
