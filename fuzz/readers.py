"""What is fuzzed of the readers in Python, for the fuzzer and for the test that replays its corpus.

    python fuzz/readers.py idx|text|model|pulses [FOLDERS and options of libFuzzer]

Whatever bytes a file holds, it is read, or ValueError is raised with the name of the file.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path


def idx(content: bytes) -> None:
    """A file of images or classes."""
    from tikitaka.data.idx import read_idx

    _read(content, "file", lambda path: read_idx(path))


def text(content: bytes) -> None:
    """A text, cut into sequences."""
    from tikitaka.data.text import read_text, text_dataset

    _read(content, "file.txt", lambda path: text_dataset(read_text(path), name=str(path), sequence=3))


def model(content: bytes) -> None:
    """A model, of either format."""
    from tikitaka.model import Model

    for ending in ("npz", "safetensors"):
        _read(content, f"file.{ending}", Model.load)


def pulses(content: bytes) -> None:
    """Measured pulses, as text, JSON or arrays."""
    from tikitaka.measurement import read_measured

    ending = {b"\x93NUMPY": "npy", b"PK\x03\x04": "npz", b"{": "json", b"[": "json"}
    name = next((each for start, each in ending.items() if content.startswith(start)), "csv")
    _read(content, f"file.{name}", read_measured)


def _read(content: bytes, name: str, reader: Callable[[Path], object]) -> None:
    with tempfile.TemporaryDirectory(dir=_MEMORY) as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            reader(path)
        except ValueError as error:
            if str(path) not in str(error):
                raise AssertionError(f"no name of the file in: {error}") from error


_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None

targets = {"idx": idx, "text": text, "model": model, "pulses": pulses}


if __name__ == "__main__":
    import atheris

    with atheris.instrument_imports(include=["tikitaka"]):
        import tikitaka  # noqa: F401

    atheris.Setup([sys.argv[0], *sys.argv[2:]], targets[sys.argv[1]])
    atheris.Fuzz()
