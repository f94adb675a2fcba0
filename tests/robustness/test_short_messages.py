"""No message is longer than a screen, whatever the input."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from support.runs import DIGITS, dense
from tikitaka import _core
from tikitaka._internal.shown import listed, shortened, shown
from tikitaka.data import Dataset, load
from tikitaka.experiments import cells, sweep
from tikitaka.training import checkpoint

SCREEN = 80 * 24
LONG = "x" * 100_000
ROWS = [[float(k)] * 64 for k in range(2000)]
MANY = {f"array {k}": tt.Ttv2() for k in range(5000)}
NETWORK = tt.Network(dense(64, 10), tt.DigitalSgd(), seed=1)

CALLS: dict[str, Callable[[Path], Any]] = {
    "fit": lambda f: tt.fit(NETWORK, (ROWS, [1] * 2000)),  # type: ignore[arg-type]
    "epochs": lambda f: tt.fit(NETWORK, DIGITS, epochs=ROWS),  # type: ignore[arg-type]
    "schedule": lambda f: tt.fit(NETWORK, DIGITS, schedule=LONG),
    "a factor": lambda f: tt.fit(NETWORK, DIGITS, epochs=1, schedule=[ROWS]),  # type: ignore[list-item]
    "layers": lambda f: tt.Network(ROWS, tt.Ttv2()),  # type: ignore[arg-type]
    "rules": lambda f: tt.Network(dense(64, 10), ROWS),  # type: ignore[arg-type]
    "names": lambda f: tt.Network(dense(64, 10), MANY),
    "a field": lambda f: tt.SoftBounds(states=ROWS),  # type: ignore[arg-type]
    "data": lambda f: tt.TrainConfig(data=LONG + "\n"),
    "net": lambda f: tt.TrainConfig(net=LONG),
    "a config": lambda f: tt.TrainConfig.from_dict({LONG: 1}),
    "a rule": lambda f: tt.TrainConfig.from_dict({"rule": {"kind": ROWS}}),
    "labels": lambda f: Dataset.from_arrays(ROWS, [LONG, 3] * 1000),
    "objects": lambda f: Dataset.from_arrays([[LONG, {"a": ROWS}]] * 4, [0, 1, 0, 1]),
    "shape": lambda f: Dataset.from_arrays(ROWS, [0, 1] * 1000, shape=ROWS),  # type: ignore[arg-type]
    "a set": lambda f: load("no", f),
    "weights": lambda f: tt.Model.from_weights(NETWORK.layers, dict.fromkeys(MANY, ROWS)),
    "an axis": lambda f: cells(tt.TrainConfig(), {LONG: [1]}, [0]),
    "a cell": lambda f: sweep([ROWS], out=f / "r.jsonl"),  # type: ignore[list-item]
    "a state": lambda f: checkpoint.save(f, ROWS),  # type: ignore[arg-type]
    "a model": lambda f: tt.program(ROWS),  # type: ignore[arg-type]
    "a loss": lambda f: tt.Network(dense(64, 10), tt.DigitalSgd(), loss=LONG),
    "a method": lambda f: tt.Crossbar(2, 2).program(np.zeros((2, 2)), LONG),
    "a method of a network": lambda f: NETWORK.program(NETWORK.weights, LONG),
    "a kind": lambda f: _core.bounds(LONG),
    "a family": lambda f: _core.kinds(LONG),
    "a family of presets": lambda f: _core.presets(LONG),
    "a kind of device": lambda f: tt.Crossbar(2, 2, {"kind": LONG}),
    "a field of a dict": lambda f: tt.Crossbar(2, 2, {"kind": "soft-bounds", LONG: 1}),
    "a value of a dict": lambda f: tt.Crossbar(2, 2, {"kind": "soft-bounds", "noise": LONG}),
    "a device": lambda f: tt.Crossbar(2, 2, ROWS),
    "rows": lambda f: tt.Crossbar(ROWS, 2),  # type: ignore[arg-type]
    "a type": lambda f: NETWORK.forward(np.zeros(3, [(f"field {k}", "f4") for k in range(1000)])),
    "a name in a state": lambda f: NETWORK.restore({f"0.{LONG}": np.zeros(3, int)}),
    "a pickle": lambda f: tt.Crossbar(2, 2).__setstate__({"format": LONG}),
    "a pickled network": lambda f: NETWORK.__setstate__({"format": LONG}),
    "an attribute": lambda f: setattr(NETWORK, LONG, 1),
    "what to extract": lambda f: NETWORK.extract(LONG),  # type: ignore[arg-type]
    "a label": lambda f: Dataset.from_arrays([[1.0], [2.0]] * 2, ["a", "b"] * 2, test=([[1.0]], [LONG])),
    "a path": lambda f: NETWORK.extract("read").save(LONG),
    "a path of a graph": lambda f: tt.export.onnx(NETWORK.extract("read"), LONG),
    "a number": lambda f: tt.fit(NETWORK, DIGITS, epochs=-(10**5000)),
    "a number of a config": lambda f: tt.SoftBounds(states=10**4000),
    "a seed": lambda f: tt.TrainConfig(seed=10**4000),
    "a seed of the core": lambda f: tt.Crossbar(2, 2, seed=10**4000),
    "a file": lambda f: _core.to_toml({LONG: object()}),
    "a name for rules": lambda f: tt.Network(dense(64, 10), {LONG: tt.Ttv2()}),
    "pulses": lambda f: tt.measured(up=LONG, down=ROWS),
    "a device of pulses": lambda f: tt.measured(up={LONG: ROWS[:3]}, down=None),
    "a pattern of pulses": lambda f: tt.measured([1.0] * 99, pattern=LONG),
    "columns of pulses": lambda f: tt.read_measured(f / "none", columns={LONG: ROWS}),  # type: ignore[dict-item]
    "a preset": lambda f: tt.TrainConfig.from_dict({"rule": {"kind": "sgd", "device": LONG}}),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_message_about_a_long_value_fits_a_screen(name: str, tmp_path: Path) -> None:
    for k in range(500 if name == "a set" else 0):
        (tmp_path / f"{k}{'y' * 100}").mkdir()
    with pytest.raises((ValueError, TypeError, OSError, AttributeError)) as refused:
        CALLS[name](tmp_path)
    assert len(str(refused.value)) < SCREEN


def test_values_are_shown_in_a_line() -> None:
    assert shown([1.5, "a", None]) == "[1.5, 'a', None]"
    assert shown((1,)) == "(1,)"
    assert shown(np.zeros((20, 30))) == "an array of shape (20, 30) and type float64"
    for value in (ROWS, LONG, LONG.encode(), {LONG: ROWS}, [[ROWS]] * 3, 10**9999, set(range(10**5)), MANY):
        assert len(shown(value)) < 200
    assert len(listed([LONG] * 1000)) < SCREEN
    assert len(shortened(LONG)) < SCREEN
