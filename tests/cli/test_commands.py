"""The command line: exit statuses, what is printed where, flags, damaged input."""

import gzip
import json
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

import tikitaka as tt
from support.commands import FAST, Command, compress, refused
from tikitaka import config
from tikitaka.cli.flags import apply_flags, rule_flags
from tikitaka.cli.train import train
from tikitaka.data.sets import _BUNDLED

TRAIN_FIELDS = {
    "test_error",
    "last_read_test_error",
    "average_test_error",
    "test_loss",
    "last_read_test_loss",
    "average_test_loss",
    "train_loss",
    "samples_per_second",
    "pulses_per_sample",
    "seconds",
    "seed",
    "epochs",
    "digest",
    "config",
    "ledger",
}


@pytest.mark.parametrize("rule", ["float", "sgd", "ttv1", "ttv2", "cttv2", "agad", "mp", "tiles"])
def test_train_prints_one_json_object(command: Command, rule: str) -> None:
    code, out, _ = command("train", *FAST, "--rule", rule, "--json", "--threads", 2)
    assert code == 0
    summary = json.loads(out)
    assert summary.keys() >= TRAIN_FIELDS
    assert summary["config"]["rule"]["kind"] == rule
    assert (
        (summary["average_test_error"] is None) == (summary["average_test_loss"] is None) == (rule in ("float", "sgd"))
    )
    assert 0 <= summary["test_error"] <= 1
    again = json.loads(command("train", *FAST, "--rule", rule, "--json", "--threads", 1)[1])
    assert again["digest"] == summary["digest"]
    other = json.loads(command("train", *FAST, "--rule", rule, "--json", "--seed", 2)[1])
    assert other["digest"] != summary["digest"]


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["float", "sgd", "ttv1", "ttv2"])
def test_lenet_is_trained_evaluated_and_used(command: Command, tmp_path: Path, rule: str) -> None:
    refused(command("train", *FAST, "--net", "lenet"), "images must be of 16 × 16 pixels or more for lenet, not 8 × 8")
    folder = tmp_path / "large"
    folder.mkdir()
    digits = tt.data.load("digits")
    for part, x, y in (("train", digits.train_x, digits.train_y), ("t10k", digits.test_x, digits.test_y)):
        images = np.kron(255 * x.reshape(-1, 8, 8), np.ones((2, 2))).astype(np.uint8)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">4i", 0x803, *images.shape) + images.tobytes())
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">2i", 0x801, len(y)) + y.astype("u1").tobytes())
    where = ["--data", "large", "--data-dir", tmp_path]
    code, out, _ = command(
        "train", *FAST, "--net", "lenet", *where, "--rule", rule, "--out", tmp_path / "run", "--json"
    )
    assert code == 0
    summary = json.loads(out)
    result = json.loads(command("evaluate", tmp_path / "run", "--data-dir", tmp_path, "--json")[1])
    assert (result["test_error"], result["test_loss"]) == (summary["test_error"], summary["test_loss"])
    assert len(command("predict", tmp_path / "run", "--data-dir", tmp_path)[1].split()) == 355
    assert command("extract", tmp_path / "run", "--what", "read", "--to", tmp_path / "model.npz")[0] == 0
    of_file = json.loads(command("evaluate", tmp_path / "model.npz", "--data-dir", tmp_path, "--json")[1])
    assert of_file["test_error"] == result["last_read_test_error"]
    assert command("extract", tmp_path / "run", "--what", "read", "--to", tmp_path / "model.onnx")[0] == 0
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    model, x = tt.Model.load(tmp_path / "model.npz"), tt.data.load("large", tmp_path).test_x
    np.testing.assert_allclose(session.run(None, {"inputs": x})[0], model.forward(x), rtol=1e-5, atol=1e-5)


