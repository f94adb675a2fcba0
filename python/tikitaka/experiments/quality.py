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
    name: str
    """its name after train_ and test_, in `Metrics` and in the rows of `scored`"""
    factor: float
    """units per unit of that"""
    unit: str
    """its unit"""
    points: tuple[float, ...]
    """limits above float, the wider first"""
    hard: float
    """the value above which a training is given up, and above which float is no reference"""
    from_epoch: int
    """the epoch from which a training may be given up"""
    guess: float
    """its value for a network that guesses"""

    def of(self, row: Mapping[str, Any]) -> float:
        """The measure of a row of `scored`, on the test set; that of a guess for a training that diverged."""
        return self.guess if row.get("diverged") else self.factor * float(row[f"test_{self.name}"])

    def hopeless(self, metrics: Metrics) -> bool:
        """Whether a training is given up after this epoch, by the measure on the training examples."""
        training = self.factor * float(getattr(metrics, f"train_{self.name}"))
        return metrics.epoch >= self.from_epoch and training > self.hard


_ERROR = Quality("error_percent", "error", 100.0, "%", (1.0, 0.5), hard=HARD, from_epoch=3, guess=100.0)
# A guess among ninety characters has a loss of ln 90.
_LOSS = Quality("loss", "loss", 1.0, "nats per character", (0.3, 0.15), hard=2.7, from_epoch=2, guess=4.5)


def quality_of(net: str) -> Quality:
    """The measure for the network of this name: wrong classes, in percent, or for texts the loss, in nats."""
    return _LOSS if nets[net].text else _ERROR
