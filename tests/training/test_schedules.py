"""Schedules: by name, as a factor for each epoch, as a function, from Python, TOML and the command line."""

import json
import math
import tomllib
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from tikitaka import cli
from tikitaka._internal.shown import shown
from tikitaka.cli.flags import apply_flags
from tikitaka.training import schedules

DIGITS = tt.data.load("digits").first(40)
FACTORS = [1.0, 0.5, 0.25]


def network() -> tt.Network:
    return tt.Network([tt.nn.Linear(64, 10)], tt.DigitalSgd(), seed=1)


def fitted(schedule: Any, **how: Any) -> tuple[str, list[float]]:
    made = network()
    history = tt.fit(made, DIGITS, epochs=3, schedule=schedule, progress=False, **how)
    return made.digest(), [metrics.lr_scale for metrics in history]


def test_names_sequences_and_functions_of_the_same_factors_give_the_same_bits() -> None:
    asked: list[int] = []

    def function(epoch: int) -> float:
        asked.append(epoch)
        return FACTORS[epoch - 1]

    by_name = fitted("decay")
    assert by_name[1] == FACTORS
    for schedule in (FACTORS, tuple(FACTORS), np.array(FACTORS, "f4"), [1, Fraction(1, 2), np.float64(0.25)], function):
        assert fitted(schedule) == by_name
    assert asked == [1, 2, 3]  # once for each epoch
    assert fitted(lambda epoch: 0)[1] == [0, 0, 0]


@pytest.mark.parametrize("schedule", [[1.0], [], np.ones(4), range(2)])
def test_another_length_is_refused_before_any_work(schedule: Any) -> None:
    made = network()
    before = made.digest()
    with pytest.raises(ValueError, match=f"a factor for each of 3 epochs, not {len(schedule)}$"):
        tt.fit(made, DIGITS, epochs=3, schedule=schedule, progress=False)
    assert made.digest() == before


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (math.nan, ValueError),
        (math.inf, ValueError),
        (-0.1, ValueError),
        (10**400, ValueError),
        (1e39, ValueError),
        (None, TypeError),
        (True, TypeError),
        ("0.5", TypeError),
        (1j, TypeError),
        (np.ones(2), TypeError),
    ],
)
def test_factors_must_be_finite_numbers(value: Any, kind: type[Exception]) -> None:
    made, epochs = network(), []
    how: dict[str, Any] = {"epochs": 3, "progress": False, "on_epoch": lambda metrics: epochs.append(metrics.epoch)}
    with pytest.raises(kind) as refused:
        tt.fit(made, DIGITS, schedule=lambda epoch: value if epoch == 2 else 1.0, **how)
    assert str(refused.value) == f"schedule must be a finite number of at least 0 in epoch 2, not {shown(value)}"
    assert epochs == [1]
    with pytest.raises(kind, match="in epoch 3, not"):
        tt.fit(made, DIGITS, schedule=[1.0, 1.0, value], **how)
    assert epochs == [1]


