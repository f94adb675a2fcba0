"""Forms of the response that a fit can choose from: the shape of the step and the noise of a pulse."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["FORMS", "NODES", "NOISES", "SHAPES", "Form", "jacobian", "natural", "representable", "steps"]

F64 = NDArray[np.float64]

NODES = 6
"""Nodes of a table, in each direction."""

SHAPES = ("constant", "linear", "power", "exponential", "table")
"""Shapes of the mean step, the simplest first."""

NOISES = ("additive", "multiplicative")
"""Forms of the pulse noise, the simplest first."""

_ZERO = 1e-6  # a read noise of zero, as a fraction of the window: the likelihood stays finite
_LEAST = 1e-6  # least base of a power, as in the crate

# transform of each parameter, lowest and highest transformed value: "+" p = e^t, "-" p = −e^t, "=" p = t
_STEP = ("+", np.log(1e-6), np.log(2.0))
_SLOPE = ("=", -6.0, 6.0)
_RATE = ("=", -12.0, 12.0)
_POWER = ("+", np.log(0.1), np.log(10.0))
_NOISE = ("+", np.log(1e-6), np.log(1e3))
_READ = ("+", np.log(_ZERO), np.log(2.0))
_EDGES = (("+", np.log(0.1), np.log(30.0)), ("-", np.log(0.1), np.log(30.0)))

_PARAMETERS = {
    "constant": (_STEP,) * 2,
    "linear": (_STEP,) * 2 + (_SLOPE,) * 2,
    "power": (_STEP,) * 2 + _EDGES + (_POWER,) * 2,
    "exponential": (_STEP,) * 2 + (_SLOPE,) * 2 + (_RATE,) * 2,
    "table": (("+", np.log(1e-7), np.log(2.0)),) * (2 * NODES),
}


@dataclass(frozen=True)
class Form:
    """A shape of the mean step with a form of the noise.

    Parameters are in units of the window, with the state x = (G − middle)/size; they are those of `fit::Shape` in the
    crate, then pulse noise and read noise. The optimiser sees them transformed, positive ones as logarithms.
    """

    shape: str
    """one of `SHAPES`"""
    multiplicative: bool = False
    """whether the noise of a pulse is a fraction of its step; otherwise it is the same for all pulses"""
    read_noise: bool = True
    """whether reads have noise of their own"""

    @property
    def parameters(self) -> int:
        """How many parameters there are, with the noise."""
        return len(_PARAMETERS[self.shape]) + 2

    @property
    def free(self) -> int:
        """How many of them are free."""
        return self.parameters - (not self.read_noise)

    @property
    def limits(self) -> tuple[F64, F64]:
        """The lowest and the highest transformed parameters (parameters,)."""
        table = (*_PARAMETERS[self.shape], _NOISE, _READ)
        low, high = np.array([each[1] for each in table]), np.array([each[2] for each in table])
        if not self.read_noise:
            high[-1] = low[-1]
        return low, high

    @property
    def noise(self) -> str:
        """The form of the pulse noise, in words."""
        return "multiplicative" if self.multiplicative else "additive"


FORMS = tuple(Form(shape, multiplicative) for shape in SHAPES for multiplicative in (False, True))
"""All forms, the simplest first."""


def _signs(form: Form) -> NDArray[np.str_]:
    return np.array([each[0] for each in (*_PARAMETERS[form.shape], _NOISE, _READ)])


def natural(form: Form, t: F64) -> F64:
    """Parameters from transformed ones, (…, parameters)."""
    signs = _signs(form)
    grown = np.exp(np.where(signs == "=", 0.0, t))
    return np.where(signs == "=", t, np.where(signs == "+", grown, -grown))


def jacobian(form: Form, t: F64) -> F64:
    """The derivative of each parameter by its transformed value, (…, parameters)."""
    return np.where(_signs(form) == "=", 1.0, natural(form, t))


def representable(h: float, g: float) -> bool:
    """Whether a(1 + h(e^(gx) − 1)/g) is of the form c(1 − A e^(gx)) with c > 0, as the simulator's: 1 − h/g > 0."""
    return abs(g) > 1e-9 and 1 - h / g > 1e-3


def steps(shape: str, p: F64, sign: int, x: F64) -> F64:
    """Mean steps (sets, states) of pulses of one sign for parameter sets `p` (sets, parameters) at states `x` (states,)
    or (sets, states); the table of `fit::Shape` in the crate has the formulas. Only lines have steps below 0."""
    side = int(sign < 0)
    x = np.atleast_2d(x)
    a = p[:, [side]]
    if shape == "constant":
        return np.broadcast_to(a, (len(p), x.shape[1])).copy()
    if shape == "linear":
        return a * (1 + p[:, [2 + side]] * x)
    if shape == "power":
        base = 1 - x / p[:, [2 + side]]
        return np.where(base > _LEAST, a * np.maximum(base, _LEAST) ** p[:, [4 + side]], 0.0)
    if shape == "exponential":
        h, g = p[:, [2 + side]], p[:, [4 + side]]
        gx = g * x
        small = np.abs(gx) < 1e-3
        series = x * (1 + gx * (0.5 + gx * (1 / 6 + gx / 24)))
        with np.errstate(over="ignore"):
            grown = np.where(small, series, np.expm1(gx) / np.where(small, 1.0, g))
        return np.maximum(a * (1 + h * grown), 0.0)
    nodes = (p.shape[1] - 2) // 2
    values = p[:, side * nodes : (side + 1) * nodes]
    place = np.clip((x + 0.5) * (nodes - 1), 0, nodes - 1)
    k = np.minimum(place.astype(int), nodes - 2)
    rows = np.arange(len(p))[:, None]
    k = np.broadcast_to(k, (len(p), k.shape[1]))
    found: F64 = values[rows, k] + (values[rows, k + 1] - values[rows, k]) * (place - k)
    return found
