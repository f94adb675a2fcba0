"""Writers of every kind of file, which are killed at random moments, and what must hold after each kill.

As a program, this module imports the package once and forks a child for each kill, which takes milliseconds: for every
line "KIND FOLDER" it starts a writer and prints its number.
"""

import importlib
import itertools
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

import tikitaka as tt
import tikitaka.training.loop
from support.runs import DIGITS, SMALL
from support.sweeps import BASE, number
from tikitaka import export
from tikitaka.cli.output import keep
from tikitaka.experiments import cells, sweep
from tikitaka.experiments.study import locked_study
from tikitaka.nn import nets

__all__ = ["WRITERS", "Forks", "check"]

WEIGHTS = [np.full((16, 65), 0.25, np.float32), np.full((10, 17), -0.5, np.float32)]
MODELS = [
    tt.Model.from_weights(SMALL["dense"].build(DIGITS), [sign * w for w in WEIGHTS], metadata={"k": sign})
    for sign in (1, -1)
]


def training(folder: Path) -> None:
    """A training that writes a checkpoint after every call into the core, and its metrics."""
    tt.Run.open(folder / "run").train(DIGITS, progress=False, checkpoint_minutes=0)


def extension(folder: Path) -> None:
    """A run that is extended again and again."""
    run = tt.Run.open(folder / "run")
    for _ in itertools.count():
        run.extend(run.config.epochs + 1)


def results(folder: Path) -> None:
    """Sweeps that append to one file."""
    path = folder / "r.jsonl"
    done = path.read_bytes().count(b"\n") if path.exists() else 0
    for first in itertools.count(done, 10):
        sweep(cells(BASE, {}, range(first, first + 10)), out=path, measure=number, threads=1, progress=False)


def study(folder: Path) -> None:
    """A study that keeps its result."""
    for k in itertools.count():
        with locked_study(folder / "study"):
            keep({"claim": "states", "rows": list(range(k % 1000))}, folder / "study")


def exports(folder: Path) -> None:
    """Models in every format."""
    for model in itertools.cycle(MODELS):
        model.save(folder / "m.npz")
        model.save(folder / "m.safetensors")
        export.onnx(model, folder / "m.onnx")


WRITERS: dict[str, Callable[[Path], None]] = {
    writer.__name__: writer for writer in (training, extension, results, study, exports)
}


def check(kind: str, folder: Path) -> int:
    """Check that all files are whole, and return how much there is: that must never become less."""
    if kind in ("training", "extension"):
        with warnings.catch_warnings(action="error"):
            run = tt.Run.open(folder / "run")
            if not (run.path / "checkpoint.safetensors").exists():
                return 0
            at = run.last().progress
        assert at.epoch == 0 or len(run.metrics()) >= at.epoch
        return at.epoch * 1000 + at.position if kind == "training" else run.config.epochs
    if kind == "results":
        path = folder / "r.jsonl"
        *whole, torn = path.read_bytes().split(b"\n") if path.exists() else [b""]
        rows = [json.loads(line) for line in whole]
        assert len({row["key"] for row in rows}) == len(rows)
        assert b'{"format": 1, "key": "'.startswith(torn[:22])
        return len(rows)
    if kind == "study":
        path = folder / "study" / "states.json"
        return 0 if not path.exists() else int(json.loads(path.read_bytes())["claim"] == "states")
    found = 0
    for path in [path for path in folder.glob("m.*") if path.suffix in (".npz", ".safetensors")]:
        model = tt.Model.load(path)
        assert model.weights[0].flat[0] == 0.25 * model.metadata["k"]
        found += 1
    if (folder / "m.onnx").exists():
        import onnx

        onnx.checker.check_model(onnx.load(folder / "m.onnx"))
        found += 1
    return found


class Forks:
    """A process that forks writers."""

    def __init__(self) -> None:
        path = os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
        command = [sys.executable, "-m", "support.writers"]
        environment = {**os.environ, "PYTHONPATH": path}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def start(self, kind: str, folder: Path) -> int:
        """The number of a new writer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{kind} {folder}\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def wait(self) -> int:
        """The exit status of the writer, negative for a signal."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()


def _serve() -> None:
    nets["dense"] = SMALL["dense"]
    tikitaka.training.loop._chunk_size = lambda *_: 16
    importlib.import_module("onnx")  # once, not in every child
    pid = 0
    for line in sys.stdin:
        if not line.strip():
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
            continue
        kind, folder = line.split(maxsplit=1)
        pid = os.fork()
        if pid == 0:
            WRITERS[kind](Path(folder.rstrip("\n")))
            os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    _serve()
