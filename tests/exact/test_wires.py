"""The resistance of wires against the exact solution of the network of resistors that it stands for.

`examples/wires.py` solves it: between two neighbouring values of |x| the network is one of constant resistors, whose
equations are linear.
"""

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tikitaka as tt

BOUND = tt.ConstantStep(weight_step=0.001, bound=1.0)


solved = runpy.run_path(str(Path(__file__).parents[2] / "examples" / "wires.py"))["solved"]


def array(weights: Any, wire: float | None, **periphery: Any) -> tt.Crossbar:
    made = tt.Crossbar(*weights.shape, BOUND, periphery=tt.Periphery(wire_ratio=wire, **periphery))
    made.weights = weights
    return made


def load(weights: Any, x: Any, wire: float) -> float:
    """The largest a of a line."""
    return max(len(x) / wire * np.maximum(sign * weights, 0).dot(np.abs(x)).max() for sign in (1, -1))


INPUTS = {
    "signed": lambda generator, n: generator.uniform(-1, 1, n),
    "positive": lambda generator, n: generator.uniform(0, 1, n),
    "on": lambda generator, n: np.ones(n),
    "few": lambda generator, n: generator.uniform(0, 1, n) * (generator.random(n) < 0.2),
}


@pytest.mark.parametrize("inputs", INPUTS)
@pytest.mark.parametrize(("n", "wire"), [(32, 20_000.0), (32, 8_000.0), (64, 50_000.0), (64, 30_000.0)])
@pytest.mark.parametrize("seed", range(3))
def test_products_are_those_of_the_network_of_resistors(n: int, wire: float, inputs: str, seed: int) -> None:
    """Within 2 % where the load a of every line is below 0.06: there wires take up to some 4 %."""
    generator = np.random.default_rng(seed)
    weights = generator.uniform(-1, 1, (n, n)).astype(np.float32)
    x = INPUTS[inputs](generator, n).astype(np.float32)
    made = array(weights, wire)
    assert load(weights, x, wire) < 0.06
    assert load(weights.T, x, wire) < 0.06
    for product, w in ((made.forward, weights), (made.backward, weights.T)):
        exact, ideal = solved(w.astype(float), x.astype(float), wire), w @ x
        error = np.linalg.norm(product(x) - exact)
        assert error < 0.02 * np.linalg.norm(exact)
        assert error < 0.7 * np.linalg.norm(ideal - exact)  # which is not the ideal one


def test_the_far_end_of_a_line_loses_most() -> None:
    """One device at a time: products and reads, forward and backward, with the exact answer w/(1 + w·k/r)."""
    n, wire = 16, 2000.0
    made, at = array(np.full((n, n), 0.5, np.float32), wire), np.arange(1, n + 1)
    exact = 0.5 / (1 + 0.5 * at / wire)
    forward = made.forward(np.eye(n, dtype=np.float32))[:, 0]
    backward = made.backward(np.eye(n, dtype=np.float32))[:, 0]
    for got in (
        forward,
        backward,
        [made.read_column(k)[0] for k in range(n)],
        [made.read_row(k)[0] for k in range(n)],
        made.read_weights()[3],
    ):
        # the formula spreads the load of the one device over its line, so that only the mean of the loss is exact
        loss, expected = 0.5 - np.asarray(got), 0.5 - exact
        assert np.all(np.diff(loss) > 0)
        assert np.mean(loss) == pytest.approx(np.mean(expected), rel=0.5)


def test_lines_of_other_arrays_do_not_matter() -> None:
    """The loss grows with the square of the inputs of a line, not with its outputs, and is small on a tile."""
    x = np.ones(64, np.float32)
    loss = {}
    for shape in ((1, 64), (16, 64), (1, 32)):
        made = array(np.full(shape, 0.3, np.float32), 10_000.0)
        y = made.forward(x[: shape[1]])
        loss[shape] = 1 - y[0] / (0.3 * shape[1])
        np.testing.assert_array_equal(y, y[0])
    assert loss[1, 64] == loss[16, 64]
    assert loss[1, 64] / loss[1, 32] == pytest.approx(4, rel=0.1)


def test_tiles_lose_less() -> None:
    weights, x = np.full((4, 64), 0.3, np.float32), np.ones(64, np.float32)
    rule = {"device": BOUND, "periphery": tt.Periphery(wire_ratio=5000.0)}
    whole = tt.AnalogLayer(tt.AnalogSgd(**rule), weights).forward(x)
    tiles = tt.AnalogLayer(tt.AnalogSgd(**rule, tile=16), weights).forward(x)
    lost = [19.2 - y[0] for y in (whole, tiles)]
    assert lost[1] < lost[0] / 10


@pytest.mark.parametrize("wire", [20_000.0, 5000.0, 1000.0, 100.0, 1.0])
def test_bad_wires_take_at_most_everything(wire: float) -> None:
    """512 equal devices with equal inputs: what is left is tanh(√a)/√a, within what first order can do, and never less
    than nothing."""
    weights, x = np.full((2, 512), 0.3, np.float32), np.full(512, 0.5, np.float32)
    left = array(weights, wire).forward(x) / (weights @ x)
    root = np.sqrt(512 / wire * 512 * 0.15)
    assert np.all(left > 0)
    assert left[0] == pytest.approx(np.tanh(root) / root, abs=0.2)
    assert np.all(array(weights, wire).read_column(511) >= 0)


def test_ideal_wires_are_exact() -> None:
    weights = np.random.default_rng(0).uniform(-1, 1, (9, 20)).astype(np.float32)
    x = np.random.default_rng(1).uniform(-1, 1, (5, 20)).astype(np.float32)
    np.testing.assert_allclose(array(weights, 1e15).forward(x), array(weights, None).forward(x), atol=1e-6)
    with pytest.raises(ValueError, match="wire_ratio must be from 1"):
        tt.Periphery(wire_ratio=0.5)
