"""Inputs of any kind: numbers become float32, images keep their shape, parts are drawn by seed."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import tikitaka as tt
from tikitaka.data import Dataset
from tikitaka.training.order import shuffled

RNG = np.random.default_rng(3)
X = RNG.integers(0, 100, (10, 6))
Y = np.arange(10) % 2
GREY = RNG.integers(0, 256, (10, 4, 5), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (10, 4, 5, 3), dtype=np.uint8)


class Elsewhere:
    """An array of another package."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return X.astype(dtype or np.int64)


class Sparse:
    """A sparse matrix with scipy's interface."""

    nnz = 3

    def toarray(self) -> np.ndarray:
        return X


def of(x: Any, **settings: Any) -> Dataset:
    """A data set whose test part is its training part."""
    return Dataset.from_arrays(x, Y, test=(x, Y), **settings)


def read_only() -> np.ndarray:
    x = X.astype(np.float32)
    x.flags.writeable = False
    return x


@pytest.mark.parametrize(
    "x",
    [
        *(X.astype(dtype) for dtype in ("u1", "i1", "u2", "i8", "u8", "f2", "f4", "f8", "g", ">i4", ">f4", ">f8")),
        X.tolist(),
        tuple(map(tuple, X.tolist())),
        np.asfortranarray(X),
        np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3],
        X[::-1][::-1],
        read_only(),
        X.view(np.recarray),
        pd.DataFrame(X),
        pd.DataFrame(X, dtype="Int64"),
        pd.DataFrame({k: X[:, k].astype("f8" if k % 2 else "u1") for k in range(6)}),
        memoryview(np.ascontiguousarray(X)),
        Elsewhere(),
    ],
    ids=lambda x: f"{type(x).__name__}-{getattr(x, 'dtype', '')}",
)
def test_numbers_of_any_type_are_taken_as_they_are(x: Any) -> None:
    dataset = of(x)
    for part in (dataset.train_x, dataset.test_x):
        assert part.dtype == np.float32
        assert part.flags.c_contiguous
        assert part.dtype.isnative
        np.testing.assert_array_equal(part, X)
    assert (dataset.inputs, dataset.shape) == (6, None)


@pytest.mark.parametrize("x", [X[:, 0], X[:, 0].tolist(), X[:, :1], pd.Series(X[:, 0]), pd.DataFrame(X)[[0]]])
def test_a_single_input_may_be_a_column(x: Any) -> None:
    np.testing.assert_array_equal(of(x).train_x, X[:, :1])


def test_booleans_are_0_and_1_also_beside_numbers() -> None:
    np.testing.assert_array_equal(of(X > 50).train_x, X > 50)
    frame = pd.DataFrame({"wide": X[:, 0] / 7, "red": X[:, 1] > 50})  # an array of objects
    np.testing.assert_array_equal(of(frame).train_x, np.stack([X[:, 0] / 7, X[:, 1] > 50], axis=1).astype("f4"))


def test_the_set_shares_no_memory_with_the_arrays() -> None:
    x = X.astype(np.float32)
    dataset = of(x)
    digest = of(x).digest
    x[:] = 0
    np.testing.assert_array_equal(dataset.train_x, X)
    assert dataset.digest == digest


def test_images_keep_their_shape_and_are_flattened_pixel_by_pixel() -> None:
    grey, colour = of(GREY), of(COLOUR)
    assert (grey.shape, grey.inputs) == ((4, 5, 1), 20)
    assert (colour.shape, colour.inputs) == ((4, 5, 3), 60)
    np.testing.assert_array_equal(colour.train_x.reshape(COLOUR.shape), COLOUR.astype(np.float32) / np.float32(255))
    np.testing.assert_array_equal(colour.train_x[:, 3:6], colour.train_x.reshape(10, 20, 3)[:, 1])  # second pixel


@pytest.mark.parametrize("shape", [(4, 5, 3), [4, 5, 3], (np.int64(4), np.uint8(5), 3)])
def test_a_shape_says_that_rows_are_images(shape: Any) -> None:
    for x in (COLOUR, COLOUR.reshape(10, -1)):
        dataset = of(x, shape=shape)
        assert dataset.shape == (4, 5, 3)
        assert all(type(size) is int for size in dataset.shape)
        assert dataset.digest == of(COLOUR).digest
    assert of(GREY.reshape(10, 20), shape=(4, 5)).digest == of(GREY).digest == of(GREY, shape=(4, 5, 1)).digest


