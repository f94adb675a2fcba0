"""Models on disk: .safetensors or .npz, versioned, with a checksum, written completely or not at all.

Both formats hold the arrays "0", "1", … and a header of strings: format, version, layers, loss, metadata (layers and
metadata as JSON) and the SHA-256 of all of these and the arrays. In .npz the header is JSON in UTF-8, as uint8.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tikitaka import _core, nn
from tikitaka._internal.atomic_write import atomic_write, replacing
from tikitaka._internal.checksum import verify, with_checksum
from tikitaka._internal.npz import read_npz
from tikitaka._internal.shown import listed, shortened, shown
from tikitaka.config import from_dict

__all__ = ["VERSION", "Content", "endings", "read", "write"]

F32 = NDArray[np.float32]

VERSION = 1
"""version of the format that `write` writes and `read` reads"""

endings = (".safetensors", ".npz")
"""Endings of model files."""

_FORMAT = "tikitaka-model"
_HEADER = "header"  # the name of the header among the arrays of a .npz file


@dataclass(frozen=True)
class Content:
    """The content of a file."""

    layers: tuple[nn.Layer, ...]
    """layer descriptions"""
    weights: tuple[F32, ...]
    """one array per layer with an array"""
    loss: str
    """name of the loss"""
    metadata: Mapping[str, Any]
    """plain values"""


def write(path: str | Path, content: Content) -> None:
    """Write `content`; OSError when that fails, ValueError for an ending that is not in `endings`."""
    ending = _ending(path)
    arrays = {str(k): w for k, w in enumerate(content.weights)}
    header = {
        "layers": json.dumps([asdict(layer) for layer in content.layers]),  # type: ignore[call-overload]
        "loss": content.loss,
        "metadata": json.dumps(dict(content.metadata), allow_nan=False),
    }
    header = with_checksum(header, arrays, format=_FORMAT, version=VERSION)
    if ending == ".safetensors":
        with replacing(path) as part:
            _core.save_tensors(str(part), arrays, header)
        return
    file = io.BytesIO()
    np.savez(
        file, allow_pickle=False, **{_HEADER: np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)}, **arrays
    )
    atomic_write(path, file.getvalue())


def read(path: str | Path) -> Content:
    """The content of a file; OSError if it cannot be read, ValueError if it is damaged or of another version."""
    ending = _ending(path)
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such file")
    arrays, header = _core.load_tensors(str(path)) if ending == ".safetensors" else _read_npz(path)
    verify(path, header, arrays, format=_FORMAT, version=VERSION, what="model")
    if sorted(arrays) != sorted(str(k) for k in range(len(arrays))):
        raise ValueError(f"{path}: its arrays must be named 0, 1, …, not {listed(sorted(arrays))}")
    try:
        layers = tuple(_layer(layer) for layer in json.loads(header["layers"]))
        return Content(layers, tuple(arrays[str(k)] for k in range(len(arrays))), header["loss"], _metadata(header))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


def _ending(path: str | Path) -> str:
    ending = Path(path).suffix
    if ending not in endings:
        raise ValueError(shortened(f"{path} must end in {' or '.join(endings)}"))
    return ending


def _read_npz(path: str | Path) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    arrays = read_npz(path)
    try:
        header = json.loads(arrays.pop(_HEADER).tobytes())
        if not all(isinstance(value, str) for value in header.values()):
            raise ValueError("its header must contain nothing but strings")
    except (KeyError, AttributeError, ValueError) as error:
        raise ValueError(f"{path} is not a model of tikitaka: {error}") from error
    return arrays, header


def _layer(values: Any) -> nn.Layer:
    if not isinstance(values, Mapping):
        raise ValueError(f"a layer must be a table of fields, not {shown(values)}")
    kind = values.get("kind")
    if kind not in nn.kinds:
        raise ValueError(f"kind of a layer must be one of {', '.join(nn.kinds)}, not {shown(kind)}")
    return from_dict(nn.kinds[kind], values)


def _metadata(header: Mapping[str, str]) -> dict[str, Any]:
    metadata = json.loads(header["metadata"])
    if not isinstance(metadata, dict):
        raise ValueError(f"metadata must be a table of fields, not {shown(metadata)}")
    return metadata
