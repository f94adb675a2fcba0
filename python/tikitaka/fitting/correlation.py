"""Correlations between quantities that are known with errors, such as the parameters of fitted devices."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["correlations"]

F64 = NDArray[np.float64]

_PRIOR = 1 / 3
"""Variance of a correlation of which nothing is known: uniform from −1 to 1."""
_APART = 1e-3
"""The least eigenvalue of a correlation matrix: rounding must not make it negative."""


def correlations(seen: F64, errors: F64, count: int) -> tuple[F64, F64]:
    """Correlations of true values, and their standard errors, both (k, k), from what is seen with errors.

    S = `seen` is the covariance (k, k) of k quantities over `count` devices, E = `errors` the mean covariance of their
    errors of estimation, taken as exactly known.

    1. *Errors in variables.* True values and errors are independent, so T = S − E is the moment estimate of the
       covariance of true values (Fuller, Measurement Error Models, 1987, chapter 1), and r = T₁₂/√(T₁₁T₂₂) the
       correlation corrected for attenuation (Spearman, Am. J. Psychol. 15:72, 1904), cut at ±1. Where T₁₁ or T₂₂ is
       not positive, nothing is known of it.
    2. *Its variance*, to first order in the errors of S. For normal values, S has the covariances of Wishart's
       distribution, (n − 1) cov(Sᵢⱼ, Sₖₗ) = SᵢₖSⱼₗ + SᵢₗSⱼₖ. With the reciprocals of the reliabilities λᵢ = Sᵢᵢ/Tᵢᵢ and
       s = r + E₁₂/√(T₁₁T₂₂),

           dr = dS₁₂/√(T₁₁T₂₂) − r/2 (dS₁₁/T₁₁ + dS₂₂/T₂₂),
           (n − 1) v(r) = λ₁λ₂ + s² − 2 r s (λ₁ + λ₂) + r² (λ₁² + λ₂² + 2 s²)/2,

       which is (1 − r²)² without errors of estimation, and grows as λ₁λ₂ where a spread is hardly seen.
    3. *Shrinkage.* A correlation that may be anything has mean 0 and variance τ² = 1/3. The best linear estimate is
       then r τ²/(τ² + v), with variance v τ²/(τ² + v) (Bühlmann, ASTIN Bull. 4:199, 1967): r where v is small, 0 where
       nothing is known. v is that at the estimate with v(0), not at r, because v(r) vanishes where chance, or the cut,
       makes r ±1.

    Shrunk one by one, the correlations may not belong together. All are then made smaller by one factor, the largest
    that leaves no eigenvalue below 0.001.
    """
    true = np.diag(seen - errors)
    known = (true > 0) & (true > 1e-12 * np.diag(seen))
    scale = np.sqrt(np.where(known, true, 1.0))
    both = np.outer(known, known)
    r = np.where(both, np.clip((seen - errors) / np.outer(scale, scale), -1, 1), 0.0)
    inverse = np.where(known, np.diag(seen) / scale**2, 0.0)
    one, other, apart = inverse[:, None], inverse[None, :], errors / np.outer(scale, scale)

    def trust(at: F64) -> F64:
        s = at + apart
        v = one * other + s**2 - 2 * at * s * (one + other) + at**2 * (one**2 + other**2 + 2 * s**2) / 2
        return np.where(both, _PRIOR / (_PRIOR + np.maximum(v, 0.0) / (count - 1)), 0.0)

    share = trust(r * trust(np.zeros_like(r)))
    matrix, error = r * share, np.sqrt(_PRIOR * (1 - share))
    np.fill_diagonal(matrix, 1.0)
    np.fill_diagonal(error, 0.0)
    least = float(np.linalg.eigvalsh(matrix)[0])
    if least < _APART:
        matrix *= (1 - _APART) / (1 - least)
        np.fill_diagonal(matrix, 1.0)
    return matrix, error
