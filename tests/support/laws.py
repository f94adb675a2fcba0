"""Statistical tests of samples, with thresholds from known variances and distributions.

Most tests bound standard scores by Z = 6: a score of a correct core exceeds it with probability 2·10⁻⁹, any of
these tests with less than 10⁻⁴, and the seeds are fixed. A test with another threshold states its own rate.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Z = 6.0
KS = 2.7  # √n·D beyond this has probability 2·exp(−2·2.7²) = 9·10⁻⁷ (Kolmogorov)


def phi(z: F64) -> F64:
    """The normal distribution function."""
    return np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in z.ravel()])


def ks(z: Any) -> float:
    """√n times the Kolmogorov-Smirnov distance of a sample from N(0, 1)."""
    z = np.sort(np.asarray(z, float), axis=None)
    n, cdf = len(z), phi(z)
    return math.sqrt(n) * max(np.max(np.arange(1, n + 1) / n - cdf), np.max(cdf - np.arange(n) / n))


def assert_normal(sample: Any, mean: Any, sd: float) -> None:
    """Mean and variance of independent normals: scores of the sample mean and of the sum of squares (χ²)."""
    z = (np.asarray(sample, float) - mean) / sd
    assert abs(z.mean()) * math.sqrt(z.size) < Z
    assert abs((z**2).mean() - 1) * math.sqrt(z.size / 2) < Z


def assert_uncorrelated(a: Any, b: Any) -> None:
    """Scores of the sample correlation, N(0, 1/n) for independent normals."""
    a, b = np.ravel(a), np.ravel(b)
    assert abs(np.corrcoef(a, b)[0, 1]) * math.sqrt(a.size) < Z
