"""From a fit to a device of the simulator: the only place that knows its kinds and fields.

The rule: weight 0 is the conductance where the mean steps up and down are equal, and one unit of weight is so large
that the mean half range is `bound`, 0.6 unless changed.
"""

from dataclasses import fields as fields_of
from typing import Any

import numpy as np

from tikitaka import _core, config
from tikitaka.config import Device, devices
from tikitaka.fitting.form import natural, representable
from tikitaka.fitting.population import MeanDevice, Population, Spreads

__all__ = ["device_of", "unit_of_weight"]

_DEFAULTS = {"step_spread": 0.3, "bound_spread": 0.3, "asymmetry": 0.1}  # R24
_DIGITS = 6  # of numbers in files


def unit_of_weight(mean: MeanDevice, bound: float) -> float:
    """Conductance per unit of weight: half the range over `bound`."""
    return mean.range / 2 / bound


def device_of(
    population: Population, mean: MeanDevice, spreads: Spreads | None, bound: float, measured: bool
) -> Device:
    """The device of the simulator; without `spreads` those of R24 stand in, with `measured` devices are drawn."""
    unit = unit_of_weight(mean, bound)
    kind = population.kind
    fields: dict[str, Any] = {
        "weight_step": mean.step / unit,
        "bound": bound,
        "cycle_noise": mean.pulse_noise,
        "upper_bound": (mean.upper - mean.zero) / unit,
        "lower_bound": (mean.lower - mean.zero) / unit,
        "up_down": 0.0 if mean.balanced else (mean.up - mean.down) / (mean.up + mean.down),
        "noise": population.form.noise,
    }
    if kind == "linear-step":
        fields |= {"up_slope": mean.up_slope, "down_slope": mean.down_slope}
    elif kind == "power-step":
        fields |= {"up_power": mean.up_slope, "down_power": mean.down_slope}
    elif kind == "exponential-step":
        fields |= _exponential(population, mean)
    elif kind == "table-step":
        fields["up"], fields["down"] = (tuple(_rounded(each) for each in side) for side in population.table(mean))
    cls = devices.get(kind, config.SoftBounds)
    known = {each.name for each in fields_of(cls)}  # type: ignore[arg-type]
    if spreads is None:
        fields |= _DEFAULTS
    elif measured and "measured" in known:
        fields["measured"] = tuple(tuple(_rounded(each) for each in row) for row in spreads.rows)
    elif "spread" in known:
        fields["spread"] = _spread(spreads)
        fields |= dict.fromkeys(_DEFAULTS, 0.0)
    else:
        fields |= _simple(spreads)
    fields["weight_step"] = min(fields["weight_step"], 2 * bound)
    limits = _core.bounds(cls.kind)
    return cls(**{name: _within(_rounded(value), limits.get(name)) for name, value in fields.items() if name in known})


def _within(value: Any, limits: tuple[float, float] | None) -> Any:
    """A number within the limits of its field: a replicate of a badly known device may be beyond them."""
    return min(max(value, limits[0]), limits[1]) if limits and isinstance(value, float) else value


def _rounded(value: Any) -> Any:
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float | np.floating) else value


def _spread(spreads: Spreads) -> Any:
    up, down, upper, lower, up_slope, down_slope = (_rounded(each) for each in spreads.sd)
    return config.Spread(
        up_step=up,
        down_step=down,
        upper_bound=upper,
        lower_bound=lower,
        up_slope=up_slope,
        down_slope=down_slope,
        proportional=spreads.proportional,
        correlation=spreads.correlation,
    )


def _simple(spreads: Spreads) -> dict[str, float]:
    """R24's three spreads: a common step, half the difference of up and down, and the mean of the bounds."""
    up, down, upper, lower = spreads.sd[:4]
    between = spreads.correlation[0][1] * up * down if spreads.correlation else 0.0
    return {
        "step_spread": float(np.sqrt(max(up**2 + down**2 + 2 * between, 0.0)) / 2),
        "asymmetry": float(np.sqrt(max(up**2 + down**2 - 2 * between, 0.0)) / 2),
        "bound_spread": float(np.sqrt((upper**2 + lower**2) / 2)),
    }


def _exponential(population: Population, mean: MeanDevice) -> dict[str, float]:
    """A± and γ± of the simulator's 1 − A₊e^(γ₊z) and 1 − A₋e^(−γ₋z), with z = w/(b₊ − b₋)."""
    p = natural(population.form, mean.t)
    zero, scale = (mean.zero - mean.middle) / mean.size, mean.range / mean.size
    found = {"scale": 0.5, "offset": 0.0}
    for k, side in enumerate(("up", "down")):
        h, g = float(p[2 + k]), float(p[4 + k])
        if not representable(h, g):
            g = float(np.copysign(max(1.05 * abs(h), 1e-3), h))
        amplitude = h / (h - g) if h != g else 0.0
        found[f"{side}_amplitude"] = float(amplitude * np.exp(g * zero))
        found[f"{side}_rate"] = g * scale * (1 if k == 0 else -1)
    return found
