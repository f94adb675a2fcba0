"""What goes wrong in use: each a clear exception, with nothing half-done."""

import multiprocessing
import sys

import numpy as np
import pytest

import tikitaka as tt

LAYERS = [tt.nn.Linear(4, 3), tt.nn.ReLU(), tt.nn.Linear(3, 2)]
RNG = np.random.default_rng(1)
X, Y = RNG.normal(size=(20, 4)), RNG.integers(0, 2, 20)


def test_a_diverged_network_says_so() -> None:
    network = tt.Network(LAYERS, tt.Float(lr=1000.0), seed=1)
    network.train(1e3 * X, Y)
    score = network.train(1e3 * X, Y)
    assert not np.isfinite(score.loss)
    digits = tt.data.load("digits").first(50)
    wild = tt.Network([tt.nn.Linear(64, 9), tt.nn.Linear(9, 10)], tt.Float(lr=1000.0), seed=1)
    with pytest.raises(FloatingPointError, match="learning rate is too high"):
        tt.fit(wild, digits, epochs=30, progress=False)


@pytest.mark.parametrize("tiny", [1e-45, 1e-40, 1e-39, 1e-38, 1e-30])
def test_tiny_vectors_are_finite(tiny: float) -> None:
    array = tt.Crossbar(2, 3, periphery=tt.Periphery.full(), seed=1)
    array.weights = np.full((2, 3), 0.3)
    assert np.isfinite(array.forward([tiny, 0, 0])).all()
    assert np.isfinite(array.backward([tiny, 0])).all()


def test_a_refused_state_changes_nothing() -> None:
    network = tt.Network(LAYERS, tt.Ttv2(), seed=1)
    network.train(X, Y)
    digest = network.digest()
    other = tt.Network(LAYERS, tt.Ttv2(), seed=2)
    good = other.state()
    for name, bad in (
        ("1.h", np.zeros((9, 9), np.float32)),
        ("1.c", np.full_like(good["1.c"], np.nan)),
        ("1.progress", np.array([0, 0, 99, 0, 0, 0], np.uint64)),
    ):
        with pytest.raises(ValueError, match=r"h has 81|c holds NaN|progress is 99"):
            network.restore({**good, name: bad})
        assert network.digest() == digest
    without = {name: value for name, value in good.items() if name != "0.a.reference"}
    with pytest.raises(ValueError, match="the array has a reference, the state none"):
        network.restore(without)


def test_empty_data_is_refused() -> None:
    network = tt.Network(LAYERS, tt.Float(), seed=1)
    with pytest.raises(ValueError, match="no examples"):
        network.evaluate(X[:0], Y[:0])
    with pytest.raises(ValueError, match=r"x has 0 values; a sample or more needed"):
        network.train(X[:0], Y[:0], order=[0])
    with pytest.raises(ValueError, match=r"cols is 0"):
        tt.Layer(tt.Float(), np.zeros((3, 0)))


def test_wrong_kinds_name_the_argument() -> None:
    with pytest.raises(TypeError, match=r"(?s)-1; a whole number of 0 or more needed.*'rows'"):
        tt.Crossbar(-1, 2)
    array = tt.Crossbar(2, 2)
    with pytest.raises(TypeError, match=r"(?s)-1; a whole number.*'k'"):
        array.read_column(-1)
    with pytest.raises(ValueError, match="counts holds numbers beyond"):
        array.pulse_column(0, np.array([2**64 - 1, 0], np.uint64))
    with pytest.raises(TypeError, match="'soft' is no config"):
        tt.Crossbar(2, 2, "soft")
    with pytest.raises(ValueError, match="pulses is 20000000; allowed: 0 to 10000000"):
        array.zero_shift(20_000_000)
    with pytest.raises(TypeError, match="not 'ttv2'"):
        tt.Network(LAYERS, "ttv2")  # type: ignore[arg-type]
    tt.Network(LAYERS, (tt.Float(), tt.Sgd()))
    with pytest.raises(TypeError, match=r"epochs must be a whole number, not 1\.5"):
        tt.fit(tt.Network(LAYERS, tt.Float()), tt.data.load("digits"), epochs=1.5)  # type: ignore[arg-type]


def _forward(_: int) -> list[float]:
    array = tt.Crossbar(256, 256, seed=1)  # with this batch large enough for the work to be split
    return array.forward(np.ones((256, 256)), threads=2).ravel().tolist()


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_threads_work_in_a_forked_child() -> None:
    here = _forward(0)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.map_async(_forward, [0]).get(timeout=60) == [here]
