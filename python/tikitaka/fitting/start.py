"""Where the optimiser starts."""

import numpy as np
from numpy.typing import NDArray

from tikitaka.fitting.data import Data
from tikitaka.fitting.form import NODES, Form, natural, steps

__all__ = ["first_starts", "noises", "start_of"]

F64 = NDArray[np.float64]

_BLOCK = 10  # pulses of a direction in a row whose mean step counts
_PART = 0.3  # least read noise to start from, in units of the pulse noise: near 0 a logarithm has no slope
_SMOOTH = 15  # increments over which the mean step is taken


def first_starts(data: Data) -> list[F64]:
    """Transformed parameters of a line, for `Form("linear")`, from which to start: medians of steps over whole runs
    and the noises from the increments; then with small and large pulse noise, and shrinking steps."""
    up, down = _mean_steps(data)
    pulse, read = noises(data)
    a = np.log([up, down])

    def line(h: float, q: float, r: float) -> F64:
        return np.array([*a, -h, h, np.log(q), np.log(max(r, _PART * q))])

    mean = float(np.sqrt(up * down))
    return [line(0.0, max(pulse, 0.3 * mean), read), line(1.5, mean, read), line(0.0, 5 * mean, 0.5 * read)]


def _mean_steps(data: Data) -> tuple[float, float]:
    """Medians over runs of (end − start)/pulses, up and down, above 0."""
    found: dict[int, list[float]] = {1: [], -1: []}
    for values, signs in data.sweeps():
        edges = np.flatnonzero(np.diff(signs)) + 1
        for run in np.split(np.arange(len(signs)), edges):
            sign = int(signs[run[0]])
            known = run[~np.isnan(values[run])]
            if sign and len(run) >= _BLOCK and len(known) > 3:
                first, last = known[:3], known[-3:]
                rise = float(np.median(values[last]) - np.median(values[first]))
                found[sign].append(sign * rise / (float(last.mean() - first.mean()) + 1))
    sizes = [float(np.nanmedian(each)) if each else 0.0 for each in found.values()]
    return max(sizes[0], 1e-4), max(sizes[1], 1e-4)


def noises(data: Data) -> tuple[float, float]:
    """Pulse noise and read noise from the increments, in units of the window.

    With c the autocovariance of the increments around their running mean, and n pulses from read to read,
    σ_r² = max(0, −c₁) and σ_p² = (c₀ − 2σ_r²)/n.
    """
    c0 = c1 = count = pulses = 0.0
    for values, _ in data.sweeps():
        known = np.flatnonzero(~np.isnan(values))
        d = np.diff(values[known])
        if len(d) > 2:
            pulses += float(known[-1] - known[0])
            width = min(_SMOOTH, len(d))
            kernel = np.ones(width)
            d = d - np.convolve(d, kernel, "same") / np.convolve(np.ones(len(d)), kernel, "same")
            c0, c1, count = c0 + float(d @ d), c1 + float(d[1:] @ d[:-1]), count + len(d)
    c0, c1 = c0 / max(count, 1), c1 / max(count, 1)
    read = max(0.0, -c1)
    between = max(pulses / max(count, 1), 1.0)
    return float(np.sqrt(max((c0 - 2 * read) / between, 1e-10))), float(np.sqrt(max(read, 1e-10)))


def start_of(form: Form, line: F64, noise: bool) -> F64:
    """Transformed parameters of `form` next to those of a fitted line; `noise`: the line's noise is multiplicative."""
    p = natural(Form("linear"), line)
    a, h = p[:2], p[2:4]
    pulse = max(line[4], np.log(0.2 * a).mean())  # near 0 a logarithm has no slope
    if form.multiplicative and not noise:
        pulse = pulse - np.log(a).mean()
    elif noise and not form.multiplicative:
        pulse = pulse + np.log(a).mean()
    if form.shape == "constant":
        shape = line[:2]
    elif form.shape == "linear":
        shape = line[:4]
    elif form.shape == "power":
        inward = np.array([-h[0], h[1]])
        edges = np.where(inward > 0.34, 1 / np.maximum(inward, 0.34), 3.0)
        shape = np.concatenate([line[:2], np.log(edges), np.zeros(2)])
    elif form.shape == "exponential":
        shape = np.concatenate([line[:4], [0.01, 0.01]])
    else:
        x = np.linspace(-0.5, 0.5, NODES)
        rows = [np.maximum(steps("linear", p[None], sign, x)[0], 0.1 * a[int(sign < 0)]) for sign in (1, -1)]
        shape = np.log(np.concatenate(rows))
    read = max(line[5], float(np.log(_PART) + line[4]), float(np.log(_PART * 0.2 * a).mean()))
    t = np.concatenate([shape, [pulse, read]])
    return np.asarray(np.clip(t, *form.limits))