def test_a_run_is_kept_evaluated_and_used(command: Command, tmp_path: Path) -> None:
    run = tmp_path / "run"
    code, out, _ = command("train", *FAST, "--out", run)
    assert code == 0
    assert "test error" in out
    assert sorted(p.name for p in run.iterdir()) == [
        "checkpoint.previous.safetensors",
        "checkpoint.safetensors",
        "config.toml",
        "metrics.jsonl",
        "summary.json",
    ]
    lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3]
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    assert tt.Run.open(run).network().digest() == summary["digest"]
    result = json.loads(command("evaluate", run, "--json")[1])
    for name in (f"{model}test_{what}" for model in ("", "last_read_", "average_") for what in ("error", "loss")):
        assert result[name] == summary[name]  # an ideal periphery has no noise to differ by
    assert command("evaluate", run)[0] == 0
    classes = command("predict", run, "--examples", 5)[1].split()
    assert json.loads(command("predict", run, "--examples", 5, "--json")[1])["classes"] == [int(c) for c in classes]
    rows = json.loads(command("predict", run, "--distribution", "--json")[1])["probabilities"]
    assert len(rows) == 355
    assert sum(rows[0]) == pytest.approx(1, abs=1e-4)
    refused(command("train", *FAST, "--out", run), "--force")
    assert command("train", *FAST, "--out", run, "--force")[0] == 0


@pytest.mark.parametrize("ending", [".safetensors", ".npz", ".onnx"])
def test_a_model_is_extracted_evaluated_and_used(command: Command, tmp_path: Path, ending: str) -> None:
    run, file = tmp_path / "run", tmp_path / f"model{ending}"
    assert command("train", *FAST, "--rule", "ttv2", "--periphery", "full", "--out", run)[0] == 0
    code, out, _ = command("extract", run, "--to", file, "--json")
    assert code == 0
    made = json.loads(out)
    assert (made["what"], made["metadata"]["epochs_averaged"], made["metadata"]["data"]) == ("average", 1, "digits")
    refused(command("extract", run, "--to", file), "--force")
    for what in ("read", "reads"):
        assert command("extract", run, "--to", file, "--force", "--what", what, "--reads", 2)[0] == 0
    if ending == ".onnx":
        refused(command("evaluate", file), ".safetensors or .npz")
        return
    command("extract", run, "--to", file, "--force")
    target = ["--target-error", 0.05, "--target-chips", 2, "--target-states", 50, "--bits", 8, "--bits", 4]
    of_run, of_file = (json.loads(command("evaluate", path, *target, "--json")[1]) for path in (run, file))
    assert of_file["test_error"] == of_run["average_test_error"]
    assert of_file["test_loss"] == of_run["average_test_loss"]
    assert of_file["quantised"][1]["test_error"] == of_run["quantised"][1]["average_test_error"]
    assert of_file["target"]["test_error"] == of_run["target"]["average_test_error"]
    assert (of_file["target"]["chips"], of_file["target"]["method"]) == (2, "error")
    assert of_file["target"]["spread"] >= 0
    one = ["evaluate", file, *target[:2], "--target-chips", 1]
    assert json.loads(command(*one, "--json")[1])["target"]["spread"] is None
    assert "±" not in command(*one)[1]
    assert "2 chips, programmed: error 5 %" in command("evaluate", file, *target)[1]
    code, out, _ = command("evaluate", run, "--target-method", "closed-loop", "--target-periphery", "ideal")
    assert code == 0
    assert out.count("3 chips, programmed: closed-loop") == 2
    classes = [int(c) for c in command("predict", file)[1].split()]
    model = tt.Model.load(file)
    np.testing.assert_array_equal(classes, model.predict(tt.data.load("digits").test_x))
    refused(command("evaluate", file, "--target-states", 50), "--target-error")
    refused(command("evaluate", file, "--target-method", "error"), "--target-error")
    refused(command("evaluate", file, "--target-error", -1), "-1")
    refused(command("evaluate", file, "--target-error", 0.1, "--target-states", -1), "states")
    model.noted(data=None).save(file)
    refused(command("predict", file), "--data")
    file.write_bytes(file.read_bytes()[:-1])
    refused(command("predict", file), "model")


