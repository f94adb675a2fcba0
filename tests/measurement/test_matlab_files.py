"""Measured pulses in MATLAB files."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tikitaka as tt
from support.pulses import read_or_refused

scipy_io = pytest.importorskip("scipy.io")

UP = 20 + 10 * (1 - 0.95 ** np.arange(60))
DOWN = 30 - 10 * (1 - 0.95 ** np.arange(60))


def saved(path: Path, variables: dict[str, Any]) -> Path:
    scipy_io.savemat(path, variables)
    return path


@pytest.mark.parametrize(
    "variables",
    [
        {"Gset": UP * 1e-6, "Greset": DOWN * 1e-6},
        {"up": np.tile(UP, (3, 1)) * 1e-6, "down": np.tile(DOWN, (3, 1)) * 1e-6, "Vread": 0.1},
        {"A1": {"up": UP * 1e-6, "down": DOWN * 1e-6}, "A2": {"up": UP * 1e-6, "down": DOWN * 1e-6}},
        {"table": np.stack([UP, DOWN], axis=1)},
        {"LTP_uS": UP, "LTD_uS": DOWN, "note": "measured at 300 K"},
    ],
    ids=["lists", "cycles", "devices", "table", "headings"],
)
def test_variables_by_name(tmp_path: Path, variables: dict[str, Any]) -> None:
    found = tt.read_measured(saved(tmp_path / "A3.mat", variables))
    assert found.up == found.down >= 60
    assert len(found.devices) == (2 if "A2" in variables else 1)
    first = found.sweeps[0].values
    assert first / first.max() == pytest.approx(UP / UP.max(), rel=1e-6)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"no MATLAB file", "not a valid .mat file"),
        (b"MATLAB 7.3 MAT-file, Platform: GLNXA64" + bytes(500), "version 7.3"),
        (b"\x89HDF\r\n\x1a\n", "version 7.3"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "A3.mat"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=words) as error:
        tt.read_measured(path)
    assert str(error.value).startswith(str(path))


def test_variables_without_pulses_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="lists of at least 20 numbers; its keys are x"):
        tt.read_measured(saved(tmp_path / "A3.mat", {"x": 1.0}))


def test_without_scipy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "A3.mat", {"up": UP, "down": DOWN})
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    with pytest.raises(ModuleNotFoundError, match=r"tikitaka\[fit\]"):
        tt.read_measured(path)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_damaged_files(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = saved(tmp_path_factory.mktemp("mat") / "A3.mat", {"up": UP, "down": DOWN, "A1": {"n": 3}})
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    read_or_refused(path)
