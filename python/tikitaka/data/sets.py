"""Data sets by name: the bundled digits, folders of four files in MNIST format, and texts."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tikitaka._internal.npz import read_npz
from tikitaka._internal.shown import listed, shown
from tikitaka.data.arrays import image_shape, inputs_of
from tikitaka.data.dataset import Dataset
from tikitaka.data.folders import FILES, find_set, holds_images, image_files, only_images_in
from tikitaka.data.idx import read_idx
from tikitaka.data.text import read_text, text_dataset
from tikitaka.data.vocabulary import Vocabulary

__all__ = ["bundled", "data_folder", "load"]

_BUNDLED = Path(__file__).parent / "bundled"

_FULL_SCALE = {"digits": 16.0}  # pixel value of a bundled set that becomes 1.0, if it is not 255

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
"""SHA-256 of the uncompressed content of the four files, in the order of `FILES`, if known."""

_TEXTS = (".txt", ".txt.gz")

_SHA256_OF_TEXT = {"war-and-peace": "b0fc81c399971eaf738c8be89809e6a0d95c151749112b04f06b6af648d8a39f"}
"""SHA-256 of the uncompressed text, if known."""


def data_folder(data_dir: str | Path | None = None) -> Path | None:
    """The folder of data sets: `data_dir`, else the environment variable TIKITAKA_DATA, else None."""
    chosen = data_dir or os.environ.get("TIKITAKA_DATA")
    return Path(chosen) if chosen else None


def load(
    name: str, data_dir: str | Path | None = None, sequence: int = 100, *, vocabulary: Vocabulary | None = None
) -> Dataset:
    """The data set `name`: the folder or text of that name in `data_folder(data_dir)`, or else the bundled "digits".

    A folder of grey images holds {train,t10k}-images-idx3-ubyte (examples, rows, columns) and
    {train,t10k}-labels-idx1-ubyte, each with or without .gz; one of colour images {train,t10k}-images-idx4-ubyte
    (examples, rows, columns, channels) in place of the first. Other case, a dot or an underscore for a hyphen, test for
    t10k, and the name of the set before it all (as EMNIST has) are allowed, and so are a single folder around the
    files, and the files of QMNIST (qmnist-train-labels-idx2-int, …) and KMNIST (kmnist-train-imgs.npz, …).
    Any other folder holds one text, *.txt or *.txt.gz; without a folder, the file `name`, `name`.txt or `name`.txt.gz
    is the text. A text becomes sequences of `sequence` characters, as `text_dataset` cuts them, in the codes of
    `vocabulary` if given; images ignore both.

    The content of `mnist` and `war-and-peace` is checked by SHA-256; others are checked for their format only. Raises
    FileNotFoundError if there is no such set or file and ValueError if a file is damaged or too short.

    >>> digits = load("digits")
    >>> digits.train_x.shape, digits.test_x.shape, digits.shape, digits.classes
    ((1442, 64), (355, 64), (8, 8, 1), 10)
    """
    path = _place(name, data_dir)
    if path.is_dir():
        path = only_images_in(path)
    if path.is_dir() and holds_images(path):
        return _images(name, path)
    content = read_text(_text_in(path) if path.is_dir() else path, _SHA256_OF_TEXT.get(name))
    return text_dataset(content, name=name, sequence=sequence, vocabulary=vocabulary)


def bundled(name: str) -> Dataset:
    """The bundled data set `name`, whatever folders of data sets hold."""
    return _images(name, _BUNDLED / name)


def _images(name: str, folder: Path) -> Dataset:
    """The images in a folder of four files."""
    own = name == "digits" and folder.parent != _BUNDLED  # it only has the name of the bundled set
    sums = (None,) * 4 if own else _SHA256.get(name, (None,) * 4)
    train_x, train_y, test_x, test_y = (
        _array(path, (3, 4) if dimensions == 3 else (dimensions,), sha)  # colour, whatever its name
        for (path, dimensions), sha in zip(image_files(folder, name), sums, strict=True)
    )
    # the first column of QMNIST's labels is the class
    train_y, test_y = (y[:, 0] if y.ndim == 2 and y.size else y for y in (train_y, test_y))
    for part, x, y in (("train", train_x, train_y), ("t10k", test_x, test_y)):
        if len(x) != len(y):
            raise ValueError(f"{folder}: {part} has {len(x):,} images but {len(y):,} labels")
        if x.size == 0:
            raise ValueError(f"{folder}: {part} is empty")
    if train_x.shape[1:] != test_x.shape[1:]:
        raise ValueError(f"{folder}: train images are {train_x.shape[1:]}, test images {test_x.shape[1:]}")
    try:
        shape = image_shape(train_x, None)
    except ValueError as error:
        raise ValueError(f"{folder}: images must have the channels last, not the shape {train_x.shape[1:]}") from error
    classes = int(train_y.max()) + 1
    missing = set(range(1, classes)) - set(train_y.tolist())  # some sets count from 1
    if missing:
        raise ValueError(f"{folder}: training labels go up to {classes - 1}, but there is no {min(missing)}")
    if int(test_y.max()) >= classes:
        raise ValueError(f"{folder}: test label {int(test_y.max())} is outside the training labels 0 to {classes - 1}")
    full_scale = 255.0 if own else _FULL_SCALE.get(name, 255.0)
    return Dataset(
        name=name,
        train_x=inputs_of("train images", train_x, full_scale),
        train_y=train_y.astype(np.int64),
        test_x=inputs_of("test images", test_x, full_scale),
        test_y=test_y.astype(np.int64),
        classes=classes,
        shape=shape,
    )


def _array(path: Path, ndim: tuple[int, ...], sha256: str | None) -> NDArray[np.integer[Any]]:
    """The one array in an IDX file, or in an .npz file."""
    if path.suffix.lower() != ".npz":
        return read_idx(path, ndim=ndim, sha256=sha256)
    arrays = list(read_npz(path).values())
    if len(arrays) != 1 or arrays[0].dtype != np.uint8 or arrays[0].ndim not in ndim:
        found = listed(f"{array.dtype} of shape {array.shape}" for array in arrays)
        raise ValueError(f"{path}: it must hold one array of uint8 and {ndim[0]} dimensions, not {found}")
    return arrays[0]


def _place(name: str, data_dir: str | Path | None) -> Path:
    """The folder or the text file called `name`."""
    if not name or Path(name).name != name or name in (".", ".."):
        raise ValueError(f"data set name must be the name of a folder or file, without slashes, not {shown(name)}")
    base = data_folder(data_dir)
    if base is not None and not base.is_dir():
        raise FileNotFoundError(f"{base}: no such folder of data sets")
    for path in [base / f"{name}{ending}" for ending in ("", *_TEXTS)] if base is not None else []:
        if path.is_file() or (path.is_dir() and path.name == name):
            return path
    if (_BUNDLED / name).is_dir():
        return _BUNDLED / name
    if base is None:
        raise FileNotFoundError(
            f"no data set {shown(name)} is bundled (digits is); "
            "name the folder of data sets by --data-dir, data_dir= or TIKITAKA_DATA"
        )
    if (found := find_set(base, name)) is not None:
        return found
    sets = sorted(entry.name for entry in base.iterdir() if entry.is_dir() or entry.name.endswith(_TEXTS))
    raise FileNotFoundError(f"no data set {shown(name)} in {base}: there are {listed(['digits', *sets])}")


def _text_in(folder: Path) -> Path:
    """The one text in a folder."""
    texts = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(_TEXTS) and entry.is_file())
    if not texts:
        names = listed(sorted(entry.name for entry in folder.iterdir())) or "nothing"
        raise FileNotFoundError(
            f"{folder}: neither images ({FILES[0]} and so on) nor a text (one *.txt or *.txt.gz); it holds {names}"
        )
    if len(texts) > 1:
        raise ValueError(f"{folder}: it must hold one text, not {len(texts)}: {listed(texts)}")
    return folder / texts[0]
