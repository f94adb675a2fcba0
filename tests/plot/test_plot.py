"""Figures of trainings: their content, and refused input."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure

import tikitaka as tt
from tikitaka import cli
from tikitaka.plot import curves
from tikitaka.training import Run, TrainConfig


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "one"
    args = ["train", "--data", "digits", "--rule", "float", "--examples", "40", "--epochs", "3", "--out", str(folder)]
    with pytest.raises(SystemExit) as left:
        cli.main(args)
    assert left.value.code == 0
    return folder


def status(*args: object) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main([str(arg) for arg in args])
    assert isinstance(left.value.code, int)
    return left.value.code


def test_every_epoch_of_every_run_is_drawn(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Figure] = []
    monkeypatch.setattr(Figure, "savefig", lambda self, path, **_: drawn.append(self))
    metrics = Run.open(run).metrics()
    curves({"one": metrics, "other": metrics[:2]}, tmp_path / "never.png", lines={"aim": 1.5})
    losses, errors = drawn[0].axes
    assert [list(line.get_xdata()) for line in losses.lines[:2]] == [[1, 2, 3], [1, 2]]
    assert list(losses.lines[0].get_ydata()) == [m.test_loss for m in metrics]
    assert list(errors.lines[0].get_ydata()) == [100 * m.test_error for m in metrics]
    assert losses.lines[2].get_ydata()[0] == 1.5


def test_the_command_writes_a_picture(run: Path, tmp_path: Path) -> None:
    assert status("plot", run, "--out", tmp_path / "c.png", "--line", "aim=0.5") == 0
    assert (tmp_path / "c.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["one", "--out", "c.jpeg.txt"], "must end in"),
        (["one", "--out", "c.png", "--line", "aim"], "NAME=LOSS"),
        (["one", "--out", "c.png", "--line", "aim=-1"], "above 0"),
        (["none", "--out", "c.png"], "no such RUN"),
        (["one", "again/one", "--out", "c.png"], "different names"),
        (["empty", "--out", "c.png"], "at least one epoch"),
        (["damaged", "--out", "c.png"], "metrics.jsonl"),
        (["--out", "c.png"], "give a RUN"),
        (["none.json", "--out", "c.png"], "none.json: No such file"),
        (["torn.json", "--out", "c.png"], "torn.json"),
        (["list.json", "--out", "c.png"], "has no claim"),
        (["rows.json", "--out", "c.png"], "rows[0] has no 'value'"),
        (["rows.json", "--states", "9", "--out", "c.png"], "settings of devices"),
        (["rows.json", "--line", "aim=1", "--out", "c.png"], "--line"),
        (["one", "one", "--kind", "histograms", "--out", "c.png"], "takes one RUN, not 2"),
        (["one", "--kind", "responses", "--out", "c.png"], "float has no devices"),
        (["one", "--device", "r24", "--out", "c.png"], "not both"),
        (["--device", "gv16", "--up-slope", "0.5", "--out", "c.png"], "not a setting of constant-step"),
        (["--states", "-3", "--out", "c.png"], "states must be from 1 to 10,000,000, not -3"),
        (["--device", "r42", "--out", "c.png"], "r42"),
        (["--device", "r24", "--out", "no/folder/c.png"], "no/folder/c.png"),
    ],
)
def test_what_cannot_be_drawn(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], args: list[str], words: str
) -> None:
    monkeypatch.chdir(run.parent)
    shutil.copytree(run, "again/one")
    shutil.copytree(run, "damaged")
    Path("damaged/metrics.jsonl").write_text('{"epoch": 1}\n')
    config = TrainConfig(net="fcn", data="digits", rule=tt.DigitalSgd())
    Run.create("empty", config)
    Path("empty/metrics.jsonl").write_text("")
    Path("torn.json").write_text('{"claim": "states", ')
    Path("list.json").write_text("[]")
    Path("rows.json").write_text('{"claim": "states", "rows": [{"rule": "ttv2", "states": 3}]}')
    capsys.readouterr()
    assert status("plot", *args) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert not Path("c.png").exists()


def test_matplotlib_is_imported_only_to_draw() -> None:
    code = (
        "import sys, tikitaka.cli, tikitaka.plot; sys.exit(any(name.startswith('matplotlib') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_matplotlib_the_command_says_what_to_install(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert status("plot", run, "--out", run / "c.png") == 1
    assert "tikitaka[plot]" in capsys.readouterr().err
