"""Files that are written whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path

__all__ = ["atomic_write", "sync_folder"]


def atomic_write(path: str | Path, content: bytes) -> None:
    """Write `content` to a temporary file beside `path`, sync it, and put it in the place of `path`.

    Raises OSError when that fails; whatever was at `path` is then still there.
    """
    path = Path(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error


def sync_folder(folder: str | Path) -> None:
    """See to it that what was renamed in `folder` outlives a power cut, where the platform can."""
    with suppress(OSError):  # Windows opens no folders, and some file systems do not sync them
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
