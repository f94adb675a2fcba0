"""A slow twin of the simulator in plain NumPy and float64, written from the equations and not from the compiled core.

Noise comes in as an argument, and so do the trains of pulsed updates: who compares the two takes them from the core.
R24 is Rasch et al., Nature Communications 15:7133; GV16 is Gokmen & Vlasov, Front. Neurosci. 10:333; GH20 is Gokmen &
Haensch, Front. Neurosci. 14:103; PAT1 is US patent 11,562,249.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

import tikitaka as tt

F64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

MAX_HALVINGS = 10  # bound management gives up after a factor of 1024


class Ties:
    """How near the decisions of a run came to falling the other way: there a float32 simulator may rightly differ."""

    def __init__(self) -> None:
        self.closest = math.inf

    def note(self, distances: Any) -> None:
        """Distances of values from where a decision flips, in the decision's own unit (levels, thresholds, slots)."""
        self.closest = min(self.closest, np.min(np.abs(distances), initial=math.inf))


# --- devices ----------------------------------------------------------------------------------------------------------


class Devices:
    """The constants of an array of devices, each (rows, cols), and their answer to a pulse."""

    def __init__(self, model: tt.Device, constants: Mapping[str, Any]) -> None:
        names = ("up_step", "down_step", "upper_bound", "lower_bound")
        self.model = model
        self.up, self.down, self.upper, self.lower = (np.asarray(constants[name], float) for name in names)

    def pulse(self, w: F64, up: Any, xi: Any = 0.0) -> F64:
        """The states after one pulse, up where `up` and down elsewhere, with normals `xi`: R24 eq. (4); GV16."""
        sigma = self.model.cycle_noise
        if isinstance(self.model, tt.ConstantStep):
            rise, fall = self.up * (1 + sigma * xi), self.down * (1 + sigma * xi)
        else:
            slope_up, slope_down = (self.upper - w) / self.upper, (self.lower - w) / self.lower
            if self.model.noise == "multiplicative":
                rise, fall = self.up * slope_up * (1 + sigma * xi), self.down * slope_down * (1 + sigma * xi)
            else:
                rise, fall = self.up * (slope_up + sigma * xi), self.down * (slope_down + sigma * xi)
        return np.clip(np.where(up, w + rise, w - fall), self.lower, self.upper)

    def symmetry_point(self) -> F64:
        """Where an up and a down step cancel on average, R24 eq. (8)."""
        return (self.up - self.down) / (self.up / self.upper - self.down / self.lower)


def mean_step(model: tt.Device) -> float:
    """δ = 2b / n_states."""
    states = model.states or (1200 if isinstance(model, tt.ConstantStep) else 20)
    return model.weight_step or 2 * model.bound / states


# --- products through the periphery -----------------------------------------------------------------------------------


def level(bits: int, bound: float) -> float:
    """The distance of neighbouring levels: 2^bits − 2 steps over ±bound."""
    return 2 * bound / (2**bits - 2)


def quantise(v: Any, bits: int, bound: float, ties: Ties | None = None) -> F64:
    """The nearest level; 0 bits is no converter."""
    if bits == 0:
        return np.asarray(v, float)
    at = np.clip(v, -bound, bound) / level(bits, bound)
    if ties:
        ties.note(at - np.floor(at) - 0.5)
    return level(bits, bound) * np.rint(at)


class Product(NamedTuple):
    """A product and what it took."""

    y: F64
    mvms: int
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
        return Product(np.zeros(rows), 1, cols, rows)
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
    return Product(y, r + 1, (r + 1) * cols, int(adc))


# --- the stochastic pulsed update -------------------------------------------------------------------------------------


class Plan(NamedTuple):
    """Slots BL of a train, and the probability of every row and column to fire in a slot."""

    slots: int
    rows: F64
    cols: F64


def plan(x: F64, delta: F64, lr: float, step: float, trains: tt.PulseTrains, ties: Ties | None = None) -> Plan:
    """GV16: A|δ_i| and B|x_j| with A = B = √(lr/(δ BL)), balanced by update management, BL by train management."""
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


Fires = Callable[[F64, F64, float], tuple[Bools, Bools]]
"""Source of trains: called with (x, delta, lr), once for each update."""


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
        """Takes the weights, as far as the bounds allow."""
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
        for v in (x, delta):  # what is nearly zero may be zero to others, who then draw no random number for it
            self.ties.note(100 * v[v != 0] / np.max(np.abs(v), initial=1e-30))
        rows, cols = self.fires(x, delta, lr)
        assert len(rows) == plan(x, delta, lr, self.weight_step, self.pulse_trains, self.ties).slots
        self.state = pulsed_update(self.state, self.devices, lr * np.outer(delta, x), rows, cols)


