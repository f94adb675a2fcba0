"""What the rules of a network warn of before a training: once, by array, and never in a sweep."""

import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from support.commands import FAST, Command
from support.runs import DIGITS, at_call, dense
from tikitaka.config import presets, rules
from tikitaka.data.text import text_dataset
from tikitaka.experiments import cells, sweep
from tikitaka.nn import nets
from tikitaka.training import Progress
from tikitaka.training.rule_warnings import rule_warnings, silent, warn_of_rules
from tikitaka.training.schedule import largest_factor

SATURATING = tt.Ttv2(rates="r24", granularity=3.0)


def said(call: Callable[[], object]) -> list[str]:
    """The warnings of a call, each time that they are issued."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        call()
    return [str(each.message) for each in seen]


def test_arrays_with_the_same_words_share_a_warning_and_others_have_their_own() -> None:
    layers = [tt.nn.Linear(64, 12), tt.nn.Tanh(), tt.nn.Linear(12, 10), tt.nn.Tanh(), tt.nn.Linear(10, 10)]
    slow = tt.Ttv2(fast_lr=0.5, transfer_lr=1e-3)
    found = rule_warnings(tt.Network(layers, [SATURATING, slow, SATURATING]), examples=10_000)
    assert [words.split(":")[0] for words in found] == ["rule of linear1, linear3", "rule of linear2"]
    assert "72 % of the pulse trains of A saturate" in found[0]
    # One of 13 columns every 2 samples, and A at 0.6 needs 1/(0.001·0.6) reads.
    assert "needs 43342 samples, but only 10000 are planned" in found[1]
    assert rule_warnings(tt.Network(layers, [tt.DigitalSgd(), slow, tt.AnalogSgd()]), examples=50_000) == ()


def test_samples_are_counted_as_the_rule_does() -> None:
    image = tt.nn.Conv2d(1, 6, 6, filters=2, kernel=3)
    assert image.vectors == 16
    rule = tt.Ttv2(fast_lr=0.5, transfer_lr=1e-2)  # 167 reads of 10 columns, each after 2 samples: 3340
    for layer, time_steps in ((image, 1), (tt.nn.Linear(9, 2), 16)):
        network = tt.Network([layer], rule)
        assert rule_warnings(network, examples=209, time_steps=time_steps) == ()
        assert "only 3328 are planned" in rule_warnings(network, examples=208, time_steps=time_steps)[0]
    batches = tt.Network([tt.nn.Linear(9, 2)], replace(rule, transfer_unit="batch"))
    assert rule_warnings(batches, examples=33_391, batch=10) == ()
    assert "3340 mini-batches, but only 3339" in rule_warnings(batches, examples=33_390, batch=10)[0]
    assert "3340 mini-batches" not in "".join(rule_warnings(batches, examples=33_390, batch=10, lr_scale=2.0))
    assert rule_warnings(batches, examples=10**30) == ()


@pytest.mark.parametrize(
    ("schedule", "largest"), [("decay", 1.0), ("swa", 1.0), ((0.1, 3, 2), 3.0), (lambda _: 1 / 0, 1.0)]
)
def test_rates_are_those_of_the_largest_factor_of_the_schedule(schedule: Any, largest: float) -> None:
    assert largest_factor(schedule, tt.Network(dense(64, 10), SATURATING)) == largest


def test_a_training_warns_once_before_its_first_update_and_not_where_it_continues() -> None:
    def fit(epochs: int, **options: Any) -> None:
        tt.fit(network, DIGITS, epochs=epochs, schedule="constant", progress=False, **options)

    network = tt.Network(dense(64, 10), SATURATING, seed=1)
    before = network.digest()

    def stopped() -> None:
        with pytest.raises(tt.Stopped):
            fit(2, stop=lambda: True)

    first = said(stopped)
    assert [words.split(":")[0] for words in first] == [
        "rule of linear1, linear2",
        "rule of linear1",
        "rule of linear2",
    ]
    assert network.digest() == before
    assert said(lambda: fit(2)) == first
    assert said(lambda: fit(3, start=Progress(2))) == []
    with pytest.warns(UserWarning, match="of the pulse trains of A saturate") as seen:
        tt.fit(tt.Network(dense(64, 10), SATURATING), DIGITS, epochs=1, progress=False)
    assert seen[0].filename == __file__


def test_the_usual_rules_give_no_warning_on_the_bundled_digits() -> None:
    digits, config = tt.data.load("digits"), tt.TrainConfig()
    for kind in rules:
        network = replace(config, rule=nets["fcn"].rule(kind)).network(digits)
        planned = config.epochs * len(digits.train_y)
        assert rule_warnings(network, examples=planned, batch=config.batch) == (), kind
    assert said(lambda: tt.fit(config.network(digits), digits, epochs=2, progress=False)) == []


@pytest.mark.parametrize("net", nets)
def test_the_usual_rules_give_no_warning_in_trainings_as_they_are_usual(net: str) -> None:
    if nets[net].text:
        data, examples, time_steps = text_dataset(" the quick brown fox" * 500, name="fox", sequence=100), 25_000, 100
    else:
        image = np.zeros((20, 784), np.float32)
        data = tt.data.Dataset.from_arrays(image, np.arange(20) % 10, shape=(28, 28, 1))
        examples, time_steps = 60_000, 1
    for kind in rules:
        config = tt.TrainConfig(net=net, rule=nets[net].rule(kind))
        planned = config.epochs * examples
        found = rule_warnings(config.network(data), examples=planned, time_steps=time_steps, batch=config.batch)
        assert found == (), kind


def test_automatic_rates_are_not_blamed_for_long_trains() -> None:
    fine: Any = presets["capacitor"]
    assert not tt.Ttv2(device=fine).warnings(128, 65)
    for rule in (tt.Ttv2(device=fine), tt.Tiles(device=fine), tt.Ttv1(device=fine)):
        assert rule_warnings(tt.Network([tt.nn.Linear(64, 128)], rule), examples=10**6) == ()
    given = tt.Ttv2(device=fine, fast_lr=1.0)
    assert "saturate" in rule_warnings(tt.Network([tt.nn.Linear(64, 128)], given), examples=10**6)[0]


def test_rules_in_python_have_no_warnings() -> None:
    class Still(tt.Rule):
        def build(self, weights: Any, seed: int, layer: int) -> None:
            self.weights = weights

        def forward(self, x: Any) -> Any:
            return x @ self.weights.T

    network = tt.Network(dense(64, 10), Still())
    assert rule_warnings(network, examples=1) == ()


def test_cells_of_a_sweep_are_silent_wherever_they_run(tmp_path: Path) -> None:
    base = tt.TrainConfig(data="digits", examples=20, epochs=1, rule=SATURATING)
    grid = cells(base, {}, seeds=range(2))

    def everywhere() -> None:
        sweep(grid, out=tmp_path / "threads.jsonl", progress=False)
        with ThreadPoolExecutor(1) as pool:
            sweep(grid, pool, out=tmp_path / "pool.jsonl", progress=False)

    assert said(everywhere) == []
    network = tt.Network(dense(64, 10), SATURATING)

    def warn() -> None:
        warn_of_rules(network, examples=1, time_steps=1, batch=1, lr_scale=1.0)

    with silent(), suppress(ValueError):
        assert said(warn) == []
        raise ValueError
    assert len(said(warn)) > 1


@pytest.mark.filterwarnings("always")
def test_the_command_says_it_in_a_line_and_not_again_on_resume(command: Command, tmp_path: Path) -> None:
    run, flags = tmp_path / "r", ["--rule", "ttv2", "--rates", "r24", "--granularity", 3]
    code, _, err = command("train", *FAST, *flags, "--schedule", "constant", "--out", run)
    lines = [line for line in err.splitlines() if "saturate" in line]
    assert (code, len(lines)) == (0, 1)
    assert lines[0].startswith("tikitaka: warning: rule of linear1, linear2, linear3: 72 % of the pulse trains of A")
    code, _, err = command("train", "--resume", run, "--epochs", 4)
    assert (code, err) == (0, "")


def test_a_run_that_was_stopped_continues_without_a_warning(small_networks: None, tmp_path: Path) -> None:
    run = tt.Run.create(tmp_path / "run", tt.TrainConfig(data="digits", examples=60, epochs=2, rule=SATURATING))

    def stopped() -> None:
        with pytest.raises(tt.Stopped):
            run.train(progress=False, stop=at_call(3))

    assert any("saturate" in words for words in said(stopped))
    assert said(lambda: run.train(progress=False)) == []
    assert np.isfinite(run.metrics()[-1].test_loss)
