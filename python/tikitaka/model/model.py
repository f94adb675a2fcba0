"""Plain digital models: read from the hardware, and saved to files, programmed onto chips or exported."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tikitaka import _core
from tikitaka._internal.copies import FORMAT, unpickled
from tikitaka._internal.display import table
from tikitaka.config import DigitalSgd
from tikitaka.model import file, quantise
from tikitaka.nn import Layer, display
from tikitaka.nn.arrays import check_layers
from tikitaka.nn.state_dict import named_arrays
from tikitaka.score import Score, check_classes, predicted, score, softmax, steps

__all__ = ["Model"]

F32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """Layers with float32 weights in exact arithmetic: no devices, no periphery, no noise.

    Evaluation is that of `tikitaka.Network`, including carried state.

    Raises TypeError for anything but layers, ValueError for weights that do not fit the layers or are not finite, and
    for metadata that JSON cannot represent.

    >>> import tikitaka as tt
    >>> model = tt.Model.from_weights([tt.nn.Linear(2, 2, bias=False)], [[[1.4, 0.5], [0.0, 2.0]]])
    >>> print(model.forward([[1.0, 1.0]]))
    [[1.9 2. ]]
    >>> print(model.quantised(3).weights[0])  # levels of 2/3
    [[1.3333334 0.6666667]
     [0.        2.       ]]
    >>> chip = tt.program(model, device=tt.SoftBounds(bound=3.0), method="closed-loop", seed=1)
    >>> chip.missed_share  # of devices that are off by more than a step
    0.0
    """

    layers: tuple[Layer, ...]
    """descriptions of `tikitaka.nn`; the output scale of each array is the `scale` of its layer"""
    weights: tuple[F32, ...] = field(repr=False)
    """one array per layer with an array, of its `shape`, in the units of its devices; read-only"""
    loss: str = "cross-entropy"
    """"cross-entropy" or "mse", as for `tikitaka.Network`"""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """where the weights come from, in plain values: kind (average, read, reads or exact), rule, device, seed, …"""
    _exact: _core.Network = field(init=False, repr=False)

    def __post_init__(self) -> None:
        layers = check_layers(self.layers)
        exact = _core.Network(layers, DigitalSgd(), loss=self.loss)
        exact.weights = self.weights  # checks number, shapes and values
        weights = tuple(exact.weights)
        for w in weights:
            w.flags.writeable = False
        try:
            metadata = json.loads(json.dumps(dict(self.metadata), allow_nan=False))
        except (TypeError, ValueError) as error:
            raise ValueError(f"metadata must be valid JSON values: {error}") from error
        object.__setattr__(self, "layers", layers)
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "metadata", metadata)
        object.__setattr__(self, "_exact", exact)

    def __reduce__(self) -> tuple[Any, ...]:
        content = {"layers": self.layers, "weights": self.weights, "loss": self.loss, "metadata": self.metadata}
        return _from_pickle, (type(self), {"format": FORMAT, **content})

    def __repr__(self) -> str:
        return display.lines(f"Model({self._summary()})", self.layers)

    def _repr_html_(self) -> str:
        rows = [(name, value) for name, value in self.metadata.items()]
        return display.html(f"Model({self._summary()})", self.layers) + table("metadata", ("name", "value"), rows)

    def _summary(self) -> str:
        size = display.size(self.layers, self.inputs, self.outputs)
        kind = self.metadata.get("kind")
        return f"{size}, loss {self.loss}" + ("" if kind is None else f", {kind}")

    @classmethod
    def from_weights(
        cls,
        layers: Sequence[Layer],
        weights: Mapping[str, ArrayLike] | Sequence[ArrayLike],
        *,
        loss: str = "cross-entropy",
        metadata: Mapping[str, Any] | None = None,
    ) -> Self:
        """A model of `layers` with given weights.

        `weights` is a list of arrays, as `Network.weights` gives them, or a dict of arrays by name, as the `state_dict`
        of the twin in PyTorch has them: "k.weight" and "k.bias" for each Linear and Conv2d, number k among the layers,
        and "k.weight_ih_l0", "k.weight_hh_l0", "k.bias_ih_l0" and "k.bias_hh_l0" for each LSTM; shapes and order as in
        PyTorch, and the output scale of the layer included.
        Raises ValueError for names or shapes that do not fit.
        """
        arrays = named_arrays(layers, weights) if isinstance(weights, Mapping) else weights
        # the constructor converts and checks
        return cls(tuple(layers), tuple(arrays), loss, {"kind": "exact"} | dict(metadata or {}))  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The model that `save` wrote to a .safetensors or .npz file.

        Raises OSError when it cannot be read, and ValueError naming the file when it is truncated or edited, of an
        unknown version, or contains arrays that do not fit its layers.
        """
        content = file.read(path)
        try:
            return cls(content.layers, content.weights, content.loss, content.metadata)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path}: {error}") from error

    def save(self, path: str | Path) -> None:
        """Write the model to a .safetensors or .npz file, completely or not at all; ValueError for another ending."""
        file.write(path, file.Content(self.layers, self.weights, self.loss, self.metadata))

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return self._exact.inputs

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return self._exact.outputs

    @property
    def recurrent(self) -> bool:
        """Whether it takes sequences: it has an LSTM."""
        return self._exact.recurrent

    def forward(self, x: ArrayLike, *, threads: int = 1) -> F32:
        """Outputs of the last layer, before any softmax, for inputs shaped as for `tikitaka.Network`."""
        return self._exact.forward(x, threads=threads)

    def probabilities(self, x: ArrayLike, *, threads: int = 1) -> F32:
        """Softmax of the outputs: (examples, outputs), or (examples, steps, outputs); rows sum to 1. Raises ValueError
        for the loss "mse"."""
        check_classes(self.loss)
        return softmax(self.forward(x, threads=threads))

    def predict(self, x: ArrayLike, *, threads: int = 1) -> NDArray[Any]:
        """The most likely class of each example, or for the loss "mse" the outputs, as `tikitaka.Network.predict`."""
        return predicted(self.forward(x, threads=threads), self.loss)

    def evaluate(self, x: ArrayLike, targets: ArrayLike, *, threads: int = 1) -> Score:
        """Mean loss and error on examples with their classes (or float targets, for "mse")."""
        loss, wrong = self._exact.evaluate(x, targets, threads=threads)
        return score(loss, wrong, len(np.asarray(targets)) * steps(targets, self.recurrent), self.loss)

    def sample(
        self, prime: ArrayLike, count: int, *, temperature: float = 1.0, seed: int = 0, threads: int = 1
    ) -> NDArray[np.int64]:
        """`count` codes that follow the codes `prime`, drawn by `seed`; see `tikitaka.Network.sample`."""
        return self._exact.sample(prime, count, temperature=temperature, seed=seed, threads=threads)

    def noted(self, **metadata: Any) -> Self:
        """The same model with more metadata."""
        return replace(self, metadata={**self.metadata, **metadata})

    def quantised(self, bits: int = 8) -> Self:
        """The model with the weights of each array rounded to `bits` bits (2 to 24), including the bias column.

        Symmetric: 2^bits − 2 steps over ±max|W| of the array, which for 8 bits are the codes −127 to 127 of int8;
        `tikitaka.model.quantise.codes` gives the codes themselves. Inputs and sums stay float32.
        """
        return replace(
            self,
            weights=tuple(quantise.rounded(w, bits) for w in self.weights),
            metadata={**self.metadata, "bits": int(bits)},
        )


def _from_pickle(cls: type[Model], state: Mapping[str, Any]) -> Model:
    """The model of class `cls` that `Model.__reduce__` gave."""
    return cls(**unpickled("Model", state))
