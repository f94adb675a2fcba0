"""What trainings are compared by: for images the share of wrong classes, for texts the loss."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tikitaka.nn import nets
from tikitaka.training import Metrics

__all__ = ["HARD", "Quality", "quality_of"]

HARD = 30.0
"""The share of wrong classes, in percent, above which rules cannot be compared."""


@dataclass(frozen=True)
class Quality:
    """A measure of trained networks, less being better, and the limits that studies set to it."""

    key: str
    """its name in the rows of results"""
    label: str
    """its name in figures"""
    unit: str
    """its unit"""
    points: tuple[float, ...]
    """limits above float, the wider first"""
    hard: float
    """the value above which a training is given up, and above which float is no reference"""
    from_epoch: int
    """the epoch from which a training may be given up"""

    def of(self, row: Mapping[str, Any]) -> float:
        """The measure of a row of `scored`, on the test set; that of a guess for a training that diverged."""
        raise NotImplementedError

    def training(self, metrics: Metrics) -> float:
        """The measure of an epoch, on the training examples."""
        raise NotImplementedError

    def hopeless(self, metrics: Metrics) -> bool:
        """Whether a training is given up after this epoch."""
        return metrics.epoch >= self.from_epoch and self.training(metrics) > self.hard


class _Error(Quality):
    def of(self, row: Mapping[str, Any]) -> float:
        return 100 * float(row["test_error"])

    def training(self, metrics: Metrics) -> float:
        return 100 * metrics.train_error


class _Loss(Quality):
    def of(self, row: Mapping[str, Any]) -> float:
        return 4.5 if row.get("diverged") else float(row["test_loss"])  # a guess among ninety characters: ln 90

    def training(self, metrics: Metrics) -> float:
        return metrics.train_loss


_ERROR = _Error("error_percent", "test error", "%", points=(1.0, 0.5), hard=HARD, from_epoch=3)
_LOSS = _Loss("loss", "test loss", "nats per character", points=(0.3, 0.15), hard=2.7, from_epoch=2)


def quality_of(net: str) -> Quality:
    """The measure for the network of this name: wrong classes, in percent, or for texts the loss, in nats."""
    return _LOSS if nets[net].text else _ERROR
