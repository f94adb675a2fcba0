"""Commands in this process, and their arguments."""

import gzip
import json
from collections.abc import Callable
from functools import partial
from typing import Any

compress = partial(gzip.compress, mtime=0)  # the same bytes, hence the same test names, in every process
Command = Callable[..., tuple[int, str, str]]
FAST = ["--data", "digits", "--examples", "60", "--epochs", "3", "--seed", "1"]


def refused(result: tuple[int, str, str], words: str) -> None:
    code, out, err = result
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert words in err


def text_and_json(command: Command, *args: object) -> tuple[str, dict[str, Any]]:
    """What a command prints, and its result with --json; it ends well both times."""
    status, text, _ = command(*args)
    again, line, _ = command(*args, "--json")
    assert (status, again) == (0, 0)
    return text, json.loads(line)
