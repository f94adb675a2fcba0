"""Programs of users under mypy --strict: correct programs pass, and errors are reported where they are."""

import re
import sys
from pathlib import Path

import pytest
from mypy import api

ROOT = Path(__file__).parents[2]

USERS = """
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

import tikitaka as tt
from tikitaka.experiments import cells, sweep


class Halving(tt.Rule):
    def build(self, weights: NDArray[np.float32], seed: int, layer: int) -> None:
        rows, cols = weights.shape
        self.array = tt.Crossbar(rows, cols, tt.SoftBounds(states=20), seed=seed, array=2 * layer + 1)
        self.array.weights = weights

    def forward(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        return self.array.forward(x)


def measure(config: tt.TrainConfig) -> Mapping[str, object]:
    return {"states": config.to_dict()["rule"]["device"]["states"]}


digits = tt.data.load("digits")
rules: list[tt.RuleConfig | tt.Rule] = [tt.Ttv2(), Halving(), tt.DigitalSgd(lr=0.1)]
network = tt.Network(tt.nn.fcn(digits.inputs, digits.classes), rules, seed=1)
history: list[tt.Metrics] = tt.fit(network, digits, epochs=2, on_epoch=lambda metrics: print(metrics.test_error))
model: tt.Model = network.extract("reads", reads=4).quantised(8)
score: tt.Score = model.evaluate(digits.test_x, digits.test_y)
chip: tt.Chip = tt.program(model, device=tt.presets["gv16"], method="error", error_share=0.05)
worst: float = max(chip.rms_error)
rows = sweep(cells(tt.TrainConfig(data="digits"), {"rule.device.states": [10, 20]}, range(3)), out="r", measure=measure)
layer = tt.AnalogLayer(tt.AnalogSgd(periphery=tt.Periphery.full()), np.zeros((2, 3)))
outputs: NDArray[np.float32] = layer.forward([1.0, 2.0, 3.0])
"""

WRONG = """
import tikitaka as tt

tt.SoftBounds(states="many")  # wrong
tt.SoftBounds(noise="gaussian")  # wrong
tt.SoftBounds(stats=20)  # wrong
network = tt.Network(tt.nn.fcn(), "ttv2")  # wrong
tt.Network(tt.nn.fcn(), tt.Ttv2(device=tt.Periphery()))  # wrong
tt.fit(network, "digits")  # wrong
network.extract("best")  # wrong
error: str = network.evaluate([[0.0]], [0]).error  # wrong
tt.Crossbar(2, 2).weight  # wrong
"""


def checked(*paths: Path) -> set[int]:
    """The lines of `paths` that mypy --strict has errors for, without the project's own settings."""
    cache = ROOT / ".mypy_cache" / "users"
    options = ["--strict", "--config-file=", f"--cache-dir={cache}", f"--python-executable={sys.executable}"]
    out, trouble, _ = api.run([*options, *map(str, paths)])
    assert not trouble, trouble
    # by name only, because mypy reports cached errors with their earlier path
    errors = re.findall(r"([^/\\\n]+\.pyi?):(\d+): error: ", out)
    assert {name for name, _ in errors} <= {path.name for path in paths}, out
    return {int(line) for _, line in errors}


@pytest.mark.slow
def test_right_programs_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    program = tmp_path / "users.py"
    program.write_text(USERS, encoding="utf-8")
    examples = [path for path in (ROOT / "examples").glob("*.py") if not path.name.startswith("torch_")]  # untyped
    assert checked(program, *examples) == set()


@pytest.mark.slow
def test_wrong_programs_are_told_so_line_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    program = tmp_path / "wrong.py"
    program.write_text(WRONG, encoding="utf-8")
    marked = {n for n, line in enumerate(WRONG.splitlines(), 1) if line.endswith("# wrong")}
    assert checked(program) == marked


def test_the_package_says_that_it_is_typed() -> None:
    import tikitaka

    assert (Path(tikitaka.__file__).parent / "py.typed").is_file()
