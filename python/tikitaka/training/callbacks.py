"""Callbacks: functions that are called after each epoch and may end the training."""

from collections.abc import Callable, Sequence
from typing import Any

from tikitaka._internal.shown import shown
from tikitaka.training.early_stopping import EarlyStopping
from tikitaka.training.metrics import Metrics

__all__ = ["Callback", "Callbacks", "call", "callbacks_of"]

Callback = Callable[[Metrics], object]
"""A function of the metrics of an epoch; the training ends if it returns True."""

Callbacks = Callback | Sequence[Callback] | None
"""One callback, a sequence of them, or None."""


def callbacks_of(on_epoch: Callbacks, *, validated: bool, regression: bool = False) -> tuple[Callback, ...]:
    """The callbacks of a training, in order; `validated` says whether it has a validation part.

    Raises TypeError for anything that cannot be called, ValueError for early stopping by a metric that the training
    does not have: of a validation part, or the error of a `regression`.
    """
    callables: Sequence[Any] = () if on_epoch is None else on_epoch if isinstance(on_epoch, Sequence) else (on_epoch,)
    for callback in callables:
        if not callable(callback):
            raise TypeError(f"on_epoch must be a function of the metrics or a sequence of them, not {shown(callback)}")
        if isinstance(callback, EarlyStopping) and callback.metric.startswith("validation") and not validated:
            raise ValueError(
                f"validation must be the share to hold out for early stopping by {callback.metric}, not None"
            )
        if isinstance(callback, EarlyStopping) and callback.metric.endswith("_error") and regression:
            raise ValueError(f"metric must be a loss for early stopping of a regression, not {callback.metric}")
    return tuple(callables)


def call(callbacks: Sequence[Callback], metrics: Metrics) -> bool:
    """Call all `callbacks` and return whether one of them returned True itself; other true values do not count."""
    return any([callback(metrics) is True for callback in callbacks])
