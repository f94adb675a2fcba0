"""Statistical, except for one frozen test: the random numbers of the core."""

import math

import numpy as np
import pytest

from support.laws import KS, Z, assert_normal, assert_uncorrelated, ks
from tikitaka import _core


@pytest.mark.parametrize("seed", [1, 2**63])
def test_normals_are_normal(seed: int) -> None:
    z = _core.normals(seed, 1 << 18).astype(float)
    assert_normal(z, 0, 1)
    assert ks(z) < KS
    assert abs((z**3).mean()) * math.sqrt(z.size / 15) < Z  # E z⁶ = 15
    assert abs((z**4).mean() - 3) * math.sqrt(z.size / 96) < Z  # Var z⁴ = 96
    for lag in (1, 2, 3, 16, 64):
        assert_uncorrelated(z[:-lag], z[lag:])
        assert_uncorrelated(z[:-lag] ** 2, z[lag:] ** 2)


def test_normals_have_tails() -> None:
    """Counts beyond a limit are Poisson; Z deviations above a mean of 57 have probability 10⁻⁷."""
    z = np.abs(_core.normals(3, 1 << 23))
    for limit in (3.0, 4.0, 4.5):
        expected = z.size * math.erfc(limit / math.sqrt(2))
        assert abs((z > limit).sum() - expected) < Z * math.sqrt(expected)


def test_normals_are_frozen() -> None:
    """Frozen: a change of these bits changes every result and needs a note in CHANGELOG.md."""
    np.testing.assert_array_equal(
        _core.normals(42, 4).view(np.uint32), np.array([1049563058, 3200534785, 1061231327, 1063279030], np.uint32)
    )


def test_seeds_are_independent() -> None:
    assert_uncorrelated(_core.normals(1, 100_000), _core.normals(2, 100_000))
