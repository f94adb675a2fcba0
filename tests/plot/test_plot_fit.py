"""The picture of a fit."""

from pathlib import Path

import numpy as np
import pytest

import tikitaka as tt
from support.chips import sweeps_of
from support.figures import axes_of


@pytest.fixture(scope="module")
def fit() -> tt.DeviceFit:
    measured = sweeps_of(tt.SoftBounds(states=40), pulses=60, cycles=2, devices=2, read_noise=0.02).measured
    return tt.fit_device(measured, models="linear", noise="additive", replicates=0, threads=1)


def test_four_panels(monkeypatch: pytest.MonkeyPatch, fit: tt.DeviceFit) -> None:
    trace, step, error, point = axes_of(monkeypatch, lambda: fit.plot("never.png"))
    curves = fit.members[0].curves
    values = fit.members[0].data.sweeps()[0][0]
    assert np.allclose(trace.lines[0].get_ydata(), 1e6 * (values * curves.size + curves.middle))
    assert trace.get_ylabel() == "conductance (µS)"
    ups = [line for line in step.lines if len(line.get_xdata()) == 60]
    assert len(ups) == 4
    for up, down in zip(ups[::2], ups[1::2], strict=True):
        assert (up.get_ydata() >= 0).all()
        assert (down.get_ydata() <= 0).all()
    assert error.get_xlabel() == "error (standard deviations)"
    assert len(point.lines[0].get_xdata()) == 2


def test_same_bytes_every_time(tmp_path: Path, fit: tt.DeviceFit) -> None:
    for name in ("a.svg", "b.svg"):
        fit.plot(tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    with pytest.raises(ValueError, match=r"must end in \.png"):
        fit.plot(tmp_path / "a.gif")
