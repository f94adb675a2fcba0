"""Networks of analog or digital layers."""

import copy
import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tikitaka import _core
from tikitaka._internal.arrays import taken
from tikitaka._internal.copies import FORMAT, unpickled
from tikitaka._internal.shown import listed, shown
from tikitaka.config import DigitalSgd, RuleConfig
from tikitaka.config.rule import AVERAGING
from tikitaka.model import Model, extract
from tikitaka.nn import Layer, array_names, display, per_array
from tikitaka.nn.arrays import check_layers
from tikitaka.nn.state_dict import named_arrays
from tikitaka.rule import Rule
from tikitaka.score import Score, check_classes, predicted, score, softmax, steps

__all__ = ["Network", "losses"]

F32 = NDArray[np.float32]

Rules = (
    RuleConfig
    | Rule
    | Sequence[RuleConfig | Rule]
    | Mapping[str, RuleConfig | Rule]
    | Mapping[int, RuleConfig | Rule]
    | Mapping[int | str, RuleConfig | Rule]
)

_Held = RuleConfig | Rule | tuple[RuleConfig | Rule, ...]
_AVERAGING = (*AVERAGING, Rule)  # rules that can average

losses = {"classification": "cross-entropy", "regression": "mse"}
"""The loss for each task of `tikitaka.data.Dataset`."""


