"""Published measurements, where TIKITAKA_DATA has them in devices/: none of them is part of this repository."""

import os
from pathlib import Path

import numpy as np
import pytest

import tikitaka as tt

FOLDER = Path(os.environ.get("TIKITAKA_DATA", "")) / "devices"

pytestmark = pytest.mark.skipif(
    "TIKITAKA_DATA" not in os.environ or not FOLDER.is_dir(), reason="TIKITAKA_DATA has no measured devices"
)


def test_vcm() -> None:
    found = tt.read_measured(sorted((FOLDER / "vcm").glob("*.json")))
    assert len(found.devices) == 14
    assert (found.cycles, found.up, found.down, found.unit) == (10, 28_000, 28_000, "S")
    assert all(each.signs[0] == 0 and len(each) == 201 for each in found.sweeps)
    assert "the down traces rise and are read backwards (mirrored_down=False keeps them)" in found.account


def test_gong() -> None:
    found = tt.read_measured(FOLDER / "gong" / "gong_et_al.csv")
    assert (found.cycles, found.up, found.down, found.unit) == (1, 1000, 1000, "")
    assert "quantised" in found.warnings[0]


def test_sandia() -> None:
    files = [FOLDER / "sandia" / name for name in ("set.csv", "reset.csv")]
    found = tt.read_measured(files, read_voltage=0.1)
    assert (len(found.devices), found.cycles, found.up, found.down) == (1, 40, 7362, 6055)
    assert np.allclose(found.range, (1.606e-3, 2.485e-3), rtol=1e-3)


def test_capacitor() -> None:
    path = FOLDER / "capacitor_6t1c" / "6T1C_result.xlsx"
    with pytest.raises(ValueError, match="pass sheet="):
        tt.read_measured(path)
    for options in ({}, {"pattern": "1000u,1000d", "columns": "D"}):
        found = tt.read_measured(path, sheet=1, **options)  # type: ignore[arg-type]
        assert [(each.cycle, each.up, each.down) for each in found.sweeps] == [(k, 1000, 1000) for k in (1, 2, 3)]
    for sheet in (2, 3, 4):
        found = tt.read_measured(path, sheet=sheet)
        assert (found.up, found.down) == (1000, 1000)


@pytest.mark.parametrize("name", ["ID180_Summary.dat", "ID301_amplitude_run1.csv"])
def test_ftj_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"pulses must be identical, .* a programming curve"):
        tt.read_measured(FOLDER / "ftj" / name)
