"""The devices and peripheries that a model was trained on."""

from collections.abc import Mapping
from typing import Any, TypeVar

from tikitaka._internal.validation import one_of
from tikitaka.config import Device, Periphery, SoftBounds, devices, from_dict, rules
from tikitaka.model import Model
from tikitaka.nn import array_names

__all__ = ["origin"]

T = TypeVar("T")


def origin(model: Model) -> tuple[Device | tuple[Device, ...], Periphery | tuple[Periphery, ...]]:
    """The devices and peripheries that the model was trained on, from its metadata, as `program` takes them.

    They are one device and one periphery, or, where arrays differ, one of each for every array in order. What the
    metadata does not say, as for a model of given weights, is by default that of `program`, and so are the devices of
    an array that was trained in digital.

    Raises ValueError or TypeError if the metadata contains fields that devices and peripheries do not have, ValueError
    for a device of an unknown kind, for rules of another number than there are arrays, and for an array that was
    trained by a rule of your own, whose devices are unknown.
    """
    names = array_names(model.layers)
    of_rules = zip(
        names,
        _each(model, "rule", names),
        _each(model, "device", names),
        _each(model, "settings", names),
        strict=True,
    )
    pairs = [_of_array(name, rule, device, settings) for name, rule, device, settings in of_rules]
    return _one([device for device, _ in pairs]), _one([periphery for _, periphery in pairs])


def _each(model: Model, name: str, arrays: list[str]) -> list[Any]:
    """The metadata under `name` for each array: a list holds one for each, anything else is of all."""
    value = model.metadata.get(name)
    if not isinstance(value, list):
        return [value] * len(arrays)
    if len(value) != len(arrays):
        raise ValueError(f"{name} in the metadata must be of {len(arrays)} arrays, not of {len(value)}")
    return value


def _of_array(name: str, rule: Any, device: Any, settings: Any) -> tuple[Device, Periphery]:
    if isinstance(rule, str) and rule not in rules and not isinstance(device, Mapping):
        raise ValueError(
            f"device must be given for this model: the rule {rule} trained {name}, and its devices are unknown"
        )
    periphery = settings.get("periphery") if isinstance(settings, Mapping) else None
    return (
        from_dict(devices[one_of(f"kind of the device of {name}", device.get("kind"), devices)], device)
        if isinstance(device, Mapping)
        else SoftBounds(),
        from_dict(Periphery, periphery) if isinstance(periphery, Mapping) else Periphery(),
    )


def _one(each: list[T]) -> T | tuple[T, ...]:
    """The value that all arrays have, or those of each."""
    return each[0] if all(value == each[0] for value in each) else tuple(each)
