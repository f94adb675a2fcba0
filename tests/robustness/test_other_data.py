"""A run and its models know their data and their config: others are not taken for them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import tikitaka as tt
from support.commands import FAST, Command, refused


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


@pytest.fixture
def images(tmp_path: Path) -> Callable[[str, int], Path]:
    """Makes a folder of data sets with the small images `mine`, drawn by a seed."""

    def make(folder: str, seed: int) -> Path:
        rng = np.random.default_rng(seed)
        place = tmp_path / folder / "mine"
        place.mkdir(parents=True)
        for part, n in (("train", 60), ("t10k", 20)):
            x = rng.integers(0, 256, (n, 4, 4), dtype=np.uint8)
            (place / f"{part}-images-idx3-ubyte").write_bytes(idx(x))
            (place / f"{part}-labels-idx1-ubyte").write_bytes(idx((np.arange(n) % 3).astype(np.uint8)))
        return place.parent

    return make


@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize("more", [[], ["--examples", "40"], ["--holdout", "10"]])
def test_other_data_under_the_same_name_are_not_taken_for_those_of_the_training(
    command: Command, tmp_path: Path, images: Callable[[str, int], Path], more: list[str]
) -> None:
    mine, other, run, model = images("a", 1), images("b", 2), tmp_path / "R", tmp_path / "m.npz"
    flags = ["--data", "mine", "--data-dir", mine, "--epochs", 1, *more]
    assert command("train", *flags, "--out", run)[0] == 0
    assert command("extract", run, "--what", "read", "--to", model)[0] == 0
    for source in (run, model):
        for name in ("evaluate", "predict"):
            assert command(name, source, "--data-dir", mine)[::2] == (0, "")
            refused(command(name, source, "--data-dir", other), "mine must be the data that")
            code, out, err = command(name, source, "--data-dir", other, "--data", "mine")
            assert code == 0
            assert out
            assert err == f"tikitaka: warning: mine is not the data that {source} was trained on: its examples differ\n"


def test_an_edited_config_of_a_finished_run_is_refused(command: Command, tmp_path: Path) -> None:
    run = tmp_path / "R"
    assert command("train", *FAST, "--out", run)[0] == 0
    assert command("train", "--resume", run)[0] == 0
    path = run / "config.toml"
    for old, new in (("epochs = 3", "epochs = 4"), ("seed = 1", "seed = 2")):
        written = path.read_text(encoding="utf-8")
        path.write_text(written.replace(old, new), encoding="utf-8")
        words = f"config.toml must be the config of the summary; they differ in {old.split()[0]}"
        refused(command("train", "--resume", run), words)
        with pytest.raises(ValueError, match="must be the config of the summary"):
            tt.Run.open(run).train(progress=False)
        path.write_text(written, encoding="utf-8")
    assert command("train", "--resume", run)[0] == 0


def test_data_that_were_edited_in_memory_are_other_data(tmp_path: Path) -> None:
    data = tt.data.load("digits").first(60)
    before = data.digest
    run = tt.Run.create(tmp_path / "R", tt.TrainConfig(data="digits", examples=60, epochs=2))
    with pytest.raises(tt.Stopped):
        run.train(data, progress=False, stop=lambda: True)
    data.train_x[0, 0] += 0.5
    assert data.digest != before
    with pytest.raises(ValueError, match=r"digits must be the data that .* was started with"):
        run.train(data, progress=False)
    data.train_x[0, 0] -= 0.5
    assert run.train(data, progress=False)["epochs"] == 2
    assert run.train(data, progress=False)["epochs"] == 2
    with pytest.raises(ValueError, match=r"digits must be the data that .* was started with"):
        run.train(data.first(59), progress=False)  # a finished run is not that of other data either
