"""The wheel and the source distribution of `make wheel`, each installed into its own environment."""

import json
import os
import subprocess
import sys
import tomllib
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERSION: str = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["version"]

PACKED = ROOT / "target" / "packed"
"""Where `make wheel` builds: the crates that ours is built from are kept."""


def made(pattern: str) -> Path:
    """The only file in dist/ that matches."""
    found = list((ROOT / "dist").glob(pattern))
    assert len(found) == 1, f"dist/ has {len(found)} of {pattern}: run make wheel"
    return found[0]


@pytest.fixture(scope="session")
def wheel() -> Path:
    return made(f"tikitaka-{VERSION}-*.whl")


@pytest.fixture(scope="session")
def sdist() -> Path:
    return made(f"tikitaka-{VERSION}.tar.gz")


@dataclass(frozen=True)
class Environment:
    """A virtual environment, used from a folder without sources."""

    folder: Path

    def run(self, program: str, *args: object, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, which must end with `status`."""
        path = self.folder / ("Scripts" if os.name == "nt" else "bin") / program
        outer = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "TIKITAKA_DATA"}
        environment = {name: value for name, value in os.environ.items() if name not in outer}
        environment["CARGO_TARGET_DIR"] = str(PACKED)
        done = subprocess.run(
            [path, *map(str, args)],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == status, f"{program} {args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def python(self, code: str, *args: object) -> str:
        return self.run("python", "-I", "-c", code, *args).stdout.strip()

    def packages(self) -> dict[str, str]:
        listed = json.loads(self.run("python", "-m", "pip", "list", "--format", "json").stdout)
        return {package["name"].lower(): package["version"] for package in listed}


def empty(folder: Path) -> Environment:
    venv.create(folder, with_pip=True, symlinks=os.name != "nt")
    return Environment(folder)


@pytest.fixture(scope="session", params=["wheel", "sdist"])
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Environment, set[str]]:
    """An environment with the package, and the names of its dependencies."""
    environment = empty(tmp_path_factory.mktemp(request.param))
    before = set(environment.packages())
    # Packed files have old dates, so cargo would consider the existing build up to date.
    clean = ["cargo", "clean", "--quiet", "--release", "--package", "tikitaka", "--target-dir", PACKED]
    subprocess.run(clean, cwd=ROOT, check=True)
    said = environment.run("python", "-m", "pip", "install", "--verbose", request.getfixturevalue(request.param))
    assert ("Compiling tikitaka v" in said.stdout + said.stderr) == (request.param == "sdist")
    return environment, set(environment.packages()) - before


@pytest.fixture(scope="session")
def environment(installed: tuple[Environment, set[str]]) -> Environment:
    return installed[0]


@pytest.fixture(scope="session")
def developed() -> list[str]:
    """The command of the development build."""
    return [sys.executable, "-m", "tikitaka"]
