"""Extraction: unbiased means of reads, and nothing but reads."""

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest
from numpy.typing import NDArray

import tikitaka as tt

F32 = NDArray[np.float32]
LAYERS = [tt.nn.Linear(64, 40), tt.nn.Tanh(), tt.nn.Linear(40, 10)]
NOISE = 0.06
NOISY_READS = tt.Periphery(read=tt.IoSettings(output_noise=NOISE))
DIGITS = tt.data.load("digits").first(50)


def assert_means_of_reads(residuals: list[F32], reads: list[F32]) -> None:
    """The residuals are N(0, NOISE²/reads): mean and variance within 4.5 standard errors.

    The two statistics are close to normal, so the false-positive rate is 1.4e-5; seeds are fixed.
    """
    z = np.concatenate([(r * np.sqrt(n) / NOISE).ravel() for r, n in zip(residuals, reads, strict=True)])
    assert abs(z.mean()) * sqrt(z.size) < 4.5
    assert abs(np.square(z).mean() - 1) * sqrt(z.size / 2) < 4.5


@pytest.mark.parametrize("n", [1, 4, 64])
def test_the_mean_of_reads_is_unbiased_and_its_variance_falls_as_one_over_n(n: int) -> None:
    network = tt.Network(LAYERS, tt.AnalogSgd(periphery=NOISY_READS), seed=5)
    model = network.extract("reads", reads=n, draw=7)
    residuals = [m - w for m, w in zip(model.weights, network.weights, strict=True)]
    assert_means_of_reads(residuals, [np.float32(n) * np.ones_like(r) for r in residuals])
    assert (model.metadata["kind"], model.metadata["reads"]) == ("reads", n)


