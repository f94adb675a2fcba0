"""Runs the Python blocks of a documentation page, as they stand there, and compares or renews the output below each.

python docs/blocks.py PAGE.md... rewrites the output that follows each block, and puts the pictures that the blocks
draw and the page shows into assets/, beside the pages.
"""

import contextlib
import io
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ASSETS = Path(__file__).parent / "assets"

_BLOCK = re.compile(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.DOTALL)


def run(page: Path) -> Iterator[tuple[str, str, str | None]]:
    """Run the blocks of `page` in order, in the current folder: (code, printed output, output on the page).

    The output on the page is the ```text block that follows, or None.
    """
    space: dict[str, object] = {"__name__": "page"}
    for block in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block[1], f"{page.name}: {block[1].splitlines()[0]}", "exec"), space)
        yield block[1], printed.getvalue(), block[2]


def rewrite(page: Path) -> None:
    """Write what the blocks print into `page`, and the pictures that they draw and it shows into assets/."""
    page = page.resolve()
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            outputs = iter([printed for _, printed, _ in run(page)])
        finally:
            os.chdir(before)
        text = page.read_text(encoding="utf-8")
        for picture in sorted(Path(folder).glob("*.png")):
            if f"assets/{picture.name}" in text:
                shutil.copy(picture, ASSETS)

    def shown(block: re.Match[str]) -> str:
        printed = next(outputs)
        return f"```python\n{block[1]}```\n" + (f"\n```text\n{printed}```\n" if printed else "")

    page.write_text(_BLOCK.sub(shown, text), encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        rewrite(Path(name))
