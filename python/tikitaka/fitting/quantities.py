"""What device people report, from the parameters of a fit: steps, bounds, symmetry point, states, noises."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tikitaka.fitting.form import Form, natural, steps

__all__ = ["Curves", "nonlinearity", "zeros"]

F64 = NDArray[np.float64]

_GRID = np.linspace(-0.75, 0.75, 601)  # states where the symmetry point is looked for, in windows
_FAR = 1e6


def zeros(shape: str, p: F64) -> tuple[F64, F64]:
    """Where the up step and the down step end at 0, in windows from the middle (sets,) each; ±∞ where they do not.

    Lines end at −1/h, powers at b, exponentials at ln(1 − g/h)/g; a table ends nowhere.
    """
    up, down = np.full(len(p), np.inf), np.full(len(p), -np.inf)
    with np.errstate(all="ignore"):
        if shape == "linear":
            up = np.where(p[:, 2] < 0, -1 / p[:, 2], np.inf)
            down = np.where(p[:, 3] > 0, -1 / p[:, 3], -np.inf)
        elif shape == "power":
            up, down = p[:, 2], p[:, 3]
        elif shape == "exponential":
            h, g = p[:, 2:4].T, p[:, 4:6].T
            root = np.where(np.abs(g) < 1e-6, -1 / h, np.log(1 - g / h) / g)
            up = np.where((h[0] < 0) & (root[0] > 0), root[0], np.inf)
            down = np.where((h[1] > 0) & (root[1] < 0), root[1], -np.inf)
    return np.where(up < _FAR, up, np.inf), np.where(down > -_FAR, down, -np.inf)


@dataclass(frozen=True, eq=False)
class Curves:
    """Parameter sets of one device (the estimate first, then draws from its uncertainty), with its window.

    All results are (sets,), in the unit of the source.
    """

    form: Form
    """the form"""
    t: F64
    """transformed parameters (sets, parameters)"""
    middle: float
    """middle of the window"""
    size: float
    """size of the window"""
    used: tuple[float, float]
    """lowest and highest state that the device reached, without the noise of reads"""
    hard: tuple[float, float]
    """hard bounds (lower, upper), where the device stops although its step is not 0; −∞ and ∞ without"""

    @property
    def p(self) -> F64:
        """Parameters in windows (sets, parameters)."""
        return natural(self.form, self.t)

    def step(self, sign: int, at: float | F64) -> F64:
        """Mean step of a pulse at conductance `at`, a number or (sets,)."""
        x = (np.broadcast_to(np.asarray(at, dtype=np.float64), (len(self.t),)) - self.middle) / self.size
        return steps(self.form.shape, self.p, sign, x[:, None])[:, 0] * self.size

    def ends(self) -> tuple[F64, F64]:
        """Where the down step and the up step end: hard bounds, or zeros of the steps; infinite without either."""
        up, down = zeros(self.form.shape, self.p)
        lower = np.maximum(down * self.size + self.middle, self.hard[0])
        upper = np.minimum(up * self.size + self.middle, self.hard[1])
        return lower, upper

    def symmetry_point(self) -> F64:
        """Where the mean steps up and down are equal; NaN if they are so nowhere within ¾ of the window around its
        middle."""
        p = self.p
        apart = steps(self.form.shape, p, 1, _GRID) - steps(self.form.shape, p, -1, _GRID)
        apart = np.where(apart == 0, 1e-300, apart)
        cross = np.signbit(apart[:, 1:]) != np.signbit(apart[:, :-1])
        # the crossing nearest to the middle
        where = np.argmin(np.where(cross, np.abs(_GRID[1:]), np.inf), axis=1)
        rows = np.arange(len(p))
        left, right = apart[rows, where], apart[rows, where + 1]
        share = left / np.where(left == right, 1.0, left - right)
        x = _GRID[where] + share * (_GRID[1] - _GRID[0])
        return np.where(cross.any(axis=1), x * self.size + self.middle, np.nan)

    def pulse_noise(self) -> F64:
        """Standard deviation of one pulse: in the unit of the source if additive, or as a fraction of the step."""
        return self.p[:, -2] * (1.0 if self.form.multiplicative else self.size)

    def read_noise(self) -> F64:
        """Standard deviation of one read."""
        return self.p[:, -1] * self.size

    def read_slope(self, sign: int, at: float) -> F64:
        """Relative change of the step per unit of the source at conductance `at`."""
        by = 1e-4 * self.size
        f = self.step(sign, at)
        with np.errstate(all="ignore"):
            return (self.step(sign, at + by) - self.step(sign, at - by)) / (2 * by * f)


def nonlinearity(curves: Curves, sign: int, pulses: int) -> float:
    """NeuroSim's NL of the estimate: 10.1 times the largest bulge of the mean sweep of `pulses` pulses above the
    diagonal, both axes from 0 to 1; its sign is that of the bulge (NeuroSim: Chen et al., TCAD 37:3067 (2018))."""
    p = curves.p[:1]
    x = (curves.used[0 if sign > 0 else 1] - curves.middle) / curves.size
    track = [x]
    for _ in range(max(2, min(pulses, 100_000))):
        x = x + sign * float(steps(curves.form.shape, p, sign, np.array([x]))[0, 0])
        track.append(x)
    path = np.array(track)
    if path[-1] == path[0]:
        return 0.0
    bulge = (path - path[0]) / (path[-1] - path[0]) - np.linspace(0, 1, len(path))
    return float(10 / 0.99 * bulge[np.argmax(np.abs(bulge))])
