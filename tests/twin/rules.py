"""Training rules."""

import math
from typing import Any, Protocol

import numpy as np

import tikitaka as tt
from twin.arrays import Array, Work, ledger
from twin.devices import F64


class Rule(Protocol):
    def forward(self, x: F64) -> F64: ...
    def backward(self, delta: F64) -> F64: ...
    def update(self, x: F64, delta: F64, lr_scale: float) -> None: ...
    def ledger(self) -> Any: ...


class Float:
    """W ← W − lr·δxᵀ."""

    def __init__(self, config: tt.DigitalSgd, weights: F64) -> None:
        self.config, self.w = config, weights

    def forward(self, x: F64) -> F64:
        return x @ self.w.T

    def backward(self, delta: F64) -> F64:
        return delta @ self.w

    def update(self, x: F64, delta: F64, lr_scale: float) -> None:
        self.w = self.w - self.config.lr * lr_scale * delta.T @ x

    def ledger(self) -> Any:
        return ledger(Work())


class AnalogSgd:
    """C ← pulsed update(C, lr, −δ, x), GV16."""

    def __init__(self, config: tt.AnalogSgd, c: Array) -> None:
        self.config, self.c = config, c
        self.forward, self.backward = c.forward, c.backward

    def update(self, x: F64, delta: F64, lr_scale: float) -> None:
        for x_s, delta_s in zip(x, delta, strict=True):
            self.c.update(x_s, delta_s, -self.config.lr * lr_scale)

    def ledger(self) -> Any:
        return ledger(Work(), slow=self.c)


class Signals:
    """Means over one sweep of |x| and |δ| by line and of their maxima, from which rates follow (docs/rules.md)."""

    def __init__(self, rows: int, cols: int) -> None:
        self.x, self.delta = np.zeros(cols), np.zeros(rows)
        self.largest = np.zeros((2, 2))
        self.squares = np.zeros(2)

    def add(self, x: F64, delta: F64, samples: int, sweep: int) -> None:
        self.sweep, self.samples, share = sweep, samples, 1 / min(samples, sweep)
        self.x += share * (np.abs(x) - self.x)
        self.delta += share * (np.abs(delta) - self.delta)
        largest = np.array([np.max(np.abs(x)), np.max(np.abs(delta))])
        self.largest += share * (np.array([largest, largest**2]) - self.largest)
        self.squares += share * (np.array([x @ x, delta @ delta]) - self.squares)

    def gradient(self) -> float:
        return float(np.prod([np.sum(v**2) / np.sum(v) for v in (self.x, self.delta)]))

    def fast_lr(self, s: Any, a: Array) -> float:
        """θb/(S·ḡ), at most ½·min(BL_max·δ_A, b)/(max|x|·max|δ|), the maxima weighted by themselves."""
        most = 0.5 * min(s.pulse_trains.max_length * a.weight_step, s.device.bound)
        memory = self.decay(s, a) * s.device.bound / (self.sweep * self.gradient())
        return float(min(memory, most / np.prod(self.largest[1] / self.largest[0])))

    def decay(self, s: Any, a: Array) -> float:
        """θ = 4·S(σ_A/b)²/κ², from ¼ to 2; 2 where signs flip."""
        if getattr(s, "flip_rate", 0.0):
            return 2.0
        spread = np.prod(self.squares / [np.sum(v**2) for v in (self.x, self.delta)])
        return float(np.clip(4 * self.sweep * (resting_noise(s, a) / s.device.bound) ** 2 / spread, 0.25, 2.0))

    def transfer_lr(self, s: Any, a: Array) -> Any:
        """lr·S·ḡ/b·s_i/m_i of each row, s_i = ⟨|δ_i|⟩/⟨|δ|⟩, at most b_C·min(1/4b, 1/0.8kσ) after k sweeps, up to 25;
        weights per read and unit of A. Where A decays by θ between reads, row i does by s_i·θ. σ² is σ_A² and that of
        reads, with P^ref times 2/(2 − β).
        """
        bound, gradient = s.device.bound, self.gradient()
        noise = np.hypot(resting_noise(s, a), s.periphery.read.output_noise)
        if getattr(s, "flip_rate", 0.0):
            noise *= np.sqrt(2 / (2 - getattr(s, "reference_rate", 0.0)))
        forgotten = 0.8 * noise * min(self.samples / self.sweep, 25)
        most = min((s.slow_device or s.device).bound, 1) * min(0.25 / bound, 1 / forgotten)
        lr = self.fast_lr(s, a) if s.fast_lr is None else s.fast_lr
        shares = self.delta / (np.sum(self.delta**2) / np.sum(self.delta))
        responses = [response(s, share * lr * self.sweep * gradient / bound) for share in shares]
        return np.minimum(s.lr * self.sweep * gradient / bound * shares / responses, most)