def test_bad_extractions_are_refused(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tmp_path / "run"
    assert command("train", *FAST, "--rule", "sgd", "--out", run)[0] == 0
    refused(command("extract", run, "--to", tmp_path / "model.bin"), ".onnx")
    refused(command("extract", run, "--to", tmp_path / "model.npz"), "no average")
    refused(command("extract", tmp_path / "none", "--to", tmp_path / "model.npz"), "none")
    refused(command("extract", run, "--what", "read", "--to", tmp_path / "nowhere" / "model.npz"), "nowhere")
    monkeypatch.setitem(sys.modules, "onnx", None)
    code, out, err = command("extract", run, "--what", "read", "--to", tmp_path / "model.onnx")
    assert (code, out) == (1, "")
    assert "tikitaka[onnx]" in err
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_a_config_file_gives_the_same_run(command: Command, tmp_path: Path) -> None:
    flags = [*FAST, "--rule", "sgd", "--states", 40, "--periphery", "full", "--no-update-management"]
    code, text, _ = command("train", *flags, "--print-config")
    assert code == 0
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    assert command("train", path, "--print-config")[1] == text
    by_file, by_flags = (json.loads(command("train", *a, "--json")[1]) for a in ([path], flags))
    assert by_file["digest"] == by_flags["digest"]
    assert json.loads(command("train", path, "--epochs", 1, "--json")[1])["epochs"] == 1
    path.write_text(text + "\n[rule.hat]\n", encoding="utf-8")
    refused(command("train", path), "rule.hat")
    path.write_text("epochs = [", encoding="utf-8")
    refused(command("train", path), "config.toml")
    refused(command("train", tmp_path / "none.toml"), "none.toml")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--rule", "adam"], "'adam'"),
        (["--net", "resnet"], "'resnet'"),
        (["--data", "nothing"], "TIKITAKA_DATA"),
        (["--states", "0"], "states"),
        (["--states", "-20"], "states"),
        (["--states", "many"], "'many'"),
        (["--states", "20", "--weight-step", "0.5"], "states"),
        (["--epochs", "0"], "epochs must be from 1"),
        (["--batch", "0"], "batch must be from 1"),
        (["--sequence", "0"], "sequence must be from 1"),
        (["--net", "lstm"], "digits must hold text for the network lstm, not images"),
        (["--threads", "0"], "--threads"),
        (["--seed", "-1"], "seed must be from 0"),
        (["--examples", "100000"], "examples"),
        (["--mvm-noise", "-1"], "--mvm-noise"),
        (["--periphery", "ideal", "--mvm-noise", "0.1"], "--mvm-noise"),
        (["--rule", "sgd", "--fast-lr", "1"], "--fast-lr is not a setting of rule sgd"),
        (["--rule", "float", "--transfer-every", "1"], "--transfer-every is not a setting of rule float"),
        (["--rule", "ttv1", "--keep", "0.5"], "--keep is not a setting of rule ttv1"),
        (["--device", "constant-step", "--up-slope", "0.5"], "up_slope"),
        (["--lr", "nan", "--rule", "sgd"], "lr"),
        (["--wings", "2"], "--wings"),
        (["--transfer-lrr", "2"], "'--transfer-lr'?"),
        (["--device", "gv17"], "'ideal', 'gv16', 'r24'"),
    ],
)
def test_bad_flags_are_refused_in_one_line(command: Command, flags: list[str], words: str) -> None:
    refused(command("train", *FAST, *flags), words)


def test_the_float_rule_ignores_device_flags(command: Command) -> None:
    flags = ["--states", 7, "--cycle-noise", 1, "--periphery", "full", "--max-length", 3, "--reference-error", 0.1]
    digests = {json.loads(command("train", *FAST, "--rule", "float", "--json", *f)[1])["digest"] for f in ([], flags)}
    assert len(digests) == 1


