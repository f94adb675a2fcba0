"""The licences of the crates that are compiled into the wheel, which must be distributed with it.

    python tests/packaging/licences.py     writes THIRD-PARTY.txt (make licences)

Each crate is named once, under the text that its authors ship; if there is a choice, under the MIT licence.
"""

import json
import subprocess
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILE = ROOT / "THIRD-PARTY.txt"
TARGETS = [
    f"{processor}-{system}"
    for processor in ("x86_64", "aarch64")
    for system in ("unknown-linux-gnu", "unknown-linux-musl", "apple-darwin", "pc-windows-msvc")
]
"""What there are wheels for."""

HEAD = """\
The compiled module of tikitaka's wheels contains code of the crates below, and of Rust's standard library
(Copyright (c) The Rust Project Contributors, MIT licence). Each is used under the licence that follows it.
"""


def cargo(*arguments: str) -> str:
    command = ["cargo", *arguments, "--features", "python", "--locked"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True).stdout


def crates() -> list[tuple[str, str]]:
    """Name and version of every third-party crate in a wheel, in order."""
    found = set()
    for target in TARGETS:
        tree = cargo("tree", "--edges", "normal,no-proc-macro", "--target", target, "--prefix", "none")
        found |= {(name, version[1:]) for name, version, *_ in map(str.split, tree.splitlines())}
    return sorted(crate for crate in found if crate[0] != "tikitaka")


def licence(folder: Path) -> str:
    """The licence text in the folder of a crate: MIT if there is a choice, otherwise all texts."""
    texts = sorted(path for path in folder.iterdir() if path.name.upper().startswith(("LICENSE", "LICENCE")))
    chosen = [path for path in texts if path.name.upper().startswith("LICENSE-MIT")] or texts
    if not chosen:
        raise FileNotFoundError(f"{folder} has no licence")
    return "\n".join("\n".join(map(str.rstrip, path.read_text("utf-8").strip().splitlines())) for path in chosen)


def text() -> str:
    packages = json.loads(cargo("metadata", "--format-version", "1"))["packages"]
    folders = {(package["name"], package["version"]): Path(package["manifest_path"]).parent for package in packages}
    under: dict[str, list[str]] = defaultdict(list)
    for name, version in crates():
        under[licence(folders[name, version])].append(f"{name} {version}")
    rule = "-" * 80
    return "\n".join([HEAD, *(f"{rule}\n{', '.join(names)}\n\n{words}\n" for words, names in under.items())])


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8", newline="\n")
