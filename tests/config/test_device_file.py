"""Device files: written and read back, and what is refused."""

from pathlib import Path

import pytest

import tikitaka as tt
from tikitaka.config import DeviceFile, devices, read_device, write_device


def test_written_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "device.toml"
    device = tt.SoftBounds(states=33, cycle_noise=1.5)
    copies = (tt.SoftBounds(states=30), tt.SoftBounds(states=36))
    write_device(
        path, device, physical={"unit": "S", "none": None}, fit={"values": {"x": [1.0, 2.0]}}, replicates=copies
    )
    assert read_device(path) == DeviceFile(device, {"unit": "S"}, {"values": {"x": [1.0, 2.0]}}, copies)
    write_device(path, device)
    assert read_device(path) == DeviceFile(device)


@pytest.mark.parametrize("kind", devices)
def test_every_kind_of_device(tmp_path: Path, kind: str) -> None:
    device = devices[kind]()
    write_device(tmp_path / "device.toml", device, replicates=[device])
    found = read_device(tmp_path / "device.toml")
    assert (found.device, found.replicates) == (device, (device,))


def test_a_preset_with_changes(tmp_path: Path) -> None:
    path = tmp_path / "device.toml"
    path.write_text('[device]\npreset = "r24"\ncycle_noise = 2.0\n')
    assert read_device(path).device.cycle_noise == 2.0  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("", ValueError, r"it must have a table \[device\]"),
        ("device = 3", TypeError, "device must be a table, not 3"),
        ('[device]\nkind = "magic"', ValueError, "device.kind must be one of soft-bounds"),
        ("[device]\nstatse = 3", ValueError, "unknown field 'device.statse'"),
        ("[device]\nstates = -3", ValueError, "device.states must be from 1"),
        ("[device]\n[fits]", ValueError, "unknown table 'fits'"),
        ("fit = 3\n[device]", TypeError, "fit must be a table"),
        ("replicates = 3\n[device]", TypeError, r"replicates must be tables"),
        ("[device]\n[[replicates]]\nstates = 0", ValueError, "replicates 1.states must be from 1"),
        ("[device", ValueError, "device.toml: "),
        ('[device]\npreset = "r2"', ValueError, "device.preset must be one of"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, kind: type[Exception], words: str) -> None:
    path = tmp_path / "device.toml"
    path.write_text(text)
    with pytest.raises(kind, match=words) as raised:
        read_device(path)
    assert str(raised.value).startswith(str(path))


def test_only_devices_are_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="device must be"):
        write_device(tmp_path / "device.toml", {"kind": "soft-bounds"})  # type: ignore[arg-type]
    with pytest.raises(OSError, match="none"):
        write_device(tmp_path / "none" / "device.toml", tt.SoftBounds())
    assert list(tmp_path.iterdir()) == []
