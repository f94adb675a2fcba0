"""The table of equations in docs/algorithm.md and src/lib.rs names functions and tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUST = "\n".join(path.read_text() for path in sorted((ROOT / "src").rglob("*.rs")))
TESTS = RUST + "\n".join(path.read_text() for path in sorted((ROOT / "tests").rglob("*.[pr][ys]")))


def table(text: str) -> list[tuple[str, str, str]]:
    row = re.compile(r"^(?://! )?\| ([^|]+) \| `([\w:]+)` \| `(\w+)` \|$", re.MULTILINE)
    return row.findall(text)


def test_page_and_crate_show_the_same_table() -> None:
    rows = table((ROOT / "src" / "lib.rs").read_text())
    assert len(rows) >= 15
    assert table((ROOT / "docs" / "algorithm.md").read_text()) == rows


def test_functions_and_tests_of_the_table_exist() -> None:
    for equation, function, test in table((ROOT / "src" / "lib.rs").read_text()):
        owner, name = function.split("::")
        assert re.search(rf"fn {name}\b", RUST), f"{equation}: no function {name}"
        assert re.search(rf"(struct|for|impl\S*) {owner}\b|\bmod {owner};", RUST), f"{equation}: no {owner}"
        assert re.search(rf"(fn|def) {test}\(", TESTS), f"{equation}: no test {test}"
