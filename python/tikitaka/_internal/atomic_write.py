"""Writing files completely or not at all."""

import os
from contextlib import suppress
from pathlib import Path

__all__ = ["atomic_write", "sync_folder"]


def atomic_write(path: str | Path, content: bytes) -> None:
    """Write `content` to a temporary file beside `path`, sync it, and rename it to `path`.

    Raises OSError if that fails; an earlier file at `path` is then unchanged.
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
    """Make renamed files in `folder` survive a power cut, if the platform can."""
    with suppress(OSError):  # Windows opens no folders, and some file systems do not sync them
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
