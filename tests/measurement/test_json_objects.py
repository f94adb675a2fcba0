"""JSON files with an object for each device."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tikitaka as tt

UP = (20 - 10 * 0.95 ** np.arange(1, 61)).tolist()
DOWN = (10 + 10 * 0.95 ** np.arange(1, 61)).tolist()


def read(path: Path, content: Any) -> tt.Measured:
    path.write_text(json.dumps(content))
    return tt.read_measured(path)


@pytest.mark.parametrize("key", ["name", "device", "chip", "id"])
@pytest.mark.parametrize("nested", [True, False])
def test_a_list_of_devices(tmp_path: Path, key: str, nested: bool) -> None:
    devices = [{key: f"D{k}", "potentiation": [UP, UP], "depression": [DOWN, DOWN], "unit": "uS"} for k in (7, 8)]
    found = read(tmp_path / "a.json", {"lab": "x", "devices": devices} if nested else devices)
    assert found.devices == ("D7", "D8")
    assert (found.up, found.down, found.cycles, found.unit) == (240, 240, 2, "S")
    assert found.range[1] < 2e-5


def test_devices_without_names_are_numbered(tmp_path: Path) -> None:
    found = read(tmp_path / "a.json", [{"LTP": UP, "LTD": DOWN}] * 3)
    assert found.devices == ("1", "2", "3")
    same = read(tmp_path / "b.json", [{"name": "A", "LTP": UP, "LTD": DOWN}] * 2)
    assert same.devices == ("A", "A (2)")
    both = [{"LTP": UP, "LTD": DOWN}] * 2
    assert len(read(tmp_path / "c.json", {"batch 1": both, "batch 2": both}).devices) == 4


def test_records_of_numbers_are_rows(tmp_path: Path) -> None:
    rows = [{"pulse": s, "G (uS)": g} for s, trace in ((1, UP), (-1, DOWN)) for g in trace]
    assert (read(tmp_path / "a.json", rows).up, read(tmp_path / "a.json", rows).down) == (60, 60)
    listed = [{**row, "raw": [row["G (uS)"]] * 3} for row in rows]
    assert read(tmp_path / "b.json", listed).up == 60


def test_units_by_name(tmp_path: Path) -> None:
    given = {"Rset": [1e3 / g for g in UP], "Rreset": [1e3 / g for g in DOWN], "unit": "kohm"}
    assert read(tmp_path / "a.json", given).range[1] == pytest.approx(19.5e-6, rel=0.02)
    devices = [{"name": name, "LTP": UP, "LTD": DOWN, **more} for name, more in (("A", {}), ("B", {"unit": "µS"}))]
    assert read(tmp_path / "b.json", {"unit": "uS", "devices": devices}).range[1] < 2e-5


def test_lists_that_count_pulses(tmp_path: Path) -> None:
    numbers = list(range(1, 61, 2))
    given = {"pulse number": numbers, "LTP (uS)": UP[::2], "LTD (uS)": DOWN[::2]}
    assert read(tmp_path / "a.json", given).up == 59
