"""A crossbar under a module of PyTorch: products, the pairs that wait for the next step, and its state as tensors."""

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tikitaka._core import AnalogLayer, lstm_backward, lstm_forward, mean_device
from tikitaka._internal.shown import shown
from tikitaka.config import RuleConfig
from tikitaka.config.convert import to_dict
from tikitaka.torch.product import Anchor, Call, Ignored, Pair, Product, Source
from tikitaka.torch.vectors import VECTORS, Operation

__all__ = ["Array", "scale_of"]

F32 = NDArray[np.float32]

_WAITING = 1024
"""Backward passes through an array that may wait for a step of the optimiser."""
_UNATTACHED = 16
"""The same where no optimiser is attached."""

_SHARED = 1 << 29
"""Multiply-adds from which threads share the work of a call: some 10 ms on one. PyTorch's threads spin while they wait,
and ours would have to wait for them."""


class Array:
    """An array of devices (rows, columns) and its rule; the network sees `scale` times its weights.

    `weights` (rows, columns) are what the network is to see at first; `seed` and `number` determine all randomness, as
    `seed` and `layer` of `tikitaka.AnalogLayer` do.
    """

    def __init__(self, rule: Any, weights: F32, *, seed: int, number: int, scale: float) -> None:
        self.rule, self.seed, self.number, self.scale = rule, seed, number, scale
        self.shape: tuple[int, int] = (len(weights), weights.shape[1])  # rows, columns
        self.core: Any = self._made(weights / np.float32(scale))
        self.attached = False
        self.ignored = False  # a gradient was asked for where nothing learns
        self._pairs: list[Pair] = []
        self._uses = self._order = self._draw = 0
        self._anchored: tuple[torch.Tensor, Source] | None = None

    def _made(self, weights: F32) -> Any:
        return AnalogLayer(self.rule, weights, seed=self.seed, layer=self.number)

    @property
    def weights(self) -> F32:
        """The weights (rows, columns) that the network sees, without any periphery."""
        return self._scaled(self.core.weights)

    def copy_into(self, mirror: torch.Tensor) -> bool:
        """Copy the weights straight into a mirror of all of them, if its memory is as theirs; whether it is."""
        if mirror.dtype is not torch.float32 or mirror.device.type != "cpu" or not mirror.is_contiguous():
            return False
        memory = mirror.view(self.shape).numpy()
        self.core.copy_weights(memory)
        if self.scale != 1.0:
            memory *= np.float32(self.scale)
        return True

    @property
    def waiting(self) -> int:
        """Backward passes whose pairs wait for the next step of the optimiser."""
        return self._uses

    def product(self, x: torch.Tensor, source: Source) -> torch.Tensor:
        """W x for x (…, columns); y is (…, rows). `source` is what the product depends on, besides x."""
        vectors = x if x.dim() == 2 else x.reshape(-1, self.shape[1])
        y = self.apply(vectors, source, VECTORS)
        return y if x.dim() == 2 else y.reshape(*x.shape[:-1], self.shape[0])

    def apply(self, x: torch.Tensor, source: Source, operation: Operation) -> torch.Tensor:
        """W x for the inputs of an operation: x (vectors, columns), or images (images, height, width, channels)."""
        y: torch.Tensor = Product.apply(x, source.tensor, self, operation, source.call, source.learns)
        return y

    def source(self, weight: torch.Tensor, _matrix: Callable[[], torch.Tensor]) -> Source:
        """What all products of one use depend on, if the array learns: here an anchor at its `weight`, always the same.

        The function returns the weights (rows, columns) as they depend on the parameters of the module.
        """
        if self._anchored is None or self._anchored[0] is not weight:
            call = Call(self)
            self._anchored = weight, Source(Anchor.apply(weight, call), call, learns=True)
        return self._anchored[1]

    def ignoring(self, weight: torch.Tensor) -> Source:
        """The same for an array that does not learn: a step of the optimiser tells that a gradient was ignored."""
        return Source(Anchor.apply(weight, Ignored(self)))

    def forward(self, x: F32, operation: Operation = VECTORS) -> tuple[int, F32]:
        """W x for the inputs of an operation, and the place of the product in the order of all."""
        self._order += 1
        y = operation.forward(self.core, x, threads=self._threads(len(x) * operation.patches))
        return self._order, self._scaled(y)

    def backward(self, delta: F32, operation: Operation = VECTORS, *, exact: bool = False) -> F32:
        """Wᵀ δ for the δ of its outputs; `exact` without any periphery."""
        threads = self._threads(len(delta) * operation.patches)
        return self._scaled(operation.backward(self.core, delta, exact=exact, threads=threads))

    def evaluate(self, x: F32, operation: Operation = VECTORS) -> F32:
        """W x with the noise of evaluation, which goes on from call to call; nothing else changes."""
        vectors = len(x) * operation.patches
        y = operation.forward(self.core, x, draw=self._draws(vectors), threads=self._threads(vectors))
        return self._scaled(y)

    def lstm_forward(self, inputs: F32, h: F32, c: F32, learns: bool) -> tuple[int, Any]:
        """What `tikitaka._core.lstm_forward` returns, and the place of its products in the order of all."""
        self._order += 1
        draw = None if learns else self._draws(inputs.shape[0] * inputs.shape[1])
        threads = self._threads(len(h))
        return self._order, lstm_forward(self.core, inputs, h, c, scale=self.scale, draw=draw, threads=threads)

    def lstm_backward(self, kept: Any, dy: F32, dc: F32, learns: bool) -> Any:
        """What `tikitaka._core.lstm_backward` returns."""
        threads = self._threads(len(dc))
        return lstm_backward(self.core, kept, dy, dc, scale=self.scale, exact=not learns, threads=threads)

    def restart_draws(self) -> None:
        """Let the noise of evaluation start again."""
        self._draw = 0

    def __getstate__(self) -> dict[str, Any]:
        """A copy has no optimiser, and no gradients that wait."""
        return vars(self) | {"attached": False, "_pairs": [], "_uses": 0, "ignored": False, "_anchored": None}

    def _draws(self, vectors: int) -> int:
        """The number of the next evaluation vector, `vectors` of which are taken."""
        self._draw += vectors
        return self._draw - vectors

    def _threads(self, vectors: int) -> int:
        """Threads for products with so many vectors: those of PyTorch where the work is worth waking them."""
        return torch.get_num_threads() if vectors * self.shape[0] * self.shape[1] >= _SHARED else 1

    def _scaled(self, values: F32) -> F32:
        return values if self.scale == 1.0 else values * np.float32(self.scale)

    def keep(self, pairs: Sequence[Pair]) -> None:
        """Let pairs wait for the next step; RuntimeError if too many passes wait."""
        self._pairs += pairs
        self._uses += 1
        most = _WAITING if self.attached else _UNATTACHED
        if self._uses > most:
            self.forget()
            missing = "call tikitaka.torch.attach(optimizer, model) before training"
            if self.attached:
                missing = "the attached optimiser took no step; a copy of it has to be attached again"
            raise RuntimeError(
                f"the gradients of more than {most} passes through a crossbar wait for a step: {missing}"
            )

    def forget(self) -> None:
        """Drop the pairs that wait."""
        self._pairs, self._uses, self.ignored = [], 0, False

    def learn(self, rate: float, _weights: Callable[[], F32]) -> bool:
        """Apply the pairs that wait, in the order of their products, at `rate` times the rates of the rule.

        The weights that the network sees descend by the rule's rate whatever the scale. Returns whether there were any.
        """
        pairs = sorted((pair for pair in self._pairs if len(pair[2])), key=lambda pair: pair[0])
        self.forget()
        # dL/d(weights of the devices) is scale times dL/dW, and W moves by scale times what they do.
        rate /= self.scale**2
        alike = [list(group) for _, group in itertools.groupby(pairs, key=lambda pair: pair[1])]
        if len(alike) > 1 and not all(np.isfinite(delta).all() for *_, delta in pairs):  # before any of them is applied
            raise ValueError("delta must be finite: the loss or its gradient is NaN or infinite")
        for k, group in enumerate(alike):
            _, (operation, *_), x, delta = zip(*group, strict=True)
            last = k == len(alike) - 1
            threads = self._threads(sum(map(len, x)) * operation.patches)
            operation.update(
                self.core, _joined(x), self._scaled(_joined(delta)), lr_scale=rate, last=last, threads=threads
            )
        return bool(pairs)

    def read(self, draw: int) -> F32:
        """The weights (rows, columns) through the read periphery, with the noise of `draw`."""
        return self._scaled(self.core.read_weights(draw=draw))

    def average(self) -> F32 | None:
        """The average (rows, columns) of reads; None if there is none."""
        average = self.core.average
        return None if average is None else self._scaled(average)

    def average_while(self, on: bool) -> bool:
        """Start or end averaging what the network sees; whether the rule can."""
        try:
            self.core.averaging = on
        except ValueError:
            return False
        return True

    def ledger(self) -> dict[str, Any]:
        """Operations so far."""
        return dict(self.core.ledger)

    def describe(self, samples: int | None) -> str:
        """What the settings of the rule mean on this array."""
        if not isinstance(self.rule, RuleConfig):
            return repr(self.rule)
        return self.rule.describe(*self.shape, samples=samples)

    def settings(self) -> dict[str, Any]:
        """What the array was made with, as plain values."""
        return {"rule": self._rule(), "seed": self.seed, "number": self.number, "scale": self.scale}

    def _rule(self) -> dict[str, Any]:
        return to_dict(self.rule) if isinstance(self.rule, RuleConfig) else {"class": type(self.rule).__qualname__}

    def state(self) -> dict[str, torch.Tensor]:
        """Everything to continue from, bit for bit, as tensors; "config" is JSON in bytes.

        RuntimeError while pairs wait, which are not part of it.
        """
        if self._pairs:
            raise RuntimeError("gradients of a crossbar wait: save after a step of the optimiser, not before")
        config = np.frombuffer(json.dumps(self.settings(), sort_keys=True).encode(), np.uint8)
        return {"config": _tensor(config)} | {name: _tensor(value) for name, value in self.core.state().items()}

    def restore(self, state: Mapping[str, torch.Tensor]) -> None:
        """Put back a `state`, with its seed, number and scale; ValueError for that of another rule or shape."""
        arrays = {name: _array(value) for name, value in state.items()}
        try:
            config = json.loads(bytes(arrays.pop("config")))
            rule, seed, number, scale = (config[name] for name in ("rule", "seed", "number", "scale"))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError("config must be JSON with rule, seed, number and scale") from error
        if rule != (mine := self._rule()):
            raise ValueError(f"rule must be {shown(rule)}, with which it was saved, not {shown(mine)}")
        other = type(self)(self.rule, np.zeros(self.shape, np.float32), seed=seed, number=number, scale=scale)
        other.core.restore(arrays)
        other.attached = self.attached
        vars(self).update(vars(other))

    def program(self, weights: F32) -> None:
        """New devices, the slow array at `weights` (rows, columns; as the network sees them), the others at rest."""
        self.core = self._made(weights / np.float32(self.scale))
        self.forget()


