"""Texts for character models: reading a file, and cutting its text into sequences."""

import gzip
import hashlib
import zlib
from numbers import Real
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tikitaka._internal.validation import check_int, check_kind
from tikitaka.data.dataset import Dataset
from tikitaka.data.vocabulary import Vocabulary

__all__ = ["read_text", "text_dataset"]

I64 = NDArray[np.int64]

_BLOCK = 1 << 20
_FREE = 64 << 20  # any compressed file may expand to this many bytes
_RATIO = 100  # no longer text is so repetitive: a small file could otherwise fill the memory


def read_text(path: str | Path, sha256: str | None = None) -> str:
    """The text in a file of UTF-8, plain or compressed with gzip (recognised by its first bytes).

    A byte order mark is dropped; ends of lines stay as they are in the file. `sha256` demands a SHA-256 of the
    uncompressed content, in hex. Raises OSError if the file cannot be read, and ValueError if it is empty, damaged,
    not UTF-8 or has another checksum; the message begins with the path.
    """
    path = Path(path)
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = _unzipped(path, len(content))
    if sha256 is not None:
        digest = hashlib.sha256(content).hexdigest()
        if digest != sha256:
            raise ValueError(f"{path}: the SHA-256 of its content must be {sha256}, not {digest}")
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        byte = content[error.start]
        raise ValueError(f"{path}: not UTF-8: {error.reason} 0x{byte:02x} at byte {error.start:,}") from error
    if not text:
        raise ValueError(f"{path}: the text must not be empty")
    return text


def _unzipped(path: Path, size: int) -> bytes:
    most, content = max(_FREE, _RATIO * size), bytearray()
    try:
        with gzip.open(path) as file:
            while block := file.read(_BLOCK):
                content += block
                if len(content) > most:
                    raise ValueError(f"{path}: its {size:,} bytes expand to more than {most:,}: not a text")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path}: damaged gzip data ({error})") from error
    return bytes(content)


def text_dataset(
    content: str,
    *,
    name: str,
    sequence: int = 100,
    test_share: float = 0.1,
    vocabulary: Vocabulary | None = None,
) -> Dataset:
    """A text as a data set: sequences of `sequence` characters, each with its next characters as targets.

    The last `test_share` of the characters are the test part. Each part is cut into consecutive sequences
    without overlap; an incomplete one is dropped. Codes are those of the whole text's characters, or of
    `vocabulary`. Raises ValueError for a part shorter than a sequence and its last target, for a character outside
    `vocabulary`, and for settings out of range.
    """
    check_kind("content", content, str)
    sequence = check_int("sequence", sequence, 1)
    check_kind("test_share", test_share, Real)
    if not 0 < test_share < 1:
        raise ValueError(f"test_share must be between 0 and 1, not {test_share}")
    vocabulary = Vocabulary.of(content) if vocabulary is None else vocabulary
    check_kind("vocabulary", vocabulary, Vocabulary)
    try:
        codes = vocabulary.encode(content)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    split = len(codes) - int(len(codes) * test_share)
    train_x, train_y = _sequences(codes[:split], sequence, f"the training part of {name}")
    test_x, test_y = _sequences(codes[split:], sequence, f"the test part of {name}")
    return Dataset(name, train_x, train_y, test_x, test_y, classes=len(vocabulary), vocabulary=vocabulary)


def _sequences(codes: I64, sequence: int, part: str) -> tuple[I64, I64]:
    """Characters and the next characters, (sequences, `sequence`) each."""
    length = (len(codes) - 1) // sequence * sequence
    if length < 1:
        raise ValueError(
            f"{part} has {len(codes):,} characters; a sequence of {sequence:,} needs {sequence + 1:,} or more"
        )
    return codes[:length].reshape(-1, sequence), codes[1 : length + 1].reshape(-1, sequence)
