"""Convolutions and sequences in one call are the products and updates of single vectors, bit for bit."""

import numpy as np
import pytest

import tikitaka as tt
from tikitaka._core import Convolution, lstm_backward, lstm_forward

FULL = tt.Periphery.full()
RULES: dict[str, tt.RuleConfig] = {
    "float": tt.DigitalSgd(lr=0.1),
    "sgd": tt.AnalogSgd(lr=0.1, periphery=FULL),
    "ttv2": tt.Ttv2(periphery=FULL),
    "agad": tt.Agad(periphery=FULL),
    "tiles": tt.Ttv2(periphery=FULL, tile=5),
}
GEOMETRIES = {
    "plain": Convolution((5, 6), 2, (3, 2)),
    "everything": Convolution((5, 6), 2, (3, 2), stride=(2, 1), dilation=(1, 2), padding=(1, 0, 2, 1), bias=True),
    "one row": Convolution((1, 9), 3, (1, 3), padding=(0, 0, 1, 1)),
    "pixels": Convolution((5, 6), 7, (1, 1)),
}
SHAPES = {"plain": (5, 6, 2), "everything": (5, 6, 2), "one row": (1, 9, 3), "pixels": (5, 6, 7)}


def patches_of(name: str, images: np.ndarray) -> np.ndarray:
    """The patches pixel by pixel, in plain NumPy."""
    kernel, stride, dilation, (above, below, before, after), bias = {
        "plain": ((3, 2), (1, 1), (1, 1), (0, 0, 0, 0), False),
        "everything": ((3, 2), (2, 1), (1, 2), (1, 0, 2, 1), True),
        "one row": ((1, 3), (1, 1), (1, 1), (0, 0, 1, 1), False),
        "pixels": ((1, 1), (1, 1), (1, 1), (0, 0, 0, 0), False),
    }[name]
    padded = np.pad(images, ((0, 0), (above, below), (before, after), (0, 0)))
    rows = [(n - d * (k - 1) - 1) // s + 1
            for n, k, s, d in zip(padded.shape[1:3], kernel, stride, dilation, strict=True)]  # fmt: skip
    patches = []
    for image in padded:
        for i in range(rows[0]):
            for j in range(rows[1]):
                pixels = [
                    image[i * stride[0] + a * dilation[0], j * stride[1] + b * dilation[1]]
                    for a in range(kernel[0])
                    for b in range(kernel[1])
                ]
                patches.append(np.concatenate([*pixels, np.ones(int(bias))]))
    return np.array(patches, np.float32)


def layer_of(rule: tt.RuleConfig, rows: int, columns: int) -> tt.AnalogLayer:
    weights = np.random.default_rng(3).uniform(-0.5, 0.5, (rows, columns))
    return tt.AnalogLayer(rule, weights, seed=2)


@pytest.mark.parametrize("name", GEOMETRIES)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("threads", [1, 3])
def test_a_convolution_is_the_products_of_its_patches(rule: str, name: str, threads: int) -> None:
    convolution, draw = GEOMETRIES[name], np.random.default_rng(1)
    images = draw.normal(size=(3, *SHAPES[name])).astype(np.float32)
    patches = patches_of(name, images)
    np.testing.assert_array_equal(convolution.gather(images), patches)
    assert len(patches) == 3 * convolution.patches
    one, other = (layer_of(RULES[rule], 4, patches.shape[1]) for _ in range(2))
    for _ in range(3):
        y = convolution.forward(one, images, threads=threads)
        np.testing.assert_array_equal(y.reshape(-1, 4), other.forward(patches))
        seen = convolution.forward(one, images, draw=5, threads=threads)
        np.testing.assert_array_equal(seen.reshape(-1, 4), other.evaluate(patches, draw=5))
        delta = draw.normal(size=y.shape).astype(np.float32)
        # What comes back goes to every pixel that a value of a patch came from: the transpose of gathering.
        back, z = convolution.backward(one, delta, threads=threads), other.backward(delta.reshape(-1, 4))
        shift = draw.normal(size=images.shape).astype(np.float32)
        moved = patches_of(name, shift) - patches_of(name, 0 * shift)
        assert np.sum(back * shift) == pytest.approx(np.sum(z * moved), rel=1e-3, abs=1e-3)
        exact = convolution.backward(one, delta, exact=True)
        z = delta.reshape(-1, 4) @ one.weights
        assert np.sum(exact * shift) == pytest.approx(np.sum(z * moved), rel=1e-3, abs=1e-3)
        convolution.update(one, images, delta, lr_scale=0.5, threads=threads)
        other.update(patches, delta.reshape(-1, 4), lr_scale=0.5)
        np.testing.assert_array_equal(one.weights, other.weights)
    assert one.ledger == other.ledger


@pytest.mark.parametrize("rule", RULES)
def test_a_mini_batch_in_parts(rule: str) -> None:
    convolution, draw = GEOMETRIES["plain"], np.random.default_rng(1)
    images = draw.normal(size=(4, 5, 6, 2)).astype(np.float32)
    delta = draw.normal(size=(4, 3, 5, 4)).astype(np.float32)
    one, other = (layer_of(RULES[rule], 4, 12) for _ in range(2))
    for layer in (one, other):
        convolution.forward(layer, images)
    convolution.update(one, images, delta)
    convolution.update(other, images[:1], delta[:1], last=False)
    convolution.update(other, images[1:], delta[1:])
    np.testing.assert_array_equal(one.weights, other.weights)
    assert one.ledger == other.ledger


