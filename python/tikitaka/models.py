"""Networks by name, as lists of layer descriptions."""

from collections.abc import Callable

from tikitaka import nn

__all__ = ["fcn", "nets"]


def fcn(inputs: int = 784, classes: int = 10) -> list[nn.Layer]:
    """The fully connected network of GV16 and R24: inputs-256-128-classes with sigmoids.

    235,146 weights with biases at 784 inputs and 10 classes; train it with softmax cross-entropy.
    """
    return [
        nn.Linear(inputs, 256),
        nn.Sigmoid(),
        nn.Linear(256, 128),
        nn.Sigmoid(),
        nn.Linear(128, classes),
    ]


nets: dict[str, Callable[[int, int], list[nn.Layer]]] = {"fcn": fcn}
"""Builders by name, each called with the number of inputs and of classes."""
