"""Promises of the crate: its Rust version, and the places of unsafe code."""

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CARGO: dict[str, Any] = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def test_the_least_rust_is_declared_in_every_place() -> None:
    least = CARGO["package"]["rust-version"]
    used = re.search(r"rustc (\d+\.\d+\.\d+)", subprocess.check_output(["rustc", "--version"], text=True))
    assert used is not None
    assert numbers(used[1]) >= numbers(least)
    for file in ("README.md", ".github/workflows/ci.yml"):
        assert least in (ROOT / file).read_text(encoding="utf-8"), f"{file} names another Rust than Cargo.toml"


def test_unsafe_is_in_one_file_and_each_block_says_why() -> None:
    lints = CARGO["lints"]
    assert lints["rust"]["unsafe_code"] == "deny"
    assert lints["clippy"]["undocumented_unsafe_blocks"] == "deny"
    sources = {path: path.read_text(encoding="utf-8") for path in ROOT.glob("**/*.rs") if "target" not in path.parts}
    allowed = [path.relative_to(ROOT).as_posix() for path, text in sources.items() if "unsafe_code" in text]
    assert allowed == ["src/simd/mod.rs"]
