"""The installed package works alone, with the results of the development build."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import VERSION, Environment

TRAIN = ["train", "--data", "digits", "--examples", "60", "--epochs", "2", "--seed", "3", "--json"]


def test_light_dependencies_alone_come_along(installed: tuple[Environment, set[str]]) -> None:
    extra = {"colorama"} if sys.platform == "win32" else set()  # colours of click
    assert installed[1] == {"tikitaka", "numpy", "click", "tqdm"} | extra
    assert installed[0].packages()["tikitaka"] == VERSION
    installed[0].run("python", "-m", "pip", "check")


def test_it_is_the_installed_package_that_is_used(environment: Environment) -> None:
    folder = environment.python("import tikitaka; print(tikitaka.__file__)")
    assert Path(folder).is_relative_to(environment.folder)


def test_commands_start(environment: Environment) -> None:
    assert VERSION in environment.run("tikitaka", "--version").stdout
    assert VERSION in environment.run("python", "-m", "tikitaka", "--version").stdout
    rows = json.loads(environment.run("tikitaka", "demo", "--seeds", 1, "--epochs", 1, "--json").stdout)["rows"]
    assert [row["rule"] for row in rows] == ["float", "sgd", "ttv1", "ttv2"]


def test_bundled_digits_are_there_with_their_licence(environment: Environment) -> None:
    code = """
from importlib.resources import files
import tikitaka as tt
digits = tt.data.load("digits")
print(digits.train_x.shape, digits.test_x.shape)
print("CC BY 4.0" in (files("tikitaka") / "data/bundled/digits/ATTRIBUTION.txt").read_text("utf-8"))
print((files("tikitaka") / "py.typed").is_file(), (files("tikitaka") / "_core.pyi").is_file())
"""
    assert environment.python(code).splitlines() == ["(1442, 64) (355, 64)", "True", "True True"]


@pytest.mark.parametrize("rule", ["float", "ttv2"])
def test_bits_are_those_of_the_development_build(environment: Environment, developed: list[str], rule: str) -> None:
    here = subprocess.run([*developed, *TRAIN, "--rule", rule], capture_output=True, text=True, check=True).stdout
    there = environment.run("tikitaka", *TRAIN, "--rule", rule).stdout
    assert json.loads(there)["digest"] == json.loads(here)["digest"]


def test_what_an_extra_is_needed_for_names_it(environment: Environment, tmp_path: Path) -> None:
    run = tmp_path / "run"
    environment.run("tikitaka", *TRAIN, "--out", run)
    for command, picture, extra in (("plot", "--out", "plot"), ("extract", "--to", "onnx")):
        file = tmp_path / ("c.png" if command == "plot" else "m.onnx")
        said = environment.run("tikitaka", command, run, picture, file, status=1).stderr
        assert f"pip install 'tikitaka[{extra}]'" in said
        assert said.count("\n") == 1
        assert not file.exists()
    environment.run("tikitaka", "extract", run, "--to", tmp_path / "m.npz")
    code = """
import importlib
import sys
import tikitaka as tt
for needs in (
    lambda: tt.data.download("mnist", sys.argv[1]),
    lambda: tt.export.torch_module(tt.nn.fcn()),
    lambda: importlib.import_module("tikitaka.torch"),
    lambda: importlib.import_module("tikitaka.sklearn"),
):
    try:
        needs()
    except ModuleNotFoundError as error:
        print(error)
"""
    downloads, torch, bridge, estimators = environment.python(code, tmp_path).splitlines()
    assert "pip install 'tikitaka[download]'" in downloads
    assert "pip install 'tikitaka[torch]'" in torch
    assert "pip install 'tikitaka[torch]'" in bridge
    assert "pip install 'tikitaka[sklearn]'" in estimators
    assert not (tmp_path / "mnist").exists()


def test_an_extra_brings_what_it_names(environment: Environment) -> None:
    code = "from importlib.metadata import metadata; print(*metadata('tikitaka').get_all('Provides-Extra'))"
    assert environment.python(code).split() == ["dask", "download", "fit", "onnx", "plot", "sklearn", "torch", "xlsx"]
