"""`tikitaka tune`: the search for learning rates from the command line."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

import tikitaka as tt
from support.commands import Command, refused
from tikitaka.cli.configured import given_arguments
from tikitaka.cli.train import train

DIGITS = ["--data", "digits", "--examples", "200", "--epochs", "2"]
SMALL = ["--finalists", "2", "--seeds", "1", "--held-out", "100", "--threads", "1"]


def config_of(command: Command, line: str) -> tt.TrainConfig:
    """The config by which a command line would train."""
    program, *words = shlex.split(line)
    assert program == "tikitaka"
    code, out, _ = command(*words, "--print-config")
    assert code == 0
    return tt.TrainConfig.from_dict(tt.config.read_toml(_written(out)))


def _written(text: str) -> Path:
    path = Path("printed.toml")
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_it_prints_what_was_tried_and_the_command_that_trains(command: Command) -> None:
    flags = ["--rule", "sgd", "--lr", 0.1, "--states", 50, "--periphery", "full", "--schedule", "1,0.5", "--seed", 3]
    search = ["tune", *DIGITS, *flags, "--layer-rule", "linear3=float", "--layer-rule", "0=sgd", *SMALL, "--out", "f"]
    code, out, err = command(*search)
    assert (code, err) == (0, "")
    assert out.startswith("round 1: 1 epoch, 1 seed, judged on 100 held-out examples\n")
    assert "\nround 2: 2 epochs, 1 seed, judged on 100 held-out examples\n" in out
    best = re.search(r"^best: lr = (\S+)$", out, re.MULTILINE)
    assert best is not None
    line = out.splitlines()[-1]
    assert line.startswith("tikitaka train --data digits --examples 200 --epochs 2 --schedule 1.0,0.5 --seed 3 --rule")
    assert line.endswith(f" --lr {best[1]}")
    config = config_of(command, line)
    assert (config.seed, config.schedule, set(config.layer_rules)) == (3, (1.0, 0.5), {"linear3", "0"})
    rule: Any = config.rule
    assert (rule.lr, rule.device.states, rule.periphery) == (float(best[1]), 50, tt.Periphery.full())
    assert command(*search)[1] == out  # from the file
    found = json.loads(command(*search, "--json")[1])
    assert (found["command"], found["rates"]) == (f"{line}", {"lr": float(best[1])})
    assert tt.TrainConfig.from_dict(found["config"]) == config
    assert {each["round"] for each in found["tried"]} == {1, 2}


def test_the_best_config_is_saved(command: Command) -> None:
    Path("given.toml").write_text(
        'epochs = 2\nexamples = 200\n[rule]\nkind = "ttv2"\nfast_lr = 0.5\n', encoding="utf-8"
    )
    search = ["tune", "given.toml", "--data", "digits", "--transfer-lr", 1, *SMALL, "--out", "f", "--save", "b.toml"]
    code, out, _ = command(*search)
    assert code == 0
    line = out.splitlines()[-1]
    assert line == "tikitaka train b.toml --threads 1"
    saved: Any = config_of(command, line)
    assert f"best: fast_lr = {saved.rule.fast_lr:g}, transfer_lr = {saved.rule.transfer_lr:g}\n" in out
    assert (saved.data, saved.epochs, saved.examples, saved.holdout) == ("digits", 2, 200, None)
    code, out, _ = command(*shlex.split(line)[1:], "--json")
    assert (code, json.loads(out)["config"]["rule"]["fast_lr"]) == (0, saved.rule.fast_lr)
    before = Path("b.toml").read_bytes()
    refused(command(*search), "b.toml exists already; --force replaces it")
    assert command(*search, "--force")[0] == 0
    assert Path("b.toml").read_bytes() == before
    code, out, _ = command(*search[:-2])
    assert out.splitlines()[-1].startswith("tikitaka train given.toml --data digits --threads 1 --fast-lr ")
    assert config_of(command, out.splitlines()[-1]) == saved


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--holdout", 10], "No such option '--holdout'"),
        (["--held-out", 0], "0 is not in the range"),
        (["--held-out", 2_000], "examples must be from 1 to 1,441 for digits, not 2,000"),
        (["--first-epochs", 3], "first_epochs must be from 1 to 2, not 3"),
        (["--rule", "float", "--gamma", 1], "--gamma is not a setting of rule float"),
        (["--rule", "float", "--lr", 0], "rule must have a learning rate above 0"),
        (["--data", "nowhere"], "nowhere"),
    ],
)
def test_bad_flags_are_refused_in_a_line(command: Command, flags: list[Any], words: str) -> None:
    refused(command("tune", *DIGITS, *flags, "--out", "f"), words)
    assert list(Path().iterdir()) == []
    refused(command("tune", *DIGITS), "Missing option '--out'")


def test_ctrl_c_says_how_to_continue(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("tikitaka.experiments.tuning.judged", interrupted)
        code, out, err = command("tune", *DIGITS, *SMALL, "--out", "f")
    assert (code, out) == (130, "")
    assert err == "tikitaka: stopped; the finished trainings are in f, and the same command continues\n"
    assert command("tune", *DIGITS, *SMALL, "--out", "f")[0] == 0


def test_arguments_are_given_back_as_they_were() -> None:
    words = [*("c.toml", "--epochs", "3", "--schedule", "1.0,0.5", "--layer-rule", "a=sgd", "--layer-rule", "1=float")]
    words += ["--no-count-pulses", "--device", "gv16", "--out", "a b"]
    context = train.make_context("train", list(words))
    assert sorted(given_arguments(context, ())) == sorted(words)
    assert given_arguments(context, {"out", "layer_rule"})[:3] == ["c.toml", "--epochs", "3"]
