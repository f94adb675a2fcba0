"""Early stopping: end a training that no longer improves."""

import math
from numbers import Real

from tikitaka._internal.shown import listed, shown
from tikitaka._internal.validation import check_int, check_kind, one_of
from tikitaka.training.metrics import Metrics

__all__ = ["EarlyStopping"]

_METRICS = ("validation_loss", "validation_error", "test_loss", "test_error", "train_loss", "train_error")
_SETTINGS = ("patience", "metric", "min_delta")


class EarlyStopping:
    """A callback of `tikitaka.fit` that ends a training after `patience` epochs without improvement.

    An epoch improves if its `metric`, a loss or an error of `tikitaka.Metrics`, is more than `min_delta` below the
    best so far. The validation metrics need `fit(validation=…)`; to judge by the test part is to tune on it. The
    network keeps the weights of the last epoch, not those of the best.

    Its state depends only on the metrics it was called with: to resume a training with `start`, call it with the
    metrics of the earlier epochs first. Epoch 1 begins a new training.

    Raises TypeError for arguments of another type and ValueError for a patience below 1, a min_delta below 0 and an
    unknown metric. Calling it raises ValueError if the metrics contain no number to judge by: no validation part,
    or the error of a regression.

    >>> import tikitaka as tt
    >>> digits = tt.data.load("digits").first(200)
    >>> network = tt.Network([tt.nn.Linear(digits.inputs, digits.classes)], tt.DigitalSgd(lr=3.0), seed=1)
    >>> stopping = EarlyStopping(patience=3)
    >>> history = tt.fit(network, digits, validation=0.2, on_epoch=stopping, progress=False)
    >>> len(history) == stopping.best_epoch + 3 < 30
    True
    """

    def __init__(self, patience: int = 5, metric: str = "validation_loss", min_delta: float = 0.0) -> None:
        self.patience = check_int("patience", patience, 1)
        self.metric = one_of("metric", metric, _METRICS)
        if isinstance(min_delta, bool):
            raise TypeError(f"min_delta must be a number, not {shown(min_delta)}")
        check_kind("min_delta", min_delta, Real)
        if not 0 <= min_delta < math.inf:
            raise ValueError(f"min_delta must be a finite number of at least 0, not {min_delta}")
        self.min_delta = float(min_delta)
        self.best = math.inf
        """the smallest value so far that counted as an improvement"""
        self.best_epoch = 0
        """its epoch, from 1; 0 before the first"""

    def __setattr__(self, name: str, value: object) -> None:
        again = name in _SETTINGS and name in vars(self)
        unknown = type(self) is EarlyStopping and name not in (*_SETTINGS, "best", "best_epoch")
        if again or unknown:
            raise AttributeError(f"{listed([name])} cannot be assigned: make another EarlyStopping with other settings")
        super().__setattr__(name, value)

    def __repr__(self) -> str:
        return f"EarlyStopping(patience={self.patience}, metric={self.metric!r}, min_delta={self.min_delta:g})"

    def __call__(self, metrics: Metrics) -> bool:
        """Whether to end the training after the epoch of `metrics`."""
        check_kind("metrics", metrics, Metrics)
        value = getattr(metrics, self.metric)
        if value is None or math.isnan(value):
            hint = "fit needs validation=" if value is None else "a regression has no errors"
            raise ValueError(f"{self.metric} must be a number to judge by, not {value}: {hint}")
        if metrics.epoch == 1:
            self.best, self.best_epoch = math.inf, 0
        if self.best_epoch == 0 or value < self.best - self.min_delta:
            self.best, self.best_epoch = value, metrics.epoch
        return metrics.epoch - self.best_epoch >= self.patience
