"""Callbacks that end a training, validation on a share of the training examples, and early stopping by it."""

import json
import math
import tomllib
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from tikitaka import cli
from tikitaka.data.text import text_dataset
from tikitaka.training.checkpoint import load
from tikitaka.training.validation import DRAW

DIGITS = tt.data.load("digits").first(60)
FULL = tt.Ttv2(periphery=tt.Periphery.full())
LAYERS = [tt.nn.Linear(64, 10)]
TIMES = {"seconds", "samples_per_second"}


def metrics(epoch: int, loss: float | None, **more: Any) -> tt.Metrics:
    return tt.Metrics(epoch, 1.0, 1.0, 0.5, 1.0, 0.5, 1.0, 1.0, 1.0, validation_loss=loss, **more)


def timeless(history: list[tt.Metrics]) -> list[dict[str, Any]]:
    return [{name: value for name, value in asdict(each).items() if name not in TIMES} for each in history]


# --- callbacks --------------------------------------------------------------------------------------------------------


def test_one_callback_or_several_see_every_epoch_in_order() -> None:
    seen: list[tuple[str, int]] = []
    callbacks = [lambda m: seen.append(("a", m.epoch)), lambda m: seen.append(("b", m.epoch))]
    tt.fit(tt.Network(LAYERS, tt.DigitalSgd()), DIGITS, epochs=2, progress=False, on_epoch=callbacks)
    assert seen == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]
    tt.fit(tt.Network(LAYERS, tt.DigitalSgd()), DIGITS, epochs=1, progress=False, on_epoch=())


def test_true_ends_the_training_after_all_callbacks() -> None:
    seen: list[int] = []
    ended = tt.Network(LAYERS, FULL, seed=1)
    history = tt.fit(
        ended, DIGITS, epochs=5, progress=False, on_epoch=(lambda m: m.epoch == 2, lambda m: seen.append(m.epoch))
    )
    assert [m.epoch for m in history] == seen == [1, 2]
    whole, states = tt.Network(LAYERS, FULL, seed=1), []
    tt.fit(whole, DIGITS, epochs=5, progress=False, on_epoch=lambda m: states.append(whole.digest()))
    assert ended.digest() == states[1]


@pytest.mark.parametrize("value", [1, "yes", np.True_, [True], object(), None, False])
def test_what_merely_counts_as_true_ends_nothing(value: Any) -> None:
    network = tt.Network(LAYERS, tt.DigitalSgd())
    assert len(tt.fit(network, DIGITS, epochs=2, progress=False, on_epoch=lambda _: value)) == 2


def test_an_exception_inside_a_callback_passes() -> None:
    error = KeyError("mine")

    def callback(_: tt.Metrics) -> None:
        raise error

    with pytest.raises(KeyError) as raised:
        tt.fit(tt.Network(LAYERS, tt.DigitalSgd()), DIGITS, epochs=2, progress=False, on_epoch=callback)
    assert raised.value is error


@pytest.mark.parametrize("bad", [3, "stop", [print, None], {"a": print}])
def test_what_cannot_be_called_is_refused(bad: Any) -> None:
    with pytest.raises(TypeError, match="on_epoch must be a function of the metrics or a sequence of them"):
        tt.fit(tt.Network(LAYERS, tt.DigitalSgd()), DIGITS, epochs=1, progress=False, on_epoch=bad)


# --- validation -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [tt.DigitalSgd(), FULL])
def test_validation_trains_on_what_is_left_and_judges_by_the_last_examples(rule: tt.RuleConfig) -> None:
    held, network, rest = DIGITS.holdout(15), tt.Network(LAYERS, rule, seed=1), tt.Network(LAYERS, rule, seed=1)
    history = tt.fit(network, DIGITS, epochs=2, validation=0.25, progress=False)
    without = tt.fit(
        rest, replace(held, test_x=DIGITS.test_x, test_y=DIGITS.test_y), epochs=2, progress=False, threads=2
    )
    assert network.digest() == rest.digest()
    assert all(m.validation_loss is m.validation_error is None for m in without)
    assert timeless([replace(m, validation_loss=None, validation_error=None) for m in history]) == timeless(without)
    score = network.evaluate(held.test_x, held.test_y, draw=DRAW + 2)
    assert (history[-1].validation_loss, history[-1].validation_error) == score
    other = network.evaluate(held.test_x, held.test_y, draw=2)  # the noise of the test
    assert (other == score) == isinstance(rule, tt.DigitalSgd)


def test_the_sequences_of_a_text_stay_consecutive() -> None:
    text = text_dataset("the cat sat on the mat and the rat sat on the cat " * 20, name="mine", sequence=10)
    layers = [tt.nn.LSTM(text.inputs, 6, carry=True), tt.nn.Linear(6, text.classes)]
    network = tt.Network(layers, tt.DigitalSgd(), seed=1)
    (last,) = tt.fit(network, text, epochs=1, batch=3, validation=0.2, progress=False)
    held = text.holdout(round(0.2 * len(text.train_y)))
    assert last.validation_loss == network.evaluate(held.test_x, held.test_y).loss


