"""The instruction set selected by TIKITAKA_SIMD: the same bits on each, and a clear error for unknown ones."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tikitaka import _core

PATHS = ("baseline", "avx2", "avx512")
TRAIN = """
import tikitaka as tt
from tikitaka import _core
digits = tt.data.load("digits").first(60)
network = tt.Network(tt.nn.fcn(64, 10), tt.Ttv2(fast_lr=0.5, periphery=tt.Periphery.full()), seed=1)
for batch in (1, 8):
    network.train(digits.train_x, digits.train_y, batch=batch)
print(_core.simd(), network.digest())
"""
REFUSED = """
import numpy as np
import tikitaka as tt
from tikitaka import _core
for make in (
    _core.simd,
    lambda: tt.Crossbar(2, 3),
    lambda: tt.AnalogLayer(tt.DigitalSgd(), np.zeros((2, 3))),
    lambda: tt.Network([tt.nn.Linear(2, 3)], tt.AnalogSgd()),
):
    try:
        make()
    except ValueError as error:
        print(error)
"""


def python(simd: str | None, *args: object) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "TIKITAKA_SIMD"}
    if simd is not None:
        environment["TIKITAKA_SIMD"] = simd
    return subprocess.run(
        [sys.executable, *map(str, args)], env=environment, capture_output=True, text=True, check=False
    )


def available() -> list[str]:
    """The instruction sets of this machine, from the error message for a bad one."""
    return (
        python("none", "-c", REFUSED)
        .stdout.splitlines()[0]
        .partition("must be one of ")[2]
        .partition(", not")[0]
        .split(", ")
    )


def test_every_path_of_the_machine_gives_the_same_bits() -> None:
    paths = available()
    assert paths == list(PATHS[: len(paths)])
    results = [python(path, "-c", TRAIN).stdout.split() for path in (*paths, "", None)]
    assert [path for path, _ in results] == [*paths, paths[-1], paths[-1]]  # unset or empty: the best
    assert len({digest for _, digest in results}) == 1


@pytest.mark.parametrize("simd", ["avx51", "AVX2", "sse2", " "])
def test_what_is_no_path_is_refused_wherever_work_begins(simd: str) -> None:
    done = python(simd, "-c", REFUSED)
    allowed = ", ".join(available())
    assert done.stdout.splitlines() == [f'TIKITAKA_SIMD must be one of {allowed}, not "{simd}"'] * 4
    assert done.stderr == ""


def test_what_the_machine_lacks_is_refused_likewise() -> None:
    for path in set(PATHS) - set(available()):
        said = python(path, "-c", REFUSED).stdout
        assert "TIKITAKA_SIMD must be one of baseline" in said
        assert f'not "{path}"' in said


def test_the_command_refuses_it_before_it_makes_a_folder(tmp_path: Path) -> None:
    run = tmp_path / "run"
    done = python("avx51", "-m", "tikitaka", "train", "--data", "digits", "--epochs", 1, "--out", run)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("tikitaka: TIKITAKA_SIMD must be one of baseline")
    assert done.stderr.count("\n") == 1
    assert not run.exists()
    assert python("avx51", "-m", "tikitaka", "--version").returncode == 0


def test_the_path_in_use_is_one_of_them() -> None:
    assert _core.simd() in available()
