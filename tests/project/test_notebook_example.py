"""The notebook of the tutorial runs, and its file of pulses is the one that the tutorial makes."""

import contextlib
import io
import json
import re
import runpy
import shutil
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FILE = ROOT / "examples" / "reram.csv"
NOTEBOOK = json.loads((ROOT / "examples" / "will_my_device.ipynb").read_text(encoding="utf-8"))
CODE = ["".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]

run = runpy.run_path(str(ROOT / "docs" / "blocks.py"))["run"]


def test_the_notebook_is_one_and_holds_no_output() -> None:
    assert NOTEBOOK["nbformat"] == 4
    assert len({cell["id"] for cell in NOTEBOOK["cells"]}) == len(NOTEBOOK["cells"])
    for cell in NOTEBOOK["cells"]:
        assert cell["cell_type"] in {"code", "markdown"}
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


def test_the_notebook_links_to_pages_that_exist() -> None:
    text = "".join("".join(cell["source"]) for cell in NOTEBOOK["cells"])
    links = set(re.findall(r"\]\((\.\./[^)]*)\)", text))
    assert links
    for link in links:
        assert (ROOT / "examples" / link).exists(), link


def test_the_file_of_pulses_is_what_the_tutorial_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    next(run(ROOT / "docs" / "tutorial.md"))  # runs the first block only
    assert (tmp_path / FILE.name).read_text(encoding="utf-8") == FILE.read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_notebook_finds_the_device_and_trains_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(FILE, tmp_path)
    space: dict[str, Any] = {"__name__": "notebook"}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        for code in CODE:
            exec(compile(code, code.splitlines()[0], "exec"), space)
    text = printed.getvalue()

    assert "10 devices, 6 cycles, 6,500 up and 5,500 down pulses" in text
    assert re.search(r"^fit +passes", text, re.MULTILINE)
    line, fit = (float(value) for value in re.findall(r"by (?:a line|the fit): ([\d.]+)", text))
    assert abs(fit - 0.02) < 0.003
    assert line > 2 * fit
    errors = {name.strip(): float(error) for name, error in re.findall(r"^(\S.*?)  +([\d.]+)  \(", text, re.MULTILINE)}
    assert errors["TTv2"] < errors["float"] + 1 < 10 < errors["SGD"]
    assert errors["as it is"] == errors["TTv2"]
    assert errors["read noise in products"] > errors["full periphery"]
    deployed = [float(error) for error in re.findall(r"([\d.]+) %$", text, re.MULTILINE)]
    assert len(deployed) == 3
    assert max(deployed) < 6
    assert {"device.toml", "fit.png", "digits.safetensors"} <= {path.name for path in tmp_path.iterdir()}