@pytest.mark.parametrize("rule", ["float", "sgd", "ttv1", "ttv2"])
def test_every_field_of_a_rule_is_a_flag(rule: str) -> None:
    def leaves(table: dict[str, Any]) -> int:
        return sum(leaves(v) if isinstance(v, dict) else 1 for v in table.values()) - ("kind" in table)

    tables = config.to_dict(config.rules[rule]())
    of_devices = {f.name for model in config.devices.values() for f in fields(model)}
    for table in {"device", "slow_device"} & tables.keys():
        # pairs, fitted spreads and lists come from files
        tables[table] = dict.fromkeys(of_devices - {"pair", "spread", "measured", "up", "down"}, 0.0)
    ours = [flag for flag in rule_flags().values() if rule in flag.kinds and flag.path[-1] != "kind"]
    assert len(ours) == leaves(tables)


def test_every_field_of_a_training_is_a_flag() -> None:
    flags = {parameter.name for parameter in train.params}
    assert {f.name for f in fields(tt.TrainConfig)} - {"layer_rules"} <= flags


def test_flags_reach_their_fields() -> None:
    given = {
        "rule": "ttv2",
        "states": 40.0,
        "slow_states": 80.0,
        "mvm_noise": 0.1,
        "forward_adc_bits": 8,
        "reference_spread": 0.2,
        "slow_reference": "ideal",
        "max_length": 5,
        "epochs": 2,
        "noise": None,
    }
    made = apply_flags(tt.TrainConfig(rule=tt.AnalogSgd()), given)
    rule = made.rule
    assert isinstance(rule, tt.Ttv2)
    assert rule.device == tt.SoftBounds(states=40.0)
    assert rule.slow_device == tt.SoftBounds(states=80.0)
    assert rule.periphery.backward == tt.Periphery.full(0.1).backward
    assert rule.periphery.forward.adc_bits == 8
    assert rule.reference == tt.Reference("ideal", spread=0.2)
    assert rule.slow_reference == tt.Reference("ideal")
    assert rule.pulse_trains.max_length == 5
    assert made.epochs == 2
    step = apply_flags(made, {"weight_step": 0.01}).rule
    assert isinstance(step, tt.Ttv2)
    assert step.device == tt.SoftBounds(weight_step=0.01)  # in place of states


def test_damaged_data_is_refused(command: Command, tmp_path: Path) -> None:
    shutil.copytree(_BUNDLED / "digits", tmp_path / "mine")
    code, _, _ = command("train", "--data", "mine", "--data-dir", tmp_path, "--examples", 10, "--epochs", 1)
    assert code == 0
    refused(command("train", "--data", "yours", "--data-dir", tmp_path), "there are digits, mine")
    refused(command("evaluate", tmp_path / "mine"), "config.toml")
    refused(command("predict", tmp_path / "none"), "none")


_ZIPPED = (_BUNDLED / "digits" / "train-images-idx3-ubyte.gz").read_bytes()
_IMAGES = gzip.decompress(_ZIPPED)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (_ZIPPED[:1000], "damaged gzip data"),
        (b"nonsense", "not an IDX file (it should begin with two zero bytes, not '6e6f6e73')"),
        (b"\x08\x03" + _IMAGES[2:], "not an IDX file"),
        (b"\x00\x00\x0d" + _IMAGES[3:], "IDX type 0x0d is not supported"),
        (_IMAGES[:3] + b"\x01" + _IMAGES[4:], "it has 1 dimensions instead of 3"),
        (_IMAGES[:9], "it ends inside its header"),
        (_IMAGES[:-1], "truncated: 92,287 bytes of data instead of 92,288"),
        (_IMAGES[:999], "truncated: its header promises 92,288 bytes of data, the file can hold 999"),
        (compress(_IMAGES[:-1]), "truncated: 92,287 bytes of data instead of 92,288"),
        (b"", "not an IDX file"),
    ],
    ids=["zip", "text", "swapped", "type", "dimensions", "header", "short", "very short", "short zip", "empty"],
)
def test_damaged_images_are_refused(command: Command, tmp_path: Path, content: bytes, words: str) -> None:
    shutil.copytree(_BUNDLED / "digits", tmp_path / "mine")
    path = tmp_path / "mine" / "train-images-idx3-ubyte.gz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(words)):
        tt.data.load("mine", tmp_path)
    result = command("train", "--data", "mine", "--data-dir", tmp_path, "--out", tmp_path / "run")
    refused(result, f"{path}: ")
    refused(result, words)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("error", [FloatingPointError("the loss is nan"), OSError("disk full"), ValueError("odd")])
