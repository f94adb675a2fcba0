"""Sizes of the mean device, for devices of every kind: its step, its bounds and its number of states.

As `tikitaka._core.mean_device`, but exact where a config says the number itself.
"""

from typing import Any

from tikitaka._core import mean_device

__all__ = ["bounds_of", "states_of", "step_of"]


def bounds_of(device: Any) -> tuple[float, float]:
    """Mean lower and upper bound of the weights (weight units)."""
    mean = mean_device(device)
    return _rounded(mean["lower_bound"]), _rounded(mean["upper_bound"])


def step_of(device: Any) -> float:
    """Mean step of one pulse at weight 0 (weight units).

    >>> from tikitaka.config import SoftBounds
    >>> step_of(SoftBounds(states=20, bound=0.5))
    0.05
    """
    given = getattr(device, "weight_step", None)
    return float(given) if given is not None else _rounded(mean_device(device)["weight_step"])


def states_of(device: Any) -> float:
    """Mean number of states: the range of the mean device over its step at weight 0."""
    given = getattr(device, "states", None)
    lower, upper = bounds_of(device)
    return float(given) if given is not None else _rounded((upper - lower) / step_of(device))


def _rounded(value: float) -> float:
    """Six digits, which float32 holds."""
    return float(f"{value:.6g}")
