"""Reading MATLAB files, with SciPy."""

import pickle
import subprocess
import sys
from typing import Any

import numpy as np

__all__ = ["read_mat"]

_READER = """
import io, pickle, sys
from scipy.io import loadmat
found = loadmat(io.BytesIO(sys.stdin.buffer.read()), simplify_cells=True)
pickle.dump(found, sys.stdout.buffer)
"""
"""What another process runs: SciPy's reader ends its process at some damaged files."""


def read_mat(content: bytes) -> dict[str, Any]:
    """The variables in a .mat file by name: arrays without axes of length 1, numbers, texts, and dicts for structures.

    Raises ModuleNotFoundError without SciPy, and ValueError for anything but a whole .mat file.
    """
    try:
        import scipy.io  # noqa: F401
    except ImportError as error:
        raise ModuleNotFoundError("reading .mat needs the package scipy: pip install 'tikitaka[fit]'") from error
    if content[:4] == b"\x89HDF" or b"MATLAB 7.3" in content[:128]:
        raise ValueError("it is a MATLAB file of version 7.3: save it with save(…, '-v7')")
    done = subprocess.run([sys.executable, "-c", _READER], input=content, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise ValueError(f"it is not a valid .mat file: {said or 'its reader crashed'}")
    found = pickle.loads(done.stdout)
    return {name: _plain(value) for name, value in found.items() if not name.startswith("__")}


def _plain(value: Any) -> Any:
    """Arrays and numbers of structures, too."""
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, np.ndarray) and value.dtype == object:
        return [_plain(each) for each in value.ravel()]
    return value.item() if isinstance(value, np.generic) else value
