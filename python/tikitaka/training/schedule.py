"""Learning-rate schedules: by name, as one factor for each epoch, or as a function of the epoch."""

from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tikitaka._internal.shown import shown
from tikitaka._internal.validation import one_of
from tikitaka.config import DigitalSgd
from tikitaka.network import Network

__all__ = ["Schedule", "check_schedule", "largest_factor", "lr_factor", "schedules"]

Schedule = str | Sequence[float] | NDArray[Any] | Callable[[int], float]
"""A name in `schedules`, a factor for each epoch, or a function of the epoch (from 1) that returns its factor."""

schedules: dict[str, dict[str, tuple[float, float, float]]] = {
    "constant": {"float": (1.0, 1.0, 1.0), "analog": (1.0, 1.0, 1.0)},
    "decay": {"float": (1.0, 0.5, 0.25), "analog": (1.0, 0.3, 0.09)},
    "swa": {"float": (1.0, 0.5, 0.25), "analog": (1.0, 0.6, 0.6)},
}
"""Factors of the learning rate in the first, middle and last third of the epochs, for digital and analog rules.

A network with both kinds of rules uses the analog factors. `swa` (stochastic weight averaging) keeps the rate of the
middle third while averages are gathered in the last: an average gains from iterates that still explore."""

_LARGEST = float(np.finfo(np.float32).max)


def check_schedule(schedule: Schedule, epochs: int) -> Schedule:
    """`schedule` for a training of `epochs` epochs, a sequence as a tuple of floats; functions are not called.

    Raises ValueError for an unknown name, a sequence of another length and factors that are not finite or below 0,
    TypeError for anything else.
    """
    if isinstance(schedule, str):
        return one_of("schedule", schedule, schedules)
    if isinstance(schedule, np.ndarray):
        if schedule.ndim != 1:
            raise ValueError(f"schedule must have the shape (epochs,), not {schedule.shape}")
        schedule = schedule.tolist()
    if isinstance(schedule, Sequence):
        if len(schedule) != epochs:
            raise ValueError(f"schedule must have a factor for each of {epochs:,} epochs, not {len(schedule):,}")
        return tuple(_factor(value, epoch) for epoch, value in enumerate(schedule, 1))
    if callable(schedule):
        return schedule
    raise TypeError(f"schedule must be a name, a sequence of factors or a function of the epoch, not {shown(schedule)}")


def lr_factor(schedule: Schedule, network: Network, epoch: int, epochs: int) -> float:
    """The factor of `schedule` in `epoch` (from 1) of `epochs`; named schedules change after one third and two thirds.

    ValueError for an unknown name. The result of a function must be a finite number of at least 0 (else ValueError, or
    TypeError for anything but a number); an exception inside it is passed on.
    """
    if isinstance(schedule, str):
        one_of("schedule", schedule, schedules)
        rules = network.rules if isinstance(network.rules, Sequence) else [network.rules]
        family = "float" if all(isinstance(rule, DigitalSgd) for rule in rules) else "analog"
        return schedules[schedule][family][3 * (epoch - 1) // epochs]
    return _factor(schedule(epoch) if callable(schedule) else schedule[epoch - 1], epoch)


def largest_factor(schedule: Schedule, network: Network) -> float:
    """The largest factor of a schedule by name or sequence; of a function, which is not called in advance, 1."""
    if callable(schedule):
        return 1.0
    if isinstance(schedule, str):
        return max(lr_factor(schedule, network, third, 3) for third in (1, 2, 3))
    return max(map(float, schedule))


def _factor(value: Any, epoch: int) -> float:
    words = f"schedule must be a finite number of at least 0 in epoch {epoch:,}, not {shown(value)}"
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(words)
    try:
        factor = float(value)
    except OverflowError:
        raise ValueError(words) from None
    if not 0 <= factor <= _LARGEST:
        raise ValueError(words)
    return factor
