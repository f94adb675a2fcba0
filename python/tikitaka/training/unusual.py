"""Settings and data that are allowed, but so far from what is usual that they are probably mistakes."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from tikitaka.config import Device, RuleConfig
from tikitaka.data import Dataset
from tikitaka.network import Network

__all__ = ["unusual_data", "unusual_settings", "warn_unusual"]

_SENSIBLE: dict[str, tuple[float, float, str]] = {
    "bound": (0.005, 20, "0.3 to 1 (weight units)"),
    "cycle_noise": (0, 5, "0 to 1 (1 is 100 % of a step)"),
    "step_spread": (0, 2, "0 to 0.5 (0.3 is 30 %)"),
    "bound_spread": (0, 1, "0 to 0.5 (0.3 is 30 %)"),
    "asymmetry": (0, 1, "0 to 0.3 (0.1 is 10 %)"),
    "lr": (0, 100, "0.001 to 1"),
    "fast_lr": (0, 100, "0.01 to 1"),
    "transfer_lr": (0, 10_000, "0.01 to 100"),
    "learning_rate": (0, 100, "0.01 to 1"),
    "output_noise": (0, 10, "0 to 0.3 (output units)"),
    "dac_bound": (0.01, 100, "1 (input units)"),
    "adc_bound": (0.01, 1000, "1 to 12 (output units)"),
}
"""For each field of a rule, its devices and peripheries: the least and the most that make sense, and what is usual."""

_RMS = 4.0
_LARGEST, _SMALLEST = 50.0, 1e-3
_BLOCK = 1 << 22  # values that are looked at together, so that little memory is needed


def warn_unusual(network: Network, dataset: Dataset, *, batch: int, stacklevel: int = 3) -> None:
    """Warn, by name, of each setting of `network` and of the values of `dataset` that are far from what is usual."""
    for words in (*unusual_settings(network.rules), *unusual_data(dataset, batch=batch)):
        warnings.warn(f"unusual setting: {words}", stacklevel=stacklevel)


def unusual_settings(rules: Any) -> tuple[str, ...]:
    """A sentence for each setting of a rule, or of several, that is far from what is usual; none for rules in Python.

    >>> from tikitaka import AnalogSgd, SoftBounds
    >>> unusual_settings(AnalogSgd(device=SoftBounds(bound=600)))
    ('rule.device.bound is 600, usual is 0.3 to 1 (weight units)',)
    """
    each = rules if isinstance(rules, Sequence) else [rules]
    found = (words for rule in each if isinstance(rule, RuleConfig) for words in _of("rule", rule))
    return tuple(dict.fromkeys(found))


def _of(path: str, config: Any) -> Iterator[str]:
    for f in fields(config):
        value, name = getattr(config, f.name), f"{path}.{f.name}"
        if is_dataclass(value):
            yield from _of(name, value)
        elif f.name in _SENSIBLE and value is not None:
            least, most, usual = _SENSIBLE[f.name]
            if not least <= value <= most:
                yield f"{name} is {value:g}, usual is {usual}"
    for name in ("reference", "slow_reference"):
        device = getattr(config, "device", None)
        if name.startswith("slow"):
            device = getattr(config, "slow_device", None) or device
        reference = getattr(config, name, None)
        if reference is not None and isinstance(device, Device):
            bound = float(device.bound)  # type: ignore[attr-defined]
            for field in ("mean", "spread"):
                if abs(getattr(reference, field)) > 2 * bound:
                    value = getattr(reference, field)
                    yield f"{path}.{name}.{field} is {value:g}, beyond the range of devices with bound {bound:g}"


def unusual_data(dataset: Dataset, *, batch: int = 1) -> tuple[str, ...]:
    """A sentence for inputs and targets of the training part that are not of order 1, and for a batch beyond it."""
    found = []
    if batch > len(dataset.train_y):
        found.append(f"batch is {batch:,}, more than the {len(dataset.train_y):,} training examples of {dataset.name}")
    for name, values in (("x", dataset.train_x), ("y", dataset.train_y)):
        if values.dtype.kind != "f" or not values.size:
            continue
        rms, largest = _size(values)
        if rms > _RMS or largest > _LARGEST or 0 < largest < _SMALLEST:
            hint = "pixels are divided by 255" if name == "x" else "targets are scaled, and predictions scaled back"
            found.append(
                f"{name} of the training part of {dataset.name} goes up to {largest:,.4g} "
                f"(root mean square {rms:,.3g}), usual is order 1: {hint}"
            )
    return tuple(found)


def _size(values: Any) -> tuple[float, float]:
    """Root mean square and largest magnitude."""
    rows, total, largest = max(1, _BLOCK // values[0].size), 0.0, 0.0
    for first in range(0, len(values), rows):
        block = np.abs(values[first : first + rows])
        total += float(np.square(block, dtype=np.float64).sum())
        largest = max(largest, float(block.max()))
    return (total / values.size) ** 0.5, largest
