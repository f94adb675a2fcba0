"""Rules with a chopper, a tracked reference, a share of A, or a digital accumulator."""

from typing import Any

import numpy as np

import tikitaka as tt
from twin.arrays import Array, Work, ledger
from twin.devices import F64
from twin.rules import Ttv1, Ttv2


class Filtered(Ttv2):
    """c-TTv2 (R24 eq. 11), AGAD (eqs. 12, 13), RLv2 (W25) and E-RIDER (X26), flips regular: W̄ = C + γ·c⊙(A − P^ref)."""

    def __init__(self, config: Any, a: Array, c: Array) -> None:
        super().__init__(config, a, c)
        self.leak = getattr(config, "leak", 0.0)
        self.gamma = getattr(config, "gamma", 0.0)
        self.tracks = hasattr(config, "reference_rate")
        self.signs, self.read_count = np.ones(self.lines()), np.zeros(self.lines(), int)
        self.mean, self.tracked = np.zeros_like(self.h), np.zeros_like(self.h)
        self.adopted = np.zeros(self.lines(), bool)
        self.by_row = config.transfer_line == "row"
        self.forward, self.backward = self.see, self.see_back

    def see(self, x: F64) -> F64:
        if not self.gamma:
            return self.c.forward(x)
        into, out = (1.0, self.signs) if self.by_row else (self.signs, 1.0)
        return self.c.forward(x) + self.gamma * out * (self.a.forward(into * x) - (into * x) @ self.tracked.T)

    def see_back(self, delta: F64) -> F64:
        if not self.gamma:
            return self.c.backward(delta)
        into, out = (self.signs, 1.0) if self.by_row else (1.0, self.signs)
        return self.c.backward(delta) + self.gamma * out * (
            self.a.backward(into * delta) - (into * delta) @ self.tracked
        )

    def chop(self, x: F64, delta: F64) -> tuple[F64, F64]:
        return (x, self.signs * delta) if self.by_row else (self.signs * x, delta)

    def measure(self, line: Any, v: F64) -> F64:
        s, k = self.config, self.k
        z, sign = v, self.signs[k]
        if self.tracks:
            z = (v - self.tracked[line]) * (self.adopted[k] or not s.warm_up)
            self.mean[line] = (1 - s.reference_rate) * self.mean[line] + s.reference_rate * v
            # two operations for the mean, one for the difference; the mean is read and written, the reference read; a
            # mean of one read is the read itself
            fresh = s.reference_rate == 1
            self.work.add((1 if fresh else 3) * len(v), (2 if fresh else 3) * len(v))
        self.read_count[k] += 1
        rate = getattr(s, "flip_rate", 0.0)
        if rate and self.read_count[k] % round(1 / rate) == 0:
            self.signs[k] *= -1
            if self.tracks:
                self.tracked[line] = self.mean[line]
                self.work.add(0, len(v))
                self.adopted[k] = True
        return sign * z


class Rider(Ttv1):
    """RIDER (X26 Alg. 2): Q follows every read; C gets v − Q, and the network sees C + γ(A − Q)."""

    def __init__(self, config: Any, a: Array, c: Array) -> None:
        super().__init__(config, a, c)
        self.q = np.zeros_like(c.state)

    def forward(self, x: F64) -> F64:
        return super().forward(x) - self.config.gamma * x @ self.q.T

    def backward(self, delta: F64) -> F64:
        return super().backward(delta) - self.config.gamma * delta @ self.q

    def transfer(self, lr_scale: float) -> None:
        s, cols = self.config, self.c.state.shape[1]
        v = self.a.read(np.s_[:, self.k])
        self.q[:, self.k] = (1 - s.reference_rate) * self.q[:, self.k] + s.reference_rate * v
        self.work.add(3 * len(v), 2 * len(v))
        self.c.update(np.eye(cols)[self.k], v - self.q[:, self.k], s.transfer_lr * lr_scale)
        self.average()
        self.k = (self.k + 1) % cols


class MixedPrecision:
    """χ ← χ − lr·δxᵀ; after a mini-batch N = trunc(χ/ε) pulses, χ ← χ − N·ε (Nandakumar et al. 2020)."""

    def __init__(self, config: tt.MixedPrecision, c: Array) -> None:
        self.config, self.c = config, c
        self.forward, self.backward = c.forward, c.backward
        self.chi, self.sums, self.reads = (np.zeros_like(c.state) for _ in range(3))
        self.averaging, self.batches, self.work = False, 0, Work()

    def update(self, x: F64, delta: F64, lr_scale: float) -> None:
        self.chi = self.chi - self.config.lr * lr_scale * delta.T @ x
        self.work.add(2 * len(x) * self.chi.size, 2 * len(x) * self.chi.size)  # a multiply-add is two
        self.work.add(self.chi.size, self.chi.size)  # the division
        pulses = self.chi / self.c.weight_step
        self.c.ties.note(np.abs(pulses)[..., None] - np.arange(1, 4))
        sent = np.trunc(pulses).astype(int)
        self.chi -= sent * self.c.weight_step
        for k in range(self.chi.shape[1]):
            if sent[:, k].any():
                self.work.add(2 * len(self.chi), len(self.chi))  # χ − N·ε
                self.c.pulse(np.s_[:, k], sent[:, k])
        self.batches += 1
        if self.averaging and self.batches % self.config.average_every == 0:
            line = np.s_[:, self.batches // self.config.average_every % self.chi.shape[1]]
            self.sums[line] += self.c.read(line)
            self.reads[line] += 1
            self.work.add(2 * len(self.chi), 2 * len(self.chi))

    def ledger(self) -> Any:
        return ledger(self.work, slow=self.c, scans=False)
