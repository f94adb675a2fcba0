"""The files of image sets in folders: MNIST's names, and those that people and programs make of them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tikitaka._internal.shown import listed

__all__ = ["FILES", "find_set", "holds_images", "image_files", "only_images_in"]

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
"""MNIST's names of the four files."""

# SET-train-images-idx3-ubyte.gz in any case; 7-Zip writes train-images.idx3-ubyte, EMNIST has test instead of t10k,
# QMNIST labels-idx2-int, KMNIST train-imgs.npz, and a browser "ubyte (1).gz" for a second download
_NAME = re.compile(
    r"(?P<set>.*?)(?P<part>train|t10k|test)[-_. ](?P<what>images|imgs|labels)"
    r"([-_. ]idx(?P<dimensions>\d)([-_. ](ubyte|int))?( \(\d+\))?(\.gz)?|\.npz)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _File:
    """A file of a set."""

    path: Path
    set: str
    """name of the set in the name of the file, in lower case; "" if there is none"""
    kind: str
    """"train-images", "train-labels", "t10k-images" or "t10k-labels\""""
    dimensions: int
    """dimensions of its array, by its name; 3 for images in .npz, which may be colour images, too"""


def image_files(folder: Path, name: str) -> Iterator[tuple[Path, int]]:
    """The four files of the set `name` in `folder`, in the order of `FILES`, with the dimensions that their names say.

    Raises ValueError if the folder holds several sets and none is called `name`, or both grey and colour images, and
    FileNotFoundError when it comes to a file that is missing.
    """
    files = list(_files(folder))
    sets = sorted({file.set for file in files})
    chosen = name.lower() if name.lower() in sets else "" if "" in sets or not sets else sets[0]
    if chosen not in (name.lower(), "") and len(sets) > 1:
        raise ValueError(f"{folder}: it holds {len(sets)} sets, load one of them by its name: {listed(sets)}")
    files = [file for file in files if file.set == chosen]
    images = [file for file in files if file.kind.endswith("images")]
    if len({file.dimensions for file in images}) > 1:
        names = listed(sorted(file.path.name for file in images))
        raise ValueError(f"{folder}: it must hold grey images or colour images, not both: {names}")
    for wanted in FILES:
        found = [file for file in files if wanted.startswith(file.kind)]
        if not found:
            missing = f"{chosen}-{wanted}" if chosen else wanted
            missing = missing.replace("idx3", f"idx{images[0].dimensions}") if images else missing
            raise FileNotFoundError(f"{folder}: {missing} or {missing}.gz is missing")
        best = min(found, key=_preference)
        yield best.path, best.dimensions


def holds_images(folder: Path) -> bool:
    """Whether a folder contains files of images, complete or not."""
    return any("ubyte" in entry.name.lower() or _NAME.fullmatch(entry.name) for entry in folder.iterdir())


def find_set(base: Path, name: str) -> Path | None:
    """The folder in `base`, or `base` itself, whose files are those of a set called `name`; None without one.

    That is a folder called `name` in another case, or the one that holds files such as NAME-train-images-idx3-ubyte.
    """
    folders = sorted(entry for entry in base.iterdir() if entry.is_dir())
    alike = [folder for folder in folders if folder.name.lower() == name.lower()]
    if len(alike) == 1:
        return alike[0]
    places = [base, *folders, *(inner for folder in folders if (inner := only_images_in(folder)) != folder)]
    return next((place for place in places if any(file.set == name.lower() for file in _files(place))), None)


def only_images_in(folder: Path) -> Path:
    """The one subfolder that holds images, such as torchvision's `raw`, if `folder` itself does not; else `folder`."""
    if holds_images(folder):
        return folder
    inner = [entry for entry in folder.iterdir() if entry.is_dir() and holds_images(entry)]
    return inner[0] if len(inner) == 1 else folder


def _files(folder: Path) -> Iterator[_File]:
    for entry in sorted(folder.iterdir()):
        match = _NAME.fullmatch(entry.name)
        if match is None:
            continue
        # some unpackers make a folder of the file's name around it
        for path in [entry] if entry.is_file() else sorted(entry.iterdir()):
            if path.is_file() and _NAME.fullmatch(path.name):
                part = "train" if match["part"].lower() == "train" else "t10k"
                what = "labels" if match["what"].lower() == "labels" else "images"
                dimensions = int(match["dimensions"] or (3 if what == "images" else 1))
                yield _File(path, match["set"].strip("-_. ").lower(), f"{part}-{what}", dimensions)


def _preference(file: _File) -> tuple[bool, bool, str]:
    """Plain files before compressed ones, MNIST's names before others."""
    name = file.path.name
    return name.lower().endswith(".gz"), name.removesuffix(".gz") not in FILES, name
