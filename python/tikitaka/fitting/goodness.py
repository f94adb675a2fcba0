"""How well a fit predicts reads, in numbers and in words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tikitaka import _core
from tikitaka.fitting.data import Data
from tikitaka.fitting.form import Form, natural, steps

__all__ = ["Goodness", "goodness", "innovations", "simulated"]

F64 = NDArray[np.float64]

_SIMULATED = 200  # sweeps simulated for each measured one
_FAR = 3.0  # windows from the middle beyond which no state goes


@dataclass(frozen=True)
class Goodness:
    """The errors z of one-pulse predictions in units of their standard deviation, and the ends of whole sweeps."""

    mean: float
    """mean of z; 0 for a perfect model"""
    sd: float
    """standard deviation of z; 1"""
    lag: float
    """correlation of z with the next one; 0"""
    coverage: float
    """share of reads in the 95 % band of the prediction; 0.95"""
    distance: float
    """Kolmogorov's distance between the distribution of z and the standard normal; 0"""
    ends: float
    """share of sweeps whose last read lies in the 95 % band of 200 simulated sweeps; 0.95"""
    reads: int
    """number of reads"""
    sweeps: int
    """number of sweeps"""
    held_out: bool
    """whether the fit had not seen them"""

    @property
    def failures(self) -> tuple[str, ...]:
        """What is not as it should be, in words."""
        n = self.reads
        chance = 3 / np.sqrt(n)  # three standard errors of a mean of n normal errors
        checks = (
            (abs(self.mean) <= 0.1 + chance, f"predictions are off by {self.mean:+.2f} standard deviations on average"),
            (abs(self.sd - 1) <= 0.15 + chance, f"errors are {self.sd:.2f} times what the fit expects"),
            (abs(self.lag) <= 0.1 + chance, f"errors of successive reads are correlated ({self.lag:+.2f})"),
            (
                abs(self.coverage - 0.95) <= 0.03 + 0.22 * chance,
                f"{100 * self.coverage:.0f} % of reads are in the 95 % band",
            ),
            (self.distance <= 0.05 + 0.54 * chance, f"errors are not normal (distance {self.distance:.2f})"),
            (
                self.ends >= 0.85 - 0.92 / np.sqrt(max(self.sweeps, 1)),
                f"{100 * self.ends:.0f} % of sweeps end in the 95 % band of simulated ones",
            ),
        )
        return tuple(words for good, words in checks if not good)

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.failures

    def words(self) -> str:
        """Pass or fail, and why, in one line."""
        where = "held-out cycles" if self.held_out else "the fitted cycle itself"
        share = (
            f"{100 * self.coverage:.0f} % of reads in the 95 % band, {100 * self.ends:.0f} % of sweeps end in theirs"
        )
        return f"passes on {where}: {share}" if self.passed else f"fails on {where}: {'; '.join(self.failures)}"


def innovations(data: Data, form: Form, t: F64) -> F64:
    """Errors of predictions in units of their standard deviation (reads,); NaN where there is none."""
    return _core.states_of_sweeps(form.shape, form.multiplicative, natural(form, t), data.arrays)[0]


def goodness(cases: Sequence[tuple[Data, Form, F64]], held_out: bool, seed: int) -> Goodness:
    """The fit of several devices, each with the cycles to look at, its form and its transformed parameters."""
    z, pairs, ends = [], [], []
    for k, (data, form, t) in enumerate(cases):
        errors = innovations(data, form, t)
        inside = np.ones(len(errors), dtype=bool)
        inside[data.starts] = False
        known = ~np.isnan(errors)
        z.append(errors[known])
        both = known[1:] & known[:-1] & inside[1:]
        pairs.append(np.stack([errors[:-1][both], errors[1:][both]]))
        ends.append(_ends(data, form, t, np.random.default_rng([seed, k])))
    errors = np.concatenate(z)
    before, after = np.concatenate(pairs, axis=1)
    lag = float(np.mean(before * after) / max(np.mean(errors**2), 1e-12)) if len(before) else 0.0
    return Goodness(
        float(errors.mean()),
        float(errors.std()),
        lag,
        float(np.mean(np.abs(errors) <= 1.959964)),
        _kolmogorov(errors),
        float(np.concatenate(ends).mean()),
        len(errors),
        sum(map(len, ends)),
        held_out,
    )


def _kolmogorov(z: F64) -> float:
    from scipy.special import ndtr

    ordered = ndtr(np.sort(z))
    count = len(ordered)
    above = np.arange(1, count + 1) / count - ordered
    return float(max(above.max(), (ordered - np.arange(count) / count).max()))


def _ends(data: Data, form: Form, t: F64, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Whether the last read of each sweep lies in the 95 % band of simulated ones."""
    p = natural(form, t)
    _, _, _, smoothed, variances = _core.states_of_sweeps(form.shape, form.multiplicative, p, data.arrays)
    firsts, errors, lasts, signs = [], [], [], []
    for (values, pulses), start in zip(data.sweeps(), data.starts, strict=True):
        known = np.flatnonzero(~np.isnan(values))
        if len(known) > 1:
            firsts.append(smoothed[start + known[0]])
            errors.append(np.sqrt(variances[start + known[0]]))
            lasts.append(values[known[-1]])
            signs.append(pulses[known[0] + 1 : known[-1] + 1])
    if not firsts:
        return np.zeros(0, dtype=bool)
    longest = max(map(len, signs))
    padded = np.stack([np.pad(each, (0, longest - len(each))) for each in signs])
    begin = np.array(firsts)[:, None] + np.array(errors)[:, None] * rng.standard_normal((len(firsts), _SIMULATED))
    final = simulated(form, p, begin, padded, rng, data.hard)[-1]
    final += p[-1] * rng.standard_normal(final.shape)
    low, high = np.quantile(final, [0.025, 0.975], axis=1)
    return np.asarray((low <= lasts) & (lasts <= high))


def simulated(
    form: Form, p: F64, first: F64, signs: NDArray[np.int8], rng: np.random.Generator, hard: tuple[float, float]
) -> F64:
    """States (pulses + 1, sweeps, count) from `first` (sweeps, count) on under `signs` (sweeps, pulses), without reads,
    within the bounds `hard`."""
    low, high = max(hard[0], -_FAR), min(hard[1], _FAR)
    x = first
    states = [x]
    flat = p[None]
    for pulse in signs.T:
        s = pulse[:, None].astype(np.float64)
        row = x.reshape(1, -1)
        up = steps(form.shape, flat, 1, row).reshape(x.shape)
        down = steps(form.shape, flat, -1, row).reshape(x.shape)
        f = np.where(s > 0, up, down)
        q = p[-2] * (np.abs(f) if form.multiplicative else 1.0)
        x = np.where(s == 0, x, np.clip(x + s * f + q * rng.standard_normal(x.shape), low, high))
        states.append(x)
    return np.stack(states)
