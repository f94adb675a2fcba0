"""The stochastic pulsed update, and an array."""

import math
from collections import Counter
from collections.abc import Sequence
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


class Work:
    """Digital work: operations outside the arrays, and accesses to memories with a value per crosspoint."""

    def __init__(self) -> None:
        self.operations = self.accesses = 0

    def add(self, operations: int, accesses: int = 0) -> None:
        self.operations += operations
        self.accesses += accesses


def ledger(work: Work, *, slow: "Array | None" = None, fast: "Sequence[Array]" = (), scans: bool = True) -> Any:
    """Counts by name, those of 0 omitted; `scans`: a comparison per line for the largest |x| and |δ| of an update."""
    by_name = {"fast": fast, "slow": [slow] if slow else []}
    arrays = [array for each in by_name.values() for array in each]
    scanned = sum(array.counts["updates"] * sum(array.state.shape) for array in arrays) if scans else 0
    counts = {name: sum((array.counts for array in each), Counter[str]()) for name, each in by_name.items()}
    totals = {"digital_operations": work.operations + scanned, "buffer_accesses": work.accesses}
    return {name: dict(each) for name, each in counts.items()} | totals


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
        self.counts = Counter[str]()
        self.reference = np.zeros_like(devices.up)
        if reference.method == "ideal":
            self.reference = devices.symmetry_point() + reference.mean
        elif reference.method == "zero-shift":
            for pulse in range(reference.pulses):
                self.reference = devices.pulse(self.reference, pulse % 2 == 0)
            self.counts["pulses"] += reference.pulses * devices.up.size
        self.hold(np.zeros_like(devices.up))

    @property
    def weights(self) -> F64:
        return self.state - self.reference

    def hold(self, weights: Any) -> None:
        """Set the weights, clipped to the bounds."""
        self.state = np.clip(weights + self.reference, self.devices.lower, self.devices.upper)

    def forward(self, x: F64) -> F64:
        return self.products("forward_mvms", self.weights, x, self.periphery.forward)

    def backward(self, delta: F64) -> F64:
        return self.products("backward_mvms", self.weights.T, delta, self.periphery.backward)

    def products(self, name: str, w: F64, x: F64, part: tt.IoSettings) -> F64:
        made = [mvm(w, row, part, ties=self.ties) for row in x]
        for each in made:
            self.counts[name] += each.mvms
            self.counts["retries"] += each.retries
            self.counts["dac_conversions"] += each.dac
            self.counts["adc_conversions"] += each.adc
        return np.array([each.y for each in made])

    def read(self, line: Any) -> F64:
        """One line of W on its own: `line` indexes the array."""
        read, v = self.periphery.read, self.weights[line]
        self.counts += Counter(line_reads=1, dac_conversions=1, adc_conversions=len(v))
        return quantise(v, read.adc_bits, read.adc_bound, self.ties)

    def pulse(self, line: Any, counts: NDArray[np.int64]) -> None:
        """|n| pulses of the sign of n to each device of a line, one after another."""
        sent = np.zeros(self.state.shape, int)
        sent[line] = counts
        slots = int(np.max(np.abs(counts)))
        self.counts["line_slots"] += slots
        for n in range(slots):  # the line fires, and across it the lines of the devices that still get pulses
            pulsed = np.abs(sent) > n
            self.counts["row_firings"] += int(pulsed.any(axis=1).sum())
            self.counts["column_firings"] += int(pulsed.any(axis=0).sum())
            self.counts["pulses"] += int(pulsed.sum())
        for n in range(np.max(np.abs(sent))):
            self.state = np.where(np.abs(sent) > n, self.devices.pulse(self.state, sent > 0), self.state)

    def update(self, x: F64, delta: F64, lr: float) -> None:
        """W ← W + lr·δxᵀ in expectation."""
        for v in (x, delta):  # a value near zero may be zero in float32, which then draws no random number for it
            size = np.abs(v) / np.max(np.abs(v), initial=1e-30)
            self.ties.note(100 * size[size > 1e-12])  # less is 0 but for rounding
        rows, cols = self.fires(x, delta, lr)
        assert len(rows) == plan(x, delta, lr, self.weight_step, self.pulse_trains, self.ties).slots
        self.counts["updates"] += 1
        self.counts["slots"] += len(rows)
        self.counts["row_firings"] += int(rows.sum())
        self.counts["column_firings"] += int(cols.sum()) if rows.any() else 0
        self.counts["pulses"] += int((rows.astype(int).T @ cols.astype(int)).sum())
        self.state = pulsed_update(self.state, self.devices, lr * np.outer(delta, x), rows, cols)
