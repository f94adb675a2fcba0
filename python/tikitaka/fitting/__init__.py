"""Devices of the simulator, fitted to measured pulses."""

from tikitaka.fitting.fit import fit_device
from tikitaka.fitting.result import DeviceFit

__all__ = ["DeviceFit", "fit_device"]
