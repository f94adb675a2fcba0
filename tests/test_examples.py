"""The examples run, and the Python and the Rust one train the same network to the same bits."""

import runpy
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_digits() -> None:
    train = runpy.run_path(str(EXAMPLES / "digits.py"))["train"]
    # the test in digits.rs expects the same number
    assert round(train(0, epochs=10) * 355 / 100) == 37
