"""Learning-rate schedules by name."""

from collections.abc import Sequence

from tikitaka._internal.validation import one_of
from tikitaka.config import DigitalSgd
from tikitaka.network import Network

__all__ = ["lr_factor", "schedules"]

schedules: dict[str, dict[str, tuple[float, float, float]]] = {
    "constant": {"float": (1.0, 1.0, 1.0), "analog": (1.0, 1.0, 1.0)},
    "decay": {"float": (1.0, 0.5, 0.25), "analog": (1.0, 0.3, 0.09)},
    "swa": {"float": (1.0, 0.5, 0.25), "analog": (1.0, 0.6, 0.6)},
}
"""Factors of the learning rate in the first, second and last third of the epochs, for digital and analog rules.

`swa` (stochastic weight averaging) keeps the rate of the middle third while averages are gathered in the last: an
average gains from iterates that still explore."""


def lr_factor(schedule: str, network: Network, epoch: int, epochs: int) -> float:
    """The factor of `schedule` in `epoch` (from 1) of `epochs`; rates fall at one third and two thirds.

    ValueError for an unknown schedule.
    """
    one_of("schedule", schedule, schedules)
    rules = network.rules if isinstance(network.rules, Sequence) else [network.rules]
    family = "float" if all(isinstance(rule, DigitalSgd) for rule in rules) else "analog"
    return schedules[schedule][family][3 * (epoch - 1) // epochs]
