"""The Python example runs and shows what it says."""

import runpy
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_digits() -> None:
    errors = runpy.run_path(str(EXAMPLES / "digits.py"))["main"](epochs=10)
    assert errors["ttv2"] < 0.1 < errors["sgd"]
    assert errors["average"] < 0.1