def test_only_images_of_uint8_are_scaled_unless_told() -> None:
    assert 0.9 < of(COLOUR).train_x.max() <= 1
    np.testing.assert_array_equal(of(COLOUR, full_scale=1).train_x, COLOUR.reshape(10, -1))
    np.testing.assert_array_equal(of(COLOUR.reshape(10, -1)).train_x, COLOUR.reshape(10, -1))
    np.testing.assert_array_equal(of(COLOUR.astype(np.int32)).train_x, COLOUR.reshape(10, -1))
    np.testing.assert_array_equal(of(COLOUR / 2.0).train_x, COLOUR.reshape(10, -1) / 2)
    np.testing.assert_array_equal(of(X, full_scale=4.0).train_x, X / 4)
    np.testing.assert_array_equal(of(GREY > 9).train_x, GREY.reshape(10, -1) > 9)


def test_arrays_of_a_named_set_are_that_set() -> None:
    digits = tt.data.load("digits")
    images = (digits.train_x * 16).reshape(-1, *digits.shape).astype(np.uint8)
    test = (digits.test_x * 16).reshape(-1, *digits.shape).astype(np.uint8)
    own = Dataset.from_arrays(images, digits.train_y, test=(test, digits.test_y), full_scale=16)
    assert own.digest == digits.digest
    assert (own.shape, own.classes) == (digits.shape, digits.classes) == ((8, 8, 1), 10)
    np.testing.assert_array_equal(own.labels, digits.labels)


def test_a_share_is_drawn_by_the_seed_alone() -> None:
    whole = Dataset.from_arrays(X, Y, test_share=0.3, seed=7)
    order = shuffled(10, seed=7, epoch=0)
    np.testing.assert_array_equal(whole.train_x, X[order[3:]])
    np.testing.assert_array_equal(whole.train_y, Y[order[3:]])
    np.testing.assert_array_equal(whole.test_x, X[order[:3]])
    np.testing.assert_array_equal(whole.test_y, Y[order[:3]])
    assert order.tolist() == [8, 4, 1, 6, 3, 2, 7, 5, 9, 0]  # frozen
    assert whole.digest == Dataset.from_arrays(X.astype(">f8"), Y.tolist(), test_share=0.3, seed=7).digest
    assert whole.digest != Dataset.from_arrays(X, Y, test_share=0.3, seed=8).digest
    assert len(Dataset.from_arrays(X, Y).test_x) == 2  # 0.2 by default
    assert Dataset.from_arrays(X, Y).digest == Dataset.from_arrays(X, Y, test_share=0.2, seed=0).digest


def test_the_whole_of_the_targets_says_what_they_are() -> None:
    y = np.array([1.5, *range(9)])
    seed = next(s for s in range(99) if 0 in shuffled(10, seed=s, epoch=0)[:2])  # what is not whole is tested on
    assert Dataset.from_arrays(X, y, seed=seed).task == "regression"


