"""Layers."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

import tikitaka as tt
from twin.devices import F64
from twin.rules import Rule


#
# A mini-batch is (examples, values), or (steps, sequences, values): its samples are the first step of every sequence,
# then the second, and so on. Every layer keeps what it needs to learn from the last mini-batch.
class Layer(Protocol):
    def forward(self, x: F64) -> F64: ...
    def backward(self, delta: F64, wanted: bool) -> F64 | None:
        """dL/dx from dL/dy, if it is `wanted`: the first layer needs no backward product."""
        ...

    def learn(self, lr_scale: float) -> None: ...


def rows(values: F64) -> F64:
    """The samples of a mini-batch, one after another: (samples, values)."""
    return values.reshape(-1, values.shape[-1])


def fed(values: F64, bias: bool) -> F64:
    """With the 1 for the bias, if there is one."""
    return np.concatenate([values, np.ones((*values.shape[:-1], int(bias)))], axis=-1)


def sigmoid(a: F64) -> F64:
    return 1 / (1 + np.exp(-a))


class Linear:
    """y = s·W[x; 1]."""

    def __init__(self, rule: Rule, *, scale: float = 1.0, bias: bool = True) -> None:
        self.rule, self.scale, self.bias = rule, scale, bias

    def forward(self, x: F64) -> F64:
        self.inputs, self.x = x.shape, rows(fed(x, self.bias))
        return self.scale * self.rule.forward(self.x).reshape(*x.shape[:-1], -1)

    def backward(self, delta: F64, wanted: bool) -> F64 | None:
        self.delta = self.scale * rows(delta)
        return self.rule.backward(self.delta)[:, : self.inputs[-1]].reshape(self.inputs) if wanted else None

    def learn(self, lr_scale: float) -> None:
        self.rule.update(self.x, self.delta, lr_scale)


class Activation:
    """y = f(x), with the slope as a function of y."""

    def __init__(self, f: Callable[[F64], F64], slope: Callable[[F64], F64]) -> None:
        self.f, self.slope = f, slope

    def forward(self, x: F64) -> F64:
        self.y = self.f(x)
        return self.y

    def backward(self, delta: F64, wanted: bool) -> F64 | None:
        return delta * self.slope(self.y) if wanted else None

    def learn(self, lr_scale: float) -> None:
        pass


def activation(layer: tt.nn.Layer) -> Activation:
    if isinstance(layer, tt.nn.Sigmoid):
        return Activation(sigmoid, lambda y: y * (1 - y))
    assert isinstance(layer, tt.nn.Tanh)
    return Activation(np.tanh, lambda y: 1 - y**2)


class Conv2d:
    """y = s·W[patch; 1] for the patches in row-major order; each is a sample of the array.

    Images are (height, width, channels), with `padding` zeros around them; values of a patch are in the order (row,
    column, channel), and the filters of an output pixel are adjacent.
    """

    def __init__(self, layer: tt.nn.Conv2d, rule: Rule) -> None:
        self.layer, self.rule = layer, rule

    def corners(self) -> list[tuple[int, int]]:
        """Top left of every patch, in pixels of the padded image."""
        shape = self.layer
        ends = [side + 2 * shape.padding - shape.kernel + 1 for side in (shape.height, shape.width)]
        return [(top, left) for top in range(0, ends[0], shape.stride) for left in range(0, ends[1], shape.stride)]

    def pixels(self, top: int, left: int) -> list[tuple[int, int, int]]:
        """The places of the values of a patch in the padded image."""
        k, channels = range(self.layer.kernel), range(self.layer.channels)
        return [(top + row, left + column, channel) for row in k for column in k for channel in channels]

    def forward(self, x: F64) -> F64:
        shape, p = self.layer, self.layer.padding
        patches = []
        for image in x.reshape(-1, shape.height, shape.width, shape.channels):
            padded = np.pad(image, [(p, p), (p, p), (0, 0)])
            patches += [[padded[at] for at in self.pixels(*corner)] for corner in self.corners()]
        self.x = fed(np.array(patches), shape.bias)
        return shape.scale * self.rule.forward(self.x).reshape(len(x), -1)

    def backward(self, delta: F64, wanted: bool) -> F64 | None:
        shape, p = self.layer, self.layer.padding
        self.delta = shape.scale * delta.reshape(-1, shape.filters)
        if not wanted:
            return None
        answers = iter(self.rule.backward(self.delta))
        images = np.zeros((len(delta), shape.height + 2 * p, shape.width + 2 * p, shape.channels))
        for image in images:
            for corner in self.corners():
                for at, z in zip(self.pixels(*corner), next(answers), strict=False):  # the last is of the 1
                    image[at] += z
        return images[:, p : p + shape.height, p : p + shape.width].reshape(len(delta), -1)

    def learn(self, lr_scale: float) -> None:
        self.rule.update(self.x, self.delta, lr_scale)


class Lstm:
    """For each step: a = s·W[x; h; 1];  c ← σ(a_f) c + σ(a_i) tanh(a_g);  h ← σ(a_o) tanh(c).

    Every step is a sample of the array, whose rows are the gates i, f, g, o. Back through time, dL/da is clamped to
    ±clip; it ends at the start of a sequence. The carried state starts the next mini-batch.
    """

    def __init__(self, layer: tt.nn.LSTM, rule: Rule) -> None:
        self.layer, self.rule = layer, rule
        self.h = self.c = np.zeros((0, layer.hidden))
        self.clamped = self.free = 0

    def forward(self, x: F64) -> F64:
        sequences, hidden = x.shape[1], self.layer.hidden
        if not self.layer.carry or len(self.h) == 0:
            self.h = self.c = np.zeros((sequences, hidden))
        self.taken, outputs = [], []
        for x_t in x:
            v = fed(np.concatenate([x_t, self.h], axis=1), self.layer.bias)
            i, f, g, o = np.split(self.layer.scale * self.rule.forward(v), 4, axis=1)
            i, f, g, o, before = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o), self.c
            self.c = f * before + i * g
            self.h = o * np.tanh(self.c)
            self.taken.append((v, i, f, g, o, before, self.c))
            outputs.append(self.h)
        return np.array(outputs)

    def backward(self, delta: F64, wanted: bool) -> F64 | None:
        n, hidden, clip = self.layer.inputs, self.layer.hidden, self.layer.clip
        dh = dc = np.zeros_like(self.h)
        self.delta, dx = [], []
        for t, (_, i, f, g, o, before, c) in reversed(list(enumerate(self.taken))):
            dh = dh + delta[t]
            dc = dc + dh * o * (1 - np.tanh(c) ** 2)
            da_o = dh * np.tanh(c) * o * (1 - o)
            da = np.concatenate([dc * g * i * (1 - i), dc * before * f * (1 - f), dc * i * (1 - g**2), da_o], axis=1)
            if clip:
                self.clamped += (np.abs(da) > clip).sum()
                self.free += (np.abs(da) < clip).sum()
                da = np.clip(da, -clip, clip)
            self.delta.insert(0, self.layer.scale * da)
            dc = dc * f
            if t or wanted:
                z = self.rule.backward(self.delta[0])
                dx.insert(0, z[:, :n])
                dh = z[:, n : n + hidden]
        return np.array(dx) if wanted else None

    def learn(self, lr_scale: float) -> None:
        self.rule.update(rows(np.array([v for v, *_ in self.taken])), rows(np.array(self.delta)), lr_scale)
