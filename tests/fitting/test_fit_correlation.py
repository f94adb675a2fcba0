"""Correlations of what is known with errors, on populations with a known answer."""

import numpy as np
import pytest

from tikitaka.fitting.correlation import correlations

POPULATIONS = 400


def populations(rho: float, spread: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Estimates and standard errors of the correlation of many populations of `count` devices with two quantities that
    differ by `spread` between devices, in units of their errors of estimation, which are correlated by 0.5."""
    rng = np.random.default_rng([count, int(10 * spread), int(10 * rho)])
    errors = np.array([[1.0, 0.5], [0.5, 1.0]])
    cov = spread**2 * np.array([[1.0, rho], [rho, 1.0]]) + errors
    seen = rng.multivariate_normal([0, 0], cov, (POPULATIONS, count))
    found = [correlations(np.cov(each.T), errors, count) for each in seen]
    return np.array([each[0][0, 1] for each in found]), np.array([each[1][0, 1] for each in found])


@pytest.mark.parametrize("count", [14, 100])
@pytest.mark.parametrize("spread", [0.1, 0.5, 3.0])
@pytest.mark.parametrize("rho", [0.0, 0.7])
def test_estimates_are_within_their_error(rho: float, spread: float, count: int) -> None:
    """Within two standard errors in at least nine of ten populations; the seed is fixed."""
    found, errors = populations(rho, spread, count)
    assert np.mean(np.abs(found - rho) < 2 * errors) > 0.9
    assert np.sqrt(np.mean((found - rho) ** 2)) < 1.35 * np.sqrt(np.mean(errors**2))


@pytest.mark.parametrize("count", [14, 100])
@pytest.mark.parametrize("rho", [0.0, 0.7])
def test_a_spread_that_is_not_known_has_no_correlation(rho: float, count: int) -> None:
    """Spreads of a tenth of the error of estimation: never near ±1, and 0 on average."""
    found, errors = populations(rho, 0.1, count)
    assert np.abs(found).max() < 0.9
    assert np.mean(np.abs(found)) < 0.1
    assert np.mean(errors) > 0.5


@pytest.mark.parametrize("rho", [0.0, 0.7])
def test_a_spread_that_is_well_known_keeps_its_correlation(rho: float) -> None:
    found, errors = populations(rho, 3.0, 100)
    assert np.mean(found) == pytest.approx(rho, abs=0.02)
    assert np.std(found) == pytest.approx(np.mean(errors), rel=0.15)


def test_without_errors_it_is_the_correlation_with_its_usual_error() -> None:
    """v = (1 − r²)²/(n − 1) at the estimate with v(0) = 1/(n − 1)."""
    n, r = 26, 0.6
    matrix, errors = correlations(np.array([[4.0, 2 * r], [2 * r, 1.0]]), np.zeros((2, 2)), n)
    at = r / (1 + 3 / (n - 1))
    v = (1 - at**2) ** 2 / (n - 1)
    assert matrix[0, 1] == pytest.approx(r / (1 + 3 * v))
    assert errors[0, 1] == pytest.approx(np.sqrt(v / (1 + 3 * v)))


def test_without_a_spread_there_is_no_correlation() -> None:
    seen = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 0.0]])
    matrix, errors = correlations(seen, np.diag([2.0, 0.1, 0.0]), 14)
    assert (matrix == np.eye(3)).all()
    assert errors[0, 1] == errors[0, 2] == pytest.approx(np.sqrt(1 / 3))


def test_correlations_belong_together() -> None:
    """1 and 2, 2 and 3 go together, 1 and 3 apart: no three numbers are like that."""
    apart = np.array([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]])
    matrix = correlations(apart, np.zeros((3, 3)), 1000)[0]
    assert np.linalg.eigvalsh(matrix)[0] == pytest.approx(1e-3)
    assert np.sign(matrix).tolist() == np.sign(apart).tolist()
