"""IDX files, valid and damaged; data sets by name; the bundled digits."""

import gzip
import hashlib
import struct
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from tikitaka.data import load, read_idx
from tikitaka.data.sets import _BUNDLED

compress = partial(gzip.compress, mtime=0)  # the same bytes, hence the same test names, in every process


def idx(array: np.ndarray, *, kind: int = 8, shape: tuple[int, ...] | None = None) -> bytes:
    shape = array.shape if shape is None else shape
    return bytes([0, 0, kind, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + array.astype(np.uint8).tobytes()


IMAGES = np.arange(5 * 2 * 3, dtype=np.uint8).reshape(5, 2, 3)
LABELS = np.array([0, 1, 2, 1, 0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tiny").mkdir()
    for part in ("train", "t10k"):
        (tmp_path / "tiny" / f"{part}-images-idx3-ubyte").write_bytes(idx(IMAGES))
        (tmp_path / "tiny" / f"{part}-labels-idx1-ubyte.gz").write_bytes(compress(idx(LABELS)))
    return tmp_path


@pytest.mark.parametrize("pack", [bytes, compress], ids=["plain", "gzip"])
def test_reads_what_was_written(tmp_path: Path, pack: type[bytes]) -> None:
    path = tmp_path / "images"
    path.write_bytes(pack(idx(IMAGES)))
    sha = hashlib.sha256(idx(IMAGES)).hexdigest()
    np.testing.assert_array_equal(read_idx(path, ndim=3, sha256=sha), IMAGES)


@pytest.mark.parametrize("pack", [bytes, compress], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not an IDX file"),
        (b"\x00\x00", "not an IDX file"),
        (b"PNG!" + idx(IMAGES), "not an IDX file"),
        (idx(IMAGES, kind=0x0D), "type 0x0d"),
        (idx(LABELS), "1 dimensions instead of 3"),
        (b"\x00\x00\x08\x00", "0 dimensions"),
        (idx(IMAGES)[:9], "inside its header"),
        (idx(IMAGES)[:-1], "truncated"),
        (idx(IMAGES) + b"\x00", "more data"),
        (idx(IMAGES, shape=(2**31, 2**15, 2**15)), "truncated"),
        (idx(IMAGES, shape=(2**32 - 1, 2**32 - 1, 2**32 - 1)), "truncated"),
    ],
)
def test_damaged_files_are_refused_by_name(tmp_path: Path, pack: type[bytes], content: bytes, words: str) -> None:
    path = tmp_path / "images-of-mine"
    path.write_bytes(pack(content))
    with pytest.raises(ValueError, match=words) as error:
        read_idx(path, ndim=3)
    assert str(error.value).startswith(str(path))


@pytest.mark.parametrize(
    "content",
    [
        compress(idx(IMAGES))[:-9],
        compress(idx(IMAGES))[:-8] + b"\x00" * 8,
        b"\x1f\x8b" + b"\xff" * 40,
        b"\x1f\x8b",
    ],
    ids=["truncated", "bad checksum", "bad header", "only magic"],
)
def test_damaged_gzip_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="gzip") as error:
        read_idx(path)
    assert str(error.value).startswith(str(path))


@pytest.mark.parametrize("ndim", [0, -1, 256, 1.0, "3", True, (), (1, "3"), np.array(np.nan), [3]])
def test_dimensions_are_whole_numbers(tmp_path: Path, ndim: Any) -> None:
    path = tmp_path / "images"
    path.write_bytes(idx(IMAGES))
    with pytest.raises((ValueError, TypeError), match="ndim must be "):
        read_idx(path, ndim=ndim)


def test_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "images"
    path.write_bytes(idx(IMAGES))
    with pytest.raises(ValueError, match="SHA-256"):
        read_idx(path, sha256="0" * 64)


def test_a_folder_is_a_data_set(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = load("tiny", folder)
    assert dataset.classes == 3
    assert dataset.inputs == 6
    assert dataset.train_x.dtype == np.float32
    np.testing.assert_allclose(dataset.train_x, IMAGES.reshape(5, 6) / 255, rtol=1e-6)
    np.testing.assert_array_equal(dataset.test_y, LABELS)
    monkeypatch.setenv("TIKITAKA_DATA", str(folder))
    assert load("tiny").classes == 3


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("train-images-idx3-ubyte", idx(IMAGES[:4]), "4 images but 5 labels"),
        ("t10k-images-idx3-ubyte", idx(IMAGES.reshape(5, 3, 2)), "train images are"),
        ("t10k-labels-idx1-ubyte", idx(LABELS + 3), "outside the training labels"),
        ("train-labels-idx1-ubyte.gz", compress(idx(LABELS * 100)), "there is no 1"),
        ("train-images-idx3-ubyte", idx(IMAGES[:0]), "0 images but 5 labels"),
    ],
)
def test_files_that_do_not_fit_together_are_refused(folder: Path, file: str, content: bytes, words: str) -> None:
    (folder / "tiny" / file).write_bytes(content)
    with pytest.raises(ValueError, match=words):
        load("tiny", folder)


def test_an_empty_set_is_refused(folder: Path) -> None:
    (folder / "tiny" / "train-images-idx3-ubyte").write_bytes(idx(IMAGES[:0]))
    (folder / "tiny" / "train-labels-idx1-ubyte").write_bytes(idx(LABELS[:0]))
    with pytest.raises(ValueError, match="empty"):
        load("tiny", folder)


def test_missing_things_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError, match="there are digits, tiny"):
        load("huge", folder)
    with pytest.raises(FileNotFoundError, match="no such folder of data sets"):
        load("tiny", folder / "elsewhere")
    (folder / "tiny" / "t10k-images-idx3-ubyte").unlink()
    with pytest.raises(FileNotFoundError, match="t10k-images-idx3-ubyte or"):
        load("tiny", folder)
    monkeypatch.delenv("TIKITAKA_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match="TIKITAKA_DATA"):
        load("tiny")
    with pytest.raises(ValueError, match="slashes"):
        load("../tiny", folder)


def test_content_that_is_not_mnist_is_refused_under_its_name(folder: Path) -> None:
    (folder / "tiny").rename(folder / "mnist")
    with pytest.raises(ValueError, match="SHA-256"):
        load("mnist", folder)


def test_digits_are_whole_scaled_and_split_within_classes() -> None:
    digits = load("digits")
    assert (digits.inputs, digits.classes) == (64, 10)
    assert (len(digits.train_y), len(digits.test_y)) == (1442, 355)
    for x in (digits.train_x, digits.test_x):
        assert x.min() == 0
        assert x.max() == 1
    shares = np.bincount(digits.test_y) / (np.bincount(digits.test_y) + np.bincount(digits.train_y))
    assert np.all(np.abs(shares - 0.2) < 0.01)
    assert "CC BY 4.0" in (_BUNDLED / "digits" / "ATTRIBUTION.txt").read_text(encoding="utf-8")


def test_parts_of_a_set() -> None:
    digits = load("digits")
    assert len(digits.first(10).train_y) == 10
    assert len(digits.first(None).train_y) == 1442
    held = digits.holdout(200)
    np.testing.assert_array_equal(held.test_x, digits.train_x[-200:])
    assert len(held.train_y) == 1242
    for bad in (0, 1443):
        with pytest.raises(ValueError, match="examples"):
            digits.first(bad)
        with pytest.raises(ValueError, match="examples"):
            digits.holdout(bad)


def test_downloads_are_refused_for_unknown_names(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mnist, fashion-mnist"):
        tt.data.download("digits", tmp_path)
