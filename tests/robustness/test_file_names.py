"""Files as people have them: names that unpackers make, upper case, EMNIST, byte order marks, long names."""

import codecs
import gzip
import json
from pathlib import Path

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
