"""Reading the .npy and .npz files of NumPy, without running code or trusting their headers."""

import io
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["read_npy", "read_npz"]


def read_npz(path: str | Path) -> dict[str, NDArray[Any]]:
    """The arrays in a file by name; OSError if it cannot be read, ValueError for anything but a whole .npz file."""
    content = io.BytesIO(Path(path).read_bytes())
    try:
        # not np.load(path), which would accept other kinds of files, too
        with zipfile.ZipFile(content) as file:
            return {name.removesuffix(".npy"): _array(file.read(name)) for name in file.namelist()}
    except Exception as error:  # the readers of zip files and headers raise whatever their parts raise
        raise ValueError(f"{path} is not a valid .npz file: {error}") from error


def read_npy(content: bytes) -> NDArray[Any]:
    """The array in the content of an .npy file; ValueError for anything else."""
    try:
        return _array(content)
    except Exception as error:
        raise ValueError(f"it is not a valid .npy file: {error}") from error


def _array(content: bytes) -> NDArray[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about headers that Python 2 wrote, or that are damaged
        return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
