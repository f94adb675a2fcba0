"""Devices and peripheries by name."""

from tikitaka.config.device import ConstantStep, Device, SoftBounds
from tikitaka.config.periphery import Periphery

__all__ = ["peripheries", "presets"]

presets: dict[str, Device] = {
    "ideal": ConstantStep(),
    "gv16": ConstantStep(weight_step=0.001, cycle_noise=0.3, step_spread=0.3, bound_spread=0.3, asymmetry=0.01),
    "r24": SoftBounds(bound=1.0, asymmetry=0.3),
}
"""Devices by name: noiseless, the RPU baseline of GV16, and the defaults of R24 at 20 states."""

peripheries: dict[str, Periphery] = {"ideal": Periphery.ideal(), "full": Periphery.full()}
"""Peripheries by name: exact, and with the converters, noise and management of GV16."""
