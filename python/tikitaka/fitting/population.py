"""The mean device of those that were fitted, and how they differ from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tikitaka.fitting.correlation import correlations
from tikitaka.fitting.data import Data
from tikitaka.fitting.form import Form, natural, steps
from tikitaka.fitting.quantities import Curves

__all__ = ["MeanDevice", "Member", "Population", "Spreads", "known_bounds"]

F64 = NDArray[np.float64]

_POINTS = 400  # of the grid on which mean steps are compared
_FLOOR = 0.05  # least step of a device, as a fraction of its largest one, where its logarithm is taken
_MARGIN = 0.05  # least distance of weight 0 from the bounds, as a fraction of the range
_REACH = 1.1  # windows from the middle within which a bound must be: sweeps then go 1 − 1/e of the way to it
_NODES = 11  # of a table for the simulator
_FEW = 0.1  # of the devices, which may seem to have hard bounds by chance
_CLEARLY = 0.5  # variance of rates over that of steps, from which on steps are not in proportion to bounds


@dataclass(frozen=True, eq=False)
class Member:
    """One device of a fit."""

    name: str
    """its name"""
    data: Data
    """its sweeps, without saturated tails"""
    curves: Curves
    """its parameters, the estimate first, then draws from their uncertainty"""
    covariance: F64
    """covariance of the transformed parameters (parameters, parameters)"""
    reached: tuple[bool, bool]
    """whether the lower and the upper bound are known: reached by sweeps, or close enough that their curve shows it"""
    dropped: int
    """reads in saturated tails, which were left out"""
    nll: float
    """negative log-likelihood of the estimate, without ½ ln 2π per read"""

    def bounds(self) -> tuple[F64, F64]:
        """Lower and upper bound (sets,); the edges of the measured range where a bound is not known."""
        lower, upper = self.curves.ends()
        low, high = self.curves.used
        return (
            np.where(np.isfinite(lower), lower, low) if self.reached[0] else np.full(len(lower), low),
            np.where(np.isfinite(upper), upper, high) if self.reached[1] else np.full(len(upper), high),
        )


def known_bounds(curves: Curves) -> tuple[bool, bool]:
    """Whether 97.5 % of the draws of a bound lie within 1.1 windows of the middle, or a sweep has stopped there."""
    lower, upper = curves.ends()
    far = _REACH * curves.size
    low = np.isfinite(curves.hard[0]) or np.mean(lower[1:] > curves.middle - far) >= 0.975
    high = np.isfinite(curves.hard[1]) or np.mean(upper[1:] < curves.middle + far) >= 0.975
    return bool(low), bool(high)


@dataclass(frozen=True, eq=False)
class MeanDevice:
    """The mean of some devices: geometric means of steps, or of rates, and of noises, means of bounds and slopes."""

    zero: float
    """conductance at weight 0: where the mean steps up and down are equal, else the middle of the range"""
    balanced: bool
    """whether they are equal anywhere in the range"""
    up: float
    """mean step up at `zero`, in the unit of the source"""
    down: float
    """mean step down at `zero`"""
    lower: float
    """lower bound"""
    upper: float
    """upper bound"""
    up_slope: float
    """γ of a linear step up, the share that is lost from `zero` to the upper bound: 1 for soft bounds, 0 for constant
    steps; or the exponent of a power; 0 for exponentials and tables, which have no such number"""
    down_slope: float
    """the same down"""
    pulse_noise: float
    """standard deviation of a pulse: in steps at `zero` if additive, else as a fraction of its step"""
    read_noise: float
    """standard deviation of a read, in the unit of the source"""
    t: F64
    """mean transformed parameters (parameters,)"""
    middle: float
    """mean middle of the windows"""
    size: float
    """mean size of the windows"""

    @property
    def step(self) -> float:
        """Mean step δ at `zero`."""
        return (self.up + self.down) / 2

    @property
    def range(self) -> float:
        """From bound to bound."""
        return self.upper - self.lower


@dataclass(frozen=True)
class Spreads:
    """How devices differ: of ln(step up), ln(step down), upper bound, lower bound, slope up, slope down."""

    proportional: bool
    """whether steps are in proportion to their bounds, so that the first two are of ln(step/bound)"""
    sd: tuple[float, ...]
    """standard deviations, without the error of estimation; bounds relative to their distance from weight 0"""
    errors: tuple[float, ...]
    """standard errors of these, 1/√(2(n − 1)) of what is seen"""
    correlation: tuple[tuple[float, ...], ...]
    """correlation matrix (6, 6), shrunk to 0 where it is hardly known; () from fewer than five devices"""
    correlation_errors: tuple[tuple[float, ...], ...]
    """standard errors of these"""
    rows: tuple[tuple[float, ...], ...]
    """each device as factors of steps and bounds and differences of slopes, shrunk to the spreads above"""


class Population:
    """Devices of one form, of which means are taken."""

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = tuple(members)
        self.form: Form = members[0].curves.form
        reached = np.array([each.reached for each in members])
        self.reached = tuple(bool(each) for each in reached.mean(axis=0) > 0.5)
        """whether most devices reach their lower and their upper bounds"""
        hard = np.mean([np.isfinite(each.curves.hard).any() for each in members]) > _FEW
        self.kind = f"{self.form.shape}-step"
        """the kind of device in the simulator"""
        if self.form.shape == "linear" and all(self.reached) and not hard:
            self.kind = "soft-bounds"
        elif self.form.shape == "power" and not all(self.reached):
            self.kind = "table-step"  # a power that ends far beyond the range is a curve within it
        self.use = reached | ~np.array(self.reached)  # (devices, sides): whose bounds count
        self.sets = 1 if len(members) >= 5 else min(len(each.curves.t) for each in members)
        low = min(each.curves.used[0] for each in members)
        high = max(each.curves.used[1] for each in members)
        self.grid = np.linspace(low - 0.1 * (high - low), high + 0.1 * (high - low), _POINTS)
        self._logs = [
            np.stack([_logs(each.curves, sign, self.grid, self.sets) for sign in (1, -1)]) for each in members
        ]
        self._bounds = [self._bounds_of(each) for each in members]
        self._rates = [self._rates_of(d) for d in range(len(members))]
        self.proportional = False
        """whether steps are in proportion to their bounds: those of soft bounds, if their rates, the shares of the way
        to the bound that a pulse covers, have less than half the variance of the steps at weight 0"""
        if self.kind == "soft-bounds" and len(members) > 1:
            steps_at_0 = np.array([self.rows(self.mean(), d)[0, :2] for d in range(len(members))])
            rates = np.array([each[:, 0] for each in self._rates])
            self.proportional = bool(np.nanvar(rates, axis=0).sum() < _CLEARLY * np.nanvar(steps_at_0, axis=0).sum())

    def _rates_of(self, device: int) -> F64:
        """Logarithms of steps up and down over their distance from the bound, half-way between the bounds, (2, sets);
        NaN where a bound is not known."""
        lower, upper = self._bounds[device]
        curves, half = self.members[device].curves, (upper - lower) / 2
        logs = np.log([np.maximum(curves.step(sign, lower + half) / half, 1e-12) for sign in (1, -1)])
        return np.where(self.use[device, ::-1, None], logs, np.nan)

    def _bounds_of(self, member: Member) -> F64:
        """Lower and upper bounds (2, sets)."""
        lower, upper = member.bounds()
        low, high = member.curves.used
        return np.stack([lower if self.reached[0] else 0 * lower + low, upper if self.reached[1] else 0 * upper + high])

    def mean(self, which: Sequence[int] | None = None, sets: Sequence[int] | None = None) -> MeanDevice:
        """The mean of the devices `which` (all), each with the parameter set of `sets` (the estimates)."""
        which = range(len(self.members)) if which is None else which
        sets = [0] * len(which) if sets is None else sets
        pairs = list(zip(which, sets, strict=True))
        logs = np.mean([self._logs[d][:, s] for d, s in pairs], axis=0)
        sides = []
        for side in (0, 1):
            some = [self._bounds[d][side, s] for d, s in pairs if self.use[d, side]]
            sides.append(float(np.mean(some or [self._bounds[d][side, s] for d, s in pairs])))
        lower, upper = sides
        rates = np.array([self._rates[d][:, s] for d, s in pairs])
        if self.proportional and not np.isnan(rates).all(axis=0).any():
            per_up, per_down = np.exp(np.nanmean(rates, axis=0)).tolist()
            zero, balanced = (per_up * upper + per_down * lower) / (per_up + per_down), True
            up, down = per_up * (upper - zero), per_down * (zero - lower)
        else:
            zero, balanced = self._zero(logs[0] - logs[1], lower, upper)
            up, down = (float(np.exp(np.interp(zero, self.grid, each))) for each in logs)
        members = [self.members[d] for d, _ in pairs]
        t = np.stack([each.curves.t[s] for each, (_, s) in zip(members, pairs, strict=True)])
        sizes = np.array([each.curves.size for each in members])
        noise = float(np.exp(t[:, -2].mean()))
        if not self.form.multiplicative:
            noise = float(np.exp(np.mean(t[:, -2] + np.log(sizes)))) / ((up + down) / 2)
        rows = [self._slopes(d, slice(s, s + 1), zero)[:, 0] for d, s in pairs]
        up_slope, down_slope = np.mean(rows, axis=0).tolist()
        return MeanDevice(
            zero=zero,
            balanced=balanced,
            up=up,
            down=down,
            lower=lower,
            upper=upper,
            up_slope=up_slope,
            down_slope=down_slope,
            pulse_noise=noise,
            read_noise=float(np.exp(np.mean(t[:, -1] + np.log(sizes)))),
            t=t.mean(axis=0),
            middle=float(np.mean([each.curves.middle for each in members])),
            size=float(sizes.mean()),
        )

    def _zero(self, apart: F64, lower: float, upper: float) -> tuple[float, bool]:
        """Where the mean steps are equal, nearest to the middle of the range, and whether there is such a place."""
        margin = _MARGIN * (upper - lower)
        inside = (self.grid > lower + margin) & (self.grid < upper - margin)
        cross = (np.sign(apart[1:]) != np.sign(apart[:-1])) & inside[1:] & inside[:-1] & (apart[1:] != apart[:-1])
        middle = (lower + upper) / 2
        if not cross.any():
            return middle, False
        k = int(np.argmin(np.where(cross, np.abs(self.grid[1:] - middle), np.inf)))
        return float(self.grid[k] + apart[k] / (apart[k] - apart[k + 1]) * (self.grid[k + 1] - self.grid[k])), True

    def _slopes(self, device: int, sets: slice, zero: float) -> F64:
        """γ± of a linear step, which is 1 for soft bounds, the exponents of a power, else 0, (2, sets)."""
        curves = self.members[device].curves
        p = natural(self.form, curves.t[sets])
        if self.kind == "power-step":
            return p[:, 4:6].T
        if self.kind != "linear-step":
            return np.full((2, len(p)), float(self.kind == "soft-bounds"))
        x = (zero - curves.middle) / curves.size
        ends = (self._bounds[device][::-1, sets] - zero) / curves.size
        h = p[:, 2:4].T
        return np.clip(-ends * h / np.maximum(1 + h * x, _FLOOR), -0.99, 1.0)

    def rows(self, mean: MeanDevice, device: int) -> F64:
        """ln(step up), ln(step down), or of their rates if `proportional`, upper and lower bound over those of the mean
        device, slopes, for every parameter set of a device (sets, 6); NaN for bounds that are not known."""
        member = self.members[device]
        curves = member.curves
        lower, upper = self._bounds[device]
        least = [_FLOOR * curves.step(sign, lower if sign > 0 else upper) for sign in (1, -1)]
        logs = [np.log(np.maximum(curves.step(sign, mean.zero), f)) for sign, f in zip((1, -1), least, strict=True)]
        if self.proportional:
            logs = list(self._rates[device])
        ends = [(upper - mean.zero) / (mean.upper - mean.zero), (mean.zero - lower) / (mean.zero - mean.lower)]
        for k, side in ((0, 1), (1, 0)):
            if not self.use[device, side] or not self.reached[side]:
                ends[k] = ends[k] * np.nan if self.reached[side] else np.ones_like(ends[k])
        return np.stack([*logs, *ends, *self._slopes(device, slice(None), mean.zero)], axis=1)

    def spreads(self, mean: MeanDevice, which: Sequence[int] | None = None) -> Spreads:
        """Variances between the devices `which` (all) minus the mean variances of estimation, and covariances."""
        each_one = {d: self.rows(mean, d) for d in (range(len(self.members)) if which is None else sorted({*which}))}
        tables = [each_one[d] for d in (each_one if which is None else which)]
        found = np.stack([each[0] for each in tables])
        own = np.stack([_spread(each[1:]) ** 2 for each in tables])
        count = len(found)
        known = ~np.isnan(found)  # a sample may have few devices whose bounds are known
        many = np.maximum(known.sum(axis=0), 1)
        centre = np.where(known, found, 0.0).sum(axis=0) / many
        seen = np.where(known, (found - centre) ** 2, 0.0).sum(axis=0) / np.maximum(many - 1, 1)
        true = np.maximum(seen - np.where(known, own, 0.0).sum(axis=0) / many, 0.0)
        sd = np.sqrt(true)
        shrink = np.where(seen > 0, np.sqrt(true / np.where(seen > 0, seen, 1.0)), 0.0)
        apart = np.where(known, (found - centre) * shrink, 0.0)
        factors, bounds = np.exp(apart[:, :2]), np.maximum(1 + apart[:, 2:4], 0.1)
        rows = np.concatenate([factors * bounds if self.proportional else factors, bounds, apart[:, 4:]], axis=1)
        errors = np.sqrt(np.where(true > 0, seen**2 / np.maximum(true, 1e-12), 0.0)) / np.sqrt(2 * (count - 1))
        matrix, uncertain = _correlation(tables)
        return Spreads(
            proportional=self.proportional,
            sd=tuple(sd.tolist()),
            errors=tuple(errors.tolist()),
            correlation=matrix,
            correlation_errors=uncertain,
            rows=tuple(map(tuple, rows.tolist())),
        )

    def table(self, mean: MeanDevice) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Mean steps over that at weight 0, up and down, at equal distances from bound to bound."""
        place = np.linspace(0, 1, _NODES)
        logs = []
        for member, (lower, upper) in zip(self.members, (each[:, 0] for each in self._bounds), strict=True):
            at = lower + place * (upper - lower)
            logs.append([_logs(member.curves, sign, at, 1)[0] for sign in (1, -1)])
        up, down = np.exp(np.mean(logs, axis=0)) / mean.step
        return tuple(up.tolist()), tuple(down.tolist())