def test_a_run_that_fails_says_so(command: Command, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("tikitaka.training.train_config.fit", fail)
    assert command("train", *FAST, "--json") == (1, "", f"tikitaka: {error}\n")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_with_a_checkpoint(tmp_path: Path, number: int, status: int) -> None:
    args = ["train", "--data", "digits", "--epochs", "100000", "--examples", "50", "--out", str(tmp_path / "run")]
    process = subprocess.Popen(
        [sys.executable, "-m", "tikitaka", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not (tmp_path / "run" / "metrics.jsonl").exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(number)
    out, err = process.communicate()
    assert (process.returncode, out) == (status, "")
    assert err.splitlines()[-1].startswith("tikitaka: stopped in epoch")
    tt.Run.open(tmp_path / "run").network()


def test_reproduce_weight_programming(command: Command, tmp_path: Path) -> None:
    args = ["reproduce", "weight-programming", "--rules", "ttv2", "--states", "10,20", "--seeds", "2"]
    code, out, _ = command(*args, "--scale", "quick", "--out", tmp_path / "wp", "--json")
    assert code == 0
    result = json.loads(out)
    assert result["claim"] == "weight-programming"
    assert [(row["rule"], row["states"], row["seeds"]) for row in result["rows"]] == [("ttv2", 10, 2), ("ttv2", 20, 2)]
    assert all(row["error_percent"] > 0 and row["spread"] >= 0 for row in result["rows"])
    written = json.loads((tmp_path / "wp" / "weight-programming.json").read_text(encoding="utf-8"))
    assert written == result
    code, out, _ = command("reproduce", "weight-programming", "--rules", "ttv2", "--states", "10", "--seeds", 1)
    assert (code, out.splitlines()[1].split()[4]) == (0, "–")
    refused(command("reproduce", "weight-programming", "--rules", "adam"), "adam")
    refused(command("reproduce", "weight-programming", "--states", "few"), "few")
    refused(command("reproduce", "perpetual-motion"), "perpetual-motion")


def test_demo_compares_four_rules(command: Command) -> None:
    code, out, _ = command("demo", "--seeds", 1, "--epochs", 1, "--json")
    assert code == 0
    assert [row["rule"] for row in json.loads(out)["rows"]] == ["float", "sgd", "ttv1", "ttv2"]
    assert {row["spread"] for row in json.loads(out)["rows"]} == {None}
    code, out, _ = command("demo", "--seeds", 2, "--epochs", 1)
    assert code == 0
    assert "pulses/sample" in out
    code, out, _ = command("demo", "--seeds", 1, "--epochs", 1, "--rules", "all", "--json")
    assert [row["rule"] for row in json.loads(out)["rows"]][4:] == ["cttv2", "agad", "mp"]
    code, out, _ = command("demo", "--seeds", 1, "--epochs", 1, "--rules", "float, agad")
    assert (code, "sgd" in out) == (0, False)
    refused(command("demo", "--rules", "float,adam"), "adam")


def test_help_and_version(command: Command) -> None:
    assert "demo" in command("--help")[1]
    assert "--cycle-noise" in command("train", "--help")[1]
    assert tt.__version__ in command("--version")[1]
    refused(command("fly"), "fly")
