"""Products through the periphery."""

from typing import Any, NamedTuple

import numpy as np

import tikitaka as tt
from twin.devices import F64, MAX_HALVINGS, Ties


def level(bits: int, bound: float) -> float:
    """The distance between neighbouring levels: 2^bits − 2 steps over ±bound."""
    return 2 * bound / (2**bits - 2)


def quantise(v: Any, bits: int, bound: float, ties: Ties | None = None) -> F64:
    """The nearest level; 0 bits means no converter."""
    if bits == 0:
        return np.asarray(v, float)
    at = np.clip(v, -bound, bound) / level(bits, bound)
    if ties:
        ties.note(at - np.floor(at) - 0.5)
    return level(bits, bound) * np.rint(at)


class Product(NamedTuple):
    """A product and its cost."""

    y: F64
    mvms: int
    retries: int
    dac: int
    adc: int


def mvm(w: F64, x: F64, part: tt.IoSettings, noise: F64 | None = None, ties: Ties | None = None) -> Product:
    """y = s·2^r · ADC(W DAC(x / (s·2^r)) + σ ξ), GV16; `noise` holds the ξ of every attempt r, (attempts, outputs).

    s = max|x| under noise management; r counts the halvings of bound management, which converts again only the
    outputs that saturated.
    """
    rows, cols = w.shape
    scale = np.max(np.abs(x)) if part.noise_management else 1.0
    if scale == 0:
        return Product(np.zeros(rows), 1, 0, cols, rows)
    y, due, adc = np.zeros(rows), np.ones(rows, bool), 0
    for r in range(MAX_HALVINGS + 1):
        factor = scale * 2**r
        raw = w @ quantise(x / factor, part.dac_bits, part.dac_bound, ties)
        if noise is not None:
            raw = raw + part.output_noise * noise[r]
        y[due] = factor * quantise(raw[due], part.adc_bits, part.adc_bound, ties)
        adc += due.sum()
        if not (part.bound_management and part.adc_bits):
            break
        if ties:
            ties.note(np.abs(raw[due]) - part.adc_bound)
        due &= np.abs(raw) > part.adc_bound
        if not due.any():
            break
    return Product(y, r + 1, r, (r + 1) * cols, int(adc))
