"""`tikitaka cost`: what a training took on the chip."""

import json
from pathlib import Path

import pytest

import tikitaka as tt
from support.commands import FAST, Command, refused

QUANTITIES = ("time_s", "energy_j", "area_mm2")


@pytest.fixture
def run(command: Command, tmp_path: Path) -> Path:
    assert command("train", *FAST, "--rule", "ttv2", "--periphery", "full", "--out", tmp_path / "run")[0] == 0
    return tmp_path / "run"


def test_the_bill_of_a_run(command: Command, run: Path) -> None:
    bill = tt.Costs().of(tt.Run.open(run).network())
    code, out, err = command("cost", run)
    assert (code, err) == (0, "")
    assert out == f"{bill}\n"
    assert "excluded: wires between arrays, instruction control, leakage, activation functions, DRAM" in out
    told = json.loads(command("cost", run, "--json")[1])
    assert told == json.loads(json.dumps(bill.to_dict()))
    for of in QUANTITIES:
        assert told[of]["low"] <= told[of]["usual"] <= told[of]["high"]
        assert sum(part["usual"] for part in told["parts"][of].values()) == pytest.approx(told[of]["usual"])
        assert sum(array[of]["usual"] for array in told["arrays"].values()) == pytest.approx(told[of]["usual"])
    assert len(told["largest"]) == 3


def test_sources_are_printed(command: Command, run: Path) -> None:
    out = command("cost", run, "--sources")[1]
    assert out.endswith(f"\n{tt.Costs().table()}\n")
    table = json.loads(command("cost", run, "--sources", "--json")[1])["table"]
    assert table == tt.Costs().to_dict()
    assert table["mvm_ns"]["source"] == "R24 Table 1"


def test_numbers_of_a_file_are_used(command: Command, run: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("mvm_ns = 80\n", encoding="utf-8")
    before, after = (
        json.loads(command("cost", run, "--json", *extra)[1]) for extra in ([], ["--costs", file, "--sources"])
    )
    times = (told["parts"]["time_s"]["products"]["usual"] for told in (before, after))
    assert 2 * next(times) == pytest.approx(next(times))
    assert after["table"]["mvm_ns"]["source"] == "given in mine.toml"
    file.write_text("mvm_ns = [2, 1, 3]\n", encoding="utf-8")
    refused(command("cost", run, "--costs", file), "mine.toml: mvm_ns must have low ≤ usual ≤ high, not 2, 1, 3")
    refused(command("cost", run, "--costs", tmp_path / "none.toml"), "none.toml: No such file")


def test_checkpoints_of_a_run(command: Command, run: Path) -> None:
    newest, previous = (
        json.loads(command("cost", run / f"checkpoint{name}.safetensors", "--json")[1]) for name in ("", ".previous")
    )
    assert newest == json.loads(command("cost", run, "--json")[1])
    assert 0 < previous["energy_j"]["usual"] < newest["energy_j"]["usual"]
    assert command("extract", run, "--to", run / "model.npz", "--what", "read")[0] == 0
    refused(
        command("cost", run / "model.npz"), "must be a RUN folder or a checkpoint in one: other files have no ledger"
    )
    refused(command("cost", run / "none"), "none: no such RUN folder")
    (run / "checkpoint.previous.safetensors").write_bytes(b"damaged")
    refused(command("cost", run / "checkpoint.previous.safetensors"), "checkpoint.previous.safetensors is damaged")


def test_a_figure_is_drawn(command: Command, run: Path, tmp_path: Path) -> None:
    assert command("cost", run, "--figure", tmp_path / "a.svg")[0] == 0
    assert (tmp_path / "a.svg").read_bytes().startswith(b"<?xml")
    refused(command("cost", run, "--figure", tmp_path / "a.gif"), "a.gif must end in .png, .svg or .pdf")