class Network:
    """A stack of layers, each array trained by its rule.

    `layers` are descriptions of `tikitaka.nn`; `rules` is one rule for all arrays, one for each in order, or a mapping
    from arrays to rules; a rule is a config of `tikitaka.config` or a `tikitaka.Rule`. A mapping has arrays by name or
    by index (negative from the end) as keys, and "default" for all others; `names` lists the names. `loss` is
    "cross-entropy" (softmax; integer classes) or "mse" (Σ(y − t)²/2m for m outputs; float targets). Device-to-device
    variation, the initial weights and all noise are a pure function of `seed` (0 to 2⁶⁴ − 1): results do not depend on
    the number of threads.

    If an LSTM carries its state, `forward`, `evaluate` and the methods based on them treat the examples as consecutive
    text, cut into up to 32 streams that each start from a state of 0.

    Inputs are arrays (examples, inputs), converted to float32; targets are (examples,). A network with an LSTM takes
    sequences: codes (examples, steps) from 0 to inputs − 1, each a one-hot input, or floats (examples, steps, inputs);
    every step has a target (examples, steps), and losses and errors are means over all steps of all examples.

    Layers, rules, loss and seed are fixed: for others, make another network and `start_from` the weights of this one.
    `copy.copy`, `copy.deepcopy` and `pickle` give a network of its own, which continues to the same bits.

    Raises ValueError for shapes that do not fit and values that are not finite, TypeError for anything but layers,
    rules and arrays. A network is for one thread at a time (RuntimeError otherwise); several networks run in parallel.

    >>> import tikitaka as tt
    >>> layers = [tt.nn.Linear(2, 8), tt.nn.Tanh(), tt.nn.Linear(8, 2)]
    >>> network = tt.Network(layers, tt.Ttv2(fast_lr=0.5), seed=1)
    >>> x, classes = [[0.9, 0.1], [0.2, 0.8]], [0, 1]
    >>> for _ in range(1000):
    ...     score = network.train(x, classes)
    >>> network.predict(x).tolist()
    [0, 1]
    >>> network.ledger["slow"]["pulses"] < network.ledger["fast"]["pulses"]  # of C, and of A
    True
    >>> list(network.ledgers)
    ['linear1', 'linear2']
    >>> mixed = tt.Network(layers, {"default": tt.Ttv2(), "linear2": tt.DigitalSgd()})
    """

    def __init__(self, layers: Sequence[Layer], rules: Rules, *, loss: str = "cross-entropy", seed: int = 0) -> None:
        self._layers = check_layers(layers)
        each = list(rules.values()) if isinstance(rules, Mapping) else rules
        for rule in each if isinstance(each, Sequence) and not isinstance(each, str) else [each]:
            if not isinstance(rule, RuleConfig | Rule):
                raise TypeError(f"a rule must be a config of tikitaka.config or a tikitaka.Rule, not {shown(rule)}")
        given = per_array("rules", rules, self.names) if isinstance(rules, Mapping) else rules
        # a copy, because the caller may change a rule in Python later
        self._rules: _Held = copy.deepcopy(tuple(given) if isinstance(given, Sequence) else given)
        self._loss = loss
        self._seed = seed
        self._core = self._made()
        self._seed = int(seed)  # a number of NumPy does not fit into metadata

    def _made(self) -> _core.Network:
        rules = list(self._rules) if isinstance(self._rules, tuple) else self._rules
        return _core.Network(self._layers, rules, loss=self._loss, seed=self._seed)

    def __setattr__(self, name: str, value: Any) -> None:
        declared = getattr(Network, name, None)
        fixed = isinstance(declared, property) and declared.fset is None
        unknown = declared is None and type(self) is Network and not name.startswith("_")
        if fixed or unknown:
            what = "has no such setting" if unknown else "cannot be assigned"
            raise AttributeError(
                f"{listed([name])} {what}: the layers, rules, loss and seed of a network are fixed, and training takes "
                "other settings as arguments; make another Network, and start_from the weights of this one"
            )
        object.__setattr__(self, name, value)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Descriptions of the layers."""
        return self._layers

    @property
    def rules(self) -> _Held:
        """The rule of all arrays, or one for each in order. Of a `tikitaka.Rule`, every array has a copy of its own."""
        return self._rules

    @property
    def loss(self) -> str:
        """Name of the loss, "cross-entropy" or "mse"."""
        return self._loss

    @property
    def seed(self) -> int:
        """Seed of all randomness."""
        return self._seed

    def __copy__(self) -> Self:
        return copy.deepcopy(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        other = type(self).__new__(type(self))
        memo[id(self)] = other
        vars(other).update({name: copy.deepcopy(value, memo) for name, value in vars(self).items()})
        return other

    def __getstate__(self) -> dict[str, Any]:
        attributes = {name: value for name, value in vars(self).items() if name != "_core"}
        return {"format": FORMAT, "attributes": attributes, "state": self.state()}

    def __setstate__(self, pickled: dict[str, Any]) -> None:
        content = unpickled("Network", pickled)
        vars(self).update(content["attributes"])
        self._core = self._made()
        self._core.restore(content["state"])

    def __repr__(self) -> str:
        return display.lines(self._title(), self.layers, self._each_rule())

    def _repr_html_(self) -> str:
        return display.html(self._title(), self.layers, self._each_rule())

    def _title(self) -> str:
        size = display.size(self.layers, self.inputs, self.outputs)
        return f"Network({size}, loss {self.loss}, seed {self.seed})"

    def _each_rule(self) -> list[RuleConfig | Rule]:
        return list(self._rules) if isinstance(self._rules, tuple) else [self._rules] * len(self.names)

    @property
    def names(self) -> list[str]:
        """The name of each array: its kind and its number among the arrays of that kind, as in "linear1", "lstm2"."""
        return array_names(self.layers)

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return self._core.inputs

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return self._core.outputs

    @property
    def recurrent(self) -> bool:
        """Whether it takes sequences: it has an LSTM."""
        return self._core.recurrent

    @property
    def carries(self) -> bool:
        """Whether the state of an LSTM carries over from one mini-batch to the next."""
        return self._core.carries

    def reset(self) -> None:
        """Reset the carried state: the next mini-batch starts from h = c = 0."""
        self._core.reset()

    @property
    def weights(self) -> tuple[F32, ...]:
        """The weights the network sees, one read-only array per layer with an array, of its `shape`.

        Setting all of them at once, as a list of arrays, clips each weight to what its device can hold.
        """
        return tuple(self._core.weights)

    @weights.setter
    def weights(self, value: Sequence[ArrayLike]) -> None:
        self._core.weights = value

    def start_from(self, weights: Model | Mapping[str, ArrayLike] | Sequence[ArrayLike]) -> None:
        """Set the weights to those of a model, of a dict ("k.weight", "k.bias", …) or of a list of arrays.

        The dict and the list are what `Model.from_weights` takes. Each weight is clipped to what its device can hold.
        Raises ValueError for a model with other layers and for wrong names or shapes.
        """
        if isinstance(weights, Model):
            if weights.layers != self.layers:
                raise ValueError(
                    f"weights must be a model of the layers {shown(self.layers)}, not {shown(weights.layers)}"
                )
            self.weights = weights.weights
        elif isinstance(weights, Mapping):
            self.weights = named_arrays(self.layers, weights)
        else:
            self.weights = weights

    def program(
        self,
        targets: Sequence[ArrayLike],
        method: str = "exact",
        *,
        error: float | Sequence[float] = 0.0,
        max_pulses: int = 1000,
    ) -> list[int]:
        """Write weights onto the devices that the network computes with, as hardware does, and return the pulses sent
        per array.

        `targets` is shaped like `weights`; `method` is "exact", "error" (adds N(0, `error`²), in weight units; one
        number, or one for each array), "closed-loop" or "open-loop" (pulses, at most `max_pulses` per device), as in
        `tikitaka.program`.
        """
        return self._core.program(targets, method, error=error, max_pulses=max_pulses)

    @property
    def averages(self) -> tuple[F32, ...] | None:
        """Running averages of noisy reads of the weights, shaped like `weights`, read-only; None if there are none."""
        averages = self._core.averages
        return None if averages is None else tuple(averages)

    @property
    def averaging(self) -> bool:
        """Whether each transfer, or each mini-batch, reads a line of the weights into a running average."""
        return self._core.averaging

    @averaging.setter
    def averaging(self, on: bool) -> None:
        if on and not self.keeps_average:
            raise ValueError(
                "averaging must be False: no rule of this network keeps an average, as mp and rules with fast arrays do"
            )
        self._core.averaging = on

    @property
    def keeps_average(self) -> bool:
        """Whether one of its rules can average: a `TransferRule`, as ttv2, `MixedPrecision`, or a `tikitaka.Rule`."""
        return any(isinstance(rule, _AVERAGING) for rule in self._each_rule())

    @property
    def ledger(self) -> dict[str, Any]:
        """Operations so far: those of fast and slow arrays by name, digital ones, accesses to digital memories."""
        return self._core.ledger

    @property
    def ledgers(self) -> dict[str, dict[str, Any]]:
        """The same of each array by name."""
        return dict(zip(self.names, self._core.ledgers, strict=True))

    @property
    def pulses(self) -> int:
        """Pulses sent to all devices so far."""
        return int(sum(self.ledger[array]["pulses"] for array in ("fast", "slow")))

    def train(
        self,
        x: ArrayLike,
        targets: ArrayLike,
        *,
        order: ArrayLike | None = None,
        batch: int = 1,
        lr_scale: float = 1.0,
        threads: int = 1,
    ) -> Score:
        """Train once on the examples `order` of `x` (by default all, in order), `batch` at a time.

        `lr_scale` multiplies the scheduled learning rates. The interpreter lock is released; Ctrl-C ends a long call
        between two mini-batches. Returns the mean loss and error during the training; the error is NaN for "mse".
        """
        if self.recurrent and order is not None:
            x, targets, order = taken(x, targets, order, (self.inputs, self.outputs))
        loss, wrong = self._core.train(x, targets, order=order, batch=batch, lr_scale=lr_scale, threads=threads)
        n = len(np.asarray(targets if order is None else order)) * steps(targets, self.recurrent)
        return Score(loss / max(n, 1), wrong / max(n, 1) if self.loss == "cross-entropy" else math.nan)

    def evaluate(self, x: ArrayLike, targets: ArrayLike, *, draw: int = 0, threads: int = 1) -> Score:
        """Loss and error through the network's own periphery, with the noise of evaluation `draw`; changes nothing."""
        loss, wrong = self._core.evaluate(x, targets, draw=draw, threads=threads)
        return score(loss, wrong, len(np.asarray(targets)) * steps(targets, self.recurrent), self.loss)

    def forward(self, x: ArrayLike, *, draw: int = 0, threads: int = 1) -> F32:
        """Outputs of the last layer, before any softmax: (examples, outputs), or (examples, steps, outputs)."""
        return self._core.forward(x, draw=draw, threads=threads)

    def predict(self, x: ArrayLike, *, draw: int = 0, threads: int = 1) -> NDArray[Any]:
        """The most likely class of each example, or of each time step of it: int64 from 0, with the label
        `dataset.labels[…]`. For the loss "mse" the outputs of `forward`."""
        return predicted(self.forward(x, draw=draw, threads=threads), self.loss)

    def probabilities(self, x: ArrayLike, *, draw: int = 0, threads: int = 1) -> F32:
        """Softmax of the outputs: (examples, outputs), or (examples, steps, outputs); rows sum to 1. Raises ValueError
        for the loss "mse"."""
        check_classes(self.loss)
        return softmax(self.forward(x, draw=draw, threads=threads))

    def sample(
        self, prime: ArrayLike, count: int, *, temperature: float = 1.0, seed: int = 0, draw: int = 0, threads: int = 1
    ) -> NDArray[np.int64]:
        """`count` codes that continue the codes `prime` (one or more), each drawn from the network's probabilities.

        Probabilities are the softmax of outputs / `temperature`, and `seed` determines the draws; `draw` numbers the
        noise of the hardware. Nothing changes, not even the carried state. Raises ValueError for codes out of range and
        for a network without an LSTM or with different numbers of inputs and outputs.
        """
        return self._core.sample(prime, count, temperature=temperature, seed=seed, draw=draw, threads=threads)

    def read_weights(self, *, draw: int = 0) -> list[F32]:
        """One read of every column of every array through its read periphery, with the noise of `draw`."""
        return self._core.read_weights(draw=draw)

    def extract(
        self, what: Literal["average", "read", "reads"] = "average", *, reads: int = 16, draw: int = 0
    ) -> Model:
        """A digital model, from reads that the hardware can perform.

        `what` is "average" (of iterates, gathered while training), "read" (one read of the last iterate) or "reads"
        (the mean of `reads` reads of it); `draw` numbers the noise of the reads. Raises ValueError for another name
        and if no average was gathered.
        """
        if what == "read":
            return extract.last_read(self, draw=draw)
        if what == "reads":
            return extract.mean_read(self, reads=reads, draw=draw)
        if what != "average":
            raise ValueError(f"what must be one of average, read, reads, not {shown(what)}")
        average = extract.average(self)
        if average is None:
            rules = zip(self.names, self._each_rule(), strict=True)
            without = listed(name for name, rule in rules if not isinstance(rule, _AVERAGING))
            whose = f"; the rules of {without} keep none" if without else ""
            raise ValueError(
                f"no average was gathered: mp, rules with fast arrays or average() do so from average_from on{whose}"
            )
        return average

    def state(self) -> dict[str, NDArray[Any]]:
        """Every array and counter that is needed to continue training bit for bit."""
        return self._core.state()

    def restore(self, state: Mapping[str, ArrayLike]) -> None:
        """Restore a `state` of a network with the same layers, rules, loss and seed.

        Raises ValueError for the state of any other network, and if it does not fit; nothing has changed then.
        """
        self._core.restore(state)

    def layer_state(self, array: int) -> dict[str, NDArray[Any]]:
        """The state of array number `array`: A, R, H, C and counters, depending on its rule."""
        return self._core.layer_state(array)

    def device_parameters(self, array: int) -> dict[str, F32]:
        """Parameters drawn for each device of array number `array`."""
        return self._core.device_parameters(array)

    def digest(self) -> str:
        """SHA-256 of the weights as little-endian float32, layer by layer."""
        sha = hashlib.sha256()
        for w in self.weights:
            sha.update(np.ascontiguousarray(w, dtype="<f4").tobytes())
        return sha.hexdigest()

    def digital(self, weights: Sequence[ArrayLike] | None = None) -> Self:
        """The digital twin: the same layers in exact arithmetic, with `weights` (by default the current ones)."""
        twin = type(self)(self.layers, DigitalSgd(), loss=self.loss, seed=self.seed)
        twin.weights = self.weights if weights is None else weights
        return twin

    def describe(self, *, x: float = 1.0, delta: float = 0.1, samples: int | None = None, lr_scale: float = 1.0) -> str:
        """The meaning of the settings of each array; see the `describe` of its rule."""
        shapes, parts = (layer.shape for layer in self.layers if layer.shape is not None), []
        for i, ((rows, cols), rule) in enumerate(zip(shapes, self._each_rule(), strict=True)):
            text = (
                f"{type(rule).__name__} (a custom rule)"
                if isinstance(rule, Rule)
                else rule.describe(rows, cols, x=x, delta=delta, samples=samples, lr_scale=lr_scale)
            )
            parts.append(f"array {i}, {rows} × {cols}\n{text}")
        return "\n\n".join(parts)
