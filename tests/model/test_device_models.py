"""Every device model and every device with a name goes through training, saving, programming and plotting."""

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from tikitaka import config, plot
from tikitaka.training import TrainConfig

DEVICES: dict[str, tt.Device] = {**{kind: model() for kind, model in config.devices.items()}, **tt.presets}
DIGITS = tt.data.load("digits").first(100)
LAYERS = [tt.nn.Linear(64, 20), tt.nn.Tanh(), tt.nn.Linear(20, 10)]


def network(device: tt.Device, seed: int = 1) -> tt.Network:
    return tt.Network(LAYERS, tt.Ttv2(fast_lr=0.5, transfer_lr=3.0, device=device), seed=seed)


@pytest.mark.parametrize("name", DEVICES)
def test_it_trains_and_goes_on_from_its_state(name: str) -> None:
    x, y = DIGITS.train_x, DIGITS.train_y
    whole, half = network(DEVICES[name]), network(DEVICES[name])
    whole.train(x, y)
    half.train(x, y, order=np.arange(40))
    resumed = network(DEVICES[name])
    resumed.restore(half.state())
    resumed.train(x, y, order=np.arange(40, 100))
    assert resumed.digest() == whole.digest()
    assert whole.pulses > 0
    device = DEVICES[name]
    made = TrainConfig(rule=tt.Ttv2(device=device))
    assert TrainConfig.from_dict(tomllib.loads(made.to_toml())).rule.device == device  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", DEVICES)
def test_it_is_programmed_and_drawn(name: str, tmp_path: Path) -> None:
    device: Any = DEVICES[name]
    weights = [0.1 * np.sin(np.arange(layer.shape[0] * layer.shape[1])).reshape(layer.shape) for layer in LAYERS[::2]]
    model = tt.Model.from_weights(LAYERS, weights)
    chip = tt.program(model, device=device, method="closed-loop", seed=2)
    assert max(chip.rms_error) < 0.12
    plot.responses(device, tmp_path / "responses.png", devices=2, pulses=20)
    assert (tmp_path / "responses.png").stat().st_size > 1000