def _logs(curves: Curves, sign: int, at: F64, sets: int) -> F64:
    """Logarithms of mean steps (sets, places), from a floor on."""
    x = (at - curves.middle) / curves.size
    found = steps(curves.form.shape, natural(curves.form, curves.t[:sets]), sign, x) * curves.size
    return np.asarray(
        np.log(np.maximum(found, np.maximum(_FLOOR * found.max(axis=1, keepdims=True), 1e-12 * curves.size)))
    )


def _spread(values: F64) -> F64:
    """Half the distance from the 16 % to the 84 % quantile of draws (6,), which far draws do not change."""
    low, high = np.quantile(values, [0.16, 0.84], axis=0)
    return np.asarray((high - low) / 2)


def _correlation(tables: Sequence[F64]) -> tuple[tuple[tuple[float, ...], ...], ...]:
    """The correlations of the true values and their standard errors, from the table of each device (sets, 6), the
    estimate first, then draws, whose correlations the errors have; () from fewer than five devices of known bounds."""
    whole = [each for each in tables if not np.isnan(each[0]).any()]
    if len(whole) < 5:
        return (), ()
    errors = np.zeros((6, 6))
    for each in whole:
        own, centre = _spread(each[1:]), each[1:].mean(axis=0)
        draws = each[1:] - centre
        sd = draws.std(axis=0)
        rounding = 1e-12 * np.maximum(np.abs(centre), 1.0)  # all that draws of the same number differ by
        draws /= np.where(sd > rounding, sd, np.inf)
        errors += np.outer(own, own) * (draws.T @ draws) / len(draws) / len(whole)
    found = correlations(np.cov(np.stack([each[0] for each in whole]).T), errors, len(whole))
    matrix, uncertain = (tuple(tuple(round(float(one), 6) for one in row) for row in each) for each in found)
    return matrix, uncertain
