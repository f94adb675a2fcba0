"""Devices and peripheries by name, as the core lists them."""

from tikitaka import _core
from tikitaka.config.device import Device, devices
from tikitaka.config.periphery import Periphery

__all__ = ["peripheries", "presets"]

presets: dict[str, Device] = {
    name: devices[values["kind"]](**{field: value for field, value in values.items() if field != "kind"})
    for name, values in _core.presets("device").items()
}
"""Devices by name: noiseless, the RPU baseline of GV16, and the defaults of R24 at 20 states."""

peripheries: dict[str, Periphery] = {"ideal": Periphery.ideal(), "full": Periphery.full()}
"""Peripheries by name: exact, and with the converters, noise and management of GV16."""
