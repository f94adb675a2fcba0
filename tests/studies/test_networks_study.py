"""The study of networks, at a small scale."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support.commands import Command, text_and_json
from tikitaka.config import Periphery, SoftBounds, rules
from tikitaka.experiments import learning_rates
from tikitaka.experiments.studies import find, networks
from tikitaka.nn import nets


def test_rates_are_searched_around_those_of_the_recipe() -> None:
    for net in networks.scales["full"]:
        for kind in networks.RULES:
            usual: Any = nets[net].rule(kind)
            tried: list[Any] = networks.candidates(net, kind)
            names = learning_rates.rates_of(usual)
            assert names == ("transfer_lr" if kind == "tiles" else "lr",)
            assert len(set(tried)) == 3 ** len(names)
            assert [getattr(tried[0], name) for name in names] == [getattr(usual, name) for name in names]
            if kind != "float":
                assert {rule.periphery for rule in tried} == {Periphery.full()}
                assert {rule.device for rule in tried} == {SoftBounds()}


@pytest.mark.slow
def test_networks_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command) -> None:
    monkeypatch.setitem(nets, "fcn", replace(nets["fcn"], data="digits"))
    monkeypatch.setitem(networks.scales["quick"], "fcn", networks.Size(200, 2, 2, learning_rates.Search(100, 200, 1)))
    args = ("reproduce", "networks", "--scale", "quick", "--nets", "fcn", "--rules", "float,ttv2", "--out", tmp_path)
    said, result = text_and_json(command, *args)
    assert [(row["net"], row["data"], row["rule"]) for row in result["rows"]] == [
        ("fcn", "digits", "float"),
        ("fcn", "digits", "ttv2"),
    ]
    assert len(said.splitlines()) == 1 + 2
    cells = [json.loads(line) for line in (tmp_path / "cells.jsonl").read_text().splitlines()]
    for row in result["rows"]:
        errors = [100 * cell["test_error"] for cell in cells if cell["config"]["rule"]["kind"] == row["rule"]]
        assert sorted(errors) == sorted(row["errors_percent"])
        assert row["error_percent"] == pytest.approx(sum(errors) / 2)
    searched = [json.loads(line) for line in (tmp_path / "search.jsonl").read_text().splitlines()]
    of_float = [cell for cell in searched if cell["config"]["rule"]["kind"] == "float"]
    assert len(searched) == 3 + 3
    assert result["rows"][0]["lr"] == min(of_float, key=lambda cell: cell["test_error"])["config"]["rule"]["lr"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"nets": ["vgg"]}, "nets must be among fcn, lenet, lstm, not vgg"),
        ({"rules": []}, f"rules must be among {', '.join(rules)}, not none"),
        ({"scale": "huge"}, "scale must be one of quick, full, not 'huge'"),
        ({"seeds": 0}, "seeds must be at least 1, not 0"),
    ],
)
def test_studies_of_networks_that_cannot_be(tmp_path: Path, given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        find("networks").run(**{"out": tmp_path / "s", **given})
    assert not (tmp_path / "s").exists()
