"""Figures that device people report, by hand."""

import math

import numpy as np
import pytest

from tikitaka.fitting.form import Form, natural, steps
from tikitaka.fitting.quantities import Curves, nonlinearity, zeros


def curves(shape: str, p: list[float], hard: tuple[float, float] = (-math.inf, math.inf)) -> Curves:
    """One parameter set, in windows from 0."""
    form = Form(shape)
    full = np.array([*p, 0.01, 0.02])
    t = np.where(natural(form, np.zeros(form.parameters)) == 0, full, np.log(np.abs(full) + (full == 0)))
    assert np.allclose(natural(form, t), full)
    return Curves(form, t[None], 0.0, 1.0, (-0.5, 0.5), hard)


def test_symmetry_point_of_a_line() -> None:
    up, down, g, h = 0.02, 0.03, -1.2, 0.9
    point = (down - up) / (up * g - down * h)
    assert curves("linear", [up, down, g, h]).symmetry_point()[0] == pytest.approx(point, abs=1e-5)
    assert np.isnan(curves("constant", [0.02, 0.03]).symmetry_point()[0])


def test_symmetry_point_of_equal_powers() -> None:
    """ω* = ρ/(1 + ρ) with ρ = (a₋/a₊)^(1/γ) and ω the distance to the upper bound (devices of Fusi and Abbott)."""
    a_up, a_down, power = 0.02, 0.04, 2.0
    half = 0.6  # steps at ω = 1 are a · 2^γ of those in the middle
    found = curves("power", [a_up, a_down, half, -half, power, power]).symmetry_point()[0]
    rho = (a_down / a_up) ** (1 / power)
    assert half - 2 * half * rho / (1 + rho) == pytest.approx(found, abs=1e-4)


def test_zeros_of_steps() -> None:
    for shape, p in (
        ("linear", [0.02, 0.03, -1.25, 2.0]),
        ("power", [0.02, 0.03, 0.8, -0.5, 1.5, 0.7]),
        ("exponential", [0.02, 0.03, -1.0, 0.9, 2.0, -1.5]),
    ):
        full = np.array([[*p, 0.01, 0.02]])
        up, down = zeros(shape, full)
        assert steps(shape, full, 1, np.array([up[0] - 1e-9]))[0, 0] == pytest.approx(0, abs=1e-6)
        assert steps(shape, full, -1, np.array([down[0] + 1e-9]))[0, 0] == pytest.approx(0, abs=1e-6)
        assert down[0] < 0 < up[0]
    assert zeros("linear", np.array([[0.02, 0.03, 0.3, -0.2, 0.01, 0.02]])) == (math.inf, -math.inf)
    assert zeros("table", np.full((1, 14), 0.01)) == (math.inf, -math.inf)


def test_bounds_are_the_nearer_of_zeros_and_hard_ones() -> None:
    lower, upper = curves("linear", [0.02, 0.03, -1.25, 2.0], hard=(-0.3, math.inf)).ends()
    assert (lower[0], upper[0]) == (pytest.approx(-0.3), pytest.approx(0.8))


@pytest.mark.parametrize("bend", [0.2, 0.5, 2.0])
def test_nonlinearity_is_neurosims(bend: float) -> None:
    """NL = (10/0.99)(B − A − A ln(B/A)), B = 1/(1 − e^(−1/A)), for 2,000 pulses through the window.

    The curve e^(−P/(A P_max)) is a line with the slope k = 1/(A P_max) per pulse, to 1/P_max.
    """
    pulses, b = 2000, 1 / (1 - math.exp(-1 / bend))
    expected = 10 / 0.99 * (b - bend - bend * math.log(b / bend))
    k = 1 - math.exp(-1 / (bend * pulses))
    end = b - 0.5  # the window is −½ … ½, and the curve ends at −½ + B
    found = nonlinearity(curves("linear", [k * end, k * end, -1 / end, 1 / end]), 1, pulses)
    assert found == pytest.approx(expected, rel=2e-3)
    assert nonlinearity(curves("constant", [0.0005, 0.0005]), 1, pulses) == pytest.approx(0, abs=1e-9)
