"""The stochastic pulsed update, and an array."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import tikitaka as tt
from twin.devices import F64, Bools, Devices, Fires, Ties, mean_step
from twin.products import mvm, quantise


class Plan(NamedTuple):
    """Slots BL of a train, and the probability of every row and column to fire in a slot."""

    slots: int
    rows: F64
    cols: F64


def plan(x: F64, delta: F64, lr: float, step: float, trains: tt.PulseTrains, ties: Ties | None = None) -> Plan:
    """GV16: A|δ_i| and B|x_j| with A = B = √(lr/(δ BL)), balanced by update management, BL by length management."""
    x_max, delta_max = np.max(np.abs(x)), np.max(np.abs(delta))
    k = abs(lr) * x_max * delta_max / step
    if k == 0:
        return Plan(0, np.zeros(len(delta)), np.zeros(len(x)))
    if ties and k < trains.max_length + 0.5:
        ties.note(k - round(k))
    slots = min(math.ceil(k), trains.max_length) if trains.length_management else trains.max_length
    if k > trains.max_length:
        delta_max *= trains.max_length / k
    gain = math.sqrt(abs(lr) / (step * slots))
    balance = math.sqrt(x_max / delta_max) if trains.update_management else 1.0
    return Plan(slots, np.minimum(gain * balance * np.abs(delta), 1), np.minimum(gain / balance * np.abs(x), 1))


def pulsed_update(w: F64, devices: Devices, signs: F64, rows: Bools, cols: Bools) -> F64:
    """The states after the trains (slots, rows) and (slots, cols): a pulse wherever both fire in a slot."""
    for row, col in zip(rows, cols, strict=True):
        w = np.where(np.outer(row, col), devices.pulse(w, signs > 0), w)
    return w


class Array:
    """An array of devices with its reference and periphery, without noise; W = state − reference."""

    def __init__(
        self,
        devices: Devices,
        fires: Fires,
        *,
        periphery: tt.Periphery,
        pulse_trains: tt.PulseTrains,
        reference: tt.Reference,
        ties: Ties,
    ) -> None:
        self.devices, self.fires = devices, fires
        self.periphery, self.pulse_trains, self.ties = periphery, pulse_trains, ties
        self.weight_step = mean_step(devices.model)
        self.reference = np.zeros_like(devices.up)
        if reference.method == "ideal":
            self.reference = devices.symmetry_point() + reference.mean
        elif reference.method == "zero-shift":
            for pulse in range(reference.pulses):
                self.reference = devices.pulse(self.reference, pulse % 2 == 0)
        self.hold(np.zeros_like(devices.up))

    @property
    def weights(self) -> F64:
        return self.state - self.reference

    def hold(self, weights: Any) -> None:
        """Set the weights, clipped to the bounds."""
        self.state = np.clip(weights + self.reference, self.devices.lower, self.devices.upper)

    def forward(self, x: F64) -> F64:
        return np.array([mvm(self.weights, row, self.periphery.forward, ties=self.ties).y for row in x])

    def backward(self, delta: F64) -> F64:
        return np.array([mvm(self.weights.T, row, self.periphery.backward, ties=self.ties).y for row in delta])

    def read(self, line: Any) -> F64:
        """One line of W on its own: `line` indexes the array."""
        read = self.periphery.read
        return quantise(self.weights[line], read.adc_bits, read.adc_bound, self.ties)

    def pulse(self, line: Any, counts: NDArray[np.int64]) -> None:
        """|n| pulses of the sign of n to each device of a line, one after another."""
        sent = np.zeros(self.state.shape, int)
        sent[line] = counts
        for n in range(np.max(np.abs(sent))):
            self.state = np.where(np.abs(sent) > n, self.devices.pulse(self.state, sent > 0), self.state)

    def update(self, x: F64, delta: F64, lr: float) -> None:
        """W ← W + lr·δxᵀ in expectation."""
        for v in (x, delta):  # a value near zero may be zero in float32, which then draws no random number for it
            self.ties.note(100 * v[v != 0] / np.max(np.abs(v), initial=1e-30))
        rows, cols = self.fires(x, delta, lr)
        assert len(rows) == plan(x, delta, lr, self.weight_step, self.pulse_trains, self.ties).slots
        self.state = pulsed_update(self.state, self.devices, lr * np.outer(delta, x), rows, cols)
