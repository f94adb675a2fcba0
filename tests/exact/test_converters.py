"""Unequal output converters, noisy devices and inputs bit by bit, against NumPy."""

from typing import Any

import numpy as np
import pytest

import tikitaka as tt

BOUND = tt.ConstantStep(weight_step=0.001, bound=1.0)
W = np.random.default_rng(0).uniform(-1, 1, (12, 30)).astype(np.float32)
X = np.random.default_rng(1).uniform(-1, 1, (5, 30)).astype(np.float32)
DELTA = np.random.default_rng(2).uniform(-1, 1, (5, 12)).astype(np.float32)


def array(periphery: tt.Periphery, *, weights: Any = W, seed: int = 1) -> tt.Crossbar:
    made = tt.Crossbar(*weights.shape, BOUND, periphery=periphery, seed=seed)
    made.weights = weights
    return made


def errors(io: tt.IoSettings, **directions: Any) -> tuple[Any, Any, tt.Crossbar]:
    """Gains and offsets of the forward converters, from products with no and one input."""
    made = array(tt.Periphery(forward=io, **directions))
    offset = made.forward(np.zeros(30))
    gain = (made.forward(X[0]) - offset) / (W @ X[0])
    return gain, offset, made


def test_each_converter_has_a_gain_and_an_offset() -> None:
    io = tt.IoSettings(adc_gain_error=0.1, adc_offset_error=0.2)
    gain, offset, made = errors(io)
    np.testing.assert_allclose(made.forward(X), (X @ W.T) * gain + offset, atol=2e-5)
    np.testing.assert_allclose(made.backward(DELTA), DELTA @ W, atol=1e-5)  # whose converters are others
    many = array(tt.Periphery(forward=io), weights=np.ones((4000, 2), np.float32) * 0.5)
    offset = many.forward(np.zeros(2))
    gain = many.forward(np.ones(2)) - offset
    assert gain.mean() == pytest.approx(1, abs=0.01)
    assert gain.std() == pytest.approx(0.1, rel=0.06)
    assert offset.mean() == pytest.approx(0, abs=0.02)
    assert offset.std() == pytest.approx(0.2, rel=0.06)
    assert abs(np.corrcoef(gain, offset)[0, 1]) < 0.06
    assert np.any(array(tt.Periphery(forward=io), seed=2).forward(X[0]) != made.forward(X[0]))


def test_a_converter_errs_to_the_same_side_in_products_and_reads() -> None:
    forward = tt.IoSettings(adc_gain_error=0.1)
    made = array(tt.Periphery(forward=forward, read=tt.IoSettings(adc_gain_error=0.05), backward=forward))
    gain = made.forward(X[0]) / (W @ X[0])
    np.testing.assert_allclose(made.read_column(3) / W[:, 3], 1 + (gain - 1) / 2, atol=1e-4)
    np.testing.assert_allclose(made.read(X[0]) / (W @ X[0]), 1 + (gain - 1) / 2, atol=1e-4)
    gain = made.backward(DELTA[0]) / (DELTA[0] @ W)
    np.testing.assert_allclose(made.read_row(3) / W[3], 1 + (gain - 1) / 2, atol=1e-3)


def test_errors_come_before_rounding_and_clipping() -> None:
    """With bound management: an output that saturates is converted again, through the same converter."""
    exact = tt.IoSettings(adc_gain_error=0.3, adc_offset_error=0.1)
    gain, offset, _ = errors(exact)
    rounded = tt.IoSettings(adc_gain_error=0.3, adc_offset_error=0.1, adc_bits=8, adc_bound=2.0)
    step = 4.0 / 254
    y = array(tt.Periphery(forward=rounded)).forward(X)
    np.testing.assert_allclose(y, np.clip(np.round(((X @ W.T) * gain + offset) / step) * step, -2, 2), atol=1e-5)
    managed = tt.IoSettings(adc_gain_error=0.3, adc_offset_error=0.1, adc_bits=8, adc_bound=2.0, bound_management=True)
    y = array(tt.Periphery(forward=managed)).forward(4 * X)
    for v in range(len(X)):
        for i in range(len(W)):
            product, factor = 4 * X[v] @ W[i], 1.0
            while abs((product / factor) * gain[i] + offset[i]) > 2.0:
                factor *= 2
            expected = np.round(((product / factor) * gain[i] + offset[i]) / step) * step * factor
            assert y[v, i] == pytest.approx(expected, abs=1e-4 * factor)


@pytest.mark.parametrize("output_noise", [0.0, 0.05])
@pytest.mark.parametrize("managed", [False, True])
def test_noise_of_devices_is_proportional_to_their_weights(output_noise: float, managed: bool) -> None:
    """Var y_i = σ² + σ_r² Σ_j w_ij² x_j², in units of the scaled inputs under noise management."""
    io = tt.IoSettings(read_noise=0.2, output_noise=output_noise, noise_management=managed)
    made = array(tt.Periphery(forward=io, backward=io, read=io))
    n = 20_000
    for product, x, w in ((made.forward, 2 * X[0], W), (made.backward, 2 * DELTA[0], W.T)):
        y = product(np.tile(x, (n, 1)))
        scale = np.abs(x).max() if managed else 1.0
        expected = np.sqrt((scale * output_noise) ** 2 + 0.04 * (w**2 @ x**2))
        np.testing.assert_allclose(y.mean(0), w @ x, atol=6 * expected.max() / np.sqrt(n))
        np.testing.assert_allclose(y.std(0), expected, rtol=6 / np.sqrt(2 * n))
    reads = np.array([made.read_column(4) for _ in range(4000)])
    expected = np.sqrt(output_noise**2 + 0.04 * W[:, 4] ** 2)
    np.testing.assert_allclose(reads.std(0), expected, rtol=6 / np.sqrt(8000))


