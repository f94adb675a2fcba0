"""Writing files completely or not at all."""

import hashlib
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["atomic_write", "beside", "remove_parts", "replacing", "sync_folder"]

_LONGEST = 120  # bytes of a name that its hidden files repeat; a file system allows 255 in total
_numbers = itertools.count()  # for threads that write to the same path


def atomic_write(path: str | Path, content: bytes) -> None:
    """Write `content` to a temporary file beside `path`, sync it, and rename it to `path`.

    Raises OSError if that fails; an earlier file at `path` is then unchanged.
    """
    with replacing(path) as part, part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """The path of a temporary file, which is renamed to `path` if the block ends without an exception.

    The block writes and syncs it. Raises OSError, naming `path`, if the block does or if it cannot be renamed; an
    earlier file at `path` is then unchanged.
    """
    path = Path(path)
    part = beside(path, f"{os.getpid()}.{next(_numbers)}.part")
    try:
        yield part
        os.replace(part, path)
    except BaseException as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    sync_folder(path.parent)


def beside(path: Path, ending: str) -> Path:
    """The hidden file .NAME.ENDING beside the file `path`; a long name is cut, and a checksum takes its place."""
    name = path.name
    if len(os.fsencode(name)) > _LONGEST:
        name = f"{name[:20]}-{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}"
    return path.with_name(f".{name}.{ending}")


def remove_parts(path: Path) -> None:
    """Remove the temporary files for `path` of processes that were killed, if no other process may write to it."""
    for part in path.parent.iterdir():
        if part.name.startswith(f".{path.name}.") and part.name.endswith((".part", ".tmp")):
            part.unlink(missing_ok=True)


def sync_folder(folder: str | Path) -> None:
    """Make renamed files in `folder` survive a power cut, if the platform can."""
    with suppress(OSError):  # Windows opens no folders, and some file systems do not sync them
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
