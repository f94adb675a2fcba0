"""Regression with the loss "mse": targets of either shape, metrics in the units of the targets, early stopping."""

import math
from pathlib import Path

import numpy as np
import pytest

import tikitaka as tt
from tikitaka.data import Dataset

RNG = np.random.default_rng(5)
X = RNG.uniform(-1, 1, (200, 3)).astype(np.float32)
Y = (0.5 * X[:, 0] - 0.3 * X[:, 1]).astype(np.float32)
LAYERS = [tt.nn.Linear(3, 8), tt.nn.Tanh(), tt.nn.Linear(8, 1)]
RULE = tt.DigitalSgd(lr=0.1)


@pytest.mark.parametrize("loss", ["mse"])
@pytest.mark.parametrize("order", [None, [5, 3, 7]])
def test_plain_and_column_targets_train_to_the_same_bits(loss: str, order: list[int] | None) -> None:
    one, two = (tt.Network(LAYERS, RULE, loss=loss) for _ in range(2))
    assert one.train(X, Y, order=order).loss == two.train(X, Y[:, np.newaxis], order=order).loss > 0
    assert one.digest() == two.digest()
    assert one.evaluate(X, Y).loss == two.evaluate(X, Y[:, np.newaxis]).loss
    assert one.extract("read").evaluate(X, Y.tolist()).loss == two.extract("read").evaluate(X, Y[:, np.newaxis]).loss


def test_plain_targets_of_sequences() -> None:
    x, y = X[:192].reshape(16, 4, 9)[..., :3], Y[:64].reshape(16, 4)
    layers = [tt.nn.LSTM(3, 4), tt.nn.Linear(4, 1)]
    one, two = (tt.Network(layers, RULE, loss="mse") for _ in range(2))
    assert one.train(x, y, order=[3, 1]).loss == two.train(x, y[..., np.newaxis], order=[3, 1]).loss
    assert one.digest() == two.digest()
    assert one.evaluate(x, y) == pytest.approx(two.evaluate(x, y[..., np.newaxis]), nan_ok=True)


@pytest.mark.parametrize("y", [np.stack([Y, Y]), Y[:-1], Y[:, np.newaxis, np.newaxis], np.stack([Y, Y], axis=1)])
def test_other_shapes_are_refused(y: np.ndarray) -> None:
    network = tt.Network(LAYERS, RULE, loss="mse")
    digest = network.digest()
    with pytest.raises(ValueError, match=r"targets must have"):
        network.train(X, y)
    assert network.digest() == digest
    two = tt.Network([tt.nn.Linear(3, 2)], RULE, loss="mse")
    with pytest.raises(ValueError, match=r"targets must have"):
        two.train(X, Y)  # one number cannot be the target of two outputs


def test_scores_are_in_units_of_the_targets() -> None:
    network = tt.Network([tt.nn.Linear(3, 2)], RULE, loss="mse")
    y = np.stack([100 * Y, Y], axis=1)
    score = network.evaluate(X, y)
    assert score.rmse == pytest.approx(float(np.sqrt(np.mean((network.predict(X) - y) ** 2))), rel=1e-5)
    assert math.isnan(score.error)  # no classes, so none is wrong
    classes = tt.Network([tt.nn.Linear(3, 2)], RULE)
    assert math.isnan(classes.evaluate(X, Y > 0).rmse)


def test_metrics_stopping_and_curves_of_a_regression(tmp_path: Path) -> None:
    dataset = Dataset.from_arrays(X, Y, seed=1)
    network = tt.Network(LAYERS, tt.DigitalSgd(lr=0.3), loss="mse", seed=1)
    stopping = tt.EarlyStopping(patience=2, min_delta=1e-4)
    history = tt.fit(network, dataset, epochs=60, validation=0.2, on_epoch=stopping, progress=False)
    assert len(history) == stopping.best_epoch + 2 < 60
    last = history[-1]
    predicted = network.predict(dataset.test_x)
    assert last.test_rmse == pytest.approx(float(np.sqrt(np.mean((predicted - dataset.test_y) ** 2))), rel=1e-4)
    assert last.validation_rmse == pytest.approx(math.sqrt(2 * (last.validation_loss or 0)))
    assert 0 < last.train_rmse < history[0].train_rmse
    assert last.test_rmse < 0.3 * float(np.std(dataset.test_y))
    tt.plot.curves({"float": history}, tmp_path / "curves.svg")
    text = (tmp_path / "curves.svg").read_text(encoding="utf-8")
    assert "root mean square error (units of the targets)" in text
    assert "wrong classes" not in text


def test_a_regression_has_no_probabilities(tmp_path: Path) -> None:
    network = tt.Network([tt.nn.Linear(2, 2)], tt.DigitalSgd(), loss="mse")
    text = tt.Network([tt.nn.LSTM(3, 3), tt.nn.Linear(3, 3)], tt.DigitalSgd(), loss="mse")
    model = network.extract("read")
    for call in (
        lambda: network.probabilities([[1.0, 2.0]]),
        lambda: model.probabilities([[1.0, 2.0]]),
        lambda: text.sample([0], 3),
        lambda: tt.export.onnx(model, tmp_path / "m.onnx", probabilities=True),
    ):
        with pytest.raises(ValueError, match=r"loss must be .*cross-entropy.* for probabilities, not .*mse"):
            call()
    assert not list(tmp_path.iterdir())


def test_a_chip_of_a_regression() -> None:
    network = tt.Network(LAYERS, RULE, loss="mse", seed=1)
    for _ in range(10):
        network.train(X, Y)
    chip = tt.program(network.extract("read"), device=tt.ConstantStep(states=1000), seed=1)
    assert chip.network.loss == "mse"
    assert chip.network.evaluate(X, Y).rmse < 2 * network.evaluate(X, Y).rmse + 0.05
