"""Arrays with a header of strings that says what they are and carries a checksum over all of it."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["digest", "verify", "with_checksum"]


def with_checksum(
    header: Mapping[str, str], arrays: Mapping[str, NDArray[Any]], *, format: str, version: int
) -> dict[str, str]:
    """`header` with the name and version of the format, and the SHA-256 over that and `arrays`."""
    whole = {"format": format, "version": str(version), **header}
    return {**whole, "sha256": digest(whole, arrays)}


def verify(
    path: str | Path,
    header: Mapping[str, str],
    arrays: Mapping[str, NDArray[Any]],
    *,
    format: str,
    version: int,
    what: str,
) -> None:
    """Raise ValueError where what was read from `path` is no `what` of this format and version, or is damaged."""
    if header.get("format") != format:
        raise ValueError(f"{path} is not a {what} of tikitaka")
    if header.get("version") != str(version):
        raise ValueError(f"{path} must be of format version {version}, not {header.get('version')}")
    if header.get("sha256") != digest(header, arrays):
        raise ValueError(f"{path} is damaged or was edited: its checksum does not match")


def digest(header: Mapping[str, str], arrays: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 over every string of `header` but the one named sha256, and every array with its name."""
    sha = hashlib.sha256()
    for name in sorted(header.keys() - {"sha256"}):
        sha.update(json.dumps([name, header[name]]).encode())
    for name in sorted(arrays):
        w = arrays[name]
        sha.update(json.dumps([name, str(w.dtype), list(w.shape)]).encode())
        sha.update(np.ascontiguousarray(w, dtype=w.dtype.newbyteorder("<")).tobytes())
    return sha.hexdigest()
