"""Multi-tile residual learning."""

from typing import Any

import numpy as np

import tikitaka as tt
from twin.arrays import Array, Work, ledger
from twin.devices import F64
from twin.rules import Signals


def tile_names(fast_tiles: int) -> list[str]:
    """The names that the core gives to the fast tiles, the fastest first."""
    return [*(f"tile{n}" for n in range(fast_tiles, 1, -1)), "a"]


class Tiles:
    """W̄ = C + Σ γⁿW⁽ⁿ⁾; every T_n samples or batches a line of a tile trains the next slower one (L25 eqs. 6, 7).

    T grows from the fastest tile, which learns from gradients, to the slowest, and the rate falls to β, that of all
    transfers to C. In a warm start the fastest tile trains C, then tile 1, and so on, and the others wait.
    """

    def __init__(self, config: tt.Tiles, fast: list[Array], c: Array) -> None:
        self.config, self.fast, self.c = config, fast, c  # the fastest first
        tiles = range(len(fast), 0, -1)
        self.shares = [config.gamma**tile for tile in tiles]
        self.rates = [config.transfer_lr * config.lr_ratio ** (tile - 1) for tile in tiles]
        self.every = [config.transfer_every * config.every_ratio**stage for stage in range(len(fast))]
        self.counts, self.k = [0] * len(fast), [0] * len(fast)
        self.samples, self.averaging, self.work = 0, False, Work()
        self.sums, self.reads, self.v = np.zeros_like(c.state), np.zeros_like(c.state), np.zeros(0)
        self.signals = Signals(*c.state.shape)

    def forward(self, x: F64) -> F64:
        return self.c.forward(x) + sum(
            share * tile.forward(x) for share, tile in zip(self.shares, self.fast, strict=True)
        )

    def backward(self, delta: F64) -> F64:
        return self.c.backward(delta) + sum(
            share * tile.backward(delta) for share, tile in zip(self.shares, self.fast, strict=True)
        )

    def update(self, x: F64, delta: F64, lr_scale: float) -> None:
        s = self.config
        for x_s, delta_s in zip(x, delta, strict=True):
            self.samples += 1
            lines = len(delta_s) if s.transfer_line == "row" else len(x_s)
            self.signals.add(x_s, delta_s, self.samples, s.transfer_every * lines)
            lr = self.signals.fast_lr(s, self.fast[0]) if s.fast_lr is None else s.fast_lr
            self.fast[0].update(x_s, delta_s, -lr)
            if s.transfer_unit == "sample":
                self.count(lr_scale)
        if s.transfer_unit == "batch":
            self.count(lr_scale)

    def count(self, lr_scale: float) -> None:
        """A sample or batch more."""
        warm, last = self.config.warm_start, len(self.fast) - 1
        phase = self.counts[0] // warm if warm else len(self.fast)
        running = len(self.fast) if phase > last else 1
        read = self.line(0)
        for stage in range(running):
            self.counts[stage] += 1
            if self.counts[stage] % self.every[stage] == 0:
                self.transfer(stage, stage if running > 1 else last - phase, lr_scale)
        if self.averaging and self.counts[0] % self.every[0] == 0:
            self.average(read)

    def transfer(self, stage: int, target: int, lr_scale: float) -> None:
        """A line of a tile to the one after `target`, C after the last."""
        by_row, k = self.config.transfer_line == "row", self.k[stage]
        lines = self.c.state.shape[0 if by_row else 1]
        unit = np.eye(lines)[k]
        v, into_c = self.fast[stage].read(self.line(stage)), target == len(self.fast) - 1
        self.v = v if stage == 0 else self.v
        step = v * (self.config.transfer_lr * lr_scale if into_c else self.rates[stage])
        array = self.c if into_c else self.fast[target + 1]
        array.update(*((step, unit) if by_row else (unit, step)), 1.0)
        self.k[stage] = (k + 1) % lines

    def line(self, stage: int) -> Any:
        k = self.k[stage]
        return np.s_[k, :] if self.config.transfer_line == "row" else np.s_[:, k]

    def average(self, line: Any) -> None:
        """A read of what the network sees: of C, and of the tiles among it but the fastest, which was just read."""
        read = self.c.read(line) + self.shares[0] * self.v
        for share, tile in zip(self.shares[1:], self.fast[1:], strict=True):
            read = read + share * tile.read(line)
        self.sums[line] += read
        self.reads[line] += 1
        self.work.add((2 + len(self.fast)) * len(read), 2 * len(read))

    def ledger(self) -> Any:
        return ledger(self.work, slow=self.c, fast=self.fast)
