"""Settings far from sense: a warning by name, once; what is impossible is refused."""

import warnings
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from support.commands import FAST, Command
from support.runs import DIGITS, dense
from tikitaka.nn import nets
from tikitaka.training.unusual import unusual_data, unusual_settings


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (tt.AnalogSgd(device=tt.SoftBounds(bound=600)), "rule.device.bound is 600, usual is 0.3 to 1"),
        (tt.Ttv2(device=tt.SoftBounds(cycle_noise=30)), "rule.device.cycle_noise is 30, usual is 0 to 1"),
        (tt.Ttv2(slow_device=tt.ConstantStep(step_spread=3)), "rule.slow_device.step_spread is 3, usual is"),
        (tt.Ttv1(periphery=tt.Periphery.full(50.0)), "rule.periphery.forward.output_noise is 50, usual is"),
        (tt.DigitalSgd(lr=1e3), "rule.lr is 1000, usual is"),
        (tt.Ttv2(reference=tt.Reference("ideal", mean=5.0)), "rule.reference.mean is 5, beyond the range of devices"),
    ],
)
def test_a_training_with_a_setting_far_from_sense_warns_once_by_name(rule: Any, words: str) -> None:
    network = tt.Network(dense(64, 10), [rule, rule], seed=1)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with suppress(ArithmeticError):  # so bad are they
            tt.fit(network, DIGITS.first(8), epochs=2, progress=False)
    said = [str(each.message) for each in seen]
    assert sum(words in message for message in said) == 1
    assert len(said) == len(set(said))


def test_pixels_up_to_255_and_batches_beyond_the_examples_give_a_warning() -> None:
    pixels = replace(DIGITS, train_x=DIGITS.train_x * 255, test_x=DIGITS.test_x * 255)
    with pytest.warns(UserWarning, match=r"x of the training part of digits goes up to 255 .* divided by 255"):
        tt.fit(tt.Network(dense(64, 10), tt.DigitalSgd(lr=1e-6)), pixels, epochs=1, progress=False)
    with pytest.warns(UserWarning, match="batch is 100, more than the 60 training examples of digits"):
        tt.fit(tt.Network(dense(64, 10), tt.DigitalSgd()), DIGITS, batch=100, epochs=1, progress=False)
    x = np.linspace(0, 1, 40).reshape(20, 2)
    prices = tt.data.Dataset.from_arrays(x, x[:, 0] * 1e5, task="regression")
    assert "y of the training part of arrays goes up to" in unusual_data(prices)[0]
    faint = replace(DIGITS, train_x=DIGITS.train_x * 1e-6)
    assert "x of the training part of digits goes up to 1e-06" in unusual_data(faint)[0]


def test_usual_settings_and_data_give_no_warning() -> None:
    for recipe in nets.values():
        for rule in recipe.rules.values():
            assert unusual_settings(rule) == ()
    assert unusual_settings([tt.Ttv2(periphery=tt.Periphery.full()), tt.DigitalSgd()]) == ()
    assert unusual_data(tt.data.load("digits")) == ()
    normal = np.random.default_rng(1).normal(size=(1000, 20))
    assert unusual_data(tt.data.Dataset.from_arrays(normal, normal[:, 0] > 0)) == ()


@pytest.mark.filterwarnings("always")
def test_a_command_says_it_in_one_line(command: Command, tmp_path: Path) -> None:
    code, _, err = command("train", *FAST, "--rule", "sgd", "--bound", 600, "--out", tmp_path / "r")
    assert (code, err.splitlines()[:1]) == (
        0,
        ["tikitaka: warning: unusual setting: rule.device.bound is 600, usual is 0.3 to 1 (weight units)"],
    )


@pytest.mark.parametrize("device", [tt.SoftBounds, tt.ConstantStep])
def test_a_step_beyond_the_range_is_refused_like_its_states(device: type[Any]) -> None:
    with pytest.raises(ValueError, match=r"weight_step must be at most 2·bound = 1\.2, which is one state, not 2"):
        device(weight_step=2, bound=0.6)
    with pytest.raises(ValueError, match="states must be from 1"):
        device(states=0.6)
    assert device(weight_step=1.2, bound=0.6).weight_step == 1.2
