"""Command lines, config files, environments and RUN folders of any kind: one line of error, and no file is lost.

`make test` tries some dozens; HYPOTHESIS_PROFILE=long pytest tests/robustness tries 10,000 of each.
"""

import contextlib
import io
import os
import shutil
import tempfile
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tikitaka as tt
from support.runs import at_call
from tikitaka import _core, cli
from tikitaka.training.checkpoint import NEWEST, PREVIOUS

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
BOUNDED = settings(
    max_examples=10_000 if LONG else 25,
    deadline=None,
    derandomize=not LONG,
    suppress_health_check=list(HealthCheck),
    database=None,
)
COMMANDS = ("train", "evaluate", "predict", "sample", "extract")
VALUES = [
    *("0", "1", "2", "3", "-1", "0.5", "-0.1", "1e-3", "1e400", "nan", "inf", "9" * 30, "1_000", "0x10", "1,0.5"),
    *("", " ", "x", "é", "数", "\udcff", "a\0b", "x" * 300, "--", "-", "linear1=float", "linear9=x", "digits", "fcn"),
    *(
        "lenet",
        "float",
        "sgd",
        "ttv1",
        "ttv2",
        "soft-bounds",
        "gv16",
        "full",
        "ideal",
        "decay",
        "swa",
        "average",
        "read",
    ),
]
TRAIN = ["train", "--data", "digits", "--examples", "10", "--epochs", "1", "--threads", "1"]
CONFIGS = [
    *("", "epochs = 1", "epochs = -1", "epochs = 1.5", "net = 3", "[rule]", "rule = 'sgd'", "rule.kind = 'x'", "= ="),
    *("[rule]\nkind = 'ttv2'\nlr = 1", "layer_rules = 1", "data = 'no'", "schedule = [1, 'x']", "a = " + "[" * 500),
    *(
        "[rule.device]\npreset = 'gv16'\nstates = 3",
        "data = '" + "x" * 3000 + "'",
        "\ufeffepochs = 1",
        "\0",
        "seed = -1",
    ),
]
BYTES = [b"", b"\xff\xfe\x00", b"{}", b"[1, 2", b"\x00" * 100, b"null\n", b"\x80 not text", b"{}\n{}\n{}\n{}\n{}\n"]


def flags_of(command: str) -> list[str]:
    parameters = cli.tikitaka.commands[command].params
    return sorted({name for each in parameters if isinstance(each, click.Option) for name in each.opts})


FLAGS = {command: flags_of(command) for command in COMMANDS}


def ran(*args: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        warnings.catch_warnings(action="always"),
        pytest.raises(SystemExit) as left,
    ):
        cli.main(list(args))
    code = left.value.code
    assert isinstance(code, int)
    assert code in (0, 1, 2)
    said = err.getvalue()
    assert "Traceback" not in said
    assert all(line.startswith("tikitaka: ") for line in said.splitlines())
    assert all(len(line) < 1920 for line in said.splitlines())  # a screen
    assert (code == 0) or said
    if code == 2:
        assert out.getvalue() == ""
    return code, out.getvalue(), said


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run and one that was stopped in its second epoch, and a model."""
    folder = tmp_path_factory.mktemp("runs")
    config = tt.TrainConfig(data="digits", examples=20, epochs=2, rule=tt.DigitalSgd(), schedule="constant")
    tt.Run.create(folder / "finished", config).train(progress=False)
    run = tt.Run.create(folder / "stopped", config)
    with pytest.raises(tt.Stopped):
        run.train(progress=False, stop=at_call(2))
    run.extract("read").save(folder / "m.npz")
    return folder


@pytest.fixture
def place(runs: Path) -> Iterator[Path]:
    """A place for copies of the runs."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as made:
        yield Path(made)


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    command = draw(st.sampled_from(COMMANDS))
    values = st.one_of(st.sampled_from(VALUES), st.text(max_size=5))
    args = list(TRAIN) if command == "train" else [command]
    if command == "train" and draw(st.booleans()):
        args += [
            draw(st.sampled_from(["CONFIG", "--resume"])),
            draw(st.sampled_from(["RUN", "CONFIG", "no"])),
        ]
    elif command != "train":
        args += [draw(st.sampled_from(["RUN", "MODEL", "CONFIG", "no", ""]))]
    if command == "extract":
        args += ["--to", draw(st.sampled_from(["NEW.npz", "NEW.safetensors", "MODEL", "no/x.npz", "NEW.txt"]))]
    for flag in draw(st.lists(st.sampled_from(FLAGS[command]), max_size=4)):
        args += [flag, draw(values)] if draw(st.integers(0, 9)) else [flag]
    return args


