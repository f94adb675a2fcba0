"""Layer descriptions: what a `tikitaka.Network` is built from."""

from dataclasses import dataclass, field
from typing import Literal

from tikitaka import _core

__all__ = ["Layer", "Linear", "ReLU", "Sigmoid", "Tanh", "kinds"]


class Layer:
    """Any layer description."""


@dataclass(frozen=True)
class Linear(Layer):
    """A fully connected layer on one array of `outputs` × (`inputs` + 1 with a bias) devices.

    The bias is one more column of the array, fed with 1. `scale` multiplies the output, so that weights of the
    network up to scale·bound fit devices of a given bound. Raises ValueError for sizes below 1 or a scale ≤ 0.
    """

    inputs: int
    outputs: int
    bias: bool = True
    scale: float = 1.0
    kind: Literal["linear"] = field(default="linear", init=False, repr=False)

    def __post_init__(self) -> None:
        _core.validate(self.kind, self)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the array: (outputs, inputs with the bias column)."""
        return self.outputs, self.inputs + self.bias


@dataclass(frozen=True)
class Sigmoid(Layer):
    """y = 1 / (1 + exp(−x)), element by element."""

    kind: Literal["sigmoid"] = field(default="sigmoid", init=False, repr=False)


@dataclass(frozen=True)
class Tanh(Layer):
    """y = tanh(x), element by element."""

    kind: Literal["tanh"] = field(default="tanh", init=False, repr=False)


@dataclass(frozen=True)
class ReLU(Layer):
    """y = max(x, 0), element by element."""

    kind: Literal["relu"] = field(default="relu", init=False, repr=False)


kinds: dict[str, type[Layer]] = {"linear": Linear, "sigmoid": Sigmoid, "tanh": Tanh, "relu": ReLU}
"""Layer descriptions by kind."""
