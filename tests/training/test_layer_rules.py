"""A rule per array by index or name, from Python, TOML and the command line; saved and resumed bit for bit."""

import json
import pickle
import tomllib
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from tikitaka import cli, config
from tikitaka.experiments import cells, sweep
from tikitaka.experiments.results import key_of
from tikitaka.nn import nets

RESULTS = Path(__file__).parents[2] / "results"
DIGITS = tt.data.load("digits").first(60)
LAYERS = [tt.nn.Linear(64, 8), tt.nn.Tanh(), tt.nn.Linear(8, 6), tt.nn.Tanh(), tt.nn.Linear(6, 10)]
RULES = ", ".join(config.rules)
FLOAT, SGD, TTV1, TTV2 = tt.DigitalSgd(lr=0.1), tt.AnalogSgd(lr=0.1), tt.Ttv1(), tt.Ttv2()
CONFIG = tt.TrainConfig(data="digits", epochs=2, batch=4, seed=3, rule=TTV2, layer_rules={"linear3": FLOAT})


# --- networks ---------------------------------------------------------------------------------------------------------


def test_names_are_kinds_with_numbers() -> None:
    assert tt.Network(LAYERS, FLOAT).names == ["linear1", "linear2", "linear3"]
    assert tt.Network(tt.nn.lenet(), FLOAT).names == ["conv2d1", "conv2d2", "linear1", "linear2"]
    assert tt.Network(tt.nn.char_lstm(20), FLOAT).names == ["lstm1", "lstm2", "linear1"]


@pytest.mark.parametrize(
    "rules",
    [
        {"default": TTV2, "linear3": FLOAT},
        {"default": TTV2, 2: FLOAT},
        {"default": TTV2, -1: FLOAT},
        {"default": TTV2, "-1": FLOAT},
        {0: TTV2, "linear2": TTV2, -1: FLOAT},
    ],
)
def test_index_and_name_give_the_bits_of_a_list(rules: Any) -> None:
    made, by_list = tt.Network(LAYERS, rules, seed=1), tt.Network(LAYERS, [TTV2, TTV2, FLOAT], seed=1)
    assert made.rules == by_list.rules
    for network in (made, by_list):
        network.train(DIGITS.train_x, DIGITS.train_y)
    assert made.digest() == by_list.digest()
    assert made.describe() == by_list.describe()
    assert tt.Network(LAYERS, {"default": TTV2}).rules == (TTV2, TTV2, TTV2)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (
            {"default": TTV2, "liner3": FLOAT},
            "(linear1, linear2, linear3, or an index from -3 to 2), not 'liner3': did",
        ),
        ({"default": TTV2, "liner3": FLOAT}, "did you mean linear3?"),
        ({"default": TTV2, "conv2d1": FLOAT}, "rules must have arrays as keys (linear1, linear2, linear3, or an index"),
        ({"default": TTV2, 3: FLOAT}, "an index from -3 to 2), not 3"),
        ({"default": TTV2, "-4": FLOAT}, "an index from -3 to 2), not '-4'"),
        ({"default": TTV2, 1.0: FLOAT}, "not 1.0"),
        ({"default": TTV2, True: FLOAT}, "not True"),
        (
            {"default": TTV2, "linear3": FLOAT, -1: TTV1},
            "rules must name each array once, not as both 'linear3' and -1",
        ),
        ({"linear3": FLOAT}, "rules must have a value for each array or a 'default'; without one: linear1, linear2"),
        ({}, "without one: linear1, linear2, linear3"),
        ({"default": "ttv2"}, "a rule must be a config of tikitaka.config or a tikitaka.Rule, not 'ttv2'"),
    ],
)
def test_what_names_no_array_is_refused(rules: Any, words: str) -> None:
    with pytest.raises((ValueError, TypeError)) as refused:
        tt.Network(LAYERS, rules)
    assert words in str(refused.value)


# --- configs ----------------------------------------------------------------------------------------------------------


def from_toml(text: str) -> tt.TrainConfig:
    return tt.TrainConfig.from_dict(tomllib.loads(text))


