"""Reading MATLAB files, with SciPy."""

import io
from typing import Any

import numpy as np

__all__ = ["read_mat"]


def read_mat(content: bytes) -> dict[str, Any]:
    """The variables in a .mat file by name: arrays without axes of length 1, numbers, texts, and dicts for structures.

    Raises ModuleNotFoundError without SciPy, and ValueError for anything but a whole .mat file.
    """
    try:
        from scipy.io import loadmat
    except ImportError as error:
        raise ModuleNotFoundError("reading .mat needs the package scipy: pip install 'tikitaka[fit]'") from error
    if content[:4] == b"\x89HDF" or b"MATLAB 7.3" in content[:128]:
        raise ValueError("it is a MATLAB file of version 7.3: save it with save(…, '-v7')")
    try:
        found = loadmat(io.BytesIO(content), simplify_cells=True)
    except Exception as error:  # the reader raises whatever its parts raise
        raise ValueError(f"it is not a valid .mat file: {error}") from None
    return {name: _plain(value) for name, value in found.items() if not name.startswith("__")}


def _plain(value: Any) -> Any:
    """Arrays and numbers of structures, too."""
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, np.ndarray) and value.dtype == object:
        return [_plain(each) for each in value.ravel()]
    return value.item() if isinstance(value, np.generic) else value
