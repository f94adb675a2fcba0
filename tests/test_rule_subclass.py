"""TTv1 written once more in Python equals the built-in rule bit for bit."""

from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

import tikitaka as tt

F32 = NDArray[np.float32]
DIGITS = tt.data.load("digits").first(60)
LAYERS = [tt.nn.Linear(64, 12), tt.nn.Sigmoid(), tt.nn.Linear(12, 10)]


class PythonTtv1(tt.Rule):
    """GH20: gradients gather on A; every ns samples one column of A is read and added to that column of C."""

    def __init__(self, config: tt.Ttv1) -> None:
        self.config = config

    def build(self, weights: F32, seed: int, layer: int) -> None:
        (rows, cols), c = weights.shape, self.config
        new = partial(tt.Crossbar, rows, cols, c.device, periphery=c.periphery, pulse_trains=c.pulse_trains, seed=seed)
        self.a = new(reference=c.reference, array=2 * layer)
        self.c = new(reference=c.slow_reference, array=2 * layer + 1)
        self.c.weights = weights
        self.samples = self.k = 0

    def forward(self, x: F32) -> F32:
        return self.c.forward(x)

    def backward(self, delta: F32) -> F32:
        return self.c.backward(delta)

    def evaluate(self, x: F32, draw: int) -> F32:
        return self.c.evaluate(x, draw=draw)

    def weights(self) -> F32:
        return self.c.weights

    def update(self, x: F32, delta: F32, lr_scale: float) -> None:
        cols = self.c.shape[1]
        for x_s, delta_s in zip(x, delta, strict=True):
            self.a.update(x_s, -delta_s, self.config.fast_lr)
            self.samples += 1
            if self.samples % self.config.transfer_every == 0:
                v = self.a.read_column(self.k)
                self.c.update(np.eye(cols, dtype=np.float32)[self.k], v, self.config.transfer_lr * lr_scale)
                self.k = (self.k + 1) % cols


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("periphery", [tt.Periphery.ideal(), tt.Periphery.full()], ids=["ideal", "full"])
def test_a_python_rule_equals_the_built_in(batch: int, periphery: tt.Periphery) -> None:
    config = tt.Ttv1(fast_lr=0.2, transfer_lr=0.5, transfer_every=2, periphery=periphery)
    networks = [tt.Network(LAYERS, rule, seed=7) for rule in (config, PythonTtv1(config))]
    scores = []
    for network in networks:
        score = network.train(DIGITS.train_x, DIGITS.train_y, batch=batch, lr_scale=0.7, threads=2)
        scores.append((score, network.evaluate(DIGITS.test_x, DIGITS.test_y, draw=3)))
    assert scores[0] == scores[1]
    for built_in, python in zip(*(network.weights for network in networks), strict=True):
        np.testing.assert_array_equal(built_in, python)


def test_a_python_rule_trains_by_fit_beside_a_built_in_one() -> None:
    network = tt.Network(LAYERS, [PythonTtv1(tt.Ttv1()), tt.DigitalSgd()], seed=1)
    history = tt.fit(network, DIGITS, epochs=2, progress=False)
    assert len(history) == 2
    assert "PythonTtv1" in network.describe()


def test_what_a_rule_lacks_is_named() -> None:
    class Empty(tt.Rule):
        """Nothing implemented."""

    with pytest.raises(NotImplementedError, match=r"Empty must implement build\(\)"):
        tt.Network(LAYERS, Empty())


def test_errors_of_a_rule_reach_the_caller() -> None:
    class Broken(PythonTtv1):
        def update(self, x: F32, delta: F32, lr_scale: float) -> None:
            raise RuntimeError("out of paper")

    network = tt.Network(LAYERS, Broken(tt.Ttv1()))
    with pytest.raises(RuntimeError, match="out of paper"):
        network.train(DIGITS.train_x, DIGITS.train_y)


def test_an_object_that_is_no_rule_is_refused() -> None:
    with pytest.raises(TypeError, match="rule"):
        tt.Network(LAYERS, object())  # type: ignore[arg-type]
