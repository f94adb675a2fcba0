"""Hard bounds: where a device stops although its step has not shrunk, a sweep has a tail that is left out."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tikitaka.fitting.choice import fit_line, fitted
from tikitaka.fitting.data import Data
from tikitaka.fitting.form import Form
from tikitaka.fitting.optimise import scores

__all__ = ["Tails", "without_tails"]

F64 = NDArray[np.float64]

_LONG = 30  # pulses of a run that can have a tail
_LEVELS = 20  # bends and corners that are tried
_BETTER = 0.1  # what ln of the residual sum must fall by
_SURE = 15.0  # log-likelihood that the rest of the sweeps gains if the tails are left out


@dataclass(frozen=True, eq=False)
class Tails:
    """The sweeps of a device without saturated tails."""

    data: Data
    """the sweeps, with the mean levels of the tails as hard bounds"""
    errors: tuple[float, float]
    """standard errors of its hard bounds"""
    dropped: int
    """reads that were left out"""


def without_tails(data: Data, threads: int = 1) -> Tails:
    """Leave out where runs of pulses saturate with a corner, as at a hard bound.

    Each run of at least 30 pulses of a direction is compared with a curve c + d(1 − e^(−kt))/k, and with the same
    curve up to a corner and flat after it. If corners fit clearly better, and a table that is fitted without the tails
    explains the rest of the sweeps better than one fitted to everything, the tails are left out, and their mean level
    is a bound. A soft bound has no corner, so nothing is left out.
    """
    nothing = Tails(data, (np.nan, np.nan), 0)
    corners = {sign: _corners(data, sign) for sign in (1, -1)}
    if not any(corners.values()):
        return nothing
    kept = _cut(data, {**corners[1], **corners[-1]})
    if len(kept.starts) == 0 or kept.counts.sum() < 20:
        return nothing
    form = Form("table")
    whole = fitted(data, form, fit_line(data, threads), threads)
    alone = fitted(kept, form, fit_line(kept, threads), threads)
    if scores(kept, form, whole.t, threads).sum() - scores(kept, form, alone.t, threads).sum() < _SURE:
        return nothing
    levels = {sign: _level(data, corners[sign]) for sign in (1, -1)}
    hard = (levels[-1][0] if corners[-1] else -np.inf, levels[1][0] if corners[1] else np.inf)
    dropped = len(data.values) - len(kept.values)
    return Tails(replace(kept, hard=hard), (levels[-1][1], levels[1][1]), dropped)


def _runs(data: Data, sign: int) -> list[tuple[int, int]]:
    """First and last + 1 read of each long run of pulses of a direction."""
    found = []
    for start, length in zip(data.starts, data.lengths, strict=True):
        signs = data.signs[start : start + length]
        edges = [0, *(np.flatnonzero(np.diff(signs)) + 1), length]
        found += [(int(start + a), int(start + b)) for a, b in pairwise(edges) if signs[a] == sign and b - a >= _LONG]
    return found


def _corners(data: Data, sign: int) -> dict[int, int]:
    """The place of the corner in each run, by the end of the run; none unless corners fit clearly better."""
    found, gains = {}, []
    for start, end in _runs(data, sign):
        values = data.values[start:end]
        known = ~np.isnan(values)
        if known.sum() < _LONG:
            continue
        time = np.arange(end - start, dtype=np.float64)[known]
        smooth, corner, place = _residuals(time, values[known])
        gains.append(float(np.log(max(smooth, 1e-300) / max(corner, 1e-300))))
        found[end] = start + place
    if not gains:
        return {}
    mean = float(np.mean(gains))
    error = float(np.std(gains, ddof=1) / np.sqrt(len(gains))) if len(gains) > 1 else 0.0
    return found if mean > _BETTER + error else {}


def _residuals(time: F64, values: F64) -> tuple[float, float, int]:
    """Residual sums of the smooth curve and of the one with a corner, and the place of the corner."""
    length = float(time[-1])
    best_smooth, best_corner, place = np.inf, np.inf, len(values)
    centred = values - values.mean()
    for k in np.concatenate([[1e-6], np.geomspace(0.2, 30, _LEVELS - 1)]) / length:
        for share in np.concatenate([np.linspace(0.1, 0.9, _LEVELS), [1.0]]):
            base = -np.expm1(-k * np.minimum(time, share * length))
            base -= base.mean()
            square = float(base @ base)
            rest = float(centred @ centred) - (float(base @ centred) ** 2 / square if square > 0 else 0.0)
            if share == 1.0:
                best_smooth = min(best_smooth, rest)
            elif rest < best_corner:
                best_corner, place = rest, int(share * length) + 1
    return best_smooth, best_corner, place


def _level(data: Data, corners: dict[int, int]) -> tuple[float, float]:
    """Mean level of the tails and its standard error."""
    if not corners:
        return np.nan, np.nan
    levels = [float(np.nanmean(data.values[place:end])) for end, place in corners.items()]
    if len(levels) > 1:
        return float(np.mean(levels)), float(np.std(levels, ddof=1)) / len(levels) ** 0.5
    tail = data.values[next(iter(corners.values())) : next(iter(corners))]
    return levels[0], float(np.nanstd(tail)) / max(1, int(np.count_nonzero(~np.isnan(tail)))) ** 0.5


def _cut(data: Data, corners: dict[int, int]) -> Data:
    """The sweeps without the reads from each corner to the end of its run; what follows is a sweep of its own."""
    keep: NDArray[np.bool_] = np.ones(len(data.values), dtype=bool)
    for end, place in corners.items():
        keep[place:end] = False
    begins = np.zeros(len(keep), dtype=bool)
    begins[data.starts] = True
    begins[1:] |= keep[1:] & ~keep[:-1]
    number = np.cumsum(begins) - 1
    cycle = np.repeat(data.cycles, data.lengths)
    pieces = [piece for piece in np.split(np.flatnonzero(keep), np.flatnonzero(np.diff(number[keep])) + 1)]
    pieces = [piece for piece in pieces if np.count_nonzero(~np.isnan(data.values[piece])) >= 3]
    chosen = np.concatenate(pieces) if pieces else np.zeros(0, dtype=int)
    return replace(
        data,
        values=data.values[chosen],
        signs=data.signs[chosen],
        starts=np.cumsum([0, *(len(piece) for piece in pieces[:-1])]).astype(np.int64)[: len(pieces)],
        cycles=np.array([cycle[piece[0]] for piece in pieces], dtype=np.int64),
    )