def resting_noise(s: Any, a: Array) -> float:
    """σ_A of soft bounds that random pulses keep at their symmetry point: σ_A² = bδ(1 + σ_c²)/2."""
    return float(np.sqrt(0.5 * s.device.bound * a.weight_step * (1 + s.device.cycle_noise**2)))


def response(s: Any, theta: float) -> float:
    """The mean of c·(v − P^ref) for a steady gradient that would hold A at 1, ½ or more; A decays by θ between reads.

    Found by reading A, with regular flips, until nothing changes from period to period.
    """
    rate = getattr(s, "flip_rate", 0.0)
    if rate == 0:
        return 1.0
    period, share, d = math.ceil(1 / rate - 1e-9), getattr(s, "reference_rate", 0.0), math.exp(-theta)
    sign, a, mean, reference, z = 1.0, 0.0, 0.0, 0.0, []
    for _ in range(60):
        z = []
        for _ in range(period):
            a = sign + (a - sign) * d
            z.append(sign * (a - reference))
            mean += share * (a - mean)
        sign, reference = -sign, mean
    return max(float(np.mean(z)), 0.5)


class Ttv1:
    """W = γA + C; every ns samples v = MVM(A − R, u_k), C ← pulsed update(C, lr_C, v, u_k). GH20, PAT1."""

    def __init__(self, config: tt.Ttv1, a: Array, c: Array) -> None:
        self.config, self.a, self.c = config, a, c
        self.samples = self.k = 0
        self.averaging, self.work = False, Work()
        self.signals = Signals(*c.state.shape)

    def forward(self, x: F64) -> F64:
        share = self.config.gamma * self.a.forward(x) if self.config.gamma else 0.0
        return self.c.forward(x) + share

    def backward(self, delta: F64) -> F64:
        share = self.config.gamma * self.a.backward(delta) if self.config.gamma else 0.0
        return self.c.backward(delta) + share

    def update(self, x: F64, delta: F64, lr_scale: float) -> None:
        for x_s, delta_s in zip(x, delta, strict=True):
            self.samples += 1
            self.signals.add(x_s, delta_s, self.samples, self.config.transfer_every * len(x_s))
            lr = self.config.fast_lr
            self.a.update(x_s, delta_s, -(self.signals.fast_lr(self.config, self.a) if lr is None else lr))
            if self.samples % self.config.transfer_every == 0:
                self.transfer(lr_scale)

    def transfer(self, lr_scale: float) -> None:
        cols, lr = self.c.state.shape[1], self.config.transfer_lr
        lr = lr_scale * (self.signals.transfer_lr(self.config, self.a) if lr is None else lr)
        if getattr(self.config, "read_vectors", "one-hot") == "one-hot":
            vectors = np.eye(cols)
            v = self.a.read(np.s_[:, self.k])
        else:
            # a sweep over all H u_k u_kᵀ of a matrix of order N adds N·A: rates are divided by N
            vectors = hadamard(cols)
            lr /= len(vectors)
            v = self.a.forward(vectors[self.k : self.k + 1])[0]
        self.c.update(vectors[self.k], v * lr, 1.0)
        self.average()
        self.k = (self.k + 1) % len(vectors)

    def average(self) -> None:
        """A read of the line that was written goes into a mean, with the read of A, if the network sees a share of it:
        a multiply-add and a comparison per value, an addition for the share; the mean is read and written."""
        rows, cols = self.c.state.shape
        if self.averaging and self.k < cols:
            self.c.read(np.s_[:, self.k])
            self.work.add((3 if self.config.gamma else 2) * rows, 2 * rows)

    def ledger(self) -> Any:
        return ledger(self.work, slow=self.c, fast=[self.a])


def hadamard(n: int) -> F64:
    """Sylvester's matrix of the smallest order ≥ n, its first n columns."""
    matrix = np.ones((1, 1))
    while len(matrix) < n:
        matrix = np.kron([[1, 1], [1, -1]], matrix)
    return matrix[:, :n]


