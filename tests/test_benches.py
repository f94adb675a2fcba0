"""The benchmarks still run, and write what they promise; how fast is none of a test's business."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHES = Path(__file__).parents[1] / "benches"


def results(folder: Path, script: str, *options: str) -> dict[str, Any]:
    """What a benchmark wrote about made-up images."""
    file = folder / "bench.json"
    environment = {name: value for name, value in os.environ.items() if name != "TIKITAKA_DATA"}
    command = [sys.executable, str(BENCHES / script), "--quick", "--json", str(file), *options]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    whole: dict[str, Any] = json.loads(file.read_text())
    assert {"cpu", "cores", "simd", "python", "tikitaka"} <= whole["machine"].keys()
    return whole


def is_spread(q: dict[str, float]) -> bool:
    return 0 < q["low"] <= q["median"] <= q["high"]


def test_speed(tmp_path: Path) -> None:
    speed = results(tmp_path, "speed.py", "--samples", "24", "--only", "* batch 32 threads *")["speed"]
    assert (speed["data"], speed["samples"], speed["repeats"]) == ("synthetic", 24, 1)
    assert len(speed["rows"]) == 2 * (1 + 3 * 2 * 2)  # threads × (float, other rules × states × peripheries)
    for row in speed["rows"]:
        assert is_spread(row["samples_per_second"])
        assert (row["pulses_per_sample"] > 0) == (row["settings"]["rule"] != "float")
    one, two = (row["pulses_per_sample"] for row in speed["rows"][-2:])
    assert one == two  # the same work


def test_scaling(tmp_path: Path) -> None:
    plot = tmp_path / "curve.png"
    results(tmp_path, "speed.py", "--samples", "4", "--only", "float batch 1 *")
    whole = results(tmp_path, "scaling.py", "--plot", str(plot))
    assert whole.keys() == {"machine", "speed", "scaling"}  # one file for all
    threads, memory, curve = (whole["scaling"][part] for part in ("threads", "memory", "curve"))
    assert all(is_spread(row["per_round"]) for row in threads["rows"])
    assert {row["n"] for row in curve["rows"]} == {32, 64}
    assert all(row["pulses"] > 0 and is_spread(row["microseconds"]) for row in curve["rows"])
    assert plot.stat().st_size > 1000
    if memory:
        assert 0 < memory["bytes_per_crosspoint"] <= memory["peak_bytes_per_crosspoint"]


def test_peers_without_a_peer(tmp_path: Path) -> None:
    peers = results(tmp_path, "peers.py", "--aihwkit-python", "")["peers"]
    assert [row["name"] for row in peers["rows"]] == ["ttv2 20 ideal batch 1 / ours float batch 1"] * 2
    assert is_spread(peers["twin"]["ratio"])


def test_divan_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHES))
    from kernels import parse

    text = """
kernels           fastest       │ slowest       │ median        │ mean          │ samples │ iters
├─ backward                     │               │               │               │         │
│  ╰─ (128, 257)  1.922 µs      │ 8.922 µs      │ 2.017 µs      │ 2.467 µs      │ 20      │ 20
│                 500 Kitem/s   │ 100 Kitem/s   │ 400 Kitem/s   │ 250 Kitem/s   │         │
╰─ read           27.26 ns      │ 42.05 ns      │ 28 ns         │ 28.7 ns       │ 20      │ 2560
                  10 Gitem/s    │ 5 Gitem/s     │ 8 Gitem/s     │ 2.5 Gitem/s   │         │
"""
    backward, read = parse(text)
    assert backward["name"] == "backward (128, 257)"
    assert backward["ns_per_item"] == pytest.approx({"fastest": 2000, "slowest": 10000, "median": 2500, "mean": 4000})
    assert (read["name"], read["ns_per_item"]["median"]) == ("read", pytest.approx(0.125))