@BOUNDED
@given(args=command_lines(), config=st.sampled_from(CONFIGS), data=st.sampled_from([None, "", "no", "\udcff", "RUNS"]))
def test_any_command_line_is_run_or_refused_in_a_line(
    runs: Path, place: Path, args: list[str], config: str, data: str | None
) -> None:
    work = place / "work"
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(runs, work)
    (work / "c.toml").write_text(config, encoding="utf-8")
    paths = {
        "RUN": str(work / "finished"),
        "MODEL": str(work / "m.npz"),
        "CONFIG": str(work / "c.toml"),
        "RUNS": str(work),
    }
    before = contents(work)
    if {"--force", "--out", "--to", "--resume"} & set(args):
        before = {name: content for name, content in before.items() if name == "c.toml" or name.startswith("stopped")}
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(work)
        patched.delenv("TIKITAKA_DATA", raising=False)
        if data is not None:
            patched.setenv("TIKITAKA_DATA", paths.get(data, data))
        ran(*(paths.get(arg, arg) for arg in args))
    after = contents(work)
    assert {name: after.get(name) for name in before} == before


def of_another_version(path: Path) -> None:
    state, header = _core.load_tensors(str(path))
    _core.save_tensors(str(path), state, {**header, "version": "7"})


CHANGES: dict[str, Any] = {
    "missing": lambda path: path.unlink(missing_ok=True),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "other": lambda path: path.write_bytes(b"something else"),
    "with a mark": lambda path: path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes()),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "of another version": of_another_version,
    **{f"bytes {k}": lambda path, content=content: path.write_bytes(content) for k, content in enumerate(BYTES)},
}


@BOUNDED
@given(
    of=st.sampled_from(["finished", "stopped"]),
    changes=st.dictionaries(
        st.sampled_from(["config.toml", "metrics.jsonl", NEWEST, PREVIOUS, "summary.json"]),
        st.sampled_from(list(CHANGES)),
        max_size=3,
    ),
    locked=st.integers(0, 9),
    command=st.sampled_from(
        [
            *(["train", "--resume", "RUN"], ["train", "--resume", "RUN", "--epochs", "3"], ["evaluate", "RUN"]),
            *(["predict", "RUN"], ["sample", "RUN"], ["extract", "RUN", "--what", "read", "--to", "NEW.npz"]),
            [*TRAIN, "--out", "RUN"],
        ]
    ),
)
def test_any_run_folder_is_used_or_refused_in_a_line(
    runs: Path, place: Path, of: str, changes: dict[str, str], locked: int, command: list[str]
) -> None:
    run = place / "run"
    shutil.rmtree(place / "run", ignore_errors=True)
    shutil.copytree(runs / of, run)
    strange = []  # what no release of tikitaka understands
    for name, change in changes.items():
        path = run / name
        if not path.is_file() or (change == "of another version" and not name.startswith("checkpoint")):
            continue
        CHANGES[change](path)
        if path.is_file() and name.startswith("checkpoint") and change not in ("missing", "with a mark"):
            strange.append(path.read_bytes())
    before = contents(run)
    args = [str(run) if arg == "RUN" else arg for arg in command]
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(place)
        (place / "NEW.npz").unlink(missing_ok=True)
        if locked == 0:
            code = _while_locked(run, args)
            assert code != 0 or command[0] != "train" or of == "finished"
        else:
            code = ran(*args)[0]
    after = contents(run)
    if code == 2 or command[0] != "train":
        assert after == before
    assert all(content in after.values() for content in strange)
    assert not [name for name in after if name.endswith((".part", ".lock"))]


def _while_locked(run: Path, args: list[str]) -> int:
    """The exit status of a command while another thread has the lock of the run."""
    taken, done = threading.Event(), threading.Event()

    def hold() -> None:
        with tt.Run(run, tt.TrainConfig()).locked():
            taken.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait()
    try:
        return ran(*args)[0]
    finally:
        done.set()
        thread.join()
