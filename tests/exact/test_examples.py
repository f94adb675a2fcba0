"""The examples run, and the Python and Rust versions train the same network to the same bits."""

import runpy
from pathlib import Path

import numpy as np

import tikitaka as tt

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_own_rule() -> None:
    first, resumed, model = runpy.run_path(str(EXAMPLES / "own_rule.py"))["main"]()
    digits = tt.data.load("digits")
    # the copy was programmed with the average, to within half a step of 0.06
    for averaged, trained, programmed in zip(model.weights, first.weights, resumed.weights, strict=True):
        assert not np.array_equal(averaged, trained)
        assert float(np.sqrt(np.mean((programmed - averaged) ** 2))) < 0.06
    assert model.metadata["kind"] == "average"
    assert model.metadata["rule"] == "BufferedSgd"
    assert model.evaluate(digits.test_x, digits.test_y).error < 0.1
    assert resumed.ledger["slow"]["pulses"] > first.ledger["slow"]["pulses"] > 0


def test_digits() -> None:
    train = runpy.run_path(str(EXAMPLES / "digits.py"))["train"]
    # the test in digits.rs expects the same number
    assert round(train(0, epochs=10) * 355 / 100) == 25
