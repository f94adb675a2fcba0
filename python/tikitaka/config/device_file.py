"""Device files: a device as a TOML table, with what was measured and how well it fits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tikitaka import _core
from tikitaka._internal.atomic_write import atomic_write
from tikitaka._internal.shown import shown
from tikitaka._internal.validation import check_kind, one_of
from tikitaka.config.convert import from_dict, to_dict
from tikitaka.config.device import Device, devices
from tikitaka.config.preset import presets
from tikitaka.config.toml import read_toml

__all__ = ["DeviceFile", "read_device", "write_device"]


@dataclass(frozen=True)
class DeviceFile:
    """What a device file says."""

    device: Device
    """the device"""
    physical: Mapping[str, Any] = field(default_factory=dict)
    """units, the conductance at weight 0 and per unit of weight, read noise, …; empty if unknown"""
    fit: Mapping[str, Any] = field(default_factory=dict)
    """how the device was fitted, and how well; empty if it was not"""
    replicates: tuple[Device, ...] = ()
    """devices of bootstrap replicates of the fit: how uncertain it is"""


def read_device(path: str | Path) -> DeviceFile:
    """A device file, as [`DeviceFit.write`][tikitaka.DeviceFit.write] writes it; only the table `device` is needed.

    Raises OSError if it cannot be read, and ValueError or TypeError, beginning with the path, for anything but TOML,
    for a file without a device, and for fields that are unknown or out of range.
    """
    tables = read_toml(path)
    try:
        unknown = [name for name in tables if name not in ("device", "physical", "fit", "replicates")]
        if "device" not in tables:
            raise ValueError("it must have a table [device]")
        if unknown:
            raise ValueError(f"unknown table {shown(unknown[0])}; allowed: device, physical, fit, replicates")
        for name in ("physical", "fit"):
            if not isinstance(tables.get(name, {}), Mapping):
                raise TypeError(f"{name} must be a table, not {shown(tables[name])}")
        replicates = tables.get("replicates", [])
        if not isinstance(replicates, list):
            raise TypeError(f"replicates must be tables [[replicates]], not {shown(replicates)}")
        return DeviceFile(
            _device(tables["device"], "device"),
            tables.get("physical", {}),
            tables.get("fit", {}),
            tuple(_device(each, f"replicates {k}") for k, each in enumerate(replicates, 1)),
        )
    except (ValueError, TypeError) as error:
        raise type(error)(f"{path}: {error}") from None


def write_device(
    path: str | Path,
    device: Device,
    *,
    physical: Mapping[str, Any] | None = None,
    fit: Mapping[str, Any] | None = None,
    replicates: Sequence[Device] = (),
) -> None:
    """Write a device file, whole or not at all.

    `physical` and `fit` are nested plain values; None in them is left out. Raises TypeError for anything but devices,
    ValueError for values that TOML cannot hold, and OSError if the file cannot be written.
    """
    for name, value in (("device", device), *(("replicates", each) for each in replicates)):
        check_kind(name, value, Device)
    tables: dict[str, Any] = {"device": _plain(to_dict(device))}
    for name, table in (("physical", physical), ("fit", fit)):
        if table:
            tables[name] = _plain(table)
    if replicates:
        tables["replicates"] = [_plain(to_dict(each)) for each in replicates]
    atomic_write(path, _core.to_toml(tables).encode())


def _plain(value: Any) -> Any:
    """Nested values without None, with lists for tuples."""
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items() if each is not None}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value if each is not None]
    return value


def _frozen(value: Any) -> Any:
    """Tuples for lists, which configs hold."""
    if isinstance(value, Mapping):
        return {name: _frozen(each) for name, each in value.items()}
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value


def _device(table: Any, where: str) -> Device:
    if not isinstance(table, Mapping):
        raise TypeError(f"{where} must be a table, not {shown(table)}")
    fields = _frozen(table)
    if "preset" in fields:
        name = one_of(f"{where}.preset", fields.pop("preset"), presets)
        fields = {**to_dict(presets[name]), **fields}
    kind = one_of(f"{where}.kind", fields.get("kind", "soft-bounds"), devices)
    found: Device = from_dict(devices[kind], fields, f"{where}.")
    return found
