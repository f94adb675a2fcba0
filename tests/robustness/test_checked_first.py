"""Whatever can be checked beforehand is checked before any work, and named: part, example, position."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from support.commands import FAST, Command, refused
from support.runs import DIGITS, TEXT, carrying, dense
from tikitaka.data import Dataset
from tikitaka.experiments import cells, sweep


def network(**more: Any) -> tt.Network:
    return tt.Network(dense(64, 10), tt.DigitalSgd(), seed=1, **more)


def with_one(array: np.ndarray, place: tuple[int, ...], value: float) -> np.ndarray:
    changed = array.copy()
    changed[place] = value
    return changed


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"test_x": ((354, 17), np.nan)}, r"x of the test part of digits .* not nan \(example 354, position 17\)"),
        ({"train_x": ((59, 3), np.inf)}, r"x of the training part of digits .* not inf \(example 59, position 3\)"),
        ({"test_y": ((7,), 10)}, r"y of the test part of digits must be from 0 to 9, not 10 \(example 7\)"),
        ({"train_y": ((2,), -1)}, r"y of the training part of digits must be from 0 to 9, not -1 \(example 2\)"),
    ],
)
def test_an_example_that_does_not_suit_is_found_before_the_first(change: Any, words: str) -> None:
    ((name, (place, value)),) = change.items()
    spoilt = replace(DIGITS, **{name: with_one(getattr(DIGITS, name), place, value)})
    for more in ({}, {"validation": 0.2}):
        made = network()
        before = made.digest()
        with pytest.raises(ValueError, match=words):
            tt.fit(made, spoilt, epochs=2, progress=False, **more)
        assert made.digest() == before
        assert made.pulses == 0


def test_parts_of_other_shapes_are_found_before_the_first_example() -> None:
    for change, words in (
        ({"test_x": DIGITS.test_x[:, :-1]}, r"x of the test part of digits must have shape \(examples, 64\)"),
        (
            {"test_y": DIGITS.test_y[:-1]},
            "the test part of digits must have a target for each of 355 examples",
        ),
        ({"test_x": np.full(DIGITS.test_x.shape, 1e39)}, r"finite numbers within float32, not 1e\+39 \(example 0"),
        ({"test_y": DIGITS.test_y.astype(float)}, "y of the test part of digits must hold"),
    ):
        made = network()
        with pytest.raises((ValueError, TypeError), match=words):
            tt.fit(made, replace(DIGITS, **change), epochs=1, progress=False)  # type: ignore[arg-type]


def test_codes_and_targets_of_a_text_and_a_regression_are_found_before_the_first_example() -> None:
    inputs = TEXT.inputs
    text = tt.Network(carrying(inputs, inputs), tt.DigitalSgd())
    spoilt = replace(TEXT, test_x=with_one(TEXT.test_x, (3, 4), inputs))
    with pytest.raises(ValueError, match=rf"x of the test part of mine .* not {inputs} \(example 3, position 4\)"):
        tt.fit(text, spoilt, epochs=1, batch=4, progress=False)
    x = np.linspace(0, 1, 40, dtype=np.float32).reshape(20, 2)
    waves = Dataset("waves", x, x[:, :1], x, with_one(x[:, :1], (5, 0), np.nan), classes=0)
    with pytest.raises(ValueError, match=r"y of the test part of waves .* not nan \(example 5, position 0\)"):
        tt.fit(tt.Network([tt.nn.Linear(2, 1)], tt.DigitalSgd(), loss="mse"), waves, epochs=1, progress=False)


def test_early_stopping_by_a_metric_that_a_regression_lacks_is_refused_before_the_first_epoch() -> None:
    x = np.linspace(0, 1, 40, dtype=np.float32).reshape(20, 2)
    waves = Dataset("waves", x, x[:, :1], x, x[:, :1], classes=0)
    made = tt.Network([tt.nn.Linear(2, 1)], tt.DigitalSgd(), loss="mse")
    before = made.digest()
    with pytest.raises(ValueError, match="metric must be a loss for early stopping of a regression, not test_error"):
        tt.fit(made, waves, on_epoch=tt.EarlyStopping(metric="test_error"), progress=False)
    assert made.digest() == before


@pytest.mark.parametrize("name", ["stop", "on_progress", "on_epoch"])
def test_what_is_no_function_is_refused_before_the_first_example(name: str) -> None:
    network = tt.Network([tt.nn.Linear(64, 10)], tt.DigitalSgd(), seed=1)
    before = network.digest()
    with pytest.raises(TypeError, match=f"{name} must be a function.*, not 3"):
        tt.fit(network, tt.data.load("digits"), progress=False, **{name: 3})
    assert network.digest() == before


@pytest.mark.parametrize("name", ["checkpoint_epochs", "checkpoint_minutes"])
def test_settings_of_checkpoints_are_checked_before_one_is_written(tmp_path: Path, name: str) -> None:
    run = tt.Run.create(tmp_path / "R", tt.TrainConfig(data="digits", examples=60, epochs=1))
    for bad in ("a", True, -1, float("nan")):
        with pytest.raises((TypeError, ValueError), match=f"^{name} must be "):
            run.train(progress=False, **{name: bad})
    assert [path.name for path in run.path.iterdir() if path.suffix == ".safetensors"] == []


def test_a_sweep_checks_all_its_cells_first(tmp_path: Path) -> None:
    base = tt.TrainConfig(data="digits", examples=60, epochs=1, rule=tt.DigitalSgd())
    for axes, words in (
        ({"examples": [60, 10**6]}, r"cell examples=1000000: examples must be from 1 to 1,442"),
        ({"data": ["digits", "no-such-set"]}, r"cell data=no-such-set: no data set 'no-such-set'"),
        ({"layer_rules": [{}, {"linear9": "float"}]}, "linear9"),
    ):
        with pytest.raises((ValueError, OSError), match=words):
            sweep(cells(base, axes, [1]), out=tmp_path / "r.jsonl", progress=False)
        assert not (tmp_path / "r.jsonl").exists()


def test_targets_of_evaluate_are_checked_before_anything_is_read(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command("train", *FAST, "--out", tmp_path / "run")[0] == 0

    def never(*_: object, **__: object) -> None:
        raise AssertionError("it has been evaluated")

    refusing: Callable[..., None] = never
    monkeypatch.setattr(tt.Network, "evaluate", refusing)
    for flags, words in (
        (["--target-states", 30], "the other --target options need"),
        (["--target-method", "error"], "--target-method error needs --target-error"),
        (["--target-error", 0.1, "--target-states", 0.5], "states must be from 1"),
        (["--target-error", 0.1, "--target-method", "exact"], "--target-error 0.1 belongs to --target-method error"),
    ):
        refused(command("evaluate", tmp_path / "run", *flags), words)
