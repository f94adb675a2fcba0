"""Reading the IDX format of the MNIST files: big-endian sizes, then unsigned bytes or, in QMNIST, 32-bit integers."""

import gzip
import hashlib
import math
import zlib
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from tikitaka._internal.validation import check_int

__all__ = ["read_idx"]

Integers = NDArray[np.integer[Any]]

_TYPES: dict[int, np.dtype[np.integer[Any]]] = {0x08: np.dtype(np.uint8), 0x0C: np.dtype(">i4")}
_BLOCK = 1 << 20
_DEFLATE_RATIO = 1032  # no deflate stream expands by more than this


def read_idx(path: str | Path, *, ndim: int | tuple[int, ...] | None = None, sha256: str | None = None) -> Integers:
    """The array in an IDX file of unsigned bytes or 32-bit integers, plain or in gzip (recognised by its first bytes).

    `ndim` demands a number of dimensions, or one of several; `sha256` a SHA-256 of the uncompressed content, in hex.
    Raises FileNotFoundError or another OSError when the file cannot be read and ValueError for any other content;
    the message begins with the path. Memory is limited by the size of the file, whatever its header claims.
    """
    path = Path(path)
    allowed = None
    if ndim is not None:
        allowed = tuple(check_int("ndim", n, 1, 255) for n in (ndim if isinstance(ndim, tuple) and ndim else (ndim,)))
    with path.open("rb") as raw:
        size = path.stat().st_size
        zipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        stream = cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if zipped else raw
        try:
            return _parse(path, stream, size * _DEFLATE_RATIO if zipped else size, allowed, sha256)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path}: damaged gzip data ({error})") from error


def _parse(path: Path, stream: IO[bytes], most: int, ndim: tuple[int, ...] | None, sha256: str | None) -> Integers:
    head = stream.read(4)
    if len(head) < 4 or head[:2] != b"\x00\x00":
        raise ValueError(f"{path}: not an IDX file (it should begin with two zero bytes, not {head.hex()!r})")
    if head[2] not in _TYPES:
        raise ValueError(
            f"{path}: IDX type 0x{head[2]:02x} is not supported, only unsigned bytes (0x08) and 32-bit integers (0x0c)"
        )
    if head[3] == 0 or (ndim is not None and head[3] not in ndim):
        raise ValueError(f"{path}: it has {head[3]} dimensions instead of {ndim[0] if ndim else 'at least 1'}")
    sizes = stream.read(4 * head[3])
    if len(sizes) < 4 * head[3]:
        raise ValueError(f"{path}: it ends inside its header")
    shape = tuple(int(n) for n in np.frombuffer(sizes, dtype=">u4"))
    dtype = _TYPES[head[2]]
    count = math.prod(shape) * dtype.itemsize
    if count > most:
        raise ValueError(f"{path}: truncated: its header promises {count:,} bytes of data, the file can hold {most:,}")
    content = bytearray()
    while len(content) <= count and (block := stream.read(min(_BLOCK, count + 1 - len(content)))):
        content += block
    if len(content) < count:
        raise ValueError(f"{path}: truncated: {len(content):,} bytes of data instead of {count:,}")
    if len(content) > count:
        raise ValueError(f"{path}: there is more data than the {count:,} bytes its header promises")
    if sha256 is not None:
        found = hashlib.sha256(head + sizes + content).hexdigest()
        if found != sha256:
            raise ValueError(f"{path}: the SHA-256 of its content must be {sha256}, not {found}")
    try:
        array = np.frombuffer(content, dtype).reshape(shape)
    except ValueError as error:  # no data, but a shape that is too large for any array
        raise ValueError(f"{path}: no array is {' × '.join(map(str, shape))}") from error
    return array.astype(dtype.newbyteorder("="), copy=False)
