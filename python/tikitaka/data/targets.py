"""Targets from users: labels of any kind become classes 0 to n − 1, values of a regression float32."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tikitaka._internal.shown import shown
from tikitaka.data.arrays import inputs_of

__all__ = ["Encoding", "Task"]

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]

Task = Literal["classification", "regression"]

_KINDS = {"U": "strings", "S": "bytes"}
_FEW = 20  # up to this many different whole numbers are labels, however few examples there are


@dataclass(frozen=True)
class Encoding:
    """The conversion of targets for training: determined from the training part and applied to both parts."""

    task: Task
    """what the targets are for"""
    labels: NDArray[Any] | None
    """the label of each class, sorted; None for a regression"""
    columns: int | None = None
    """length of each target: of a one-hot row or of the values of a regression; None for plain labels"""

    @classmethod
    def of(cls, y: NDArray[Any], task: Task | None) -> "Encoding":
        """The encoding of the targets `y` (examples,) or (examples, m); without a `task`, their values decide it.

        Strings, booleans, whole numbers and one-hot rows are classes, numbers that are not whole a regression. Raises
        ValueError for targets that do not suit the `task` and for ambiguous ones.
        """
        if y.ndim > 2:
            raise ValueError(f"y must have the shape (examples,) or (examples, values), not {y.shape}")
        y = _squeezed(y)
        text, all_whole = y.dtype.kind in "US", _whole(y)
        if task == "regression" or (task is None and not text and not all_whole):
            if text:
                raise ValueError(f"y must hold numbers for a regression, not strings such as {shown(str(y.flat[0]))}")
            return cls("regression", None, 1 if y.ndim == 1 else y.shape[1])
        if not text and not all_whole:
            odd = y[y != np.floor(y)].flat[0]
            raise ValueError(f"y must hold strings, booleans or whole numbers for a classification, not {odd}")
        if y.ndim == 2:
            _check_one_hot("y", y, task)
            return cls("classification", np.arange(y.shape[1]), y.shape[1])
        labels = np.unique(y)
        if len(labels) < 2:
            raise ValueError(f"y must hold at least two classes, not only {_shown(labels[0])}")
        if task is None and not text and len(labels) > max(_FEW, len(y) // 2):
            raise ValueError(
                f"y holds {len(labels):,} different whole numbers in {len(y):,} examples, which may be labels or "
                'values: pass task="classification" or task="regression"'
            )
        return cls("classification", labels.astype(labels.dtype.newbyteorder("=")))

    def encode(self, name: str, y: NDArray[Any], hint: str = "") -> I64 | F32:
        """The targets `y` in this encoding: classes (examples,), or float32 values (examples, m).

        Raises ValueError, beginning with `name`, for targets of another kind or shape and, ending with `hint`, for
        unknown labels.
        """
        y = _squeezed(y)
        if self.labels is None:
            if y.dtype.kind in "US":
                raise ValueError(f"{name} must hold numbers, not strings such as {shown(str(y.flat[0]))}")
            if y.ndim > 2 or (1 if y.ndim == 1 else y.shape[1]) != self.columns:
                raise ValueError(f"{name} must have {self.columns} values per example, not shape {y.shape}")
            return inputs_of(name, y)
        if self.columns is not None:
            if y.ndim != 2 or y.shape[1] != self.columns:
                raise ValueError(f"{name} must have one-hot rows of {self.columns}, not shape {y.shape}")
            _check_one_hot(name, y, self.task)
            return np.asarray(y.argmax(axis=1), dtype=np.int64)
        if y.ndim != 1:
            raise ValueError(f"{name} must hold one label per example, not shape {y.shape}")
        expected, actual = (_KINDS.get(each.dtype.kind, "numbers") for each in (self.labels, y))
        if expected != actual:
            raise ValueError(f"{name} must hold {expected}, like the training part, not {actual}")
        codes = np.minimum(np.searchsorted(self.labels, y), len(self.labels) - 1)
        unknown = np.flatnonzero(self.labels[codes] != y)
        if unknown.size:
            raise ValueError(f"{name} must hold labels of the training part only, not {_shown(y[unknown[0]])}{hint}")
        return codes.astype(np.int64)


def _squeezed(y: NDArray[Any]) -> NDArray[Any]:
    """A column (examples, 1) as (examples,)."""
    return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y


def _whole(y: NDArray[Any]) -> bool:
    return y.dtype.kind in "biu" or (y.dtype.kind == "f" and bool((y == np.floor(y)).all()))


def _check_one_hot(name: str, y: NDArray[Any], task: Task | None) -> None:
    """Raise ValueError if a row of `y` is not a single 1 among zeros."""
    one_hot = np.zeros(len(y), dtype=bool)
    if y.dtype.kind not in "US":
        one_hot = ((y == 0) | (y == 1)).all(axis=1) & (y.sum(axis=1) == 1)
    if not one_hot.all():
        first = int(np.flatnonzero(~one_hot)[0])
        row = np.array2string(y[first], threshold=8, separator=", ")
        ask = task is None and y.dtype.kind not in "US"
        hint = '; for values to predict, pass task="regression"' if ask else ""
        raise ValueError(f"{name} must have one-hot rows, a single 1 among zeros, not {row} (example {first:,}){hint}")


def _shown(label: Any) -> str:
    return shown(label.item() if isinstance(label, np.generic) else label)
