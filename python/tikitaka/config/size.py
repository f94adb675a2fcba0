"""Sizes of the mean device, for devices of every kind: its step, its bounds and its number of states.

As `tikitaka._core.mean_device`, but exact where a config says the number itself.
"""

from typing import Any

from tikitaka._core import mean_device

__all__ = ["bounds_of", "noise_field", "range_of", "states_of", "step_of"]


def bounds_of(device: Any) -> tuple[float, float]:
    """Mean lower and upper bound of the weights (weight units)."""
    mean = mean_device(device)
    return _rounded(mean["lower_bound"]), _rounded(mean["upper_bound"])


def range_of(device: Any) -> float:
    """Range of the weights of the mean device (weight units)."""
    lower, upper = bounds_of(device)
    return upper - lower


def noise_field(device: Any) -> str:
    """The name of the field that holds the noise of a pulse."""
    return next(name for name in ("cycle_noise", "cycle_to_cycle") if hasattr(device, name))


def step_of(device: Any) -> float:
    """Mean step of one pulse at weight 0 (weight units).

    >>> from tikitaka.config import SoftBounds
    >>> step_of(SoftBounds(states=20, bound=0.5))
    0.05
    """
    given = _given(device, "weight_step")
    return float(given) if given is not None else _rounded(mean_device(device)["weight_step"])


def states_of(device: Any) -> float:
    """Mean number of states: the range of the mean device over its step at weight 0."""
    given = _given(device, "states")
    return float(given) if given is not None else _rounded(range_of(device) / step_of(device))


def _given(device: Any, name: str) -> Any:
    """A field of `device`, unless it is of one device of a pair."""
    return getattr(device, name, None) if getattr(device, "pair", None) is None else None


def _rounded(value: float) -> float:
    """Six digits, which float32 holds."""
    return float(f"{value:.6g}")
