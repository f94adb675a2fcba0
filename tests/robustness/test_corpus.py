"""Replays the corpus of the fuzzers in Python (`make fuzz`), and small files that claim huge contents."""

import gzip
import importlib.util
import io
import resource
import struct
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path

import pytest

compress = partial(gzip.compress, mtime=0)  # the same bytes, hence the same test names, in every process

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "fuzz" / "corpus"

_spec = importlib.util.spec_from_file_location("readers", ROOT / "fuzz" / "readers.py")
assert _spec is not None
assert _spec.loader is not None
readers = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(readers)


@pytest.mark.parametrize("name", readers.targets)
def test_the_corpus_is_read_or_refused(name: str) -> None:
    inputs = sorted((CORPUS / name).iterdir())
    assert inputs
    for path in inputs:
        readers.targets[name](path.read_bytes())


def bombs() -> dict[str, tuple[str, bytes]]:
    """Files of a few bytes or kilobytes, each with the target that reads it."""
    zeros = io.BytesIO()
    with gzip.open(zeros, "wb") as file:
        for _ in range(400):
            file.write(b"a" * (1 << 20))
    images = struct.pack(">4i", 0x803, 2**30, 28, 28)
    header = b'{"0":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}'
    arrays = io.BytesIO()
    shape = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,), }"
    array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(shape) + 1) + shape + b"\n"
    with zipfile.ZipFile(arrays, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("0.npy", array)
    return {
        "text that expands": ("text", zeros.getvalue()),
        "images that are not there": ("idx", images),
        "compressed images that are not there": ("idx", compress(images)),
        "an array of terabytes": ("model", struct.pack("<Q", len(header)) + header),
        "a header of exabytes": ("model", struct.pack("<Q", 1 << 60) + b"{}"),
        "an array of terabytes in a zip": ("model", arrays.getvalue()),
        "an array of terabytes of pulses": ("pulses", array),
        "arrays of terabytes of pulses": ("pulses", arrays.getvalue()),
    }


@pytest.mark.parametrize("name", bombs())
def test_what_a_file_promises_takes_no_memory(name: str, tmp_path: Path) -> None:
    target, content = bombs()[name]
    (tmp_path / "bomb").write_bytes(content)
    code = (
        f"import sys; sys.path[:0] = [{str(ROOT / 'fuzz')!r}]; import readers, pathlib, tikitaka\n"
        f"readers.targets[{target!r}](pathlib.Path({str(tmp_path / 'bomb')!r}).read_bytes())"
    )
    most = 2 << 30  # bytes of address space, most of it that of NumPy's libraries

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))

    done = subprocess.run(
        [sys.executable, "-c", code],
        preexec_fn=limit,
        capture_output=True,
        text=True,
        env={"OPENBLAS_NUM_THREADS": "1"},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
