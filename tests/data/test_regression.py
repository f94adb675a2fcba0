"""Regressions from end to end: trained by digital and analog rules, judged by loss, saved, resumed and refused."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from tikitaka.data import Dataset
from tikitaka.training.metrics import Metrics, Progress

RNG = np.random.default_rng(5)
X = RNG.uniform(-1, 1, (300, 3))
Y = np.stack([0.5 * X[:, 0] - 0.3 * X[:, 1], 0.4 * X[:, 1] + 0.2 * X[:, 2] ** 2], axis=1)
LAYERS = [tt.nn.Linear(3, 16), tt.nn.Tanh()]
RULES = {
    "float": tt.DigitalSgd(lr=0.1),
    "ttv2": tt.Ttv2(fast_lr=0.5, transfer_lr=1.0, device=tt.SoftBounds(states=100)),
}


def network(dataset: Dataset, rule: str = "float", **settings: Any) -> tt.Network:
    return tt.Network([*LAYERS, tt.nn.Linear(16, dataset.outputs)], RULES[rule], seed=1, **{"loss": "mse", **settings})


@pytest.mark.parametrize("y", [Y[:, 0], Y], ids=["(n,)", "(n, m)"])
@pytest.mark.parametrize("rule", RULES)
def test_a_regression_is_learned(rule: str, y: np.ndarray) -> None:
    dataset = Dataset.from_arrays(X, y, seed=2)
    learner = network(dataset, rule)
    history = tt.fit(learner, dataset, epochs=10, progress=False)
    naive = float(np.mean((dataset.test_y - dataset.train_y.mean(axis=0)) ** 2) / 2)
    assert history[-1].test_loss < 0.2 * naive
    assert history[-1].train_loss < history[0].train_loss
    assert all(math.isnan(metrics.test_error) and math.isnan(metrics.train_error) for metrics in history)

    outputs = learner.predict(dataset.test_x)
    assert outputs.shape == dataset.test_y.shape
    assert outputs.dtype == np.float32
    np.testing.assert_array_equal(outputs, learner.forward(dataset.test_x))
    score = learner.evaluate(dataset.test_x, dataset.test_y)
    assert score.loss == pytest.approx(float(np.mean((outputs - dataset.test_y) ** 2) / 2), rel=1e-5)
    assert math.isnan(score.error)

    model = learner.extract("read")
    assert math.isnan(model.evaluate(dataset.test_x, dataset.test_y).error)
    np.testing.assert_array_equal(model.predict(dataset.test_x), model.forward(dataset.test_x))


def test_the_loss_and_the_task_must_agree() -> None:
    regression = Dataset.from_arrays(X, Y, name="planes")
    classes = Dataset.from_arrays(X, X[:, 0] > 0, name="sides")
    for learner, dataset, words in (
        (
            network(regression, loss="cross-entropy"),
            regression,
            '^loss must be "mse" for planes, whose targets are the',
        ),
        (network(classes), classes, '^loss must be "cross-entropy" for sides, whose targets are classes, not "mse"$'),
    ):
        before = learner.digest()
        with pytest.raises(ValueError, match=words):
            tt.fit(learner, dataset, epochs=1, progress=False)
        assert learner.digest() == before


def test_the_bar_shows_the_loss(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    shown: list[dict[str, str]] = []
    monkeypatch.setattr("tikitaka.training.loop.tqdm.set_postfix", lambda _bar, values, **_: shown.append(values))
    dataset = Dataset.from_arrays(X, Y)
    (metrics,) = tt.fit(network(dataset), dataset, epochs=1, progress=False)
    classes = Dataset.from_arrays(X, X[:, 0] > 0)
    tt.fit(network(classes, loss="cross-entropy"), classes, epochs=1, progress=False)
    assert shown[0] == {"test_loss": f"{metrics.test_loss:.4g}"}
    assert list(shown[1]) == ["test_error"]


def test_a_regression_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tikitaka.training.loop._chunk_size", lambda *_: 16)
    dataset = Dataset.from_arrays(X, Y)
    whole = network(dataset, "ttv2")
    states: list[tuple[Progress, Any]] = []
    history = tt.fit(
        whole, dataset, epochs=2, progress=False, on_progress=lambda at: states.append((at, whole.state()))
    )
    start, state = states[20]
    again = network(dataset, "ttv2")
    again.restore(state)
    (last,) = tt.fit(again, dataset, epochs=2, progress=False, start=start)
    assert again.digest() == whole.digest()
    assert (last.train_loss, last.test_loss) == (history[-1].train_loss, history[-1].test_loss)


def test_a_run_of_a_regression_is_kept_and_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tikitaka.training.loop._chunk_size", lambda *_: 40)
    dataset = Dataset.from_arrays(X, Y, name="planes")
    config = tt.TrainConfig(data="planes", epochs=2, batch=4, rule=RULES["ttv2"])
    whole = tt.Run.create(tmp_path / "whole", config)
    summary = whole.train(dataset, progress=False)
    assert (summary["test_error"], summary["last_read_test_error"]) == (None, None)
    assert summary["test_loss"] == whole.metrics()[-1].test_loss
    json.dumps(summary, allow_nan=False)
    text = (tmp_path / "whole" / "metrics.jsonl").read_text()
    assert "NaN" not in text
    assert all(math.isnan(metrics.test_error) for metrics in whole.metrics())

    run = tt.Run.create(tmp_path / "run", config)
    asked = iter([False, False, True])
    with pytest.raises(tt.Stopped):
        run.train(dataset, progress=False, stop=lambda: next(asked))
    assert tt.Run.open(tmp_path / "run").network().loss == "mse"
    assert tt.Run.open(tmp_path / "run").train(dataset, progress=False)["digest"] == summary["digest"]
    assert tt.Run.open(tmp_path / "run").extract().loss == "mse"


def test_metrics_without_errors_come_back(tmp_path: Path) -> None:
    run = tt.Run.create(tmp_path / "run", tt.TrainConfig())
    logged = Metrics(1, 1.0, 0.5, math.nan, 0.25, math.nan, 10.0, 0.0, 2.0)
    run.log(logged)
    (back,) = run.metrics()
    np.testing.assert_array_equal(np.array([*vars(back).values()], float), np.array([*vars(logged).values()], float))
