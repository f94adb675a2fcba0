"""Pictures of trainings: what is drawn, and what is refused."""

import shutil
from pathlib import Path

import pytest
from matplotlib.figure import Figure

import tikitaka as tt
from tikitaka import cli
from tikitaka.plot import curves
from tikitaka.run import Run, TrainConfig


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
        (["empty", "--out", "c.png"], "no epoch"),
        (["damaged", "--out", "c.png"], "metrics.jsonl"),
    ],
)
def test_what_cannot_be_drawn(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], args: list[str], words: str
) -> None:
    monkeypatch.chdir(run.parent)
    shutil.copytree(run, "again/one")
    shutil.copytree(run, "damaged")
    Path("damaged/metrics.jsonl").write_text('{"epoch": 1}\n')
    config = TrainConfig(net="fcn", data="digits", rule=tt.Float())
    Run.create("empty", config)
    Path("empty/metrics.jsonl").write_text("")
    capsys.readouterr()
    assert status("plot", *args) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert not Path("c.png").exists()
