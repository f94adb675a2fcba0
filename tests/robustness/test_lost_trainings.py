"""Guards against failed trainings: what they stop, and what they do not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from support.commands import Command
from support.runs import DIGITS, SMALL, config, dense, sized
from tikitaka.nn import nets
from tikitaka.training.saturation import SaturationCheck

pytestmark = pytest.mark.usefixtures("small_networks")


def deep(inputs: int, classes: int) -> list[tt.nn.Layer]:
    return [tt.nn.Linear(inputs, 16), tt.nn.Linear(16, 16), tt.nn.Linear(16, 16), tt.nn.Linear(16, classes)]


def test_a_loss_that_is_not_finite_keeps_the_last_good_checkpoint(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(nets, "deep", replace(SMALL["dense"], build=sized(deep)))
    (tmp_path / "c.toml").write_text(config("deep", "float").to_toml(), encoding="utf-8")
    flags = ["--lr", 1000, "--out", tmp_path / "run", "--checkpoint-minutes", 0]
    code, out, err = command("train", tmp_path / "c.toml", *flags)
    assert (code, out) == (1, "")
    assert "loss is nan in epoch 1 after" in err
    assert "the weights of array 0 (16 × 65) are not finite" in err
    run = tt.Run.open(tmp_path / "run")
    assert all(np.isfinite(w).all() for w in run.network().weights)
    assert run.summary() is None


def test_the_array_with_the_largest_weights_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    network = tt.Network(dense(64, 10), tt.DigitalSgd(), seed=1)
    network.weights = [network.weights[0], 1e3 * network.weights[1]]
    with monkeypatch.context() as patched:
        patched.setattr(tt.Network, "evaluate", lambda *_, **__: tt.Score(float("inf"), 0.5))
        with pytest.raises(
            FloatingPointError, match=r"test loss is inf in epoch 1 after 60 .*\d is in array 1 \(10 × 17"
        ):
            tt.fit(network, DIGITS, epochs=1, batch=4, progress=False)


def test_devices_that_all_stand_at_bounds_stop_a_training(tmp_path: Path) -> None:
    rule = tt.AnalogSgd(
        1000, tt.ConstantStep(states=10, bound=0.01), pulse_trains=tt.PulseTrains(update_management=False)
    )
    run = tt.Run.create(tmp_path / "run", tt.TrainConfig(net="dense", data="digits", rule=rule, batch=1, epochs=5))
    with pytest.raises(ArithmeticError, match=r"all devices of array 1, C \(10 × 17\), .* after epoch 1: .* rate"):
        run.train(DIGITS, progress=False)
    assert run.last().progress == tt.Progress()
    assert not (run.path / "metrics.jsonl").exists()


@pytest.mark.parametrize("states", [1, 2, 6, 1000])
@pytest.mark.parametrize("noise", [0.0, 1.0, 100.0])
@pytest.mark.parametrize("device", [tt.SoftBounds, tt.ConstantStep])
def test_trainings_on_bad_devices_go_on(device: type[Any], noise: float, states: float) -> None:
    for rule in (tt.AnalogSgd, tt.Ttv1, tt.Ttv2):
        network = tt.Network(dense(64, 10), rule(device=device(states=states, cycle_noise=noise)), seed=3)
        tt.fit(network, DIGITS, epochs=3, progress=False)


def test_small_and_coarse_arrays_may_stand_at_their_bounds() -> None:
    for layers, device in (
        ([tt.nn.Linear(30, 1)], tt.ConstantStep(bound=0.01)),
        ([tt.nn.Linear(64, 10)], tt.ConstantStep(states=4, bound=0.01)),
        ([tt.nn.Linear(64, 10)], tt.ConstantStep(states=100, bound=0.01, cycle_noise=30)),
    ):
        network = tt.Network(layers, tt.AnalogSgd(device=device), seed=1)
        network.weights = [np.full(layer.shape, 5.0) for layer in layers]
        SaturationCheck(network)(epoch=1)
    network = tt.Network([tt.nn.Linear(64, 10)], tt.AnalogSgd(device=tt.SoftBounds()), seed=1)
    network.weights = [np.full((10, 65), 5.0)]
    with pytest.raises(ArithmeticError, match="array 0"):
        SaturationCheck(network)(epoch=1)