def test_a_crossbar_convolves() -> None:
    array = tt.Crossbar(3, 12, periphery=FULL, seed=1)
    same = tt.Crossbar(3, 12, periphery=FULL, seed=1)
    array.weights = same.weights = np.random.default_rng(2).uniform(-0.3, 0.3, (3, 12))
    convolution, images = GEOMETRIES["plain"], np.random.default_rng(3).normal(size=(2, 5, 6, 2))
    y = convolution.forward(array, images)
    np.testing.assert_array_equal(y.reshape(-1, 3), same.forward(convolution.gather(images)))


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("bias", [False, True])
def test_a_sequence_is_the_products_of_its_steps(rule: str, bias: bool) -> None:
    steps, batch, hidden, scale = 4, 3, 5, 2.0
    draw = np.random.default_rng(1)
    inputs = draw.normal(size=(steps, batch, 4 * hidden)).astype(np.float32)
    h, c = draw.normal(size=(2, batch, hidden)).astype(np.float32)
    one, other = (layer_of(RULES[rule], 4 * hidden, hidden + bias) for _ in range(2))
    outputs, last, kept = lstm_forward(one, inputs, h, c, scale=scale)
    seen, gates, cells = [], [], []
    for t in range(steps):
        seen.append(np.hstack([h, np.ones((batch, int(bias)), np.float32)]).astype(np.float32))
        np.testing.assert_array_equal(kept[1][t], seen[t])
        a = inputs[t] + scale * other.forward(kept[1][t])
        i, f, g, o = np.split(a, 4, axis=1)
        gates.append((sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)))
        cells.append(c)
        c = gates[t][1] * c + gates[t][0] * gates[t][2]
        np.testing.assert_allclose(outputs[t], gates[t][3] * np.tanh(c), rtol=1e-5, atol=1e-6)
        h = outputs[t]
    np.testing.assert_allclose(last, c, rtol=1e-5, atol=1e-6)
    dy = draw.normal(size=outputs.shape).astype(np.float32)
    dh, dc = np.zeros_like(h), draw.normal(size=c.shape).astype(np.float32)
    delta, dh_first, dc_first = lstm_backward(one, kept, dy, dc, scale=scale)
    for t in reversed(range(steps)):
        i, f, g, o = gates[t]
        after = np.tanh(f * cells[t] + i * g)
        dh = dh + dy[t]
        dc = dc + dh * o * (1 - after**2)
        parts = (dc * g * i * (1 - i), dc * cells[t] * f * (1 - f), dc * i * (1 - g**2), dh * after * o * (1 - o))
        np.testing.assert_allclose(delta[t], np.hstack(parts), rtol=1e-4, atol=1e-5)
        dc = dc * f
        dh = scale * other.backward(delta[t])[:, :hidden]
    np.testing.assert_allclose(dh_first, dh, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(dc_first, dc, rtol=1e-4, atol=1e-5)
    assert one.ledger == other.ledger


def test_what_does_not_fit_is_refused() -> None:
    layer, convolution = layer_of(RULES["float"], 4, 12), GEOMETRIES["plain"]
    images = np.zeros((1, 5, 6, 2))
    for arguments, message in [
        ((layer, images[..., :1]), r"images must have shape \(count, 5, 6, 2\), not \[1, 5, 6, 1\]"),
        ((layer_of(RULES["float"], 4, 11), images), "array must have 12 columns, not 11"),
        ((layer, images + np.nan), "images must be finite"),
    ]:
        with pytest.raises(ValueError, match=message):
            convolution.forward(*arguments)
    with pytest.raises(TypeError, match=r"array must be a tikitaka\.AnalogLayer or Crossbar, not int"):
        convolution.forward(3, images)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"delta must be of 1 images, not 2"):
        convolution.update(layer, images, np.zeros((2, 3, 5, 4)))
    for settings, message in [
        ({"kernel": (6, 1)}, "kernel must be at most 5, not 6"),
        ({"kernel": (0, 1)}, "kernel must be at least 1, not 0"),
        ({"kernel": (1, 1), "stride": (1, 0)}, "stride must be at least 1, not 0"),
        ({"kernel": (1, 1), "padding": (0, 0, 0, 1 << 40)}, "padding must be at most"),
    ]:
        with pytest.raises(ValueError, match=message):
            Convolution((5, 6), 2, **settings)  # type: ignore[arg-type]
    square = layer_of(RULES["float"], 8, 2)
    h = np.zeros((3, 2))
    with pytest.raises(
        ValueError, match=r"array must have shape \(4 hidden, hidden\) or one column more, not \(4, 12\)"
    ):
        lstm_forward(layer, np.zeros((1, 3, 4)), h, h)
    with pytest.raises(ValueError, match="inputs must have 8 values for each sequence, not 4"):
        lstm_forward(square, np.zeros((1, 3, 4)), h, h)
    with pytest.raises(ValueError, match="scale must be"):
        lstm_forward(square, np.zeros((1, 3, 8)), h, h, scale=np.nan)
    with pytest.raises(ValueError, match=r"h must have shape \(count, 2\)"):
        lstm_forward(square, np.zeros((1, 3, 8)), np.zeros((3, 3)), h)
    with pytest.raises(ValueError, match="c must fit"):
        lstm_forward(square, np.zeros((1, 3, 8)), h, np.zeros((2, 2)))
    outputs, last, kept = lstm_forward(square, np.zeros((1, 3, 8)), h, h)
    with pytest.raises(ValueError, match="gates must be finite"):
        lstm_backward(square, (kept[0] * np.nan, *kept[1:]), outputs, last)
    outputs, last, kept = lstm_forward(square, np.zeros((0, 3, 8)), h, h + 1)
    assert outputs.shape == (0, 3, 2)
    assert (last == 1).all()
    delta, _, dc = lstm_backward(square, kept, outputs, last)
    assert delta.shape == (0, 3, 8)
    assert (dc == 1).all()
