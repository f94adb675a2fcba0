"""Colour images from end to end: as arrays, as a folder, and in networks that adapt to their shape."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from tikitaka import cli, nn
from tikitaka.data import Dataset, load
from tikitaka.nn import fcn, lenet, nets

RNG = np.random.default_rng(11)


def blobs(n: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Noisy images whose class is their strongest channel: indistinguishable in grey."""
    classes = RNG.integers(0, 3, n)
    images = RNG.integers(0, 100, (n, side, side, 3))
    images[np.arange(n), :, :, classes] += 120
    return images.astype(np.uint8), classes


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.astype("u1").tobytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with the set `blobs` of colour images, 16 × 16."""
    (tmp_path / "blobs").mkdir()
    for part, n in (("train", 60), ("t10k", 30)):
        images, classes = blobs(n, 16)
        (tmp_path / "blobs" / f"{part}-images-idx4-ubyte").write_bytes(idx(images))
        (tmp_path / "blobs" / f"{part}-labels-idx1-ubyte").write_bytes(idx(classes))
    return tmp_path


@pytest.mark.parametrize("rule", [tt.DigitalSgd(lr=0.1), tt.Ttv2(fast_lr=0.5)], ids=["float", "ttv2"])
def test_a_convolution_learns_colours(rule: Any) -> None:
    x, y = blobs(150, 6)
    names = np.array(["red", "green", "blue"])[y]
    dataset = Dataset.from_arrays(x, names, test_share=0.1)
    assert dataset.shape == (6, 6, 3)
    rows, columns, channels = dataset.shape
    first = nn.Conv2d(channels, rows, columns, filters=4, kernel=3)
    layers = [first, nn.Tanh(), nn.Flatten(*first.image), nn.Linear(4 * 4 * 4, dataset.classes)]
    network = tt.Network(layers, rule, seed=1)
    tt.fit(network, dataset, epochs=5, progress=False)
    assert dataset.labels is not None
    named = dataset.labels[network.predict(x.reshape(150, -1) / 255)]
    assert np.mean(named == names) > 0.95


def test_the_layout_is_that_of_the_convolution() -> None:
    x = RNG.random((2, 4, 5, 3)).astype(np.float32)
    kernel = RNG.random((2, 3, 3, 3)).astype(np.float32)  # filter, row, column, channel
    dataset = Dataset.from_arrays(x, [0, 1], test=(x, [0, 1]))
    network = tt.Network([nn.Conv2d(3, 4, 5, filters=2, kernel=3, bias=False)], tt.DigitalSgd())
    network.weights = [kernel.reshape(2, -1)]
    patches = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))  # …, channel, row, column
    expected = np.einsum("nijcrs,frsc->nijf", patches, kernel)
    np.testing.assert_allclose(network.forward(dataset.train_x).reshape(expected.shape), expected, rtol=1e-5)


def test_a_folder_of_colour_images_is_a_data_set(folder: Path) -> None:
    dataset = load("blobs", folder)
    assert (dataset.shape, dataset.inputs, dataset.classes) == ((16, 16, 3), 768, 3)
    assert dataset.train_x.max() <= 1
    raw = tt.data.read_idx(folder / "blobs" / "train-images-idx4-ubyte", ndim=4)
    own = Dataset.from_arrays(raw, dataset.train_y, test=(raw, dataset.train_y))
    np.testing.assert_array_equal(own.train_x, dataset.train_x)


@pytest.mark.parametrize("net", ["fcn", "lenet"])
def test_named_networks_train_on_colour_images(folder: Path, net: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["train", "--net", net, "--data", "blobs", "--data-dir", str(folder), "--rule", "float"]
    out = folder / "run"
    with pytest.raises(SystemExit) as left:
        cli.main([*arguments, "--epochs", "3", "--json", "--out", str(out)])
    assert left.value.code == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["test_error"] < (0.4 if net == "lenet" else 0.67)
    run = tt.Run.open(out)
    assert run.network().layers == tuple(nets[net].build(load("blobs", folder)))
    assert run.train(load("blobs", folder))["digest"] == summary["digest"]


def test_networks_follow_the_shape() -> None:
    colour = lenet((32, 24, 3), 7)
    assert colour[0] == nn.Conv2d(3, 32, 24, filters=16, kernel=5)
    assert tt.Network(colour, tt.DigitalSgd()).inputs == 32 * 24 * 3
    assert lenet((28, 28, 1)) == lenet(784) == lenet()
    with pytest.raises(ValueError, match="16 × 16 pixels or more for lenet, not 12 × 32"):
        lenet((12, 32, 3))
    with pytest.raises(TypeError, match="inputs must be a whole number"):
        lenet((28, 28))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="channels"):
        lenet((28, 28, 0))


def test_recipes_build_for_a_data_set() -> None:
    x = np.zeros((4, 16, 16, 3), dtype=np.uint8)
    images = Dataset.from_arrays(x, [0, 1, 0, 1], test=(x, [0, 1, 0, 1]))
    assert nets["lenet"].build(images) == lenet((16, 16, 3), 2)
    assert nets["fcn"].build(images) == fcn(768, 2)
    flat = Dataset.from_arrays(np.zeros((4, 256)), [0, 1, 0, 1], test=(np.zeros((1, 256)), [0]))
    assert nets["lenet"].build(flat) == lenet(256, 2)
    values = Dataset.from_arrays(x, [0.5, 1, 0, 1], test=(x, [0, 1, 0, 1]))
    assert tt.TrainConfig(net="fcn").network(values).loss == "mse"
    assert tt.TrainConfig(net="fcn").network(values).outputs == 1


def test_what_is_not_a_folder_of_colour_images_is_refused(folder: Path) -> None:
    blobs_of = folder / "blobs"
    images = (blobs_of / "t10k-images-idx4-ubyte").read_bytes()
    (blobs_of / "t10k-images-idx3-ubyte").write_bytes(idx(np.zeros((30, 16, 16))))
    with pytest.raises(ValueError, match="must hold grey images or colour images, not both"):
        load("blobs", folder)
    (blobs_of / "t10k-images-idx3-ubyte").unlink()
    (blobs_of / "t10k-images-idx4-ubyte").write_bytes(idx(np.zeros((30, 16, 16))))
    with pytest.raises(ValueError, match="it has 3 dimensions instead of 4"):
        load("blobs", folder)
    for part, n in (("train", 60), ("t10k", 30)):
        (blobs_of / f"{part}-images-idx4-ubyte").write_bytes(idx(np.zeros((n, 3, 16, 16))))
    with pytest.raises(ValueError, match=r"images must have the channels last, not the shape \(3, 16, 16\)"):
        load("blobs", folder)
    (blobs_of / "t10k-images-idx4-ubyte").write_bytes(images)
    (blobs_of / "train-images-idx4-ubyte").unlink()
    with pytest.raises(FileNotFoundError, match="train-images-idx4-ubyte or"):
        load("blobs", folder)
