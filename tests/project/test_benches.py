"""The benchmarks run and write complete results; the tests do not check speeds."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tikitaka as tt

pytestmark = pytest.mark.slow

BENCHES = Path(__file__).parents[2] / "benches"


def results(folder: Path, script: str, *options: str) -> dict[str, Any]:
    """The output of a benchmark on synthetic images."""
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
    speed = results(tmp_path, "speed.py", "--samples", "24", "--only", "[!c]* batch 32 threads *")["speed"]
    assert (speed["data"], speed["samples"], speed["repeats"]) == ("synthetic", 24, 1)
    assert len(speed["rows"]) == 2 * (1 + 3 * 2 * 2)  # threads × (float, other rules × states × peripheries)
    for row in speed["rows"]:
        assert is_spread(row["samples_per_second"])
        assert (row["pulses_per_sample"] > 0) == (row["settings"]["rule"] != "float")
    one, two = (row["pulses_per_sample"] for row in speed["rows"][-2:])
    assert one == two  # the same work


def test_speed_of_lenet_and_lstm(tmp_path: Path) -> None:
    speed = results(tmp_path, "speed.py", "--samples", "2", "--only", "l*")["speed"]
    assert speed["nets"] == {
        "lenet": {"data": "synthetic", "samples": 2},
        "lstm": {"data": "our README", "samples": 200},  # characters
    }
    rows = {row["name"]: row for row in speed["rows"]}
    assert len(rows) == 2 * (2 * 4 * 2 + 2)  # threads × (networks × rules × batches, and higher rates)
    assert all(is_spread(row["samples_per_second"]) for row in rows.values())
    for name in ("lenet sgd 20 ideal batch 8", "lenet ttv2 20 full batch 1", "lstm ttv2 20 ideal batch 16 rates ×100"):
        one, two = (rows[f"{name} threads {n}"]["pulses_per_sample"] for n in (1, 2))
        assert one == two > 0
    tables = subprocess.run(
        [sys.executable, str(BENCHES / "tables.py"), str(tmp_path / "bench.json")],
        **{"check": True, "capture_output": True, "text": True, "encoding": "utf-8"},
    ).stdout.splitlines()
    assert tables[0] == "Samples/s on one thread / on two, medians of 1:"
    assert [line.split("|")[1:4] for line in tables[4:-1]] == [
        [" lenet ", " 0.08 ", " 8 "],
        [" char_lstm, characters ", " 0.078 ", " 16 "],
    ]
    assert {line.count("|") for line in tables[2:-1]} == {7}


def test_work_of_a_character_is_the_same_for_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHES))
    from common import STEPS, Work, many_pulses

    theirs, ours = Work("ttv2", 20, net="lstm").settings(), Work("ttv2", 20, net="lstm").config()
    assert isinstance(ours, tt.Ttv2)
    assert ours.fast_lr * STEPS == pytest.approx(theirs["fast_lr"])  # a sum over steps, a mean over them
    assert ours.transfer_lr == theirs["transfer_lr"]
    high, image = many_pulses(1).config(), Work("ttv2", 20, net="lenet").config()
    assert isinstance(high, tt.Ttv2)
    assert isinstance(image, tt.Ttv2)
    assert high.fast_lr == pytest.approx(image.fast_lr)
    sgd = Work("sgd", 20, net="lstm")
    assert isinstance(rule := sgd.config(), tt.AnalogSgd)
    assert rule.lr * STEPS == pytest.approx(sgd.settings()["lr"])


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
    names = [f"lenet ttv2 20 full batch {n} / ours lenet ttv2 20 ideal batch {n}" for n in (1, 8)]
    names.insert(0, "ttv2 20 ideal batch 1 / ours float batch 1")
    names[:0] = [f"{rule} 20 ideal batch 1 / ours ttv2 20 ideal batch 1" for rule in ("cttv2", "agad", "mp")]
    models = [row["name"] for row in peers["rows"] if "-step" in row["name"] or "jump-table" in row["name"]]
    assert len(models) == 2 * 6
    assert [row["name"] for row in peers["rows"] if row["name"] not in models] == [n for n in names for _ in (1, 2)]
    assert is_spread(peers["twin"]["ratio"])


@pytest.mark.skipif("TIKITAKA_AIHWKIT_PYTHON" not in os.environ, reason="needs a Python that has aihwkit")
def test_peers_of_lenet_and_lstm(tmp_path: Path) -> None:
    options = ("--samples", "1", "--peer-threads", "1", "--only", "l* batch 1 *")
    peers = results(tmp_path, "peers.py", *options)["peers"]
    targets = {row["name"]: row["target"] for row in peers["rows"]}
    for net, target in (("lenet", 10), ("lstm", 5)):
        for rule in ("float", "sgd 20 ideal", "ttv2 20 ideal"):
            assert targets[f"{net} {rule} batch 1 / aihwkit"] == target
        assert targets[f"{net} float batch 1 / torch"] is None
    assert len(peers["rows"]) == 2 * (2 * 6 + 2)
    assert all(is_spread(row["ratio"]) for row in peers["rows"])
    assert "twin" not in peers


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
