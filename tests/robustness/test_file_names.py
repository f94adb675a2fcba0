"""Files as people have them: names that unpackers make, upper case, EMNIST, byte order marks, long names."""

import codecs
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from support.commands import FAST, Command
from tikitaka.config import read_toml
from tikitaka.data import load

RNG = np.random.default_rng(5)
GREY = {"train": RNG.integers(0, 256, (30, 4, 5), dtype=np.uint8), "t10k": RNG.integers(0, 256, (9, 4, 5), np.uint8)}
COLOUR = {part: np.stack([x, x // 2, x // 3], axis=-1) for part, x in GREY.items()}


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


def write(folder: Path, name: str, images: dict[str, np.ndarray], *, first: int = 0) -> None:
    """The four files of a set; `name` makes a name of part, kind and dimensions."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, x in images.items():
        labels = (np.arange(len(x)) % 3 + first).astype(np.uint8)
        for kind, array in (("images", x), ("labels", labels)):
            path = folder / name.format(part=part, kind=kind, n=array.ndim, test="test" if part == "t10k" else part)
            path.parent.mkdir(parents=True, exist_ok=True)
            content = idx(array)
            path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.mark.parametrize(
    "name",
    [
        "{part}-{kind}-idx{n}-ubyte",
        "{part}-{kind}.idx{n}-ubyte",  # 7-Zip
        "{part}_{kind}_idx{n}_ubyte.gz",
        "{part}-{kind}.idx{n}",
        "{part}-{kind}-idx{n}-ubyte (1).gz",  # downloaded twice
        "emnist-letters-{test}-{kind}-idx{n}-ubyte.gz",
        "kmnist-{part}-{kind}-idx{n}-ubyte",
        "{part}-{kind}-idx{n}-ubyte/{part}-{kind}-idx{n}-ubyte",  # a folder around each file
        "raw/{part}-{kind}-idx{n}-ubyte",  # torchvision
    ],
)
@pytest.mark.parametrize("images", [GREY, COLOUR], ids=["grey", "colour"])
def test_a_folder_loads_by_the_names_that_people_have(tmp_path: Path, name: str, images: dict[str, np.ndarray]) -> None:
    write(tmp_path / "mine", name, images)
    dataset = load("mine", tmp_path)
    assert dataset.shape == (*images["train"].shape[1:], 1)[:3]
    np.testing.assert_allclose(dataset.test_x, images["t10k"].reshape(9, -1) / 255, rtol=1e-6)
    upper = tmp_path / "upper"
    for path in [path for path in (tmp_path / "mine").rglob("*") if path.is_file()]:
        target = upper / path.relative_to(tmp_path / "mine").with_name(path.name.upper())
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    assert load("upper", tmp_path).digest == dataset.digest


def test_colour_images_load_from_files_that_are_named_as_grey_ones(tmp_path: Path) -> None:
    write(tmp_path / "mine", "{part}-{kind}.ubyte", {})
    for part, x in COLOUR.items():
        (tmp_path / "mine" / f"{part}-images-idx3-ubyte").write_bytes(idx(x))
        (tmp_path / "mine" / f"{part}-labels-idx1-ubyte").write_bytes(idx(np.zeros(len(x), np.uint8)))
    assert load("mine", tmp_path).shape == (4, 5, 3)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_qmnist_loads_as_it_is_downloaded(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """Labels are rows of eight 32-bit integers: the class, and who wrote the digit where."""
    ending = "" if pack is bytes else ".gz"
    for part, x in (("train", GREY["train"]), ("test", GREY["t10k"])):
        labels = RNG.integers(10, 100_000, (len(x), 8)).astype(">i4")
        labels[:, 0] = np.arange(len(x)) % 3
        content = bytes([0, 0, 0x0C, 2]) + len(x).to_bytes(4, "big") + (8).to_bytes(4, "big") + labels.tobytes()
        (tmp_path / f"qmnist-{part}-images-idx3-ubyte{ending}").write_bytes(pack(idx(x)))
        (tmp_path / f"qmnist-{part}-labels-idx2-int{ending}").write_bytes(pack(content))
    dataset = load("qmnist", tmp_path)
    assert (dataset.classes, dataset.shape, dataset.train_y[:4].tolist()) == (3, (4, 5, 1), [0, 1, 2, 0])
    np.testing.assert_allclose(dataset.test_x, GREY["t10k"].reshape(9, -1) / 255, rtol=1e-6)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("images", [GREY, COLOUR], ids=["grey", "colour"])
def test_kmnist_loads_as_it_is_downloaded(tmp_path: Path, images: dict[str, np.ndarray], save: Any) -> None:
    for name in ("kmnist", "k49"):
        for part, x in (("train", images["train"]), ("test", images["t10k"])):
            save(tmp_path / f"{name}-{part}-imgs.npz", x)
            save(tmp_path / f"{name}-{part}-labels.npz", (np.arange(len(x)) % 3).astype(np.uint8))
    (tmp_path / "kmnist_classmap.csv").write_text("index,codepoint,char")
    dataset = load("kmnist", tmp_path)
    assert (dataset.classes, dataset.shape) == (3, (*images["train"].shape[1:], 1)[:3])
    np.testing.assert_allclose(dataset.test_x, images["t10k"].reshape(9, -1) / 255, rtol=1e-6)
    assert load("k49", tmp_path).digest == dataset.digest


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\3\4", "not a valid .npz file"),
        ({"a": np.zeros((30, 4, 5), np.uint8), "b": np.zeros(3)}, "must hold one array of uint8 and 3 dim"),
        ({"a": np.zeros((30, 4, 5))}, r"not float64 of shape \(30, 4, 5\)"),
        ({"a": np.zeros(30, np.uint8)}, r"not uint8 of shape \(30,\)"),
        ({"a": np.array([{}], object)}, "allow_pickle=False"),
    ],
)
def test_other_npz_files_are_refused_by_name(tmp_path: Path, content: Any, words: str) -> None:
    path = tmp_path / "kmnist-train-imgs.npz"
    path.write_bytes(content) if isinstance(content, bytes) else np.savez(path, **content)
    for other in ("train-labels", "test-imgs", "test-labels"):
        np.savez(tmp_path / f"kmnist-{other}.npz", np.zeros(1, np.uint8))
    with pytest.raises(ValueError, match=words) as refused:
        load("kmnist", tmp_path)
    assert str(refused.value).startswith(str(path))


def test_a_folder_of_several_sets_gives_each_by_its_name(tmp_path: Path) -> None:
    write(tmp_path / "EMNIST" / "raw", "emnist-letters-{test}-{kind}-idx{n}-ubyte", GREY, first=1)
    write(tmp_path / "EMNIST" / "raw", "emnist-digits-{test}-{kind}-idx{n}-ubyte", GREY)
    assert load("emnist-letters", tmp_path).classes == 4  # labels from 1 on
    assert load("emnist-digits", tmp_path).classes == 3
    with pytest.raises(ValueError, match="it holds 2 sets, load one of them by its name: emnist-digits, "):
        load("EMNIST", tmp_path)
    write(tmp_path / "FashionMNIST", "{part}-{kind}-idx{n}-ubyte", GREY)
    assert load("fashionmnist", tmp_path).classes == 3


def test_a_set_of_ones_own_called_digits_is_that_set(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "digits", "{part}-{kind}-idx{n}-ubyte", GREY)
    mine = load("digits", tmp_path)
    assert (mine.shape, float(mine.train_x.max()) <= 1) == ((4, 5, 1), True)
    assert load("digits", tmp_path / "digits").shape == (8, 8, 1)  # the folder holds no such set: the bundled one
    monkeypatch.setenv("TIKITAKA_DATA", str(tmp_path))
    out = command("train", "--data", "digits", "--data-dir", tmp_path, "--epochs", 1, "--json")[1]
    assert json.loads(out)["test_error"] is not None
    code, out, _ = command("demo", "--seeds", 1, "--epochs", 1)
    assert (code, out[:10]) == (0, "Digits 8 ×")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_config_with_a_byte_order_mark_is_read(tmp_path: Path, encoding: str, command: Command) -> None:
    config = tt.TrainConfig(data="größe", epochs=7)
    text = config.to_toml().replace("\n", "\r\n")
    (tmp_path / "c.toml").write_bytes(text.encode(encoding))
    assert tt.TrainConfig.from_dict(read_toml(tmp_path / "c.toml")) == config
    assert command("train", tmp_path / "c.toml", "--print-config")[0] == 0


def test_files_of_a_run_with_a_byte_order_mark_are_read(tmp_path: Path, command: Command) -> None:
    run = tmp_path / "run"
    assert command("train", *FAST, "--out", run)[0] == 0
    for name in ("config.toml", "metrics.jsonl", "summary.json"):
        (run / name).write_bytes(codecs.BOM_UTF8 + (run / name).read_bytes().replace(b"\n", b"\r\n"))
    assert len(tt.Run.open(run).metrics()) == 3
    assert command("train", "--resume", run)[0] == 0


@pytest.mark.parametrize("length", [244, 250, 255])
def test_names_of_up_to_255_characters_can_be_written(tmp_path: Path, length: int, command: Command) -> None:
    model = tt.Model.from_weights([tt.nn.Linear(2, 2, bias=False)], [[[1.0, 0.5], [0.0, 2.0]]])
    for ending in (".npz", ".safetensors", ".onnx"):
        path = tmp_path / ("m" * (length - len(ending)) + ending)
        if ending == ".onnx":
            tt.export.onnx(model, path)
            continue
        model.save(path)
        assert tt.Model.load(path).weights[0].tobytes() == model.weights[0].tobytes()
    run = tmp_path / ("r" * length)
    assert command("train", *FAST, "--out", run)[0] == 0
    target = tmp_path / ("e" * (length - 4) + ".npz")
    assert command("extract", run, "--what", "read", "--to", target)[0] == 0
    results = tmp_path / ("s" * (length - 6) + ".jsonl")
    base = tt.TrainConfig(data="digits", examples=10, epochs=1, rule=tt.DigitalSgd())
    assert len(tt.experiments.sweep([base], out=results, progress=False)) == 1
    assert {path.name[0] for path in tmp_path.iterdir()} == {"m", "r", "e", "s"}
