"""Standard deviations of several numbers and of one, and their notation."""

import pytest

from tikitaka._internal.statistics import plus_minus, standard_deviation


def test_by_hand() -> None:
    assert standard_deviation([1.0, 2.0, 3.0]) == 1.0
    assert standard_deviation([2.0, 2.0]) == 0.0
    assert standard_deviation([2.0]) is None


@pytest.mark.parametrize(
    ("apart", "digits", "words"), [(0.104, 2, "1.85 ± 0.10"), (0.0, 1, "1.9 ± 0.0"), (None, 2, "1.85")]
)
def test_as_text(apart: float | None, digits: int, words: str) -> None:
    assert plus_minus(1.8501, apart, digits) == words
