"""The settings of a simulation: devices, peripheries, pulse trains, references and training rules.

Every class here is a frozen dataclass that mirrors one struct of the compiled core field by field; the
core holds the defaults and the bounds, and checks them when an object is created.

>>> rule = Ttv2(device=SoftBounds(states=20))
>>> print(rule.describe(10, 129).splitlines()[1])
A: step 0.06, bounds ±0.6, 20 states on average; weight 0 is each device's symmetry point
>>> SoftBounds(states=-3)
Traceback (most recent call last):
ValueError: states must be from 1 to 10,000,000, not -3
"""

from tikitaka.config.convert import doc_of, from_dict, kinds_of, named, over, to_dict
from tikitaka.config.device import *  # noqa: F403  # a new device is named there alone
from tikitaka.config.device import __all__ as _devices
from tikitaka.config.device import devices
from tikitaka.config.device_file import DeviceFile, read_device, write_device
from tikitaka.config.periphery import IoSettings, Periphery
from tikitaka.config.preset import peripheries, presets, reliabilities
from tikitaka.config.pulse_trains import PulseTrains
from tikitaka.config.reference import Reference
from tikitaka.config.reliability import Reliability
from tikitaka.config.rule import *  # noqa: F403  # a new rule is named there alone
from tikitaka.config.rule import __all__ as _rules
from tikitaka.config.rule import rules
from tikitaka.config.toml import read_toml, to_toml

__all__ = [
    "DeviceFile",
    "IoSettings",
    "Periphery",
    "PulseTrains",
    "Reference",
    "Reliability",
    "devices",
    "doc_of",
    "from_dict",
    "kinds_of",
    "named",
    "over",
    "peripheries",
    "presets",
    "read_device",
    "read_toml",
    "reliabilities",
    "rules",
    "to_dict",
    "to_toml",
    "write_device",
]
__all__ += _devices + _rules