def test_noise_of_devices_with_bound_management() -> None:
    """Halved inputs carry half the noise of devices, which counts twice after the product: as much as without."""
    io = tt.IoSettings(read_noise=0.01, adc_bits=20, adc_bound=1.0, bound_management=True)
    y = array(tt.Periphery(forward=io)).forward(np.tile(X[0], (20_000, 1)))
    expected, exact = 0.01 * np.sqrt(W**2 @ X[0] ** 2), W @ X[0]
    clear = np.min(np.abs(np.abs(exact)[:, None] - [1, 2, 4]), axis=1) > 6 * expected  # whether one saturates is sure
    assert np.sum(clear & (np.abs(exact) > 1)) > 3
    np.testing.assert_allclose(y.std(0)[clear], expected[clear], rtol=0.03)
    np.testing.assert_allclose(y.mean(0)[clear], exact[clear], atol=0.002)


def test_bits_of_an_input_one_after_another() -> None:
    """Without other errors the sum over bits is the product with the converted input."""
    plain = tt.IoSettings(dac_bits=5, dac_bound=1.5, noise_management=True)
    serial = tt.IoSettings(dac_bits=5, dac_bound=1.5, noise_management=True, bit_serial=True)
    for periphery in ({"forward": plain}, {"backward": plain}):
        made = array(tt.Periphery(**periphery))
        bits = array(tt.Periphery(**{name: serial for name in periphery}))
        if "forward" in periphery:
            np.testing.assert_allclose(bits.forward(X), made.forward(X), atol=1e-5)
            assert bits.ledger["forward_mvms"] == 5 * 4
            assert bits.ledger["dac_conversions"] == 5 * 4 * 30
            assert bits.ledger["adc_conversions"] == 5 * 4 * 12
        else:
            np.testing.assert_allclose(bits.backward(DELTA), made.backward(DELTA), atol=1e-5)
    assert not bits.backward(np.zeros((2, 12))).any()


def test_each_bit_goes_through_the_converter() -> None:
    io = tt.IoSettings(dac_bits=4, adc_bits=5, adc_bound=3.0, bit_serial=True)
    y, step = array(tt.Periphery(forward=io)).forward(X), 6.0 / 30
    levels = np.round(np.abs(X) * 7).astype(int)
    expected = np.zeros((5, 12))
    for k in range(3):
        inputs = np.where(levels >> k & 1, np.sign(X), 0)
        expected += 2**k / 7 * np.clip(np.round(inputs @ W.T / step) * step, -3, 3)
    np.testing.assert_allclose(y, expected, atol=1e-4)


def test_noise_of_bits_is_independent() -> None:
    """σ² Σ_k 4^k/(2^P − 1)²."""
    io = tt.IoSettings(dac_bits=4, output_noise=0.1, bit_serial=True)
    for made, product in (
        (array(tt.Periphery(forward=io)), "forward"),
        (array(tt.Periphery(backward=io)), "backward"),
    ):
        x = DELTA[0] if product == "backward" else X[0]
        y = np.array([getattr(made, product)(x) for _ in range(5000)])
        assert y.std(0).mean() == pytest.approx(0.1 * np.sqrt(21) / 7, rel=0.03)
    with pytest.raises(ValueError, match=r"read\.bit_serial must be"):
        tt.Periphery(read=io)


def test_bits_of_nothing_count() -> None:
    """A vector of zeros takes as many products and conversions as any other, on tiles too, which can be saved."""
    io = tt.IoSettings(dac_bits=7, noise_management=True, bit_serial=True)
    made = tt.AnalogLayer(tt.AnalogSgd(periphery=tt.Periphery(forward=io), tile=4), np.zeros((4, 8)), seed=1)
    made.forward(np.zeros((3, 8)))
    counts = made.ledger["slow"]
    assert counts["forward_mvms"] == 3 * 6 * 2
    assert counts["dac_conversions"] == 3 * 6 * 8
    assert counts["adc_conversions"] == 3 * 6 * 4 * 2
    made.restore(made.state())


def test_bits_and_wires_together() -> None:
    """Each bit loads the wires on its own."""
    io = tt.IoSettings(dac_bits=3, bit_serial=True)
    y = array(tt.Periphery(forward=io, wire_ratio=2e4)).forward(X)
    planes = array(tt.Periphery(wire_ratio=2e4))
    levels = np.round(np.abs(X) * 3).astype(int)
    expected = sum(2**k / 3 * planes.forward(np.where(levels >> k & 1, np.sign(X), 0)) for k in range(2))
    np.testing.assert_allclose(y, expected, atol=1e-4)
