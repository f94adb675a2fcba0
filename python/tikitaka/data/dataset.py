"""What networks are trained and tested on."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tikitaka.checked import check_kind
from tikitaka.data.vocabulary import Vocabulary

__all__ = ["Dataset"]

Values = NDArray[Any]  # float32 or int64, as the kind of set has it
I64 = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Examples with their targets, in a training and a test part.

    An example is an image, and its target the image's class; or it is a sequence of characters of a text, and its
    targets are the characters that follow each of them. Raises TypeError for what is no array.
    """

    name: str
    """name of the set"""
    train_x: Values
    """images: float32 (examples, pixels), 0 to 1; text: int64 codes (examples, characters), in the order of the text"""
    train_y: I64
    """images: (examples,), class of each, from 0; text: (examples, characters), code of each next character"""
    test_x: Values
    """like `train_x`"""
    test_y: I64
    """like `train_y`"""
    classes: int
    """number of classes; of a text the size of its vocabulary"""
    vocabulary: Vocabulary | None = None
    """characters by code; None for images"""

    def __post_init__(self) -> None:
        for name in ("train_x", "train_y", "test_x", "test_y"):
            check_kind(name, getattr(self, name), np.ndarray)

    @property
    def inputs(self) -> int:
        """Pixels per image, or the size of the vocabulary."""
        return int(self.train_x.shape[1]) if self.vocabulary is None else len(self.vocabulary)

    @property
    def steps(self) -> int:
        """Targets per example: 1 for an image, the characters of a sequence of text."""
        return 1 if self.train_y.ndim == 1 else int(self.train_y.shape[1])

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all examples and targets: equal where a training on it gives the same bits."""
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
