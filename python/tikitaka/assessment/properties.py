"""The properties of hardware that an assessment improves and worsens, one at a time.

A property is a line of the table `PROPERTIES`. It asks a device for fields by name, so it works on every kind of device
that has them, also on kinds that are added later. `Property.scaled` multiplies how bad the hardware is in this respect:
by 0 it is ideal, by 1/2 half as bad, by 2 twice as bad. For the states, twice as bad is half as many.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tikitaka import _core
from tikitaka.assessment import shape, spreads
from tikitaka.assessment.hardware import Hardware
from tikitaka.config import Device
from tikitaka.config.size import noise_field

__all__ = ["CIRCUITS", "PROPERTIES", "Level", "Property", "present"]


@dataclass(frozen=True)
class Property:
    """A respect in which hardware can be better or worse."""

    name: str
    """its name in reports"""
    unit: str
    """unit of its value"""
    value: Callable[[Hardware], float | None]
    """its value; None if this hardware does not have the property"""
    scaled: Callable[[Hardware, float], Hardware]
    """the hardware that is so many times as bad; within what its settings allow"""
    introduced: Callable[[Hardware], Hardware] | None = None
    """hardware that has the property, for hardware where it is zero; None: it is left out then"""
    best: float = 0.0
    """the smallest factor"""
    falls: bool = False
    """whether a smaller value is worse"""


@dataclass(frozen=True)
class Level:
    """Hardware that differs in one property."""

    name: str
    """"ideal", "half", "double" or "introduced"; with falls, half as bad is twice the value"""
    factor: float
    """how many times as bad as the present"""


def present(hardware: Hardware, levels: tuple[Level, ...]) -> list[tuple[Property, list[tuple[Level, Hardware]]]]:
    """The properties of this hardware, and the hardware at each level that differs from the present.

    A property that is zero has the level "introduced" alone, with factor 1 for the present of 0.
    """
    found = []
    for known in PROPERTIES:
        value = known.value(hardware)
        if value is None:
            continue
        if value == 0:
            others = [] if known.introduced is None else [(Level("introduced", 1.0), known.introduced(hardware))]
        else:
            wanted = [replace(level, factor=max(level.factor, known.best)) for level in levels]
            others = [(level, known.scaled(hardware, level.factor)) for level in wanted]
        others = [(level, other) for level, other in others if other != hardware]
        if others:
            found.append((known, others))
    return found


def _replaced(device: Any, **changes: float) -> Any:
    """`device` with other numbers, each within the bounds of its field."""
    bounds = _core.bounds(device.kind)
    within = {
        name: min(max(value, bounds[name][0]), bounds[name][1]) if name in bounds else value
        for name, value in changes.items()
    }
    return replace(device, **within)


def _field(*names: str) -> tuple[Callable[[Hardware], float | None], Callable[[Hardware, float], Hardware]]:
    """Value and scaling of the fields of a device; the value is their root mean square, None if one is missing."""

    def value(hardware: Hardware) -> float | None:
        values = [getattr(hardware.device, name, None) for name in names]
        return None if None in values else math.hypot(*map(float, values)) / math.sqrt(len(values))  # type: ignore[arg-type]

    def scaled(hardware: Hardware, factor: float) -> Hardware:
        changes = {name: factor * getattr(hardware.device, name) for name in names}
        return replace(hardware, device=_replaced(hardware.device, **changes))

    return value, scaled


def _of_device(
    size: Callable[[Device], float | None], scaled: Callable[[Device, float], Device]
) -> tuple[Callable[[Hardware], float | None], Callable[[Hardware, float], Hardware]]:
    """Value and scaling of a property that is a function of the device alone."""
    return (
        lambda hardware: size(hardware.device),
        lambda hardware, factor: replace(hardware, device=scaled(hardware.device, factor)),
    )


def _fewer_states(hardware: Hardware, factor: float) -> Hardware:
    """`hardware` with 1/`factor` times as many states. The noise of a pulse stays the same in steps, as `pulse noise`
    states it."""
    device: Any = hardware.device
    if hasattr(device, "levels"):
        found = replace(hardware, device=_replaced(device, levels=max(2, round(device.levels / factor))))
        return _noisier(found, hardware.device_states / found.device_states)
    if getattr(device, "weight_step", None) is not None:
        return replace(hardware, device=_replaced(device, weight_step=device.weight_step * factor))
    return replace(hardware, device=_replaced(device, states=max(1.0, hardware.device_states / factor)))


def _noisier(hardware: Hardware, factor: float) -> Hardware:
    name = noise_field(hardware.device)
    changed = _replaced(hardware.device, **{name: factor * getattr(hardware.device, name)})
    return replace(hardware, device=changed)


def _pulse_noise(hardware: Hardware) -> float:
    """The noise of a pulse in steps at weight 0, whatever the device states it in."""
    name = noise_field(hardware.device)
    value = float(getattr(hardware.device, name))
    return value if name == "cycle_noise" else float(f"{value * hardware.device_states:.6g}")


def _noisy(hardware: Hardware) -> Hardware:
    """Noise of a step, on hardware without any."""
    name = noise_field(hardware.device)
    return replace(hardware, device=_replaced(hardware.device, **{name: 1.0 if name == "cycle_noise" else 0.02}))


def _with_field(name: str, value: float) -> Callable[[Hardware], Hardware]:
    return lambda hardware: replace(hardware, device=_replaced(hardware.device, **{name: value}))


def _reference_error(hardware: Hardware) -> float | None:
    if hardware.reference.method != "ideal":
        return None
    return math.hypot(hardware.reference.mean, hardware.reference.spread)


def _worse_reference(hardware: Hardware, factor: float) -> Hardware:
    old = hardware.reference
    return replace(hardware, reference=replace(old, mean=factor * old.mean, spread=factor * old.spread))


def _no_reference_error(hardware: Hardware) -> Hardware:
    lower, upper = hardware.bounds
    return replace(hardware, reference=replace(hardware.reference, spread=0.05 * (upper - lower)))


_PRODUCTS = ("forward", "backward", "read")


def _read_noise(hardware: Hardware) -> float | None:
    return max(float(getattr(hardware.periphery, name).output_noise) for name in _PRODUCTS)


def _with_read_noise(hardware: Hardware, change: Callable[[float], float]) -> Hardware:
    old = hardware.periphery
    changed = {
        name: replace(getattr(old, name), output_noise=change(getattr(old, name).output_noise)) for name in _PRODUCTS
    }
    return replace(hardware, periphery=replace(old, **changed))


PROPERTIES: tuple[Property, ...] = (
    Property("states", "", lambda hardware: hardware.states, _fewer_states, best=1 / 8, falls=True),
    Property("pulse noise", "steps", _pulse_noise, _noisier, _noisy),
    Property("systematic asymmetry", "", *_field("up_down"), _with_field("up_down", 0.1)),
    Property("asymmetry spread", "", *_of_device(spreads.ASYMMETRY.size, spreads.ASYMMETRY.scaled)),
    Property("step spread", "", *_of_device(spreads.STEP.size, spreads.STEP.scaled)),
    Property("bound spread", "", *_of_device(spreads.BOUND.size, spreads.BOUND.scaled)),
    Property("nonlinearity", "", *_of_device(shape.nonlinearity, shape.with_nonlinearity)),
    Property("nonlinearity spread", "", *_of_device(shape.spread, shape.with_spread)),
    Property("reference error", "weight units", _reference_error, _worse_reference, _no_reference_error),
    Property(
        "read noise",
        "output units",
        _read_noise,
        lambda hardware, factor: _with_read_noise(hardware, lambda noise: factor * noise),
        lambda hardware: _with_read_noise(hardware, lambda noise: noise or 0.06),
    ),
)
"""The properties by their order in reports; a new one is a new line."""

CIRCUITS = ("reference error", "read noise")
"""Properties of the circuits around the devices."""