def test_parts_of_the_set_keep_what_it_knows() -> None:
    for dataset in (of(COLOUR), Dataset.from_arrays(COLOUR, Y / 3, test=(COLOUR, Y))):
        for part in (dataset.first(4), dataset.holdout(3), dataset.first(None)):
            assert (part.shape, part.task, part.classes) == (dataset.shape, dataset.task, dataset.classes)
            assert part.labels is dataset.labels
        assert dataset.first(4).train_y.shape[0] == 4
        assert dataset.holdout(3).test_y.shape[0] == 3
        np.testing.assert_array_equal(dataset.holdout(3).test_y, dataset.train_y[-3:])
        assert dataset.digest != dataset.first(4).digest


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (X[:9], "^y must have as many examples as x, 9, not 10$"),
        (X[:0], "^x must hold at least one example of at least one value, not shape"),
        (X[:, :0], "^x must hold at least one example of at least one value, not shape"),
        ([], "^x must hold at least one example"),
        (3.5, r"^x must be an array of examples, not the single value 3\.5$"),
        (np.where(np.eye(10, 6) == 1, np.nan, X), r"^x must hold finite numbers, not nan \(example 0\)$"),
        (np.where(np.arange(10)[:, None] == 3, np.inf, X), r"^x must hold finite numbers, not inf \(example 3\)$"),
        (np.where(np.arange(10)[:, None] == 3, 1e39, X), r"^x must fit float32.*\(example 3\)$"),
        ([[1, 2]] * 9 + [[1]], "^x must be an array, or lists of equal lengths$"),
        (np.zeros((10, 2, 2, 2, 2)), "^x must have 1 to 4 dimensions.*not 5$"),
        (np.zeros((10, 3, 8, 8)), r"looks like channels first: pass np.moveaxis\(x, 1, -1\), or shape=\(3, 8, 8\)"),
        (pd.DataFrame({"a": [None, 1.0] * 5}), r"^column 'a' of x must hold finite numbers, not nan \(example 0\)$"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(x: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        of(x)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (X + 1j, "^x must hold numbers or booleans, not complex numbers"),
        (X.astype("M8[s]"), "not dates"),
        (X.astype(str), "^x must hold numbers or booleans, not strings$"),
        (X.astype(object), "not objects such as .*astype"),
        (np.ma.masked_equal(X, 3), r"^x must not be a masked array.*x\.filled\(0\)$"),
        (Sparse(), r"^x must not be a sparse matrix: pass x\.toarray\(\)$"),
        (pd.DataFrame({"a": X[:, 0], "b": ["u"] * 10}), "^column 'b' of x must hold numbers or booleans, not"),
        (None, "not objects such as None"),
        ({"a": 1}, "not objects"),
        (iter(X), "not objects"),
    ],
)
def test_what_is_not_numbers_is_refused(x: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        of(x)


def test_an_array_that_fails_to_become_one_is_refused() -> None:
    class Failing:
        def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
            raise RuntimeError("on another device")

    with pytest.raises(TypeError, match=r"^x cannot become a NumPy array: on another device$"):
        of(Failing())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"shape": (2, 2)}, r"^shape must fit the examples, of 6 values, not be \(2, 2\)$"),
        ({"shape": (6,)}, "^shape must be .rows, columns. or"),
        ({"shape": (2, 3, 1, 1)}, "^shape must be .rows, columns. or"),
        ({"shape": (0, 3)}, "^shape must be at least 1, not 0$"),
        ({"full_scale": 0}, "^full_scale must be a positive number, not 0$"),
        ({"full_scale": 1e-310}, "^full_scale must be a positive number, not 1e-310$"),
        ({"full_scale": 1e300}, "^full_scale must be a positive number, not "),
        ({"full_scale": float("nan")}, "^full_scale must be a positive number, not nan$"),
        ({"test_share": 0.3}, "^test and test_share must not both be given$"),
        ({"test": (X[:, :2], Y)}, r"^test x must have examples of shape \(6,\), not \(2,\)$"),
        ({"test": (X[:0], Y[:0])}, "^test x must hold at least one example"),
        ({"test": None, "test_share": 0.0}, r"^test_share must be between 0 and 1, not 0\.0$"),
        ({"test": None, "test_share": 1}, "^test_share must be between 0 and 1, not 1$"),
        ({"test": None, "test_share": 0.04}, r"must leave examples in both parts; 0\.04 of 10 leaves no test part$"),
        ({"test": None, "test_share": 0.96}, r"0\.96 of 10 leaves no training part$"),
        ({"test": None, "seed": -1}, "^seed must be from 0"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Dataset.from_arrays(X, Y, **{"test": (X, Y), **settings})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"shape": 6}, "^shape must be a tuple"),
        ({"shape": (2.0, 3.0)}, "^shape must be a whole number"),
        ({"full_scale": "255"}, "^full_scale must be a number"),
        ({"test": X}, r"^test must be a pair \(x, y\), not ndarray$"),
        ({"test": (X,)}, "^test must be a pair"),
        ({"test": None, "test_share": "0.2"}, "^test_share must be a number"),
        ({"test": None, "seed": 0.5}, "^seed must be a whole number"),
        ({"name": 3}, "^name must be a string"),
        ({"task": 3}, "^task must be one of"),
    ],
)
def test_settings_of_another_type_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        Dataset.from_arrays(X, Y, **{"test": (X, Y), **settings})


def test_images_of_two_types_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^test x must have the type of x, uint8, not float64, or pass full_scale"):
        Dataset.from_arrays(COLOUR, Y, test=(COLOUR / 255, Y))
    assert Dataset.from_arrays(COLOUR, Y, test=(COLOUR / 255, Y), full_scale=1).test_x.max() <= 1


def test_a_label_that_only_the_drawn_part_has_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"^the test part of y must hold labels of .* not .*: pass test, or another seed$"
    ):
        Dataset.from_arrays(X, np.arange(10))


def test_channels_first_is_taken_where_it_is_said_to_be_meant() -> None:
    assert of(np.zeros((10, 3, 8, 8)), shape=(3, 8, 8)).shape == (3, 8, 8)
    assert of(np.zeros((10, 3, 3, 3))).shape == (3, 3, 3)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"shape": (2, 2, 1)}, "shape must be .* of 6 inputs"),
        ({"labels": np.arange(3)}, "labels must be one for each of 2 classes"),
        ({"classes": -1}, "classes must be from 0"),
        ({"train_y": Y / 3}, "classes must be 0 for the float targets"),
        ({"train_y": Y / 3, "classes": 0, "labels": np.arange(2)}, "labels must be None"),
    ],
)
def test_fields_that_do_not_fit_are_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Dataset(**{"name": "own", "train_x": X, "train_y": Y, "test_x": X, "test_y": Y, "classes": 2, **fields})
