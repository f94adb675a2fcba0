"""Fits of published measurements, where TIKITAKA_DATA has them in devices/: none of them is part of this repository."""

import os
import time
from pathlib import Path

import numpy as np
import pytest

import tikitaka as tt

FOLDER = Path(os.environ.get("TIKITAKA_DATA", "")) / "devices"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        "TIKITAKA_DATA" not in os.environ or not FOLDER.is_dir(), reason="TIKITAKA_DATA has no measured devices"
    ),
]


def test_vcm() -> None:
    """14 devices of 4,000 pulses in less than 20 s on two cores; C4 as fitted elsewhere by the same likelihood."""
    measured = tt.read_measured(sorted((FOLDER / "vcm").glob("*.json")))
    begin = time.perf_counter()
    fit = tt.fit_device(measured, threads=2)
    assert time.perf_counter() - begin < 40
    assert fit.device.kind == "soft-bounds"
    assert fit.goodness.passed
    first = fit.members[0].curves
    lower, upper = (each[0] for each in fit.members[0].bounds())
    assert (upper - lower) / first.step(1, first.symmetry_point()[0])[0] == pytest.approx(98, rel=0.2)
    assert first.p[0, -1] == pytest.approx(0.041, rel=0.2)
    assert fit.spreads is not None
    assert fit.spreads.correlation[0][1] < 0
    # The devices of the simulator are as those that were measured: states, and symmetry points in weights.
    assert fit.spreads.proportional
    ends = [[each[0] for each in member.bounds()] for member in fit.members]
    points = [member.curves.symmetry_point()[0] for member in fit.members]
    steps = [member.curves.step(1, point)[0] for member, point in zip(fit.members, points, strict=True)]
    states = [(upper - lower) / step for (lower, upper), step in zip(ends, steps, strict=True)]
    assert fit.values["states"].estimate == pytest.approx(np.median(states), rel=0.1)
    drawn = tt.Crossbar(100, 100, fit.device, seed=1).device_parameters
    unit = fit.physical["conductance_per_unit_weight"]
    assert np.std(drawn["symmetry_point"]) == pytest.approx(np.std(points, ddof=1) / unit, rel=0.15)


def test_sandia() -> None:
    files = [FOLDER / "sandia" / name for name in ("set.csv", "reset.csv")]
    fit = tt.fit_device(tt.read_measured(files, read_voltage=0.1))
    curves = fit.members[0].curves
    low, high = (each * curves.size + curves.middle for each in (-0.3, 0.3))
    assert curves.step(1, high)[0] > 1.3 * curves.step(1, low)[0], "steps up grow"
    assert not fit.goodness.passed


def test_gong() -> None:
    fit = tt.fit_device(tt.read_measured(FOLDER / "gong" / "gong_et_al.csv"))
    assert fit.form.shape in ("constant", "linear")
    assert fit.goodness.passed


@pytest.mark.parametrize("sheet", [1, 2, 3, 4])
def test_capacitor(sheet: int) -> None:
    fit = tt.fit_device(tt.read_measured(FOLDER / "capacitor_6t1c" / "6T1C_result.xlsx", sheet=sheet))
    assert "passes" in fit.report() or "fails" in fit.report()
    if sheet == 1:
        assert fit.values["states"].estimate == pytest.approx(1000, rel=0.2)
        assert fit.values["read_noise_percent"].estimate == pytest.approx(0.46, rel=0.1)
        assert np.isnan(fit.values["upper_bound"].estimate)
