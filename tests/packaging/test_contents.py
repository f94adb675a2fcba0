"""The contents of the wheel, the source distribution and the crate."""

import importlib.util
import platform
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import licences
import pytest

from conftest import ROOT, VERSION

SOURCES = {path.relative_to(ROOT).as_posix() for path in (ROOT / "python").rglob("*") if path.is_file()}
PACKAGE = {path for path in SOURCES if not path.endswith((".so", ".pyd", ".pyc"))}
DIGITS = {path for path in PACKAGE if "/bundled/" in path}


def test_the_wheel_holds_the_package_and_its_licences(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
    about = f"tikitaka-{VERSION}.dist-info/"
    compiled = {name for name in sizes if re.fullmatch(r"tikitaka/_core(\.abi3\.so|\.pyd)", name)}
    assert len(compiled) == 1
    rest = {name for name in sizes if not name.startswith(about)} - compiled
    assert rest == {path.removeprefix("python/") for path in PACKAGE}
    # our licence, those of the crates compiled into it, and the list of these as CycloneDX
    papers = {name.removeprefix(about) for name in sizes if name.startswith((about + "licenses/", about + "sboms/"))}
    assert papers == {"licenses/LICENSE", "licenses/THIRD-PARTY.txt", "sboms/tikitaka.cyclonedx.json"}
    assert sum(sizes.values()) < 7.3e6  # every device model for three instruction sets, also in pairs; twelve rules
    assert wheel.stat().st_size < 3e6


def test_one_wheel_for_every_python_and_older_systems(wheel: Path) -> None:
    python, abi, system = wheel.stem.split("-")[2:]
    assert (python, abi) == ("cp311", "abi3")
    if sys.platform == "linux":
        assert re.fullmatch(r"(manylinux|musllinux)_\d+_\d+_(x86_64|aarch64)(\..*)?", system), system
    with zipfile.ZipFile(wheel) as archive:
        tags = archive.read(f"tikitaka-{VERSION}.dist-info/WHEEL").decode()
    assert f"Tag: cp311-abi3-{system.split('.')[0]}" in tags


@pytest.mark.skipif(
    sys.platform != "linux" or platform.libc_ver()[0] != "glibc" or importlib.util.find_spec("ziglang") is None,
    reason="zig links wheels of Linux for an older glibc",
)
def test_the_wheel_runs_on_glibc_2_28(wheel: Path) -> None:
    assert "manylinux_2_28_" in wheel.stem
    with zipfile.ZipFile(wheel) as archive:
        compiled = archive.read("tikitaka/_core.abi3.so")
    needed = {int(minor) for minor in re.findall(rb"GLIBC_2\.(\d+)", compiled)}
    assert 0 < max(needed) <= 28


def test_the_licences_are_those_of_the_crates_in_the_wheel() -> None:
    crates = licences.crates()
    assert {"numpy", "pyo3", "rayon", "safetensors"} <= {name for name, _ in crates}
    assert licences.FILE.read_text(encoding="utf-8") == licences.text(), "Cargo.lock has changed: run make licences"


def listed() -> set[str]:
    command = ["cargo", "package", "--list", "--allow-dirty", "--offline"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return {PurePosixPath(line.replace("\\", "/")).as_posix() for line in done.stdout.splitlines()}


def test_the_crate_holds_its_sources_and_no_data_but_the_digits() -> None:
    files = listed() - {".cargo_vcs_info.json"}
    folders = ("src/", "examples/", "benches/", "tests/")
    rust = {path for path in files if path.startswith(folders)}
    assert all(path.endswith(".rs") for path in rust)
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "src").rglob("*.rs")} < rust
    papers = {"Cargo.toml", "Cargo.toml.orig", "Cargo.lock", "README.md", "LICENSE", "CHANGELOG.md"}
    assert files - rust == papers | DIGITS


def test_the_source_distribution_holds_the_crate_and_the_package(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        files = {name.removeprefix(f"tikitaka-{VERSION}/") for name in archive.getnames()}
    crate = listed() - {".cargo_vcs_info.json", "Cargo.toml.orig"}
    assert files == crate | PACKAGE | {"pyproject.toml", "PKG-INFO", "THIRD-PARTY.txt"}
