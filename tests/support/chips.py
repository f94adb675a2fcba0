"""Simulated measurements of simulated devices."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import tikitaka as tt

__all__ = ["Chip", "sweeps_of"]


@dataclass(frozen=True, eq=False)
class Chip:
    """Measured pulses of a simulated chip, and its parameters."""

    measured: tt.Measured
    parameters: dict[str, NDArray[np.float32]]


def sweeps_of(
    device: tt.Device,
    *,
    pulses: int = 200,
    cycles: int = 5,
    devices: int = 1,
    read_noise: float = 0.04 * 1.2,
    seed: int = 1,
    zero: float = 50e-6,
    unit: float = 30e-6,
    ageing: float = 0.0,
) -> Chip:
    """`cycles` of `pulses` up, then down, each read once, in S: G = zero + unit · (w + noise)."""
    rng = np.random.default_rng(seed)
    array = tt.Crossbar(1, devices, device, seed=seed)
    one = np.ones(devices, dtype=np.int64)
    sweeps: list[tt.Sweep] = []
    for cycle in range(cycles):
        for sign in (1, -1):
            states = []
            for _ in range(pulses):
                before = array.weights
                array.pulse_row(0, sign * one)
                if ageing:
                    array.weights = before + (array.weights - before) * (1 - ageing) ** cycle
                states.append(array.weights[0].astype(np.float64))
            reads = zero + unit * (np.array(states) + read_noise * rng.standard_normal((pulses, devices)))
            sweeps += [tt.Sweep(f"D{k}", cycle + 1, np.full(pulses, sign), reads[:, k]) for k in range(devices)]
    sweeps.sort(key=lambda each: int(each.device[1:]))
    return Chip(tt.Measured(tuple(sweeps), unit="S"), dict(array.device_parameters))