class Ttv2:
    """The network sees C alone; reads of A accumulate in H, and a full element sends a pulse to C: R24 eq. (10)."""

    leak = gamma = 0.0

    def __init__(self, config: tt.Ttv2, a: Array, c: Array) -> None:
        self.config, self.a, self.c = config, a, c
        self.forward, self.backward = c.forward, c.backward
        self.h, self.sums, self.reads = (np.zeros_like(c.state) for _ in range(3))
        self.averaging, self.work = False, Work()
        self.samples = self.batches = self.k = 0
        self.x_mean = self.delta_mean = 0.0
        self.signals = Signals(*c.state.shape)

    def fast_lr(self, x: F64, delta: F64) -> float:
        """lr_A; R24's rule is λ_A = η₀·BL_max·δ_A / (μ_x·μ_δ), means over about `memory` samples."""
        s = self.config
        if s.rates == "auto":
            self.signals.add(x, delta, self.samples, s.transfer_every * self.lines())
            return self.signals.fast_lr(s, self.a) if s.fast_lr is None else s.fast_lr
        share = 1 / min(self.samples, s.memory)
        self.x_mean += share * (np.max(np.abs(x)) - self.x_mean)
        self.delta_mean += share * (np.max(np.abs(delta)) - self.delta_mean)
        return self.last_fast_lr()

    def transfer_lr(self) -> Any:
        """λ_H, of each row at automatic rates; R24: λ·ns·n / (γ₀·δ_C), with the factor of eq. (14) over λ_A."""
        s = self.config
        if s.rates == "auto":
            return (
                s.transfer_lr if s.transfer_lr is not None else self.signals.transfer_lr(s, self.a) / self.c.weight_step
            )
        rate = s.learning_rate * s.transfer_every * self.lines() / (s.reads * self.c.weight_step)
        return rate / self.last_fast_lr() if s.rates == "r24-matched" else rate

    def last_fast_lr(self) -> float:
        s = self.config
        return s.granularity * s.pulse_trains.max_length * self.a.weight_step / (self.x_mean * self.delta_mean)

    def chop(self, x: F64, delta: F64) -> tuple[F64, F64]:
        """What A learns from."""
        return x, delta

    def measure(self, line: Any, v: F64) -> F64:
        """What a read of A says."""
        return v

    def lines(self) -> int:
        rows, cols = self.h.shape
        return rows if self.config.transfer_line == "row" else cols

    def update(self, x: F64, delta: F64, lr_scale: float) -> None:
        s = self.config
        for x_s, delta_s in zip(x, delta, strict=True):
            self.samples += 1
            self.a.update(*self.chop(x_s, delta_s), -self.fast_lr(x_s, delta_s))
            if s.transfer_unit == "sample" and self.samples % s.transfer_every == 0:
                self.transfer(lr_scale)
        self.batches += 1
        if s.transfer_unit == "batch" and self.batches % s.transfer_every == 0:
            self.transfer(lr_scale)

    def transfer(self, lr_scale: float) -> None:
        s = self.config
        line = np.s_[self.k, :] if s.transfer_line == "row" else np.s_[:, self.k]
        z = self.measure(line, self.a.read(line))
        rates = self.transfer_lr()
        rate = rates[self.k] if s.transfer_line == "row" and np.ndim(rates) else rates
        h = (1 - self.leak) * self.h[line] + rate * lr_scale * z
        self.a.ties.note(np.abs(h)[:, None] - np.arange(1, max(s.max_pulses, 9) + 1))
        most = 2**16 if s.rates == "auto" and s.transfer_lr is None else s.max_pulses
        sent = np.trunc(np.clip(h, -most, most)).astype(int)
        after = {"zero": 0 * h, "subtract": h - sent, "keep": s.keep * h}[s.after_pulse]
        self.h[line] = np.where(sent != 0, after, h)
        # a multiply-add and a comparison per value, which is read and written; a reset per crossing
        self.work.add(2 * len(h) + int((sent != 0).sum()), 2 * len(h))
        self.c.pulse(line, sent)
        if self.averaging:
            self.sums[line] += self.c.read(line) + self.gamma * z
            self.reads[line] += 1
            self.work.add((3 if self.gamma else 2) * len(h), 2 * len(h))
        self.k = (self.k + 1) % self.lines()

    def ledger(self) -> Any:
        return ledger(self.work, slow=self.c, fast=[self.a])
