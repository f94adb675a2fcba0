"""The base class of training rules written in Python."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tikitaka._core import AnalogLayer, Crossbar
from tikitaka._internal.shown import listed, shown
from tikitaka.config.base import Config

__all__ = ["Rule"]

F32 = NDArray[np.float32]


class Rule:
    """Your own training rule, in NumPy, over `tikitaka.Crossbar` objects.

    Subclass it and pass an instance wherever a rule config is accepted. The instance is a template: it is
    deep-copied for every array of a network, and `build` is called once on each copy.

    The simplest rule implements `build`, which keeps the array that the network sees as `self.array`, and `update`. The
    array then answers for everything else: forward and backward products, evaluation, programming, reads, the ledger.
    A rule whose network sees another array overrides `visible`; one without a single such array overrides the methods.

    All state must be in attributes made by `build`: numbers, NumPy arrays and random generators, `Crossbar` and
    `AnalogLayer` objects, and lists, tuples and dicts of these. Checkpoints then resume bit for bit; anything else,
    such as a config, counts as a setting. Override `state` and `restore` to save something else.

    δ is always dL/dy of the loss, the mean over the examples of a batch and for sequences the sum over their steps, so
    that descent applies −lr·δxᵀ. To repeat a built-in rule bit for bit, give the array the network sees the number
    `array=2 * layer + 1`, with `average_bound` as the range of its reads, and a second, fast array `array=2 * layer`.

    >>> import numpy as np
    >>> import tikitaka as tt
    >>> class Sgd(tt.Rule):
    ...     def build(self, weights, seed, layer):
    ...         self.array = tt.Crossbar(*weights.shape, seed=seed, array=2 * layer + 1)
    ...         self.array.weights = weights
    ...
    ...     def update(self, x, delta, lr_scale):
    ...         for x_s, delta_s in zip(x, delta):
    ...             self.array.update(x_s, delta_s, -0.1 * lr_scale)
    >>> network = tt.Network([tt.nn.Linear(2, 1)], Sgd(), loss="mse", seed=1)
    >>> for _ in range(100):
    ...     trained = network.train([[1.0, 0.5]], [[0.3]])
    >>> bool(abs(network.forward([[1.0, 0.5]]) - 0.3) < 0.1)
    True
    """

    array: Crossbar
    """the array that the network sees, unless `visible` says otherwise"""

    tile: int | tuple[int, int] | None = None
    """the largest physical array (rows, columns): of a larger layer, each tile gets a copy with its part of the weights
    and a number `layer` of its own"""

    averaging: bool = False
    """whether iterates are averaged; set by the training, for rules that keep an average"""

    def build(self, weights: F32, seed: int, layer: int) -> None:
        """Create the arrays of layer number `layer`, with the initial `weights` (outputs, inputs)."""
        raise self._missing("build")

    def update(self, x: F32, delta: F32, lr_scale: float) -> None:
        """Learn from inputs (samples, inputs) and errors (samples, outputs); `lr_scale` is the schedule's factor.

        A mini-batch of images may come in several parts: every patch of a convolution is a sample.
        """
        raise self._missing("update")

    def finish_batch(self, lr_scale: float) -> None:
        """Called after the last `update` of a mini-batch; does nothing by default.

        Where devices relax, tell arrays here how many samples have gone by: `self.array.elapse(samples)`.
        """

    @property
    def visible(self) -> Crossbar:
        """The array that the network sees: `self.array` by default."""
        try:
            return self.array
        except AttributeError:
            name = type(self).__name__
            raise NotImplementedError(
                f"{name} must keep the array that the network sees as self.array, or override what uses it"
                " (see tikitaka.Rule)"
            ) from None

    def forward(self, x: F32) -> F32:
        """y = Wx for a batch: (batch, inputs) → (batch, outputs)."""
        return self.visible.forward(x)

    def backward(self, delta: F32) -> F32:
        """z = Wᵀδ for a batch: (batch, outputs) → (batch, inputs)."""
        return self.visible.backward(delta)

    def evaluate(self, x: F32, draw: int) -> F32:
        """Like `forward`, with the noise of evaluation `draw` and without changing any state of the training."""
        return self.visible.evaluate(x, draw=draw)

    def weights(self) -> F32:
        """The weights the network sees, (outputs, inputs), without any periphery."""
        return self.visible.weights

    def set_weights(self, weights: F32) -> None:
        """Set the weights the network sees, (outputs, inputs), each clipped to what its device can hold."""
        self.visible.weights = weights

    def program(self, target: F32, method: str = "exact", *, error: float = 0.0, max_pulses: int = 1000) -> int:
        """Write `target` (outputs, inputs; weight units) as hardware does, and return the pulses sent.

        The arguments are those of `Crossbar.program`.
        """
        return self.visible.program(target, method, error=error, max_pulses=max_pulses)

    def read_weights(self, draw: int) -> F32:
        """The weights (outputs, inputs) read column by column through the periphery, with the noise of `draw`."""
        return self.visible.read_weights(draw=draw)

    def average(self) -> F32 | None:
        """The average over iterates (outputs, inputs), if the rule keeps one while `averaging`; None by default."""
        return None

    def ledger(self) -> dict[str, Any]:
        """Operations so far: "slow" of the array that the network sees, "fast" of all others, "digital_operations".

        Digital are those of pulse trains alone; add what else your rule computes.
        """
        try:
            visible: Crossbar | None = self.visible
        except NotImplementedError:
            visible = None
        fast: dict[str, int] = {}
        scans = 0  # the largest |x| and |δ| of each update
        for _, array in _arrays(vars(self)):
            scans += array.ledger["updates"] * sum(array.shape)
            if array is not visible:
                fast = {name: fast.get(name, 0) + count for name, count in array.ledger.items()}
        slow = {} if visible is None else visible.ledger
        return {"fast": fast, "slow": slow, "digital_operations": scans, "buffer_accesses": 0}

    def device_parameters(self) -> dict[str, F32]:
        """Constants of each device by attribute and name ("array.up_step", …), (outputs, inputs) each."""
        named = ((name, array.device_parameters) for name, array in _arrays(vars(self)))
        return {f"{name}.{constant}": values for name, of in named for constant, values in of.items()}

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that is needed to continue bit for bit, by attribute: arrays of real numbers.

        The state of a `Crossbar` kept as `self.c` is "c" (its weights), "c.reference", "c.counts.pulses", …
        """
        return dict(_saved(self._attributes()))

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Restore a `state` of a rule with the same settings; ValueError for other names, shapes or types."""
        own = self.state()
        arrays = {f"{name}.reference" for name, _ in _arrays(vars(self))}
        if (own.keys() ^ state.keys()) - arrays:
            different = listed(sorted(own.keys() ^ state.keys()))
            raise ValueError(f"the state must have the attributes of {type(self).__name__}; it differs in {different}")
        for name, array in own.items():
            if name not in state:
                continue
            shape, dtype = np.shape(state[name]), np.asarray(state[name]).dtype
            if (shape, dtype) != (array.shape, array.dtype):
                raise ValueError(f"{name} must be {array.dtype} of shape {array.shape}, not {dtype} of {shape}")
        vars(self).update(_restored(self._attributes(), state))

    def __repr__(self) -> str:
        plain = {
            name: value for name, value in vars(self).items() if isinstance(value, bool | int | float | str | Config)
        }
        return f"{type(self).__name__}({', '.join(f'{name}={shown(value)}' for name, value in plain.items())})"

    def _attributes(self) -> dict[str, Any]:
        return {"averaging": self.averaging, **vars(self)}

    def _missing(self, method: str) -> NotImplementedError:
        return NotImplementedError(f"{type(self).__name__} must implement {method}() (see tikitaka.Rule.{method})")


def _parts(value: Any) -> list[tuple[str, Any]]:
    """The elements of a container, by name."""
    if isinstance(value, dict):
        return [(str(name), part) for name, part in value.items()]
    return [(str(k), part) for k, part in enumerate(value)]


def _arrays(attributes: Any, prefix: str = "") -> Iterator[tuple[str, Crossbar]]:
    """The crossbars among attributes, also inside containers."""
    for name, value in _parts(attributes):
        if isinstance(value, Crossbar):
            yield prefix + name, value
        elif isinstance(value, dict | list | tuple):
            yield from _arrays(value, f"{prefix}{name}.")


def _saved(attributes: Any, prefix: str = "") -> Iterator[tuple[str, NDArray[Any]]]:
    for name, value in _parts(attributes):
        name = prefix + name
        if isinstance(value, Crossbar):
            for part, array in value.state().items():
                yield name + part.removeprefix("weights"), array
        elif isinstance(value, AnalogLayer):
            yield from ((f"{name}.{part}", array) for part, array in value.state().items())
        elif isinstance(value, np.random.Generator):
            text = json.dumps(value.bit_generator.state, default=lambda array: array.tolist())
            # padded to a fixed length, because the number of digits varies
            yield name, np.frombuffer(text.ljust(-(-len(text) // 1024) * 1024).encode(), np.uint8)
        elif isinstance(value, np.ndarray | np.generic | bool | int | float):
            yield name, np.array(value)
        elif isinstance(value, dict | list | tuple):
            yield from _saved(value, f"{name}.")


def _restored(attributes: Any, state: Mapping[str, NDArray[Any]], prefix: str = "") -> dict[str, Any]:
    """The attributes with the values of a state; arrays, crossbars and generators are restored in place."""
    return {name: _value(prefix + name, value, state) for name, value in _parts(attributes)}


def _value(name: str, value: Any, state: Mapping[str, NDArray[Any]]) -> Any:
    if isinstance(value, Crossbar):
        keys = [key for key in state if key == name or key.startswith(f"{name}.")]
        if f"{name}.reference" in state:  # zero-shifting may have made one since
            value.reference = value.reference
        value.restore({f"weights{key.removeprefix(name)}": state[key] for key in keys})
    elif isinstance(value, AnalogLayer):
        value.restore({key.removeprefix(f"{name}."): state[key] for key in state if key.startswith(f"{name}.")})
    elif isinstance(value, np.random.Generator):
        value.bit_generator.state = json.loads(np.asarray(state[name]).tobytes())
    elif isinstance(value, np.ndarray):
        value[...] = state[name]
    elif isinstance(value, np.generic | bool | int | float):
        return type(value)(np.asarray(state[name])[()])
    elif isinstance(value, dict):
        restored = _restored(value, state, f"{name}.")
        return {key: restored[str(key)] for key in value}
    elif isinstance(value, list | tuple):
        return type(value)(_restored(value, state, f"{name}.").values())
    return value
