"""Output and exit statuses of commands."""

import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import click

from tikitaka._internal.atomic_write import atomic_write
from tikitaka._internal.cpu import cores

__all__ = ["Failed", "Signalled", "check_kept", "common_options", "keep", "nats", "percent", "print_json", "signals"]

F = TypeVar("F", bound=Callable[..., Any])


class Failed(click.ClickException):
    """The run failed although the input was valid: exit status 1."""

    exit_code = 1


class Signalled(Exception):
    """Stopped by a signal: exit status 128 + its number."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.exit_code = 128 + number


def common_options(command: F) -> F:
    """The options --threads and --json."""
    command = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")(command)
    return click.option(
        "--threads",
        type=click.IntRange(1, 1024),
        default=cores,
        help="Threads (default: cores). Same results.",
    )(command)


def print_json(value: Any) -> None:
    """Print one JSON object on standard output; ValueError for numbers that JSON cannot represent."""
    click.echo(json.dumps(value, allow_nan=False))


def keep(result: Mapping[str, Any], folder: Path) -> None:
    """Write the result of a study to `folder`, as CLAIM.json."""
    text = json.dumps(result, indent=2, allow_nan=False) + "\n"
    atomic_write(folder / f"{result['claim']}.json", text.encode())


def check_kept(folder: Path, claim: str) -> None:
    """Raise ValueError, before any work, if CLAIM.json in `folder` is no result of this study: it must not be lost."""
    path = folder / f"{claim}.json"
    if not path.exists():
        return
    try:
        kept = json.loads(path.read_bytes())
    except ValueError:
        kept = None
    if not isinstance(kept, dict) or kept.get("claim") != claim:
        raise ValueError(f"{path} is not a result of the study {claim}, which would replace it; choose another folder")


def percent(share: float | None) -> str:
    """A share from 0 to 1 as text."""
    return "–" if share is None else f"{100 * share:.2f} %"


def nats(loss: float | None) -> str:
    """A loss as text."""
    return "–" if loss is None else f"{loss:.4f}"


@contextmanager
def signals() -> Iterator[list[int]]:
    """In this context, the first SIGINT, SIGTERM or SIGHUP is only added to the list; the next one acts as usual.

    A SIGHUP that is ignored, as under nohup, stays so. It says that the terminal is gone: to write to it would be an
    error, so nothing more is written.
    """
    received: list[int] = []
    terminals = [number for number in (1, 2) if os.isatty(number)]

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        if number not in (signal.SIGINT, signal.SIGTERM):
            for terminal in terminals:
                os.dup2(os.open(os.devnull, os.O_WRONLY), terminal)
        for each, handler in before.items():
            signal.signal(each, handler)

    numbers = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {each: signal.signal(each, note) for each in numbers}
    try:
        yield received
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
