"""Devices and peripheries by name, as the core lists them."""

from typing import Any

from tikitaka import _core
from tikitaka.config.device import Device, Spread, devices
from tikitaka.config.periphery import Periphery

__all__ = ["peripheries", "presets"]


def _device(kind: str, fields: dict[str, Any]) -> Device:
    spread = fields.get("spread")
    return devices[kind](**fields | ({"spread": Spread(**spread)} if spread else {}))


presets: dict[str, Device] = {
    name: _device(values.pop("kind"), values) for name, values in _core.presets("device").items()
}
"""Devices by name, by technology; `tikitaka devices` lists them with their sources."""

peripheries: dict[str, Periphery] = {"ideal": Periphery.ideal(), "full": Periphery.full()}
"""Peripheries by name: exact, and with the converters, noise and management of GV16."""
