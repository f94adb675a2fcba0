"""Reports of a training: the metrics of an epoch, its progress, and its interruption."""

from dataclasses import dataclass

from tikitaka._internal.shown import shown
from tikitaka._internal.validation import check_kind
from tikitaka.score import rmse

__all__ = ["Metrics", "Progress", "Stopped"]


@dataclass(frozen=True)
class Metrics:
    """The results of one epoch of training; every character of a text is a sample."""

    epoch: int
    """number of the epoch, from 1"""
    lr_scale: float
    """factor of the schedule"""
    train_loss: float
    """mean loss per sample during training (nats for cross-entropy)"""
    train_error: float
    """share of wrong classes during training, 0 to 1; NaN for a regression, which has no classes"""
    test_loss: float
    """mean loss per test sample, through the network's own periphery"""
    test_error: float
    """share of wrong classes on the test part, 0 to 1, through the network's own periphery; NaN for a regression"""
    samples_per_second: float
    """training samples per second of training alone"""
    pulses_per_sample: float
    """pulses sent to all devices per training sample"""
    seconds: float
    """time of the epoch with its evaluation"""
    validation_loss: float | None = None
    """mean loss per held-out sample, through the network's own periphery; None without a validation part"""
    validation_error: float | None = None
    """share of wrong classes on the validation part, 0 to 1; NaN for a regression, None without a validation part"""

    @property
    def train_rmse(self) -> float:
        """Root mean square error of a regression during training (units of the targets); NaN for classes."""
        return rmse(self.train_loss, self.train_error)

    @property
    def test_rmse(self) -> float:
        """Root mean square error on the test part (units of the targets); NaN for classes."""
        return rmse(self.test_loss, self.test_error)

    @property
    def validation_rmse(self) -> float | None:
        """Root mean square error on the validation part (units of the targets); NaN for classes, None without one."""
        if self.validation_loss is None or self.validation_error is None:
            return None
        return rmse(self.validation_loss, self.validation_error)


@dataclass(frozen=True)
class Progress:
    """How far a training has come, between two calls into the core: within an epoch or between two.

    Together with the state of the network, this is all that is needed to continue bit for bit.
    """

    epoch: int = 0
    """epochs that are complete, with their evaluation"""
    position: int = 0
    """examples of the next epoch that are done, in its order"""
    loss: float = 0.0
    """sum of the losses of those examples"""
    errors: float = 0.0
    """sum of their shares of wrong classes; NaN for a regression"""
    training: float = 0.0
    """seconds of training alone, of that epoch"""
    seconds: float = 0.0
    """seconds of that epoch in total"""
    pulses: int = 0
    """pulses sent to all devices before that epoch"""

    def __post_init__(self) -> None:
        for name in ("epoch", "position", "pulses"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 0:
                raise ValueError(f"{name} must be a whole number, at least 0, not {shown(value)}")


class Stopped(Exception):
    """Training was asked to stop; the network is between two batches, `position` examples into epoch `epoch`.

    Pass `progress` to `fit` as `start` to continue.
    """

    def __init__(self, progress: Progress) -> None:
        check_kind("progress", progress, Progress)
        self.progress = progress
        self.epoch = progress.epoch + 1
        self.position = progress.position
        super().__init__(f"stopped in epoch {self.epoch} after {self.position:,} examples")

    def __reduce__(self) -> tuple[type["Stopped"], tuple[Progress]]:
        return type(self), (self.progress,)