@pytest.mark.parametrize("schedule", [3, None, {1: 0.5}, np.ones((3, 1)), np.float64(0.5), b"abc"[0]])
def test_anything_else_is_refused(schedule: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^schedule must "):
        tt.fit(network(), DIGITS, epochs=3, schedule=schedule, progress=False)


def test_an_exception_inside_a_function_passes_with_the_network_between_two_epochs() -> None:
    class Wrong(Exception):
        pass

    error = Wrong("no factor")
    seen: list[tt.Metrics] = []

    def function(epoch: int) -> float:
        if epoch == 3:
            raise error
        return FACTORS[epoch - 1]

    made = network()
    with pytest.raises(Wrong) as raised:
        tt.fit(made, DIGITS, epochs=3, schedule=function, progress=False, on_epoch=seen.append)
    assert raised.value is error
    assert [metrics.epoch for metrics in seen] == [1, 2]
    rest = tt.fit(made, DIGITS, epochs=3, schedule=FACTORS, progress=False, start=tt.Progress(2))
    assert (made.digest(), [metrics.lr_scale for metrics in [*seen, *rest]]) == fitted("decay")


def test_a_training_by_a_function_resumes_with_the_same_bits() -> None:
    made, states = network(), []
    whole = tt.fit(
        made,
        DIGITS,
        epochs=3,
        schedule=lambda epoch: 0.5**epoch,
        progress=False,
        on_epoch=lambda _: states.append(made.state()),
    )
    again = network()
    again.restore(states[0])
    rest = tt.fit(
        again, DIGITS, epochs=3, schedule=lambda epoch: 0.5**epoch, progress=False, start=tt.Progress(1), threads=2
    )
    assert again.digest() == made.digest()
    assert [m.test_loss for m in rest] == [m.test_loss for m in whole[1:]]


# --- configs ----------------------------------------------------------------------------------------------------------


def test_a_config_holds_a_tuple_of_factors(tmp_path: Path) -> None:
    config = tt.TrainConfig(data="digits", epochs=3, schedule=FACTORS, rule=tt.DigitalSgd())  # type: ignore[arg-type]
    assert config.schedule == (1.0, 0.5, 0.25)
    assert hash(config) == hash(replace(config, schedule=np.array(FACTORS)))  # type: ignore[arg-type]
    assert config.to_dict()["schedule"] == FACTORS
    assert tt.TrainConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert "\nschedule = [1.0, 0.5, 0.25]  # learning-rate schedule, or" in config.to_toml()
    assert tt.TrainConfig.from_dict(tomllib.loads(config.to_toml())) == config
    run = tt.Run.create(tmp_path / "run", config)
    calls: list[int] = []
    with pytest.raises(tt.Stopped):
        run.train(DIGITS, progress=False, stop=lambda: calls.append(1) or len(calls) == 3)  # type: ignore[func-returns-value]
    tt.Run.open(run.path).train(DIGITS, progress=False)
    assert [metrics.lr_scale for metrics in run.metrics()] == FACTORS
    whole = config.network(DIGITS)
    config.fit(whole, DIGITS, progress=False)
    assert run.network().digest() == whole.digest()


def test_configs_refuse_functions_and_other_lengths() -> None:
    with pytest.raises(TypeError, match="schedule must be a name or a sequence of factors, not <function"):
        tt.TrainConfig(schedule=lambda epoch: 1.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="a factor for each of 30 epochs, not 3"):
        tt.TrainConfig.from_dict({"schedule": FACTORS})
    with pytest.raises(ValueError, match="a factor for each of 2 epochs, not 3"):
        replace(tt.TrainConfig(epochs=3, schedule=(1, 1, 1)), epochs=2)
    with pytest.raises(ValueError, match="not 'decaying': did you mean decay"):
        tt.TrainConfig(schedule="decaying")


def command(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        cli.main([str(arg) for arg in args])
    assert isinstance(left.value.code, int)
    return left.value.code, *capsys.readouterr()


def test_the_command_line_takes_names_and_factors(capsys: pytest.CaptureFixture[str]) -> None:
    print_config = ["train", "--data", "digits", "--print-config", "--epochs", 3, "--schedule"]
    for text, schedule in (*((name, name) for name in schedules), ("1,0.5,0.25", FACTORS), ("1, .5, 25e-2", FACTORS)):
        code, out, _ = command(capsys, *print_config, text)
        assert (code, tomllib.loads(out)["schedule"]) == (0, schedule)
    for text, words in (
        ("1,0.5", "schedule must have a factor for each of 3 epochs, not 2"),
        ("1,0.5,nan", "schedule must be a finite number of at least 0 in epoch 3, not nan"),
        ("dekay", "constant, decay, swa, or factors such as 1,0.5,0.25, not 'dekay': did you mean decay?"),
        ("1,a,2", "not '1,a,2'"),
        ("", "not ''"),
    ):
        code, out, err = command(capsys, *print_config, text)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert words in err
    assert apply_flags(tt.TrainConfig(epochs=1), {"schedule": [0.5]}).schedule == (0.5,)


def test_a_sweep_over_schedules(tmp_path: Path) -> None:
    base = tt.TrainConfig(data="digits", epochs=3, examples=20, rule=tt.DigitalSgd())
    grid = tt.experiments.cells(base, {"schedule": ["decay", FACTORS]}, seeds=[1])
    rows = tt.experiments.sweep(grid, out=tmp_path / "rows.jsonl", progress=False)
    assert rows[0]["digest"] == rows[1]["digest"]
    assert [row["config"]["schedule"] for row in rows] == ["decay", FACTORS]
    assert rows == tt.experiments.sweep(grid, out=tmp_path / "rows.jsonl", progress=False)