def _joined(arrays: Sequence[F32]) -> F32:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _tensor(array: NDArray[Any]) -> torch.Tensor:
    array = np.ascontiguousarray(array) if array.ndim else array
    if array.dtype.kind == "u" and array.dtype.itemsize > 1:
        array = array.view(array.dtype.str.replace("u", "i"))
    return torch.from_numpy(array.copy())


def _array(tensor: torch.Tensor) -> NDArray[Any]:
    array: NDArray[Any] = tensor.detach().cpu().numpy()
    return array.view(array.dtype.str.replace("i", "u")) if array.dtype.kind == "i" else array


def scale_of(scale: float | str, rule: Any, weights: F32) -> float:
    """The scale of an array for `weights`: a number, or "fit", the smallest at which they fit the mean device.

    Raises ValueError for anything else, and for "fit" where the rule has no devices.
    """
    if scale == "fit":
        device = getattr(rule, "slow_device", None) or getattr(rule, "device", None)
        largest = float(np.abs(weights).max(initial=0.0))
        if getattr(rule, "kind", None) == "float" or largest == 0.0:
            return 1.0
        if device is None:
            raise ValueError(f"scale must be a number for a rule without a device, not 'fit': {shown(rule)}")
        mean = mean_device(device)
        return largest / min(mean["upper_bound"], -mean["lower_bound"])
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 < scale < float("inf"):
        raise ValueError(f"scale must be a number above 0 or 'fit', not {shown(scale)}")
    return float(scale)
