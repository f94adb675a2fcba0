"""Checksums of arrays and the header of strings that describes them."""

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
    """`header` with the name and version of the format, and the SHA-256 of these and `arrays`."""
    described = {"format": format, "version": str(version), **header}
    return {**described, "sha256": digest(described, arrays)}


def verify(
    path: str | Path,
    header: Mapping[str, str],
    arrays: Mapping[str, NDArray[Any]],
    *,
    format: str,
    version: int,
    what: str,
) -> None:
    """Raise ValueError unless `header` and `arrays`, read from `path`, are an undamaged `what` of this format and
    version."""
    if header.get("format") != format:
        raise ValueError(f"{path} is not a {what} of tikitaka")
    if header.get("version") != str(version):
        raise ValueError(f"{path} must be of format version {version}, not {header.get('version')}")
    if header.get("sha256") != digest(header, arrays):
        raise ValueError(f"{path} is damaged or was edited: its checksum does not match")


def digest(header: Mapping[str, str], arrays: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 of every string of `header` except "sha256", and of every array with its name."""
    sha = hashlib.sha256()
    for name in sorted(header.keys() - {"sha256"}):
        sha.update(json.dumps([name, header[name]]).encode())
    for name in sorted(arrays):
        array = arrays[name]
        sha.update(json.dumps([name, str(array.dtype), list(array.shape)]).encode())
        sha.update(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes())
    return sha.hexdigest()
