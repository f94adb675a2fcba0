"""Devices, peripheries and yields by name, as the core lists them."""

from typing import Any

from tikitaka import _core
from tikitaka.config.device import Device, OneSidedPair, Spread, devices
from tikitaka.config.periphery import Periphery
from tikitaka.config.reliability import Reliability

__all__ = ["peripheries", "presets", "reliabilities"]


def _device(kind: str, fields: dict[str, Any]) -> Device:
    parts = {"spread": Spread, "pair": OneSidedPair}
    return devices[kind](**fields | {name: part(**fields[name]) for name, part in parts.items() if fields.get(name)})


presets: dict[str, Device] = {
    name: _device(values.pop("kind"), values) for name, values in _core.presets("device").items()
}
"""Devices by name, by technology; `tikitaka devices` lists them with their sources."""

peripheries: dict[str, Periphery] = {"ideal": Periphery.ideal(), "full": Periphery.full()}
"""Peripheries by name: exact, and with the converters, noise and management of GV16."""

reliabilities: dict[str, Reliability] = {
    name: Reliability(**values) for name, values in _core.presets("reliability").items()
}
"""Yields by name: shares of stuck devices measured on published arrays."""