def test_a_file_has_a_table_for_each_array() -> None:
    made = from_toml(
        """
        net = "lenet"
        layer_rules.conv2d1 = "sgd"
        [layer_rules.linear2]
        kind = "ttv2"
        transfer_lr = 2.0
        device = { preset = "gv16", states = 300 }
        [layer_rules.-2]
        kind = "float"
        """
    )
    usual, gv16 = nets["lenet"].rule("ttv2"), tt.presets["gv16"]
    assert isinstance(usual, tt.Ttv2)
    assert made.rule == usual
    assert made.layer_rules == {
        "conv2d1": nets["lenet"].rule("sgd"),  # with the settings for the network
        "linear2": replace(usual, transfer_lr=2.0, device=replace(gv16, states=300, weight_step=None)),  # type: ignore[type-var]
        "-2": tt.DigitalSgd(lr=0.01),
    }
    text = made.to_toml()
    assert from_toml(text) == made
    assert from_toml(text).to_toml() == text
    assert "\n[layer_rules.linear2]  # of linear2\n" in text
    assert all("  # " in line or line.startswith("# ") for line in text.splitlines() if line)
    x = np.zeros((20, 16, 16))
    images = tt.data.Dataset.from_arrays(x, np.arange(20) % 10, test=(x, np.arange(20) % 10))
    of = made.layer_rules
    assert made.network(images).rules == (of["conv2d1"], usual, of["-2"], of["linear2"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "layer_rules.linear3 = 'flaot'",
            f"layer_rules.linear3.kind must be one of {RULES}, not 'flaot'",
        ),
        (
            "layer_rules.linear3 = {lr = 1.0}",
            f"layer_rules.linear3.kind must be one of {RULES}, not None",
        ),
        ("layer_rules.linear3 = 3", "layer_rules.linear3 must be a table of fields or a name, not 3"),
        ("layer_rules = 'float'", "layer_rules must be a table of tables, not 'float'"),
        ("layer_rules.linear3 = {kind = 'float', lrr = 1.0}", "'layer_rules.linear3.lrr': did you mean lr?"),
        (
            "layer_rules.linear3 = {kind = 'sgd', device = {states = 0}}",
            "layer_rules.linear3.device.states must be from 1",
        ),
        ("layer_rules.default = 'float'", "layer_rules must have names or indices of arrays as keys, not 'default'"),
        ("layer_rules.'a b' = 'float'", "layer_rules must have names or indices of arrays as keys, not 'a b'"),
    ],
)
def test_a_bad_file_is_refused_by_path(text: str, words: str) -> None:
    with pytest.raises((ValueError, TypeError)) as refused:
        from_toml(text)
    assert words in str(refused.value)


def test_configs_are_frozen_and_travel() -> None:
    rules = {"linear3": FLOAT}
    made = replace(CONFIG, layer_rules=rules)
    rules["linear1"] = FLOAT
    assert made == CONFIG
    assert hash(made) == hash(CONFIG)
    assert made != replace(CONFIG, layer_rules={})
    for copy in (deepcopy(made), pickle.loads(pickle.dumps(made)), tt.TrainConfig.from_dict(made.to_dict())):
        assert copy == CONFIG
    for bad in ({3: FLOAT}, {"linear3": "float"}, [FLOAT], None):
        with pytest.raises(TypeError, match=r"^layer_rules"):
            replace(CONFIG, layer_rules=bad)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"layer_rules must have arrays as keys .*not 'linear4': did you mean linear"):
        replace(CONFIG, layer_rules={"linear4": FLOAT}).network(DIGITS)


def test_what_is_not_set_changes_no_key_of_earlier_results() -> None:
    with (RESULTS / "claims" / "states" / "cells.jsonl").open(encoding="utf-8") as lines:
        row = json.loads(next(lines))
    config = tt.TrainConfig.from_dict(row["config"])
    assert config.to_dict() == row["config"]
    assert key_of(config) == row["key"]
    for field in ({"validation": 0.1}, {"validation": 0.1, "patience": 3}, {"layer_rules": {"linear3": FLOAT}}):
        assert key_of(replace(config, **field)) != row["key"]


# --- saved and resumed ------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls into the core of a few mini-batches, so that an epoch takes several."""
    monkeypatch.setattr("tikitaka.training.loop._chunk_size", lambda *_: 16)


def at_call(number: int) -> Callable[[], bool]:
    calls: list[int] = []
    return lambda: calls.append(1) or len(calls) == number  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    "config",
    [
        CONFIG,
        replace(CONFIG, rule=TTV1, layer_rules={"linear1": SGD, "-1": tt.Ttv2(periphery=tt.Periphery.full())}),
        replace(CONFIG, rule=FLOAT, layer_rules={"1": TTV2}),
    ],
)
def test_two_rules_in_one_network_are_saved_and_resumed(tmp_path: Path, config: tt.TrainConfig) -> None:
    whole, run = (tt.Run.create(tmp_path / name, config) for name in ("whole", "run"))
    summary = whole.train(DIGITS, progress=False)
    for call, threads in ((3, 1), (4, 2)):
        with pytest.raises(tt.Stopped):
            run.train(DIGITS, progress=False, stop=at_call(call), threads=threads)
        run = tt.Run.open(run.path)
        assert run.config == config
    resumed = run.train(DIGITS, progress=False)
    assert resumed["digest"] == summary["digest"]
    assert resumed["ledger"] == summary["ledger"]
    states = [each.network().state() for each in (whole, run)]
    assert states[0].keys() == states[1].keys()
    assert all(states[0][name].tobytes() == states[1][name].tobytes() for name in states[0])
    assert run.extract("read").metadata["rule"] == [rule["kind"] for rule in run.extract("read").metadata["settings"]]
    (run.path / "config.toml").write_text(replace(config, layer_rules={}).to_toml(), encoding="utf-8")
    with pytest.raises(ValueError, match="must be the config of the checkpoint; they differ in layer_rules"):
        tt.Run.open(run.path).network()


