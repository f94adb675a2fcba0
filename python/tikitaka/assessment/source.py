"""Where the device of an assessment comes from: a config, a preset, a device file, or a file of measured pulses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tikitaka._internal.shown import shown
from tikitaka._internal.validation import one_of
from tikitaka.config import Device, devices, presets
from tikitaka.config.device_file import read_device
from tikitaka.config.device_name import device_named
from tikitaka.fitting import fit_device
from tikitaka.measurement import read_measured

__all__ = ["Source", "opened"]


@dataclass(frozen=True)
class Source:
    """A device with what is known about it."""

    name: str
    """its name in reports and commands"""
    device: Device
    """the device"""
    read_noise: float = 0.0
    """standard deviation of a read of one weight, as a share of the range; 0 if unknown"""
    fit: dict[str, Any] = field(default_factory=dict)
    """what the fit of measured pulses says about itself; empty if there was none"""
    replicates: tuple[Device, ...] = ()
    """devices as likely as `device`, which the uncertainty of the fit leads to"""
    write: Callable[[Path], object] | None = None
    """writes the device file of a fit that was made for this assessment; None if there was none"""


def opened(device: Device | str | Path) -> Source:
    """The source of a device: a config itself, or by its name or path.

    Raises TypeError for another type, ValueError for an unknown name and for a file without a device, and OSError if a
    file cannot be read.
    """
    if isinstance(device, Device):
        return Source(device.kind, device)
    if not isinstance(device, str | Path):
        raise TypeError(f"device must be a device, a name or a path, not {shown(device)}")
    name = str(device)
    if name in devices or name in presets:
        return Source(name, device_named(name))
    if name.endswith(".toml"):
        return _from_toml(Path(name))
    if not Path(name).exists():
        one_of("device", name, [*devices, *presets, "the path of a file"])
    return _fitted(Path(name))


def _from_toml(path: Path) -> Source:
    file = read_device(path)
    return Source(path.name, file.device, _share(file.physical), dict(file.fit), file.replicates)


def _fitted(path: Path) -> Source:
    """The device fitted to a file of measured pulses, whose layout needs no options."""
    fit = fit_device(read_measured(path))
    return Source(path.name, fit.device, fit.read_noise, fit.to_dict()["fit"], fit.replicates, fit.write)


def _share(physical: Mapping[str, Any]) -> float:
    """The read noise as a share of the range, from a device file that says so."""
    noise = physical.get("read_noise_percent_of_range", 0.0)
    return float(noise) / 100 if isinstance(noise, int | float) and not isinstance(noise, bool) else 0.0
