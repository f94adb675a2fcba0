"""The base class of training rules written in Python."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["Rule"]

F32 = NDArray[np.float32]


class Rule:
    """A training rule of one's own, in NumPy, over `tikitaka.Crossbar` objects.

    Subclass it and pass an instance wherever a rule config is accepted. The instance is a template: it is
    deep-copied for every array of a network, and `build` is called once on each copy. δ is always dL/dy of the loss,
    the mean over the examples of a batch and for sequences the sum over their steps, so that descent applies −lr·δxᵀ.
    To repeat a built-in rule bit for bit, give the array the network sees the number `array=2 * layer + 1` and a
    second, fast array `array=2 * layer`.
    """

    def build(self, weights: F32, seed: int, layer: int) -> None:
        """Make the arrays of layer number `layer` and start from `weights` (outputs, inputs)."""
        raise self._missing("build")

    def forward(self, x: F32) -> F32:
        """y = Wx for a batch: (batch, inputs) → (batch, outputs)."""
        raise self._missing("forward")

    def backward(self, delta: F32) -> F32:
        """z = Wᵀδ for a batch: (batch, outputs) → (batch, inputs)."""
        raise self._missing("backward")

    def update(self, x: F32, delta: F32, lr_scale: float) -> None:
        """Learn from inputs (samples, inputs) and errors (samples, outputs); `lr_scale` is the schedule's factor.

        A mini-batch of images may come in several parts: every patch of a convolution is a sample.
        """
        raise self._missing("update")

    def finish_batch(self, lr_scale: float) -> None:
        """Called after the last `update` of a mini-batch; does nothing by default."""

    def evaluate(self, x: F32, draw: int) -> F32:
        """Like `forward`, with the noise of evaluation `draw` and without a change to any state of the training."""
        raise self._missing("evaluate")

    def weights(self) -> F32:
        """The weights the network sees, (outputs, inputs)."""
        raise self._missing("weights")

    def _missing(self, method: str) -> NotImplementedError:
        return NotImplementedError(f"{type(self).__name__} must implement {method}() (see tikitaka.Rule.{method})")