@pytest.mark.parametrize("samples", [130, 2000])
def test_the_average_of_a_network_at_rest_is_unbiased(samples: int) -> None:
    rule = tt.Ttv2(fast_lr=0.0, transfer_lr=1e-6, periphery=NOISY_READS)  # H never fills: C stays where it is
    network = tt.Network(LAYERS, rule, seed=6)
    network.averaging = True
    network.train(np.tile(DIGITS.train_x, (40, 1))[:samples], np.tile(DIGITS.train_y, 40)[:samples])
    model = network.extract()
    counts = [network.layer_state(k)["average_reads"] for k in range(2)]
    assert [c.sum() for c in counts] == [samples // 2] * 2  # a read per transfer, one every 2 samples
    slow = network.ledger["slow"]
    assert slow["line_reads"] == samples  # of two arrays
    assert slow["adc_conversions"] == samples * (40 + 10) + samples * 41 + samples // 2 * (40 + 10)  # W x, Wᵀ δ, reads
    assert model.metadata["reads"] == [[c.min(), c.max()] for c in counts]
    residuals = [m - w for m, w in zip(model.weights, network.weights, strict=True)]
    assert_means_of_reads(residuals, [np.broadcast_to(c, r.shape) for c, r in zip(counts, residuals, strict=True)])


def test_the_average_is_a_function_of_the_reads_alone() -> None:
    """Crossbars of the same seed, driven by the transfers of R24 eq. (10), give the same reads, and their means."""
    config = tt.Ttv2(fast_lr=0.3, transfer_lr=0.5, transfer_every=1, periphery=tt.Periphery.full(), average_every=2)
    rng = np.random.default_rng(2)
    start = rng.uniform(-0.2, 0.2, (4, 3)).astype(np.float32)
    layer = tt.AnalogLayer(config, start, seed=9)
    read = replace(config.periphery.read, adc_bound=config.average_bound)
    a = tt.Crossbar(4, 3, config.device, periphery=config.periphery, reference=config.reference, seed=9, array=0)
    c = tt.Crossbar(4, 3, config.device, periphery=replace(config.periphery, read=read), seed=9, array=1)
    c.weights = start
    h = np.zeros((4, 3), dtype=np.float32)
    reads: list[list[F32]] = [[], [], []]
    layer.averaging = True
    for t in range(120):
        x, delta = (rng.normal(size=n).astype(np.float32) for n in (3, 4))
        layer.update(x, delta)
        a.update(x, delta, -config.fast_lr)
        k, sweep = t % 3, t // 3
        h[:, k] += np.float32(config.transfer_lr) * a.read_column(k)
        full = np.abs(h[:, k]) >= 1
        if full.any():
            c.pulse_column(k, np.where(full, np.sign(h[:, k]), 0).astype(np.int32))
            h[full, k] = 0
        if sweep % 2 == 0:
            reads[k].append(c.read_column(k))
    assert not np.array_equal(c.weights, start)
    np.testing.assert_array_equal(layer.weights, c.weights)
    average = layer.average
    assert average is not None
    np.testing.assert_allclose(average, np.stack([np.mean(r, axis=0) for r in reads], axis=1), atol=1e-6)
    for k, each in enumerate(reads):  # the running mean, step by step in float32: the same bits
        mean = np.zeros(4, dtype=np.float32)
        for n, v in enumerate(each, 1):
            mean += np.float32(1 / n) * (v - mean)
        np.testing.assert_array_equal(average[:, k], mean)


def test_weights_below_the_resolution_of_the_converter_leave_no_trace() -> None:
    read = tt.IoSettings(adc_bits=9, adc_bound=1.0)
    rule = tt.Ttv2(fast_lr=0.0, periphery=tt.Periphery(read=read), average_bound=1.0)
    step = 2 / (2**9 - 2)
    on_levels = np.random.default_rng(3).integers(-60, 61, (10, 65)).astype(np.float32) * step
    made = []
    for shift in (0.0, 0.3 * step, -0.3 * step):
        network = tt.Network([tt.nn.Linear(64, 10)], rule, seed=4)
        network.start_from([on_levels + shift])
        network.averaging = True
        network.train(DIGITS.train_x, DIGITS.train_y)
        network.train(DIGITS.train_x, DIGITS.train_y)
        made.append((network.weights[0], *(network.extract(what).weights[0] for what in ("average", "read", "reads"))))
    assert not np.array_equal(made[0][0], made[1][0])
    for other in made[1:]:
        for ours, theirs in zip(made[0][1:], other[1:], strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_extraction_changes_nothing_and_says_where_it_comes_from() -> None:
    network = tt.Network(LAYERS, tt.Ttv2(slow_device=tt.SoftBounds(states=40), periphery=NOISY_READS), seed=8)
    with pytest.raises(ValueError, match="average_from"):
        network.extract()
    tt.fit(network, DIGITS, epochs=3, progress=False)
    before = network.digest()
    models = [network.extract(), network.extract("read", draw=3), network.extract("reads", reads=2)]
    assert network.digest() == before
    for model, kind in zip(models, ("average", "read", "reads"), strict=True):
        assert model.metadata["kind"] == kind
        assert (model.metadata["rule"], model.metadata["seed"]) == ("ttv2", 8)
        assert model.metadata["device"]["states"] == 40
        assert model.metadata["version"] == tt.__version__
    one, other = network.read_weights(draw=0), network.read_weights(draw=1)
    np.testing.assert_allclose(models[2].weights[0], (one[0] + other[0]) / 2, atol=1e-6)
    mixed = tt.Network(LAYERS, [tt.Ttv2(), tt.DigitalSgd()])
    assert mixed.extract("read").metadata["rule"] == ["ttv2", "float"]
    assert mixed.extract("read").metadata["device"][1] is None


@pytest.mark.parametrize(
    ("asked", "words"), [({"what": "weights"}, "average, read, reads"), ({"what": "reads", "reads": 0}, "at least 1")]
)
def test_bad_requests_are_refused(asked: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        tt.Network(LAYERS, tt.Ttv2()).extract(**asked)  # type: ignore[arg-type]
