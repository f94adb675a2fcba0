"""The study of energy, at a small scale."""

from dataclasses import replace
from pathlib import Path

import pytest

import tikitaka as tt
from support.commands import Command, text_and_json
from tikitaka.experiments.studies import draw, energy, find
from tikitaka.nn import nets
from tikitaka.training import TrainConfig


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(nets, "fcn", replace(nets["fcn"], data="digits"))
    monkeypatch.setitem(energy.scales, "quick", energy.Scale(300, 3, 2))


def test_a_bill_after_each_epoch(small: None) -> None:
    """The last one is that of the same training, and each holds those before it."""
    rule = tt.Ttv2(fast_lr=0.5, transfer_lr=3.0, periphery=tt.Periphery.full())
    config = TrainConfig(net="fcn", data="digits", examples=300, epochs=3, rule=rule, seed=4)
    row = energy.billed(config)
    dataset = config.dataset()
    network = config.network(dataset)
    history = config.fit(network, dataset, threads=1, progress=False)
    bill = tt.Costs().of(network)
    assert row["test_error"] == [metrics.test_error for metrics in history]
    assert row["energy_j"][-1] == list(bill.energy_j)
    assert row["time_s"][-1] == bill.time_s.usual
    assert row["time_s"] == sorted(row["time_s"])
    assert row["samples"] == 300


def test_the_first_epoch_within_the_limit_counts() -> None:
    errors = ([0.5, 0.05, 0.02], [0.5, 0.2, 0.03])
    rows = [
        {"test_error": each, "energy_j": [[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [3.0, 6.0, 9.0]], "time_s": [1.0, 2.0, 3.0],
         "samples": 10}
        for each in errors
    ]  # fmt: skip
    row = energy._row("ttv2", rows, 6.0)
    assert (row["epochs"], row["energy_j"], row["time_s"], row["reached"]) == (2.5, [2.5, 5.0, 7.5], 2.5, 2)
    assert row["r24_ns"] == 56.3
    assert row["sample_nj"] == pytest.approx(6e9 / 30)
    never = energy._row("sgd", rows, 2.5)
    assert (never["epochs"], never["energy_j"], never["time_s"], never["reached"]) == (None, None, None, 1)


@pytest.mark.slow
def test_energy_whole(small: None, command: Command, tmp_path: Path) -> None:
    args = ("reproduce", "energy", "--scale", "quick", "--rules", "sgd,ttv2", "--out", tmp_path)
    said, result = text_and_json(command, *args)
    assert [row["rule"] for row in result["rows"]] == ["sgd", "ttv2", energy.IDEAL]
    assert len((tmp_path / "cells.jsonl").read_text().splitlines()) == 4 * 2
    assert len(said.splitlines()) == 2 + 3 + 1
    draw(result, tmp_path / "again.png")
    assert (tmp_path / "again.png").stat().st_size > 10_000


def test_refusals(tmp_path: Path) -> None:
    study = find("energy")
    for options, words in (
        ({"rules": ["float"]}, "rules"),
        ({"seeds": 0}, "seeds must be at least 1"),
        ({"scale": "huge"}, "scale"),
        ({"net": "lstm2"}, "net"),
    ):
        with pytest.raises(ValueError, match=words):
            study.run(out=tmp_path, **options)
    with pytest.raises(ValueError, match="curve"):
        tt.plot.energy(
            {"claim": "energy", "float": {"error_percent": 1.0}, "rows": [{"rule": "sgd"}]}, tmp_path / "a.png"
        )
