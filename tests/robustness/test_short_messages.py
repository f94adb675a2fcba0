"""No message is longer than a screen, whatever the input."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from support.runs import DIGITS, dense
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
}


@pytest.mark.parametrize("name", CALLS)
def test_a_message_about_a_long_value_fits_a_screen(name: str, tmp_path: Path) -> None:
    for k in range(500 if name == "a set" else 0):
        (tmp_path / f"{k}{'y' * 100}").mkdir()
    with pytest.raises((ValueError, TypeError, OSError)) as refused:
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
