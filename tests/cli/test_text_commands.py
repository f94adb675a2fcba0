"""Text on the command line: training, evaluating, predicting and writing."""

import json
import tracemalloc
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

import tikitaka as tt
from support.commands import Command, refused
from tikitaka._internal.checksum import digest
from tikitaka.cli.predict import distributions
from tikitaka.data import Vocabulary

TEXT = "The cat sat on the mat.\nThe rat sat on the cat.\n" * 40
FAST = ["--net", "lstm", "--data", "book", "--sequence", 16, "--examples", 40, "--epochs", 3, "--seed", 1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    data.mkdir()
    (data / "book.txt").write_text(TEXT, encoding="utf-8")
    (data / "strange.txt").write_text(TEXT.replace("mat", "mät"), encoding="utf-8")
    (data / "short.txt").write_text(TEXT[:700], encoding="utf-8")
    return data


@pytest.fixture
def run(command: Command, folder: Path, tmp_path: Path) -> Path:
    assert command("train", *FAST, "--data-dir", folder, "--batch", 2, "--out", tmp_path / "run")[0] == 0
    return tmp_path / "run"


def test_settings_come_with_the_network(command: Command, tmp_path: Path) -> None:
    for net, data in (("fcn", "mnist"), ("lenet", "mnist"), ("lstm", "war-and-peace")):
        code, text, _ = command("train", "--net", net, "--print-config")
        assert code == 0
        assert f'net = "{net}"' in text
        assert f'data = "{data}"' in text
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        assert command("train", path, "--print-config")[1] == text
    assert 'data = "war-and-peace"' in command("train", path, "--net", "fcn", "--print-config")[1]  # the file wins
    path.write_text('net = "lstm"', encoding="utf-8")
    assert 'data = "mnist"' in command("train", path, "--net", "fcn", "--print-config")[1]
    text = command("train", path, "--sequence", 50, "--epochs", 2, "--rule", "sgd", "--print-config")[1]
    assert "sequence = 50" in text
    assert "epochs = 2 " in text
    assert 'data = "war-and-peace"' in text


def test_texts_that_do_not_do_are_refused(command: Command, folder: Path, tmp_path: Path) -> None:
    train = ["train", "--net", "lstm", "--data-dir", folder, "--out", tmp_path / "run"]
    refused(command(*train), "no data set 'war-and-peace'")
    refused(command(*train, "--data", "short"), "the test part of short has 70 characters; a sequence of 100 needs 101")
    for net in ("fcn", "lenet"):
        words = f"book must hold images for the network {net}, not text"
        refused(command(*train, "--data", "book", "--net", net), words)
    refused(command(*train, "--data", "digits"), "digits must hold text for the network lstm, not images")
    (folder / "book.txt").write_bytes(b"abc\xff")
    refused(command(*train, "--data", "book"), f"{folder / 'book.txt'}: not UTF-8: invalid start byte 0xff at byte 3")
    assert not (tmp_path / "run").exists()


def test_a_batch_needs_a_sequence_for_each_place(command: Command, folder: Path, tmp_path: Path) -> None:
    train = ["train", *FAST, "--data-dir", folder, "--batch", 41, "--out", tmp_path / "run"]
    refused(command(*train), "batch must be at most 40, the training sequences of book, not 41")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("rule", ["float", "sgd", "ttv1", "ttv2"])
def test_a_text_network_is_trained_by_every_rule(command: Command, folder: Path, rule: str) -> None:
    flags = [*FAST, "--rule", rule, "--data-dir", folder, "--batch", 4]
    summary = json.loads(command("train", *flags, "--threads", 2, "--json")[1])
    assert 0 < summary["test_loss"] < 4  # nats per character
    assert 0 <= summary["test_error"] <= 1
    assert (summary["config"]["sequence"], summary["config"]["net"]) == (16, "lstm")
    assert (summary["average_test_loss"] is None) == (rule in ("float", "sgd"))
    assert json.loads(command("train", *flags, "--threads", 1, "--json")[1])["digest"] == summary["digest"]
    assert "characters/s" in command("train", *flags)[1]


def test_a_run_of_a_text_is_evaluated(command: Command, folder: Path, run: Path) -> None:
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    code, out, _ = command("evaluate", run, "--data-dir", folder, "--json")
    assert code == 0
    result = json.loads(out)
    for name in ("test_error", "test_loss", "last_read_test_loss", "average_test_error", "average_test_loss"):
        assert result[name] == summary[name]
    characters = (len(TEXT) // 10 - 1) // 16 * 16
    assert result["examples"] == characters // 16
    assert f"of {characters:,} characters, loss" in command("evaluate", run, "--data-dir", folder)[1]
    refused(
        command("evaluate", run, "--data-dir", folder, "--data", "strange"), "strange: character 'ä' at position 20"
    )
    refused(command("evaluate", run, "--data", "digits"), "digits must hold text for the network of")
    (folder / "other.txt").write_text("\nThe cat\n" * 40, encoding="utf-8")  # fewer characters, in the network's codes
    assert command("evaluate", run, "--data-dir", folder, "--data", "other")[0] == 0
    refused(command("evaluate", run, "--data-dir", folder, "--data", "short", "--target-states", 5), "--target-error")


def test_next_characters_are_predicted(command: Command, folder: Path, run: Path) -> None:
    result = json.loads(command("predict", run, "--data-dir", folder, "--examples", 3, "--json")[1])
    assert [len(row) for row in result["classes"]] == [16] * 3
    vocabulary = Vocabulary.of(TEXT)
    assert [vocabulary.decode(row) for row in result["classes"]] == result["text"]
    lines = command("predict", run, "--data-dir", folder, "--examples", 3)[1].splitlines()
    assert [json.loads(line) for line in lines] == result["text"]
    args = ["predict", run, "--data-dir", folder, "--examples", 3, "--distribution"]
    rows = json.loads(command(*args, "--json")[1])["probabilities"]
    assert [len(rows), len(rows[0]), len(rows[0][0])] == [3, 16, len(vocabulary)]
    text = command(*args)[1]
    assert text.count("\n") == 3 * 16
    assert [[float(p) for p in line.split()] for line in text.splitlines()] == [row for each in rows for row in each]


@pytest.mark.parametrize("as_json", [True, False])
def test_distributions_are_not_held_in_memory(as_json: bool) -> None:
    outputs = np.random.default_rng(1).normal(size=(50, 50, 80)).astype(np.float32)
    tracemalloc.start()
    length = sum(len(words) for words in distributions(outputs, "book", as_json=as_json))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert length > 8 * outputs.size
    assert peak < outputs.nbytes  # as Python numbers they would need eight times the memory


def test_a_run_writes_without_its_data(command: Command, folder: Path, run: Path) -> None:
    (folder / "book.txt").unlink()
    code, out, _ = command("sample", run, "--chars", 30, "--prime", "The ", "--json")
    assert code == 0
    made = json.loads(out)
    assert made["text"].startswith("The ")
    assert len(made["text"]) == 34
    assert set(made["text"]) <= set(TEXT)
    assert command("sample", run, "--chars", 30, "--prime", "The ")[1] == made["text"] + "\n"
    assert command("sample", run, "--chars", 30, "--prime", "The ", "--seed", 1)[1] != made["text"] + "\n"
    assert json.loads(command("sample", run, "--json")[1])["prime"] == "\n"
    assert len(json.loads(command("sample", run, "--json")[1])["text"]) == 301
    for what in ("hardware", "read", "average"):
        assert json.loads(command("sample", run, "--what", what, "--json")[1])["what"] == what
    refused(command("sample", run, "--prime", "The dog"), "--prime: character 'd' at position 4 is not among")
    refused(command("sample", run, "--prime", ""), "--prime must contain at least one character")
    refused(command("sample", run, "--chars", 0), "--chars")
    refused(command("sample", run, "--temperature", -1), "--temperature")
    refused(command("sample", run, "--temperature", "nan"), "temperature")
    refused(command("sample", run / "none"), "none")


@pytest.mark.parametrize("ending", [".safetensors", ".npz"])
def test_an_extracted_model_writes_and_is_evaluated(
    command: Command, folder: Path, run: Path, tmp_path: Path, ending: str
) -> None:
    file = tmp_path / f"model{ending}"
    assert command("extract", run, "--to", file)[0] == 0
    assert tt.Model.load(file).metadata["vocabulary"] == Vocabulary.of(TEXT).characters
    written = json.loads(command("sample", file, "--seed", 5, "--json")[1])["text"]
    assert written == json.loads(command("sample", run, "--what", "average", "--seed", 5, "--json")[1])["text"]
    refused(command("sample", file, "--what", "read"), "--what")
    of_run, of_file = (json.loads(command("evaluate", p, "--data-dir", folder, "--json")[1]) for p in (run, file))
    assert (of_file["test_error"], of_file["test_loss"]) == (of_run["average_test_error"], of_run["average_test_loss"])
    tt.Model.load(file).noted(vocabulary="ab").save(file)
    refused(command("sample", file), "a character for each of the")
    tt.Model.load(file).noted(vocabulary="ba").save(file)
    refused(command("sample", file), "sorted")


def test_a_run_of_a_text_becomes_an_onnx_file(command: Command, run: Path, tmp_path: Path) -> None:
    for name in ("model.npz", "model.onnx"):
        assert command("extract", run, "--to", tmp_path / name)[0] == 0
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    codes = Vocabulary.of(TEXT).encode(TEXT[:100])
    one_hot = np.eye(len(Vocabulary.of(TEXT)), dtype=np.float32)[codes][np.newaxis]
    outputs = session.run(None, {"inputs": one_hot})[0]
    expected = tt.Model.load(tmp_path / "model.npz").forward(codes[np.newaxis])
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-5)
    (metadata,) = onnx.load(tmp_path / "model.onnx").metadata_props
    assert json.loads(metadata.value)["vocabulary"] == Vocabulary.of(TEXT).characters


def test_a_network_for_images_does_not_write(command: Command, folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    digits = ["--data", "digits", "--examples", 20, "--epochs", 3, "--out", run]
    assert command("train", *digits)[0] == 0
    refused(command("sample", run), "must hold a network for text, not one for images")
    refused(
        command("evaluate", run, "--data", "book", "--data-dir", folder), "book must hold images for the network of"
    )
    assert command("extract", run, "--to", tmp_path / "model.npz")[0] == 0
    refused(command("sample", tmp_path / "model.npz"), "must hold a network for text, not one for images")


def test_damaged_vocabularies_are_refused(command: Command, folder: Path, run: Path) -> None:
    path = str(run / "checkpoint.safetensors")
    (run / "checkpoint.previous.safetensors").unlink()
    state, header = tt._core.load_tensors(path)
    for vocabulary, words in (("ba", "sorted"), ("ab", "a character for each of the")):
        header["vocabulary"] = vocabulary
        header["sha256"] = digest(header, state)
        tt._core.save_tensors(path, state, header)
        refused(command("sample", run), words)
