"""Misuse raises clear exceptions and leaves nothing half-done."""

import multiprocessing
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tikitaka as tt

LAYERS = [tt.nn.Linear(4, 3), tt.nn.ReLU(), tt.nn.Linear(3, 2)]
RNG = np.random.default_rng(1)
X, Y = RNG.normal(size=(20, 4)), RNG.integers(0, 2, 20)


def test_a_diverged_network_says_so() -> None:
    network = tt.Network(LAYERS, tt.DigitalSgd(lr=1000.0), seed=1)
    network.train(1e3 * X, Y)
    score = network.train(1e3 * X, Y)
    assert not np.isfinite(score.loss)
    digits = tt.data.load("digits").first(50)
    wild = tt.Network([tt.nn.Linear(64, 9), tt.nn.Linear(9, 10)], tt.DigitalSgd(lr=1000.0), seed=1)
    with pytest.raises(FloatingPointError, match="learning rate is too high"):
        tt.fit(wild, digits, epochs=30, progress=False)


@pytest.mark.parametrize("tiny", [1e-45, 1e-40, 1e-39, 1e-38, 1e-30])
def test_tiny_vectors_are_finite(tiny: float) -> None:
    array = tt.Crossbar(2, 3, periphery=tt.Periphery.full(), seed=1)
    array.weights = np.full((2, 3), 0.3)
    assert np.isfinite(array.forward([tiny, 0, 0])).all()
    assert np.isfinite(array.backward([tiny, 0])).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tt.nn.array_names("fcn"), "layers must be a sequence of descriptions of tikitaka.nn, not 'fcn'"),  # type: ignore[arg-type]
        (lambda: tt.nn.array_names([*LAYERS, 3]), r"but layers\[3\] is 3"),  # type: ignore[list-item]
        (lambda: tt.Network(3, tt.DigitalSgd()), "layers must be a sequence of .*, not 3"),  # type: ignore[arg-type]
        (lambda: tt.Network([None], tt.DigitalSgd()), r"but layers\[0\] is None"),  # type: ignore[list-item]
        (lambda: tt.Model("lenet", ()), "layers must be a sequence of .*, not 'lenet'"),  # type: ignore[arg-type]
        (lambda: tt.TrainConfig().network([]), "data must be a tikitaka.Dataset, or .*, not "),  # type: ignore[arg-type]
    ],
)
def test_anything_but_layers_or_data_is_refused(call: Callable[[], object], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        call()


@pytest.mark.parametrize("rows", [3, "states", ["row"], [{"rule": "ttv2"}, None]])
def test_anything_but_rows_is_not_drawn(rows: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="rows must be a list of tables, not "):
        tt.plot.weight_programming(rows, tmp_path / "figure.png")
    assert not list(tmp_path.iterdir())


def test_a_refused_state_changes_nothing() -> None:
    network = tt.Network(LAYERS, tt.Ttv2(), seed=1)
    network.train(X, Y)
    digest = network.digest()
    other = tt.Network(LAYERS, tt.Ttv2(), seed=1)
    good = other.state()
    for name, bad in (
        ("1.h", np.zeros((9, 9), np.float32)),
        ("1.c", np.full_like(good["1.c"], np.nan)),
        ("1.schedule.line", np.uint64(99)),
    ):
        with pytest.raises(ValueError, match=r"h of the state must have shape|c must hold finite|schedule\.line"):
            network.restore({**good, name: bad})
        assert network.digest() == digest
    without = {name: value for name, value in good.items() if name != "0.a.reference"}
    with pytest.raises(ValueError, match="the array has a reference, the state none"):
        network.restore(without)


def test_empty_data_is_refused() -> None:
    network = tt.Network(LAYERS, tt.DigitalSgd(), seed=1)
    with pytest.raises(ValueError, match="no examples"):
        network.evaluate(X[:0], Y[:0])
    with pytest.raises(ValueError, match=r"x must have 1 or more values, not 0"):
        network.train(X[:0], Y[:0], order=[0])
    with pytest.raises(ValueError, match=r"cols must be 1 or more, not 0"):
        tt.AnalogLayer(tt.DigitalSgd(), np.zeros((3, 0)))


def test_wrong_kinds_name_the_argument() -> None:
    with pytest.raises(TypeError, match=r"(?s)whole number from 0 to 2\^64 - 1, got -1.*'rows'"):
        tt.Crossbar(-1, 2)
    array = tt.Crossbar(2, 2)
    with pytest.raises(TypeError, match=r"(?s)whole number .*, got -1.*'k'"):
        array.read_column(-1)
    with pytest.raises(ValueError, match="counts must be at most"):
        array.pulse_column(0, np.array([2**64 - 1, 0], np.uint64))
    with pytest.raises(TypeError, match="or a dict, got 'soft'"):
        tt.Crossbar(2, 2, "soft")
    with pytest.raises(ValueError, match="pulses must be from 0 to 10,000,000, not 20,000,000"):
        array.zero_shift(20_000_000)
    with pytest.raises(TypeError, match="not 'ttv2'"):
        tt.Network(LAYERS, "ttv2")  # type: ignore[arg-type]
    tt.Network(LAYERS, (tt.DigitalSgd(), tt.AnalogSgd()))
    with pytest.raises(TypeError, match=r"epochs must be a whole number, not 1\.5"):
        tt.fit(tt.Network(LAYERS, tt.DigitalSgd()), tt.data.load("digits"), epochs=1.5)  # type: ignore[arg-type]


nn = tt.nn
IMAGE = {"channels": 1, "height": 4, "width": 5}


@pytest.mark.parametrize(
    ("kind", "settings", "words"),
    [
        (nn.Conv2d, {"kernel": 5}, "kernel must be at most 4 (images are 4 × 5), not 5"),
        (
            nn.Conv2d,
            {"kernel": 7, "padding": 1},
            "kernel must be at most 6 (images are 4 × 5 with 1 around them), not 7",
        ),
        (nn.Conv2d, {"kernel": 0}, "kernel must be from 1 to 10,000, not 0"),
        (nn.Conv2d, {"stride": 0}, "stride must be from 1 to 10,000, not 0"),
        (nn.Conv2d, {"padding": 3}, "padding must be below the kernel (3), not 3"),
        (nn.Conv2d, {"padding": -1}, "padding must be from 0 to 10,000, not -1"),
        (nn.Conv2d, {"stride": 1.5}, "stride must be a whole number, not 1.5"),
        (nn.Conv2d, {"bias": 2}, "bias must be true or false, not 2"),
        (nn.MaxPool2d, {"stride": -1}, "stride must be from 1 to 10,000, not -1"),
        (nn.LSTM, {"inputs": 2**64}, "inputs must be from 1 to 10,000,000, not 18,446,744,073,709,551,616"),
        (
            nn.Conv2d,
            {"height": 10**5, "width": 10**5},
            "height × width × channels must be at most 10,000,000, not 10,000,000,000",
        ),
        (nn.MaxPool2d, {"kernel": 5}, "kernel must be at most 4 (images are 4 × 5), not 5"),
        (nn.MaxPool2d, {"stride": 0}, "stride must be from 1 to 10,000, not 0"),
        (nn.Flatten, {"channels": 0}, "channels must be from 1 to 1,000,000, not 0"),
        (nn.LSTM, {"hidden": 0}, "hidden must be from 1 to 1,000,000, not 0"),
        (nn.LSTM, {"clip": -0.5}, "clip must be from 0 to 1,000,000, not -0.5"),
        (nn.LSTM, {"clip": float("nan")}, "clip must be from 0 to 1,000,000, not NaN"),
    ],
)
def test_layers_out_of_range(kind: Callable[..., tt.nn.Layer], settings: dict[str, Any], words: str) -> None:
    fields = {
        nn.Conv2d: {**IMAGE, "filters": 2, "kernel": 3},
        nn.LSTM: {"inputs": 3, "hidden": 2},
    }.get(kind, IMAGE)
    with pytest.raises((ValueError, TypeError), match=r"\w") as error:
        kind(**{**fields, **settings})
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        (
            [nn.Conv2d(1, 4, 5, 2, 3), nn.Linear(13, 2)],
            "1 takes 13 values, but the layer before it gives images of 2 × 3 × 2",
        ),
        ([nn.Conv2d(1, 4, 5, 2, 3), nn.Flatten(2, 4, 5)], "1 takes images of 4 × 5 × 2, .* gives images of 2 × 3 × 2"),
        ([nn.Conv2d(1, 4, 5, 2, 3), nn.Tanh(), nn.MaxPool2d(1, 4, 5)], "2 takes images of 4 × 5 × 1, .* of 2 × 3 × 2"),
        ([nn.LSTM(3, 4), nn.LSTM(3, 4)], "layer 1 takes 3 values, .* gives 4"),
        ([nn.MaxPool2d(1, 4, 5)], "the first layer must have an array, like linear, conv2d or lstm"),
        ([nn.Flatten(1, 4, 5), nn.Linear(20, 2)], "the first layer must have an array, like linear, conv2d or lstm"),
        ([nn.LSTM(10**6, 10**6)], "at most"),
    ],
)
def test_layers_that_do_not_fit(layers: list[tt.nn.Layer], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        tt.Network(layers, tt.DigitalSgd())


CODES = np.arange(10).reshape(2, 5) % 4
MEMORY = [nn.LSTM(4, 3, carry=True), nn.LSTM(3, 3), nn.Linear(3, 4)]


@pytest.mark.parametrize(
    ("x", "targets", "words"),
    [
        (CODES + 1, CODES, "x of example 0, step 3 must be from 0 to 3, not 4"),
        (CODES - 1, CODES, "x must be from 0 to .*, not -1"),
        (CODES + 2**40, CODES, "x must be from 0 to 3, not 1,099,511,627,776"),
        (
            CODES * 1.0,
            CODES,
            r"x must have shape \(examples, steps\) of integers or \(examples, steps, 4\), not \[2, 5\]",
        ),
        (CODES.ravel(), CODES.ravel(), r"x must have shape \(examples, steps\) of integers or .*, not \[10\]"),
        (np.zeros((2, 5, 3)), CODES, r"x must have shape .*\(examples, steps, 4\), not \[2, 5, 3\]"),
        (np.zeros((2, 5, 4, 1)), CODES, r"x must have shape .*, not \[2, 5, 4, 1\]"),
        (np.full((2, 5, 4), np.nan), CODES, "x of example 0, step 0 must be finite, not NaN at position 0"),
        (CODES, CODES[:, 0], r"targets must have shape \(2, 5\) of integers"),
        (CODES, CODES[:, 1:], r"targets must have shape \(2, 5\) of integers, not \(2, 4\)"),
        (CODES, CODES[:1], r"targets must have shape \(2, 5\) of integers, not \(1, 5\)"),
        (CODES, CODES * 1.0, r"targets must have shape \(2, 5\) of integers"),
        (CODES, CODES + 1, "targets of example 0, step 3 must be from 0 to 3, not 4"),
        (CODES, CODES - 1, "targets must be from 0 to .*, not -1"),
        (CODES[:, :0], CODES[:, :0], "steps must be 1 or more, not 0"),
    ],
    ids=range(15),
)
def test_sequences_that_cannot_be_learned(x: Any, targets: Any, words: str) -> None:
    network = tt.Network(MEMORY, tt.Ttv2(), seed=1)
    network.train(CODES, CODES, batch=2)
    before = network.state()
    for use in (network.train, network.evaluate):
        with pytest.raises(ValueError, match=words):
            use(x, targets)
    after = network.state()
    assert all(np.array_equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("layers", [[nn.Linear(4, 3)], [nn.LSTM(4, 3)]], ids=["vectors", "sequences"])
def test_an_example_is_named_by_its_number_whatever_the_order(layers: list[tt.nn.Layer]) -> None:
    network = tt.Network(layers, tt.DigitalSgd())
    shape = (9, 5) if network.recurrent else (9,)
    x, targets = np.zeros((*shape, 4)), np.zeros(shape, int)
    at = "example 7, step 2" if network.recurrent else "example 7"
    place = (7, 2) if network.recurrent else (7,)
    x[(*place, 1)] = np.nan
    with pytest.raises(ValueError, match=f"x of {at} must be finite, not NaN at position 1"):
        network.train(x, targets, order=[3, 7, 1], batch=2)
    x = np.nan_to_num(x)
    targets[place] = 3
    with pytest.raises(ValueError, match=f"targets of {at} must be from 0 to 2, not 3"):
        network.train(x, targets, order=[3, 7, 1], batch=2)


def test_empty_sequences_and_mini_batches() -> None:
    network = tt.Network(MEMORY, tt.DigitalSgd(), seed=1)
    with pytest.raises(ValueError, match="no examples"):
        network.evaluate(CODES[:0], CODES[:0])
    with pytest.raises(ValueError, match="x must have 1 or more values, not 0"):
        network.train(CODES[:0], CODES[:0], order=[0])
    with pytest.raises(ValueError, match="batch must be 1 or more, not 0"):
        network.train(CODES, CODES, batch=0)
    with pytest.raises(ValueError, match="order must be from 0 to 1, not 2"):
        network.train(CODES, CODES, order=[2])
    assert network.train(CODES, CODES, order=[]) == (0, 0)
    assert network.forward(CODES[:0]).shape == (0, 5, 4)
    with pytest.raises(ValueError, match=r"steps must be .*, not 0"):
        network.forward(CODES[:, :0])
    errors = tt.Network(MEMORY, tt.DigitalSgd(), loss="mse")
    with pytest.raises(ValueError, match=r"targets must have shape \(2, 5, 4\), not \[2, 5, 3\]"):
        errors.train(CODES, np.zeros((2, 5, 3)))
    single = tt.Network([nn.Linear(4, 4)], tt.DigitalSgd())
    for x in (np.zeros((2, 5, 4)), np.zeros(4)):
        with pytest.raises(ValueError, match=r"x must have shape \(samples, 4\), not \["):
            single.train(x, [0, 1])
    with pytest.raises(ValueError, match=r"targets must have one dimension, not shape \[2, 5\]"):
        single.train(np.zeros((2, 4)), CODES)


def test_texts_that_cannot_go_on() -> None:
    network = tt.Network(MEMORY, tt.DigitalSgd(), seed=1)
    for bad, words in (
        ([], "prime must have 1 or more values, not 0"),
        ([[0]], r"prime must have one dimension, not shape \[1, 1\]"),
        ([-1], "prime must be from 0 to .*, not -1"),
        ([0, 4], "prime must be from 0 to 3, not 4"),
    ):
        with pytest.raises(ValueError, match=words):
            network.sample(bad, 3)
    with pytest.raises(TypeError, match="prime must be integers, not of dtype float64"):
        network.sample([0.5], 3)
    for temperature in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=r"temperature must be above 0, not"):
            network.sample([0], 3, temperature=temperature)
    with pytest.raises(TypeError, match=r"whole number .*, got -1"):
        network.sample([0], -1)
    assert network.sample([0, 1], 0).shape == (0,)
    for layers in ([nn.Linear(4, 4)], [nn.LSTM(4, 3)]):
        with pytest.raises(ValueError, match="only a recurrent network with as many outputs as inputs"):
            tt.Network(layers, tt.DigitalSgd()).sample([0], 3)


def test_a_refused_memory_changes_nothing() -> None:
    network = tt.Network(MEMORY, tt.Ttv2(), seed=1)
    network.train(CODES, CODES, batch=2)
    before = network.state()
    other = tt.Network(MEMORY, tt.Ttv2(), seed=1)
    other.train(CODES, CODES, order=[1, 0, 1, 1], batch=2)
    good = other.state()
    h, c = good["carried.0.h"], good["carried.0.c"]
    damaged: list[tuple[dict[str, Any], str]] = [
        ({"carried.0.h": h[:-1], "carried.0.c": c[:-1]}, "a multiple of 3 .*values, not 5"),
        ({"carried.0.h": h[:3]}, "as many in h as in c"),
        ({"carried.0.c": np.full_like(c, np.nan)}, "c must hold finite numbers, not NaN"),
        ({"carried.0.h": h.astype(np.uint64)}, 'the state must contain "h"'),
    ]
    for bad, words in damaged:
        with pytest.raises(ValueError, match=words):
            network.restore({**good, **bad})
    with pytest.raises(TypeError, match="h must be float32 or uint64"):
        network.restore({**good, "carried.0.h": h.astype(int)})
    with pytest.raises(ValueError, match='the state must contain "c"'):
        network.restore({name: value for name, value in good.items() if name != "carried.0.c"})
    after = network.state()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    network.restore(good)
    assert all(np.array_equal(good[name], value) for name, value in network.state().items())


def _forward(_: int) -> list[float]:
    array = tt.Crossbar(256, 256, seed=1)  # with this batch large enough for the work to be split
    return array.forward(np.ones((256, 256)), threads=2).ravel().tolist()


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_threads_work_in_a_forked_child() -> None:
    here = _forward(0)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.map_async(_forward, [0]).get(timeout=60) == [here]


@pytest.mark.parametrize(
    "make",
    [
        "tt.Crossbar(20000, 10000)",
        "tt.Crossbar(12000, 6000, count_pulses=True)",
        "tt.AnalogLayer(tt.Ttv2(), np.zeros((12000, 8000), np.float32))",
        "tt.Network([tt.nn.Linear(16000, 16000)], tt.DigitalSgd())",
        "tt.Network([tt.nn.Linear(9000, 9000)], tt.Ttv2())",
    ],
)
def test_more_memory_than_there_is(make: str) -> None:
    code = f"""
import resource, numpy as np, tikitaka as tt
pages = int(open("/proc/self/statm").read().split()[0])
most = pages * resource.getpagesize() + (3 << 29)
resource.setrlimit(resource.RLIMIT_AS, (most, most))
try:
    {make}
except MemoryError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-300:]
    assert "GB of memory, more than is available" in done.stdout