def command(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        cli.main([str(arg) for arg in args])
    assert isinstance(left.value.code, int)
    return left.value.code, *capsys.readouterr()


def test_the_command_line_resumes_two_rules(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(CONFIG, examples=60, layer_rules={"linear3": tt.DigitalSgd(lr=0.3)})
    (tmp_path / "c.toml").write_text(settings.to_toml(), encoding="utf-8")
    flags = [tmp_path / "c.toml", "--layer-rule", "-3=sgd", "--layer-rule", "linear3=float"]
    code, out, _ = command(capsys, "train", *flags, "--out", tmp_path / "whole", "--json")
    assert code == 0
    whole = json.loads(out)
    made = tt.Run.open(tmp_path / "whole").config
    assert made.layer_rules == {"linear3": tt.DigitalSgd(lr=0.3), "-3": nets["fcn"].rule("sgd", CONFIG.batch)}
    run = tt.Run.create(tmp_path / "run", made)
    with pytest.raises(tt.Stopped):
        run.train(progress=False, stop=at_call(6))
    code, out, _ = command(capsys, "train", "--resume", run.path, "--json")
    assert code == 0
    assert json.loads(out)["digest"] == whole["digest"]


def test_flags_of_layer_rules(capsys: pytest.CaptureFixture[str]) -> None:
    print_config = ["train", "--print-config", "--net", "lenet"]
    hardware = ["--states", 50, "--periphery", "full", "--tile", 64, "--stuck", 0.1, "--transfer-every", 3]
    code, out, _ = command(capsys, *print_config, "--layer-rule", "conv2d1=sgd", "--layer-rule", "0=float", *hardware)
    made = from_toml(out)
    parts = ("device", "periphery", "reliability", "tile")
    sgd = replace(nets["lenet"].rule("sgd"), **{part: getattr(made.rule, part) for part in parts})
    assert (code, dict(made.layer_rules)) == (0, {"conv2d1": sgd, "0": nets["lenet"].rule("float")})
    for text, words in (
        ("conv2d1", "--layer-rule must be NAME=RULE, such as linear1=float, not 'conv2d1'"),
        ("=float", "not '=float'"),
        (
            "conv2d1=flaot",
            f"--layer-rule conv2d1 must be one of {RULES}, not 'flaot': did you mean float?",
        ),
        ("a.b=float", "not 'a.b'"),
    ):
        code, out, err = command(capsys, *print_config, "--layer-rule", text)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert words in err
    code, out, err = command(capsys, "train", "--data", "digits", "--layer-rule", "liner3=float")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "layer_rules must have arrays as keys (linear1, linear2, linear3, or" in err
    assert "did you mean linear3?" in err


def test_sweeps_over_rules_of_one_array(tmp_path: Path) -> None:
    base = replace(CONFIG, examples=20, epochs=1, layer_rules={"linear3": SGD})
    grid = cells(base, {"layer_rules.linear3.device.states": [20, 200]}, seeds=[1])
    assert [config.layer_rules["linear3"].device.states for config in grid] == [20, 200]  # type: ignore[attr-defined]
    rows = sweep(grid, out=tmp_path / "rows.jsonl", progress=False)
    assert [row["config"]["layer_rules"]["linear3"]["device"]["states"] for row in rows] == [20, 200]
    assert rows == sweep(grid, out=tmp_path / "rows.jsonl", progress=False)
    kinds: dict[str, list[Any]] = {"layer_rules.linear1": ["float", SGD], "layer_rules.linear3.lr": [0.1, 0.2]}
    made = [config.layer_rules for config in cells(base, kinds, seeds=[1])]
    assert [type(rules["linear1"]) for rules in made] == [tt.DigitalSgd] * 2 + [tt.AnalogSgd] * 2
    for axis, words in (
        ("layer_rules.linear1.lr", "unknown axis 'layer_rules.linear1.lr'; did you mean 'layer_rules.linear3.lr'"),
        ("layer_rules.linear3.kind", "unknown axis"),
    ):
        with pytest.raises(ValueError, match=words):
            cells(base, {axis: [1]}, seeds=[1])
    with pytest.raises(ValueError, match=rf"layer_rules\.linear1 must be one of {RULES}, not 'ttv3'"):
        cells(base, {"layer_rules.linear1": ["ttv3"]}, seeds=[1])
