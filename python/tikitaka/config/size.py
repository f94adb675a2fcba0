"""Sizes of the mean device, for devices of every kind: its step, its bounds and its number of states."""

from typing import Any

from tikitaka._core import Crossbar

__all__ = ["bounds_of", "states_of", "step_of"]


def bounds_of(device: Any) -> tuple[float, float]:
    """Mean lower and upper bound of the weights (weight units)."""
    bound = float(getattr(device, "bound", 1.0))
    lower, upper = getattr(device, "lower_bound", None), getattr(device, "upper_bound", None)
    return (-bound if lower is None else float(lower), bound if upper is None else float(upper))


def step_of(device: Any) -> float:
    """Mean step of one pulse at weight 0 (weight units).

    >>> from tikitaka.config import SoftBounds
    >>> step_of(SoftBounds(states=20, bound=0.5))
    0.05
    """
    given, states = (getattr(device, name, None) for name in ("weight_step", "states"))
    if given is not None:
        return float(given)
    lower, upper = bounds_of(device)
    return (upper - lower) / states if states else _rounded(Crossbar(1, 1, device).weight_step)


def states_of(device: Any) -> float:
    """Mean number of states: the range of the mean device over its step at weight 0."""
    given = getattr(device, "states", None)
    lower, upper = bounds_of(device)
    return float(given) if given is not None else _rounded((upper - lower) / step_of(device))


def _rounded(value: float) -> float:
    """Six digits, which float32 holds."""
    return float(f"{value:.6g}")
