"""Targets of any kind: labels become classes, values of a regression float32, and anything else is refused."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tikitaka.data import Dataset

X = np.linspace(0, 1, 36).reshape(12, 3)
CODES = np.array([0, 1, 2] * 4)
NAMES = np.array(["ant", "bee", "cow"])
TEST = (X[:3], CODES[:3])


def of(y: Any, **settings: Any) -> Dataset:
    """A data set whose test part is its training part."""
    return Dataset.from_arrays(X, y, test=(X, y), **settings)


@pytest.mark.parametrize(
    ("y", "labels"),
    [
        (CODES, [0, 1, 2]),
        (CODES.tolist(), [0, 1, 2]),
        (CODES.astype(np.uint8), [0, 1, 2]),
        (CODES.astype(">i4"), [0, 1, 2]),
        (5 - 3 * CODES, [-1, 2, 5]),
        (CODES * 10**15, [0, 10**15, 2 * 10**15]),
        (CODES.astype(np.uint64) + 2**63, [2**63, 2**63 + 1, 2**63 + 2]),
        (CODES - 1.0, [-1.0, 0.0, 1.0]),
        (CODES.astype(">f8"), [0.0, 1.0, 2.0]),
        (CODES.astype(np.float16), [0.0, 1.0, 2.0]),
        (CODES == 1, [False, True]),
        (NAMES[CODES], ["ant", "bee", "cow"]),
        (NAMES[CODES].tolist(), ["ant", "bee", "cow"]),
        (NAMES[CODES].astype(object), ["ant", "bee", "cow"]),
        (NAMES[CODES].astype(bytes), [b"ant", b"bee", b"cow"]),
        (NAMES[CODES].astype(bytes).tolist(), [b"ant", b"bee", b"cow"]),
        (CODES[:, None], [0, 1, 2]),
        (np.eye(3)[CODES], [0, 1, 2]),
        (np.eye(3, dtype=bool)[CODES], [0, 1, 2]),
        (np.eye(3, dtype=np.uint8)[CODES].tolist(), [0, 1, 2]),
        (np.asfortranarray(np.eye(3)[CODES]), [0, 1, 2]),
        (pd.Series(NAMES[CODES], index=range(50, 62)), ["ant", "bee", "cow"]),
        (pd.Series(NAMES[CODES]).astype("category"), ["ant", "bee", "cow"]),
        (pd.Series(NAMES[CODES]).astype("string"), ["ant", "bee", "cow"]),
        (pd.Series(CODES - 1, dtype="Int64"), [-1, 0, 1]),
        (pd.DataFrame({"kind": NAMES[CODES]}), ["ant", "bee", "cow"]),
        (pd.get_dummies(pd.Series(NAMES[CODES])), [0, 1, 2]),
    ],
)
def test_labels_of_any_kind_are_classes_and_come_back(y: Any, labels: list[Any]) -> None:
    dataset = of(y)
    assert dataset.task == "classification"
    assert dataset.labels is not None
    assert dataset.labels.tolist() == labels
    assert dataset.labels.dtype.isnative
    assert dataset.classes == dataset.outputs == len(labels)
    assert dataset.train_y.dtype == np.int64
    np.testing.assert_array_equal(dataset.train_y, dataset.test_y)
    plain = np.asarray(y)
    if plain.ndim == 1:
        np.testing.assert_array_equal(dataset.labels[dataset.train_y], plain)
    expected = CODES if len(labels) == 3 else CODES == 1
    np.testing.assert_array_equal(dataset.train_y, 2 - CODES if labels == [-1, 2, 5] else expected)


@pytest.mark.parametrize(
    ("y", "task", "values"),
    [
        (X[:, 0], None, X[:, :1]),
        (X[:, 0].tolist(), None, X[:, :1]),
        (X[:, 0].astype(">f8"), None, X[:, :1]),
        (X[:, :1], None, X[:, :1]),
        (X, None, X),
        (X[::-1, ::-1], None, X[::-1, ::-1]),
        (pd.Series(X[:, 0]), None, X[:, :1]),
        (pd.DataFrame(X), None, X),
        (CODES, "regression", CODES[:, None]),
        (CODES - 1.0, "regression", CODES[:, None] - 1),
        (CODES == 1, "regression", CODES[:, None] == 1),
        (np.eye(3)[CODES], "regression", np.eye(3)[CODES]),
        (np.stack([CODES, CODES], axis=1), "regression", np.stack([CODES, CODES], axis=1)),
    ],
)
def test_values_are_a_regression(y: Any, task: Any, values: Any) -> None:
    dataset = of(y, task=task)
    assert dataset.task == "regression"
    assert dataset.labels is None
    assert (dataset.classes, dataset.outputs, dataset.time_steps) == (0, values.shape[1], 1)
    assert not dataset.sequences
    for part in (dataset.train_y, dataset.test_y):
        assert part.dtype == np.float32
        np.testing.assert_array_equal(part, np.asarray(values, dtype=np.float32))


def test_many_whole_numbers_may_be_labels_or_values() -> None:
    x, y = np.zeros((60, 1)), np.arange(60)
    with pytest.raises(ValueError, match=r'60 different whole numbers in 60 examples.*task="regression"'):
        Dataset.from_arrays(x, y)
    with pytest.raises(ValueError, match="60 different"):
        Dataset.from_arrays(x, y * 1.0, test=(x, y))
    assert Dataset.from_arrays(x, y, task="regression").outputs == 1
    assert Dataset.from_arrays(x, y, task="classification", test=(x, y)).classes == 60
    assert Dataset.from_arrays(x, y.astype(str), test=(x, y.astype(str))).classes == 60
    assert Dataset.from_arrays(x, y % 30, test=(x, y % 30)).classes == 30


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (CODES[:-1], "^y must have as many examples as x, 12, not 11$"),
        (np.where(CODES == 1, np.nan, CODES), r"^y must hold finite numbers, not nan \(example 1\)$"),
        (np.where(CODES == 2, -np.inf, CODES), r"^y must hold finite numbers, not -inf \(example 2\)$"),
        (np.append(X[1:, 0], 1e300), r"^y must fit float32, .*\(example 11\)$"),
        (np.full(12, 7), "^y must hold at least two classes, not only 7$"),
        (["x"] * 12, "^y must hold at least two classes, not only 'x'$"),
        (
            np.stack([CODES, CODES], axis=1),
            r'^y must have one-hot rows.*not \[0, 0\] \(example 0\).*task="regression"$',
        ),
        (np.stack([CODES, CODES], axis=1) * 1.0, "^y must have one-hot rows"),
        (np.where(CODES[:, None] == 1, np.ones(3), np.eye(3)[CODES]), r"not \[1., 1., 1.\] \(example 1\)"),
        (np.stack([NAMES[CODES]] * 2, axis=1), "^y must have one-hot rows"),
        (np.zeros((12, 2, 2)), r"^y must have the shape \(examples,\) or \(examples, values\), not \(12, 2, 2\)$"),
        (np.zeros((12, 0)), "^y must hold at least one example"),
        (7, "^y must be an array of examples, not the single value 7$"),
        ([[1, 2]] * 11 + [[1]], "^y must be an array, or lists of equal lengths$"),
    ],
)
def test_targets_that_do_not_fit_are_refused(y: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        of(y)


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (CODES + 1j, "^y must hold numbers, booleans or strings, not complex numbers"),
        (CODES.astype("M8[s]"), "not dates"),
        (CODES.astype("m8[s]"), "not time differences"),
        (np.zeros(12, dtype=[("a", "f4")]), "not records"),
        (np.ma.masked_equal(CODES, 1), "^y must not be a masked array"),
        (CODES.astype(object), r"not objects such as 0 \(example 0\)$"),
        (["a", "b", None] * 4, r"not objects such as None \(example 2\)$"),
        (["a", "b", 3] * 4, r"not objects such as 3 \(example 2\)$"),
        (["a", float("nan"), "b"] * 4, r"not objects such as nan \(example 1\)$"),
        (pd.Series(["a", None, "b"] * 4), r"not objects such as \w+ \(example 1\)$"),
        (pd.Series(pd.date_range("2025-01-01", periods=12)), "not dates"),
        (None, "not objects such as None"),
    ],
)
def test_targets_that_are_not_labels_or_numbers_are_refused(y: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        of(y)


def test_a_task_that_the_targets_do_not_suit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"strings, booleans or whole numbers for a classification, not 0\.0"):
        of(X[:, 0], task="classification")
    with pytest.raises(ValueError, match="numbers for a regression, not strings such as 'ant'"):
        of(NAMES[CODES], task="regression")
    with pytest.raises(ValueError, match=r"not \[0, 0\] \(example 0\)$"):
        of(np.stack([CODES, CODES], axis=1), task="classification")
    with pytest.raises(
        ValueError, match=r"task must be one of classification, regression, not 'regresion'.*regression\?$"
    ):
        of(CODES, task="regresion")


@pytest.mark.parametrize(
    ("y", "test", "words"),
    [
        (CODES, CODES - 1, "^test y must hold labels of the training part only, not -1$"),
        (CODES, CODES + 0.5, r"labels of the training part only, not 0\.5$"),
        (NAMES[CODES], ["ant", "emu"] * 6, "not 'emu'$"),
        (NAMES[CODES], CODES, "^test y must hold strings, like the training part, not numbers$"),
        (CODES, NAMES[CODES], "^test y must hold numbers, like the training part, not strings$"),
        (NAMES[CODES].astype(bytes), NAMES[CODES], "must hold bytes, like the training part, not strings$"),
        (np.eye(3)[CODES], CODES, "one-hot rows of 3, not shape"),
        (np.eye(3)[CODES], np.eye(4)[CODES], "one-hot rows of 3, not shape"),
        (np.eye(3)[CODES], np.ones((12, 3)), "^test y must have one-hot rows"),
        (CODES, np.eye(3)[CODES], "^test y must hold one label per example"),
        (X, X[:, :2], "^test y must have 3 values per example"),
        (X, NAMES[CODES], "^test y must hold numbers, not strings"),
        (X, X[:5], "^test y must have as many examples as test x, 12, not 5$"),
    ],
)
def test_a_test_part_of_another_kind_is_refused(y: Any, test: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Dataset.from_arrays(X, y, test=(X, test))


def test_the_test_part_of_a_regression_may_be_whole() -> None:
    dataset = Dataset.from_arrays(X, X[:, 0], test=TEST)
    np.testing.assert_array_equal(dataset.test_y, TEST[1][:, None])
    assert dataset.test_y.dtype == np.float32
