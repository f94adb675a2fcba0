"""Data sets by name: folders of four files in MNIST format, and the bundled digits."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tikitaka.data.idx import read_idx

__all__ = ["Dataset", "data_folder", "load"]

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]

_BUNDLED = Path(__file__).parent / "bundled"
_IMAGES, _LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"
_FILES = tuple(f"{part}-{kind}" for part in ("train", "t10k") for kind in (_IMAGES, _LABELS))

_WHITE = {"digits": 16}  # pixel value that becomes 1.0, where it is not 255

_SHA256 = {
    "digits": (
        "6c79919002e3ed11143953d311140d576ca9ddd7c446e4f6b3f180db3f338586",
        "997d8237ea59870b42f811eaad3e13914b38ab6a9a5e9ad6affdff0f34e7cfdc",
        "88da4b2d933ed942b8ea93f24d8e589c9c9c227961c9f5667c8e9f8f818b642b",
        "6ff66f7ef309c514bc431118f706c8249a50930d6256e9191340a2d710351535",
    ),
    "mnist": (
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
}
"""SHA-256 of the uncompressed content of the four files, in the order of `_FILES`, where it is known."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and their classes, in a training and a test part."""

    name: str
    """name of the set"""
    train_x: F32
    """(examples, pixels), 0 to 1"""
    train_y: I64
    """(examples,), class of each example, from 0"""
    test_x: F32
    """(examples, pixels), 0 to 1"""
    test_y: I64
    """(examples,), class of each example, from 0"""
    classes: int
    """number of classes"""

    @property
    def inputs(self) -> int:
        """Pixels per image."""
        return int(self.train_x.shape[1])

    def first(self, examples: int | None) -> Self:
        """The same set with the first `examples` training examples only (None: all); ValueError if there are fewer."""
        if examples is None:
            return self
        if not 1 <= examples <= len(self.train_y):
            raise ValueError(f"examples must be from 1 to {len(self.train_y):,} for {self.name}, not {examples:,}")
        return replace(self, train_x=self.train_x[:examples], train_y=self.train_y[:examples])

    def holdout(self, examples: int) -> Self:
        """The last `examples` training examples in place of the test part, to tune on; ValueError if none are left."""
        if not 1 <= examples < len(self.train_y):
            raise ValueError(f"examples must be from 1 to {len(self.train_y) - 1:,} for {self.name}, not {examples:,}")
        x, y = self.train_x, self.train_y
        return replace(self, train_x=x[:-examples], train_y=y[:-examples], test_x=x[-examples:], test_y=y[-examples:])


def data_folder(data_dir: str | Path | None = None) -> Path | None:
    """The folder of data sets: `data_dir`, else the environment variable TIKITAKA_DATA, else None."""
    chosen = data_dir or os.environ.get("TIKITAKA_DATA")
    return Path(chosen) if chosen else None


def load(name: str, data_dir: str | Path | None = None) -> Dataset:
    """The data set `name`: "digits" (bundled), or the folder of that name in `data_folder(data_dir)`.

    A folder holds {train,t10k}-images-idx3-ubyte and {train,t10k}-labels-idx1-ubyte, each with or without .gz.
    The content of `mnist` is checked by SHA-256; other folders are checked for form alone. Raises
    FileNotFoundError when there is no such set or file and ValueError when a file is damaged.
    """
    folder = _folder(name, data_dir)
    sums = _SHA256.get(name, (None,) * 4)
    train_x, train_y, test_x, test_y = (
        read_idx(_file(folder, file), ndim=3 if _IMAGES in file else 1, sha256=sha)
        for file, sha in zip(_FILES, sums, strict=True)
    )
    for part, x, y in (("train", train_x, train_y), ("t10k", test_x, test_y)):
        if len(x) != len(y):
            raise ValueError(f"{folder}: {part} has {len(x):,} images but {len(y):,} labels")
        if x.size == 0:
            raise ValueError(f"{folder}: {part} is empty")
    if train_x.shape[1:] != test_x.shape[1:]:
        raise ValueError(f"{folder}: train images are {train_x.shape[1:]}, test images {test_x.shape[1:]}")
    classes = int(train_y.max()) + 1
    missing = set(range(1, classes)) - set(train_y.tolist())  # some sets count from 1
    if missing:
        raise ValueError(f"{folder}: training labels go up to {classes - 1}, but there is no {min(missing)}")
    if int(test_y.max()) >= classes:
        raise ValueError(f"{folder}: test label {int(test_y.max())} is outside the training labels 0 to {classes - 1}")
    white = np.float32(_WHITE.get(name, 255))
    return Dataset(
        name=name,
        train_x=train_x.reshape(len(train_x), -1).astype(np.float32) / white,
        train_y=train_y.astype(np.int64),
        test_x=test_x.reshape(len(test_x), -1).astype(np.float32) / white,
        test_y=test_y.astype(np.int64),
        classes=classes,
    )


def _folder(name: str, data_dir: str | Path | None) -> Path:
    if not name or Path(name).name != name or name in (".", ".."):
        raise ValueError(f"data set name must be the name of a folder, without slashes, not {name!r}")
    if (_BUNDLED / name).is_dir():
        return _BUNDLED / name
    base = data_folder(data_dir)
    if base is None:
        raise FileNotFoundError(
            f"no data set {name!r} is bundled (digits is); "
            "name the folder of data sets by --data-dir, data_dir= or TIKITAKA_DATA"
        )
    if not base.is_dir():
        raise FileNotFoundError(f"{base}: no such folder of data sets")
    if not (base / name).is_dir():
        there = ", ".join(["digits", *sorted(entry.name for entry in base.iterdir() if entry.is_dir())])
        raise FileNotFoundError(f"no data set {name!r} in {base}: there are {there}")
    return base / name


def _file(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise FileNotFoundError(f"{folder}: {name} or {name}.gz is missing")
