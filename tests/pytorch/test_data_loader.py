"""The example with a PyTorch DataLoader in docs/own.md runs (`make test-torch`)."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "own.md"


def test_the_example_runs() -> None:
    blocks = re.findall(r"```py\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 1
    exec(compile(blocks[0], PAGE.name, "exec"), {})
