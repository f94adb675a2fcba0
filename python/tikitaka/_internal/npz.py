"""Reading the .npz files of NumPy, without running code or trusting their headers."""

import io
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["read_npz"]


def read_npz(path: str | Path) -> dict[str, NDArray[Any]]:
    """The arrays in a file by name; OSError if it cannot be read, ValueError for anything but a whole .npz file."""
    content = io.BytesIO(Path(path).read_bytes())
    try:
        # not np.load(path), which would accept other kinds of files, too
        with zipfile.ZipFile(content) as file:
            return {
                name.removesuffix(".npy"): np.lib.format.read_array(io.BytesIO(file.read(name)), allow_pickle=False)
                for name in file.namelist()
            }
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, MemoryError, ValueError) as error:
        raise ValueError(f"{path} is not a valid .npz file: {error}") from error
