"""Data sets: the examples and targets that networks are trained and tested on."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tikitaka._internal.shown import shown
from tikitaka._internal.validation import check_int, check_kind, one_of
from tikitaka.data.arrays import array_of, check_examples, check_labelled, full_scale_of, image_shape, inputs_of, split
from tikitaka.data.targets import Encoding, Task
from tikitaka.data.vocabulary import Vocabulary

__all__ = ["Dataset"]

Values = NDArray[Any]  # float32 or int64, as the kind of set has it


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Examples with their targets, in a training and a test part.

    An example is a vector of numbers, such as an image, and its target its class or the values of a
    regression; or it is a sequence of characters of a text, and its targets are the characters that follow each of
    them. `from_arrays` makes a data set from your own arrays.

    Raises TypeError for fields of other types, and ValueError if shape, classes or labels do not fit the examples.
    """

    name: str
    """name of the set"""
    train_x: Values
    """vectors: float32 (examples, inputs), images row-major, the channels of a pixel together; text: int64 codes
    (examples, characters), in the order of the text"""
    train_y: Values
    """classes: int64 (examples,), from 0; a regression: float32 (examples, values); text: int64 (examples, characters),
    code of each next character"""
    test_x: Values
    """like `train_x`"""
    test_y: Values
    """like `train_y`"""
    classes: int
    """number of classes; of a text the size of its vocabulary, of a regression 0"""
    vocabulary: Vocabulary | None = None
    """characters by code; None for other data"""
    shape: tuple[int, int, int] | None = None
    """rows, columns and channels of images; None for other data"""
    labels: NDArray[Any] | None = None
    """label of each class (classes,), so that `labels[network.predict(x)]` are the predicted labels (by default 0, 1,
    …); None for text and for a regression"""

    def __post_init__(self) -> None:
        for name in ("train_x", "train_y", "test_x", "test_y"):
            check_kind(name, getattr(self, name), np.ndarray)
        check_int("classes", self.classes, 0, 10_000_000)
        if self.shape is not None:
            check_kind("shape", self.shape, tuple)
            if len(self.shape) != 3 or math.prod(self.shape) != self.inputs:
                raise ValueError(
                    f"shape must be (rows, columns, channels) of {self.inputs} inputs, not {shown(self.shape)}"
                )
        if self.task == "regression" or self.vocabulary is not None:
            if self.labels is not None:
                raise ValueError("labels must be None for a text and for a regression")
            if self.task == "regression" and self.classes != 0:
                raise ValueError(f"classes must be 0 for the float targets of a regression, not {self.classes}")
        elif self.labels is None:
            object.__setattr__(self, "labels", np.arange(self.classes))
        else:
            check_kind("labels", self.labels, np.ndarray)
            if self.labels.shape != (self.classes,):
                raise ValueError(f"labels must be one for each of {self.classes} classes, not {self.labels.shape}")

    def __repr__(self) -> str:
        sizes = f"{len(self.train_y):,} training and {len(self.test_y):,} test examples of {self.inputs} inputs"
        return (
            f"Dataset({self.name!r}, {sizes}, {self.outputs} {'outputs' if self.task == 'regression' else 'classes'})"
        )

    @classmethod
    def from_arrays(
        cls,
        x: ArrayLike,
        y: ArrayLike,
        *,
        test: tuple[ArrayLike, ArrayLike] | None = None,
        test_share: float | None = None,
        seed: int = 0,
        task: Task | None = None,
        shape: Sequence[int] | None = None,
        full_scale: float | None = None,
        name: str = "arrays",
    ) -> Self:
        """A data set from your own data: NumPy arrays, pandas columns, lists, or anything else with `__array__`.

        `x` is (examples, inputs), (examples,) for a single input, (examples, rows, columns) for grey images or
        (examples, rows, columns, channels) for others; for flattened images, pass `shape` = (rows, columns) or
        (rows, columns, channels). Values become float32 and are divided by `full_scale`: by default 255 for images
        of uint8, so that they are from 0 to 1, and 1 for anything else; `full_scale=1` keeps images as they are.

        `y` decides the `task`, unless it is given. Strings, booleans, whole numbers (negative, with gaps, as floats)
        and one-hot rows are labels of a classification; `labels` keeps them, sorted, by class. Numbers that are not
        whole, (examples,) or (examples, values), are targets of a regression.

        `test` is the test part, (x, y). Without it, `test_share` of the examples (by default 0.2), drawn by `seed` (0
        to 2⁶⁴ − 1), are the test part, and the others come in the same random order. The draw is a pure function of
        (number of examples, share, seed).

        Raises TypeError for anything but numbers (or labels): objects, dates, complex numbers, masked arrays, sparse
        matrices. Raises ValueError for numbers that are not finite, shapes and lengths that do not fit, an empty part,
        test labels that the training part lacks, rows that are not one-hot, and ambiguous targets: many
        different whole numbers, which may be labels or values, need a `task`, and columns of pandas that have the same
        index in another order must be aligned.

        >>> import tikitaka as tt
        >>> x = [[0.1, 0.9], [0.8, 0.3], [0.2, 0.7], [0.9, 0.1]]
        >>> pets = tt.data.Dataset.from_arrays(x, ["cat", "dog", "cat", "dog"], test=(x[:2], ["cat", "dog"]))
        >>> pets.train_y.tolist(), pets.labels.tolist()
        ([0, 1, 0, 1], ['cat', 'dog'])
        """
        check_kind("name", name, str)
        if task is not None:
            one_of("task", task, get_args(Task))
        inputs, targets = array_of("x", x), array_of("y", y, labels=True)
        check_examples("", inputs, targets)
        check_labelled("", x, y)
        images = image_shape(inputs, shape)
        scale = full_scale_of(inputs, images, full_scale)
        if test is not None:
            test_name, hint = "test y", ""
            if test_share is not None:
                raise ValueError("test and test_share must not both be given")
            if not isinstance(test, tuple | list) or len(test) != 2:
                raise TypeError(f"test must be a pair (x, y), not {type(test).__name__}")
            test_inputs, test_targets = array_of("test x", test[0]), array_of("test y", test[1], labels=True)
            check_examples("test", test_inputs, test_targets)
            check_labelled("test", *test)
            if test_inputs.shape[1:] != inputs.shape[1:]:
                raise ValueError(f"test x must have examples of shape {inputs.shape[1:]}, not {test_inputs.shape[1:]}")
            if full_scale is None and scale != full_scale_of(test_inputs, images, None):
                raise ValueError(
                    f"test x must have the type of x, {inputs.dtype}, not {test_inputs.dtype}, "
                    "or pass full_scale: only images of type uint8 are divided by 255 by default"
                )
        else:
            test_name, hint = "the test part of y", ": pass test, or another seed"
            train_index, test_index = split(len(inputs), 0.2 if test_share is None else test_share, seed)
            # decided by all of y, because a random part of it may happen to contain whole numbers only
            task = Encoding.of(targets, task).task
            inputs, test_inputs = inputs[train_index], inputs[test_index]
            targets, test_targets = targets[train_index], targets[test_index]
        encoding = Encoding.of(targets, task)
        return cls(
            name,
            inputs_of("x", inputs, scale),
            encoding.encode("y", targets),
            inputs_of("test x", test_inputs, scale),
            encoding.encode(test_name, test_targets, hint),
            classes=0 if encoding.labels is None else len(encoding.labels),
            shape=images,
            labels=encoding.labels,
        )

    @property
    def task(self) -> Task:
        """What the targets are for: "regression" if they are floats, else "classification", also for text."""
        return "regression" if self.train_y.dtype.kind == "f" else "classification"

    @property
    def inputs(self) -> int:
        """Values per example (of images: pixels × channels), or the size of the vocabulary."""
        return int(self.train_x.shape[-1]) if self.vocabulary is None else len(self.vocabulary)

    @property
    def outputs(self) -> int:
        """Outputs of a network for this data: one for each class, or for each value of a regression."""
        return int(self.train_y.shape[-1]) if self.task == "regression" else int(self.classes)

    @property
    def sequences(self) -> bool:
        """Whether an example is a sequence, with a target for each time step."""
        return self.train_y.ndim == (3 if self.task == "regression" else 2)

    @property
    def time_steps(self) -> int:
        """Targets per example: 1 for a vector, the characters of a sequence of text."""
        return int(self.train_y.shape[1]) if self.sequences else 1

    @property
    def digest(self) -> str:
        """SHA-256 of all examples and targets as they are now; data sets with the same digest give trainings with the
        same bits."""
        sha = hashlib.sha256()
        for part in (self.train_x, self.train_y, self.test_x, self.test_y):
            sha.update(f"{part.dtype.str} {part.shape}".encode())
            sha.update(np.ascontiguousarray(part).data)
        return sha.hexdigest()

    def first(self, examples: int | None) -> Self:
        """The same set with the first `examples` training examples only (None: all); ValueError if there are fewer."""
        if examples is None:
            return self
        check_kind("examples", examples, Integral)
        if not 1 <= examples <= len(self.train_y):
            raise ValueError(f"examples must be from 1 to {len(self.train_y):,} for {self.name}, not {examples:,}")
        return replace(self, train_x=self.train_x[:examples], train_y=self.train_y[:examples])

    def holdout(self, examples: int) -> Self:
        """The last `examples` training examples in place of the test part, to tune on; ValueError if none are left."""
        check_kind("examples", examples, Integral)
        if not 1 <= examples < len(self.train_y):
            raise ValueError(f"examples must be from 1 to {len(self.train_y) - 1:,} for {self.name}, not {examples:,}")
        x, y = self.train_x, self.train_y
        return replace(self, train_x=x[:-examples], train_y=y[:-examples], test_x=x[-examples:], test_y=y[-examples:])
