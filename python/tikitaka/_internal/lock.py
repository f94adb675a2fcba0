"""One writer at a time: locks between processes and threads, which end with the process that holds them."""

import errno
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, get_ident

from tikitaka._internal.atomic_write import beside

__all__ = ["LOCK", "locked", "locked_folder"]

LOCK = ".lock"
"""The name of the lock in a folder."""


@dataclass
class _Held:
    """A lock that this process holds."""

    thread: int = field(default_factory=get_ident)
    depth: int = 1


_held: dict[str, _Held] = {}
_guard = Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_held.clear)  # what a process holds, its children do not


@contextmanager
def locked(path: str | Path, words: str = "another process writes to it") -> Iterator[None]:
    """In this context, no other process or thread writes to the file `path`.

    The lock is a hidden file beside `path`, locked by the operating system, which unlocks it when its process ends,
    however that happens. Raises BlockingIOError with `words` if another process or thread has the lock, and OSError if
    the file cannot be made. Where the file system has no locks, there is a warning instead.
    """
    path = Path(path)
    with _locked(beside(path, "lock"), path, words, again=False):
        yield


@contextmanager
def locked_folder(path: str | Path, words: str = "another process writes to it") -> Iterator[None]:
    """Like `locked`, for all files of the folder `path`; a thread may enter it again.

    The folder is made if there is none, and removed again if it is still empty afterwards.
    """
    path = Path(path)
    made = not path.exists()
    path.mkdir(parents=True, exist_ok=True)
    try:
        with _locked(path / LOCK, path, words, again=True):
            yield
    finally:
        if made:
            with suppress(OSError):  # it is not empty
                path.rmdir()


@contextmanager
def _locked(lock: Path, of: Path, words: str, *, again: bool) -> Iterator[None]:
    place = os.path.join(os.path.realpath(lock.parent), lock.name)
    with _guard:
        held = _held.get(place)
        if held is None:
            _held[place] = _Held()
        elif again and held.thread == get_ident():
            held.depth += 1
        else:
            raise BlockingIOError(errno.EAGAIN, words.replace("another process", "this process"), str(of))
    if held is not None:
        try:
            yield
        finally:
            held.depth -= 1
        return
    number, process = None, os.getpid()
    try:
        number = _opened(lock, of, words)
        yield
    finally:
        if number is not None and os.getpid() == process:  # not in a child that was forked within the block
            with suppress(OSError):  # on Windows, where an open file cannot be removed
                lock.unlink()
            os.close(number)
        with _guard:
            _held.pop(place, None)


def _opened(lock: Path, of: Path, words: str) -> int | None:
    """The number of the open, locked file; None if the file system has no locks."""
    while True:
        try:
            number = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(of)) from error
        try:
            _lock(number)
            if os.path.samestat(os.fstat(number), os.stat(lock)):
                return number
        except (BlockingIOError, PermissionError):
            os.close(number)
            raise BlockingIOError(errno.EAGAIN, words, str(of)) from None
        except FileNotFoundError:
            pass  # the process that had the lock has just removed the file
        except OSError as error:
            os.close(number)
            warnings.warn(
                f"{of} cannot be locked ({error.strerror}): make sure that no other process writes to it", stacklevel=6
            )
            return None
        os.close(number)


if sys.platform == "win32":
    import msvcrt

    def _lock(number: int) -> None:
        msvcrt.locking(number, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(number: int) -> None:
        # not flock, whose lock processes forked from this one would share and keep
        fcntl.lockf(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
