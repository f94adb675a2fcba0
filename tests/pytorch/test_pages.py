"""The examples with PyTorch and Optuna on the pages run (`make test-torch`)."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {"own.md": 1, "sweeps.md": 1, "torch.md": 3}
"""Pages, and the examples on each that need more than the package."""

BLOCKS = [
    (page, number, block)
    for page in PAGES
    for number, block in enumerate(re.findall(r"```py\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL))
]


def test_every_example_is_here() -> None:
    assert {page: sum(page == of for of, _, _ in BLOCKS) for page in PAGES} == PAGES


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("page", "number", "block"), BLOCKS, ids=lambda value: str(value)[:10])
def test_the_example_runs(page: str, number: int, block: str) -> None:
    exec(compile(block, f"{page} {number}", "exec"), {"__name__": "example"})
