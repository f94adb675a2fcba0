"""The validation part: training examples that are held out to judge a training while it runs."""

from dataclasses import replace
from numbers import Real
from typing import Final

from tikitaka._internal.shown import shown
from tikitaka._internal.validation import check_kind
from tikitaka.data import Dataset

__all__ = ["DRAW", "check_validation", "hold_out"]

DRAW: Final = 2**31
"""Validation after epoch e is evaluation `DRAW` + e, which shares no noise with the test, evaluation e."""


def check_validation(share: float | None) -> None:
    """Raise TypeError or ValueError unless `share` is None or between 0 and 1."""
    if share is None:
        return
    if isinstance(share, bool):
        raise TypeError(f"validation must be a number, not {shown(share)}")
    check_kind("validation", share, Real)
    if not 0 < share < 1:
        raise ValueError(f"validation must be between 0 and 1, not {share}")


def hold_out(dataset: Dataset, share: float | None) -> tuple[Dataset, Dataset | None]:
    """The remaining training data with its test part, and the validation part as the test part of a second set.

    The validation part is the last `share`, rounded, of the training examples, as for `Dataset.holdout`: the sequences
    of a text stay consecutive. Without a share, the second set is None. Raises TypeError or ValueError for a share out
    of range, and ValueError if one of the parts would be empty.
    """
    check_kind("dataset", dataset, Dataset)
    check_validation(share)
    if share is None:
        return dataset, None
    n = len(dataset.train_y)
    examples = round(n * float(share))
    if not 0 < examples < n:
        part = "training" if examples else "validation"
        raise ValueError(f"validation must leave examples in both parts; {share} of {n:,} leaves no {part} part")
    held = dataset.holdout(examples)
    return replace(held, test_x=dataset.test_x, test_y=dataset.test_y), held
