"""Loss and error of outputs, predictions and the softmax."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tikitaka._internal.shown import shown

__all__ = ["Score", "check_classes", "predicted", "rmse", "score", "softmax", "steps"]

F32 = NDArray[np.float32]


class Score(NamedTuple):
    """Loss and error of a network on some examples."""

    loss: float
    """mean loss per example, or per step of a sequence (nats for cross-entropy)"""
    error: float
    """share of examples, or of time steps, with a wrong class, 0 to 1; NaN for the loss "mse", which has no classes"""

    @property
    def rmse(self) -> float:
        """Root mean square error of a regression, over examples and outputs, in units of the targets; NaN for the loss
        "cross-entropy"."""
        return rmse(self.loss, self.error)


def rmse(loss: float, error: float) -> float:
    """√(2·loss), as the loss "mse" is half the mean square; NaN where there are classes, and so an `error`."""
    return math.sqrt(2 * loss) if math.isnan(error) else math.nan


def score(total: float, wrong: int, examples: int, loss: str) -> Score:
    """The score for a sum of losses and a number of wrong classes under the loss `loss`; ValueError without
    examples."""
    if examples == 0:
        raise ValueError("targets must contain at least one example; there are no examples")
    return Score(total / examples, wrong / examples if loss == "cross-entropy" else math.nan)


def predicted(outputs: F32, loss: str) -> NDArray[Any]:
    """The predictions of `outputs` (…, outputs): the most likely class (…) for "cross-entropy", the outputs for
    "mse"."""
    return np.asarray(outputs.argmax(axis=-1), dtype=np.int64) if loss == "cross-entropy" else outputs


def check_classes(loss: str) -> None:
    """ValueError unless the outputs under the loss `loss` are those of classes, which have probabilities."""
    if loss != "cross-entropy":
        raise ValueError(f'loss must be "cross-entropy" for probabilities, not {shown(loss)}: a regression has none')


def softmax(outputs: F32) -> F32:
    """exp(y) / Σ exp(y) of each row (…, outputs); rows sum to 1."""
    e = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True), dtype=np.float32)


def steps(targets: ArrayLike, recurrent: bool) -> int:
    """Targets per example: the steps of `targets` (examples, steps, …) for a recurrent network, 1 for others."""
    return int(np.shape(targets)[1]) if recurrent else 1