# --- training rules ---------------------------------------------------------------------------------------------------


class Rule(Protocol):
    def forward(self, x: F64) -> F64: ...
    def backward(self, delta: F64) -> F64: ...
    def update(self, x: F64, delta: F64, lr_scale: float) -> None: ...


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


class AnalogSgd:
    """C ← pulsed update(C, lr, −δ, x), GV16."""

    def __init__(self, config: tt.AnalogSgd, c: Array) -> None:
        self.config, self.c = config, c
        self.forward, self.backward = c.forward, c.backward

    def update(self, x: F64, delta: F64, lr_scale: float) -> None:
        for x_s, delta_s in zip(x, delta, strict=True):
            self.c.update(x_s, delta_s, -self.config.lr * lr_scale)


class Ttv1:
    """W = γA + C; every ns samples v = MVM(A − R, u_k), C ← pulsed update(C, lr_C, v, u_k). GH20, PAT1."""

    def __init__(self, config: tt.Ttv1, a: Array, c: Array) -> None:
        self.config, self.a, self.c = config, a, c
        self.samples = self.k = 0

    def forward(self, x: F64) -> F64:
        share = self.config.gamma * self.a.forward(x) if self.config.gamma else 0.0
        return self.c.forward(x) + share

    def backward(self, delta: F64) -> F64:
        share = self.config.gamma * self.a.backward(delta) if self.config.gamma else 0.0
        return self.c.backward(delta) + share

    def update(self, x: F64, delta: F64, lr_scale: float) -> None:
        for x_s, delta_s in zip(x, delta, strict=True):
            self.a.update(x_s, delta_s, -self.config.fast_lr)
            self.samples += 1
            if self.samples % self.config.transfer_every == 0:
                self.transfer(lr_scale)

    def transfer(self, lr_scale: float) -> None:
        cols, lr = self.c.state.shape[1], self.config.transfer_lr * lr_scale
        if self.config.read_vectors == "one-hot":
            vectors = np.eye(cols)
            v = self.a.read(np.s_[:, self.k])
        else:
            # a sweep over all H u_k u_kᵀ of a matrix of order N adds N·A: rates are divided by N
            vectors = hadamard(cols)
            lr /= len(vectors)
            v = self.a.forward(vectors[self.k : self.k + 1])[0]
        self.c.update(vectors[self.k], v, lr)
        self.k = (self.k + 1) % len(vectors)


def hadamard(n: int) -> F64:
    """Sylvester's matrix of the smallest order ≥ n, its first n columns."""
    matrix = np.ones((1, 1))
    while len(matrix) < n:
        matrix = np.kron([[1, 1], [1, -1]], matrix)
    return matrix[:, :n]


class Ttv2:
    """The network sees C alone; reads of A gather in H, and a full element sends C a pulse: R24 eq. (10)."""

    def __init__(self, config: tt.Ttv2, a: Array, c: Array) -> None:
        self.config, self.a, self.c = config, a, c
        self.forward, self.backward = c.forward, c.backward
        self.h, self.sums, self.reads = (np.zeros_like(c.state) for _ in range(3))
        self.averaging = False
        self.samples = self.batches = self.k = 0
        self.x_mean = self.delta_mean = 0.0

    def fast_lr(self, x: F64, delta: F64) -> float:
        """lr_A; R24's rule is λ_A = η₀·BL_max·δ_A / (μ_x·μ_δ), means over about `memory` samples."""
        s = self.config
        if s.rates == "manual":
            return s.fast_lr
        share = 1 / min(self.samples, s.memory)
        self.x_mean += share * (np.max(np.abs(x)) - self.x_mean)
        self.delta_mean += share * (np.max(np.abs(delta)) - self.delta_mean)
        return s.granularity * s.pulse_trains.max_length * self.a.weight_step / (self.x_mean * self.delta_mean)

    def transfer_lr(self) -> float:
        """λ_H; R24's rule is λ_H = λ·ns·n / (γ₀·δ_C)."""
        s = self.config
        if s.rates == "manual":
            return s.transfer_lr
        return s.learning_rate * s.transfer_every * self.lines() / (s.reads * self.c.weight_step)

    def lines(self) -> int:
        rows, cols = self.h.shape
        return rows if self.config.transfer_line == "row" else cols

    def update(self, x: F64, delta: F64, lr_scale: float) -> None:
        s = self.config
        for x_s, delta_s in zip(x, delta, strict=True):
            self.samples += 1
            self.a.update(x_s, delta_s, -self.fast_lr(x_s, delta_s))
            if s.transfer_unit == "sample" and self.samples % s.transfer_every == 0:
                self.transfer(lr_scale)
        self.batches += 1
        if s.transfer_unit == "batch" and self.batches % s.transfer_every == 0:
            self.transfer(lr_scale)

    def transfer(self, lr_scale: float) -> None:
        s = self.config
        line = np.s_[self.k, :] if s.transfer_line == "row" else np.s_[:, self.k]
        h = self.h[line] + self.transfer_lr() * lr_scale * self.a.read(line)
        self.a.ties.note(np.abs(h)[:, None] - np.arange(1, s.max_pulses + 1))
        sent = np.trunc(np.clip(h, -s.max_pulses, s.max_pulses)).astype(int)
        after = {"zero": 0 * h, "subtract": h - sent, "keep": s.keep * h}[s.after_pulse]
        self.h[line] = np.where(sent != 0, after, h)
        self.c.pulse(line, sent)
        if self.averaging:
            self.sums[line] += self.c.read(line)
            self.reads[line] += 1
        self.k = (self.k + 1) % self.lines()


