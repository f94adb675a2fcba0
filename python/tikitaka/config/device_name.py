"""Devices by a name on the command line: a kind, a preset, or a file of TOML."""

from tikitaka._internal.validation import one_of
from tikitaka.config.device import Device, devices
from tikitaka.config.device_file import read_device
from tikitaka.config.preset import presets

__all__ = ["device_named"]


def device_named(name: str) -> Device:
    """The device of a kind ("soft-bounds", with its defaults), of a preset ("gv16"), or of a file.

    A name that ends in .toml is the path of a file, as `read_device` reads it, whose exceptions are raised. Raises
    ValueError for an unknown name.

    >>> device_named("soft-bounds").bound
    0.6
    """
    if name.endswith(".toml"):
        return read_device(name).device
    one_of("device", name, [*devices, *presets])
    return presets[name] if name in presets else devices[name]()