def test_a_regression_has_a_validation_loss_and_no_error() -> None:
    x = np.linspace(-1, 1, 40)[:, None]
    waves = tt.data.Dataset.from_arrays(x, np.sin(3 * x[:, 0]), seed=1)
    network = tt.Network([tt.nn.Linear(1, 1)], tt.DigitalSgd(), loss="mse")
    (last,) = tt.fit(network, waves, epochs=1, validation=0.2, progress=False)
    assert last.validation_loss is not None
    assert last.validation_error is not None
    assert math.isfinite(last.validation_loss)
    assert math.isnan(last.validation_error)


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "validation must be between 0 and 1, not 0.0"),
        (1, "validation must be between 0 and 1, not 1"),
        (math.nan, "validation must be between 0 and 1, not nan"),
        (0.001, "0.001 of 60 leaves no validation part"),
        (0.999, "0.999 of 60 leaves no training part"),
        ("0.1", "validation must be a number, not '0.1'"),
        (True, "validation must be a number, not True"),
    ],
)
def test_shares_out_of_range_are_refused(share: Any, words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        tt.fit(tt.Network(LAYERS, tt.DigitalSgd()), DIGITS, validation=share, progress=False)


def test_metrics_are_kept_and_old_lines_are_read(tmp_path: Path) -> None:
    run = tt.Run.create(tmp_path / "run", tt.TrainConfig(data="digits"))
    kept = [metrics(1, None), metrics(2, 0.5, validation_error=0.25), metrics(3, 0.5, validation_error=math.nan)]
    for each in kept:
        run.log(each)
    back = run.metrics()
    assert back[:2] == kept[:2]
    assert back[2].validation_loss == 0.5
    assert math.isnan(back[2].validation_error or 0)
    lines = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    new = {"validation_loss", "validation_error"}
    assert [line.keys() & new for line in lines] == [set(), new, new]  # nothing new where there is no validation
    assert lines[0].keys() == {f.name for f in fields(tt.Metrics)} - new


# --- early stopping ---------------------------------------------------------------------------------------------------


def ended(stopping: tt.EarlyStopping, losses: list[float]) -> list[bool]:
    return [stopping(metrics(epoch, loss)) for epoch, loss in enumerate(losses, 1)]


def test_patience_counts_epochs_since_the_best() -> None:
    stopping = tt.EarlyStopping(patience=2)
    assert ended(stopping, [3, 2, 2, 1, 1, 1.5]) == [False, False, False, False, False, True]
    assert (stopping.best, stopping.best_epoch) == (1, 4)
    assert ended(stopping, [5, 6, 7]) == [False, False, True]  # epoch 1 begins a new training
    assert ended(tt.EarlyStopping(1), [1, 1]) == [False, True]
    assert ended(tt.EarlyStopping(2, min_delta=0.5), [3, 2.6, 2.5]) == [False, False, True]
    assert ended(tt.EarlyStopping(2, min_delta=0.5), [3, 2.6, 2.4]) == [False, False, False]
    assert tt.EarlyStopping(1, "test_error")(metrics(1, None)) is False


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"patience": 0}, "patience must be at least 1, not 0"),
        ({"patience": 1.5}, "patience must be a whole number, not 1.5"),
        ({"metric": "validation_los"}, "not 'validation_los': did you mean validation_loss"),
        ({"metric": "seconds"}, "metric must be one of validation_loss, validation_error, "),
        ({"min_delta": -1}, "min_delta must be a finite number of at least 0, not -1"),
        ({"min_delta": math.nan}, "min_delta must be"),
        ({"min_delta": "0"}, "min_delta must be a number, not '0'"),
    ],
)
def test_bad_arguments_of_early_stopping_are_refused(bad: dict[str, Any], words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        tt.EarlyStopping(**bad)


def test_early_stopping_needs_a_number_to_judge_by() -> None:
    network = tt.Network(LAYERS, tt.DigitalSgd())
    before = network.digest()
    with pytest.raises(ValueError, match="validation must be the share to hold out for early stopping by validation_l"):
        tt.fit(network, DIGITS, progress=False, on_epoch=[print, tt.EarlyStopping()])
    assert network.digest() == before
    with pytest.raises(ValueError, match="validation_loss must be a number to judge by, not None: fit needs"):
        tt.EarlyStopping()(metrics(1, None))
    with pytest.raises(ValueError, match="not nan: a regression has no errors"):
        tt.EarlyStopping(metric="validation_error")(metrics(1, 1.0, validation_error=math.nan))
    with pytest.raises(TypeError, match="metrics must be a Metrics, not 3"):
        tt.EarlyStopping()(3)  # type: ignore[arg-type]


def test_averages_are_gathered_from_where_they_would_be_without_early_stopping() -> None:
    for epochs, gathered in ((3, True), (30, False)):
        network = tt.Network(LAYERS, tt.Ttv2())
        tt.fit(network, DIGITS, epochs=epochs, progress=False, on_epoch=lambda m: m.epoch == 3)
        assert (network.averages is not None) == gathered


# --- configs and runs -------------------------------------------------------------------------------------------------

CONFIG = tt.TrainConfig(
    data="digits", epochs=40, batch=4, seed=2, validation=0.25, patience=2, rule=tt.AnalogSgd(lr=0.3), average_from=1
)


@pytest.fixture(autouse=True)
def chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls into the core of a few mini-batches, so that an epoch takes several."""
    monkeypatch.setattr("tikitaka.training.loop._chunk_size", lambda *_: 16)


def at_call(number: int) -> Callable[[], bool]:
    calls: list[int] = []
    return lambda: calls.append(1) or len(calls) == number  # type: ignore[func-returns-value]


def outcome(run: tt.Run) -> tuple[Any, ...]:
    summary = {name: value for name, value in (run.summary() or {}).items() if name not in {*TIMES, "threads"}}
    return summary, timeless(run.metrics()), run.network().digest(), run.last().progress


def test_a_run_that_ends_early_is_complete_and_resumes_with_the_same_bits(tmp_path: Path) -> None:
    whole = tt.Run.create(tmp_path / "whole", CONFIG)
    summary = whole.train(DIGITS, progress=False, checkpoint_epochs=7)
    losses = [m.validation_loss or 0.0 for m in whole.metrics()]
    epochs = len(losses)
    assert summary["epochs"] == epochs == 1 + int(np.argmin(losses)) + 2 < CONFIG.epochs
    assert load(whole.path).progress == tt.Progress(epochs)  # whatever the epochs between checkpoints
    assert whole.network().digest() == summary["digest"]
    assert whole.train(DIGITS, progress=False, stop=lambda: True) == summary
    run = tt.Run.create(tmp_path / "run", CONFIG)
    while True:
        try:
            run.train(DIGITS, progress=False, stop=at_call(5), threads=2)  # 45 examples, 3 calls an epoch
        except tt.Stopped:
            run = tt.Run.open(run.path)
        else:
            break
    assert outcome(run) == outcome(whole)


def test_a_run_killed_before_its_summary_gets_no_more_epochs(tmp_path: Path) -> None:
    run = tt.Run.create(tmp_path / "run", CONFIG)
    run.train(DIGITS, progress=False)
    before = outcome(run)
    (run.path / "summary.json").unlink()
    tt.Run.open(run.path).train(DIGITS, progress=False)
    assert outcome(run) == before


def test_fit_of_a_config_needs_the_earlier_metrics() -> None:
    network = CONFIG.network(DIGITS)
    with pytest.raises(ValueError, match="history must hold the 2 epochs before start, not 0"):
        CONFIG.fit(network, DIGITS, progress=False, start=tt.Progress(2))
    seen: list[int] = []
    history = CONFIG.fit(network, DIGITS, progress=False, on_epoch=lambda m: seen.append(m.epoch))
    assert seen == [m.epoch for m in history]
    assert len(replace(CONFIG, patience=None, epochs=3).fit(network, DIGITS, progress=False)) == 3


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"patience": 3}, "validation must be a share to hold out where patience is 3, not None"),
        ({"patience": 0, "validation": 0.1}, "patience must be from 1 to"),
        ({"validation": 1.0}, "validation must be between 0 and 1, not 1.0"),
        ({"validation": "0.1"}, "validation must be a number, not '0.1'"),
    ],
)
def test_bad_configs_are_refused(bad: dict[str, Any], words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        tt.TrainConfig.from_dict(bad)


def test_configs_come_back_from_files_and_flags(capsys: pytest.CaptureFixture[str]) -> None:
    assert tt.TrainConfig.from_dict(tomllib.loads(CONFIG.to_toml())) == CONFIG
    assert tt.TrainConfig.from_dict(json.loads(json.dumps(CONFIG.to_dict()))) == CONFIG
    assert not {"validation", "patience"} & tt.TrainConfig().to_dict().keys()
    assert "# patience is not set: " in tt.TrainConfig().to_toml()
    with pytest.raises(SystemExit):
        cli.main(["train", "--validation", "0.25", "--patience", "2", "--print-config"])
    values = tomllib.loads(capsys.readouterr().out)
    assert (values["validation"], values["patience"]) == (0.25, 2)


def test_the_command_line_ends_early_and_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(replace(CONFIG, examples=60).to_toml(), encoding="utf-8")
    with pytest.raises(SystemExit) as left:
        cli.main(["train", str(tmp_path / "c.toml"), "--out", str(tmp_path / "run")])
    assert left.value.code == 0
    epochs = len(tt.Run.open(tmp_path / "run").metrics())
    assert f"epochs              {epochs} of 40, ended by --patience\n" in capsys.readouterr().out


def test_sweeps_take_validation_and_patience(tmp_path: Path) -> None:
    base = tt.TrainConfig(data="digits", examples=40, epochs=2, rule=tt.DigitalSgd())
    grid = tt.experiments.cells(base, {"validation": [None, 0.1]}, seeds=[1])
    rows = tt.experiments.sweep(grid, out=tmp_path / "rows.jsonl", progress=False)
    assert [row["config"].get("validation") for row in rows] == [None, 0.1]
    assert tt.experiments.grid.labels(grid) == ["validation=None", "validation=0.1"]