# --- layers -----------------------------------------------------------------------------------------------------------
#
# A mini-batch is (examples, values), or (steps, sequences, values): its samples are the first step of every sequence,
# then the second, and so on. Every layer keeps what it needs to learn from the last mini-batch.


class Layer(Protocol):
    def forward(self, x: F64) -> F64: ...
    def backward(self, delta: F64, wanted: bool) -> F64 | None:
        """dL/dx from dL/dy, where it is `wanted`: the first layer does without the product."""
        ...

    def learn(self, lr_scale: float) -> None: ...


def rows(values: F64) -> F64:
    """The samples of a mini-batch, one after another: (samples, values)."""
    return values.reshape(-1, values.shape[-1])


def fed(values: F64, bias: bool) -> F64:
    """With the 1 that feeds the bias, where there is one."""
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
    """y = s·W[patch; 1] for one patch after another, row after row; each is a sample of the array.

    Images are (height, width, channels), with `padding` zeros around them; values of a patch lie in the order (row,
    column, channel), the filters of an output pixel together.
    """

    def __init__(self, layer: tt.nn.Conv2d, rule: Rule) -> None:
        self.layer, self.rule = layer, rule

    def corners(self) -> list[tuple[int, int]]:
        """Top left of every patch, in pixels of the padded image."""
        shape = self.layer
        ends = [side + 2 * shape.padding - shape.kernel + 1 for side in (shape.height, shape.width)]
        return [(top, left) for top in range(0, ends[0], shape.stride) for left in range(0, ends[1], shape.stride)]

    def pixels(self, top: int, left: int) -> list[tuple[int, int, int]]:
        """Where in the padded image the values of a patch lie."""
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
    """Step after step: a = s·W[x; h; 1];  c ← σ(a_f) c + σ(a_i) tanh(a_g);  h ← σ(a_o) tanh(c).

    Every step is a sample of the array, whose rows are the gates i, f, g, o. Back through time, dL/da is clamped to
    ±clip; the start of a sequence ends it. What is carried is the start of the next mini-batch.
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


# --- a network --------------------------------------------------------------------------------------------------------


class Network:
    """Layers in a row, softmax and cross-entropy."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = layers

    def train(self, x: F64, classes: NDArray[np.int64], lr_scale: float = 1.0) -> float:
        """One mini-batch (examples, values) or (examples, steps, values); returns the sum of the losses.

        δ is that of the mean over the examples, and for sequences of the sum over their steps.
        """
        y = np.asarray(x, float)
        if classes.ndim == 2:
            y, classes = y.swapaxes(0, 1), classes.T
        for layer in self.layers:
            y = layer.forward(y)
        p = np.exp(y - y.max(axis=-1, keepdims=True))
        p /= p.sum(axis=-1, keepdims=True)
        picked = (*np.indices(classes.shape), classes)
        loss = -np.log(p[picked]).sum()
        p[picked] -= 1
        delta: F64 | None = p / len(x)
        for k, layer in reversed(list(enumerate(self.layers))):
            assert delta is not None
            delta = layer.backward(delta, wanted=k > 0)
        for layer in self.layers:
            layer.learn(lr_scale)
        return float(loss)


class Mlp(Network):
    """Linear layers with sigmoids between."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        layers: list[Layer] = []
        for rule in rules:
            layers += [activation(tt.nn.Sigmoid()), Linear(rule)]
        super().__init__(layers[1:])
