"""Standard output and standard error that take every character, whatever the encoding of the system."""

import io
import os
import sys
from contextlib import suppress

__all__ = ["discard_output", "take_every_character"]


def take_every_character() -> None:
    """Make standard output and standard error UTF-8 where they go to a file or a pipe.

    A terminal keeps its own encoding. What the encoding lacks is written as an escape such as \\u2013, so that no
    character ends a command. Other streams, such as those of a test, stay as they are.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            with suppress(OSError, ValueError):  # it is closed
                encoding = stream.encoding if stream.isatty() else "utf-8"
                stream.reconfigure(encoding=encoding, errors="backslashreplace")


def discard_output() -> None:
    """Send further standard output nowhere: its reader has closed the pipe."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
