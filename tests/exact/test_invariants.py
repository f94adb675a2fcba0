"""Invariants of every array and every stack of layers, checked for many random settings."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tikitaka as tt

shapes = st.tuples(st.integers(1, 20), st.integers(1, 20))
devices = st.builds(
    tt.SoftBounds,
    states=st.floats(1, 200),
    bound=st.floats(0.1, 5),
    cycle_noise=st.floats(0, 3),
    step_spread=st.floats(0, 1),
    bound_spread=st.floats(0, 1),
    asymmetry=st.floats(0, 1),
    noise=st.sampled_from(["additive", "multiplicative"]),
)
references = st.one_of(
    st.builds(tt.Reference, method=st.sampled_from(["none", "zero-shift"]), pulses=st.integers(1, 20)),
    st.builds(tt.Reference, method=st.just("ideal"), spread=st.floats(0, 0.5)),
)
pulse_trains = st.builds(
    tt.PulseTrains, max_length=st.integers(1, 100), update_management=st.booleans(), length_management=st.booleans()
)
seeds = st.integers(0, 2**64 - 1)


@settings(max_examples=60, deadline=None)
@given(shape=shapes, device=devices, reference=references, pulse_trains=pulse_trains, seed=seeds)
def test_a_state_stays_within_its_bounds_and_pulses_are_accounted_for(
    shape: tuple[int, int], device: tt.SoftBounds, reference: tt.Reference, pulse_trains: tt.PulseTrains, seed: int
) -> None:
    array = tt.Crossbar(*shape, device, pulse_trains=pulse_trains, reference=reference, seed=seed, count_pulses=True)
    rng = np.random.default_rng(seed)
    for _ in range(5):
        array.update(rng.normal(size=shape[1]), rng.normal(size=shape[0]), rng.normal())
    array.pulse_column(shape[1] - 1, rng.integers(-3, 4, shape[0]))
    array.program(rng.normal(size=shape), "closed-loop", max_pulses=7)
    constants = array.device_parameters
    state = array.weights + array.reference
    slack = 1e-5 * device.bound * (1 + np.abs(array.reference))
    assert np.all(state <= constants["upper_bound"] + slack)
    assert np.all(state >= constants["lower_bound"] - slack)
    assert array.pulses is not None
    assert int(array.pulses.sum()) == array.ledger["pulses"]


@settings(max_examples=40, deadline=None)
@given(shape=shapes, batch=st.integers(1, 9), threads=st.integers(2, 4), noise=st.floats(0, 1), seed=seeds)
def test_products_do_not_depend_on_threads_or_on_the_cut(
    shape: tuple[int, int], batch: int, threads: int, noise: float, seed: int
) -> None:
    def array() -> tt.Crossbar:
        made = tt.Crossbar(*shape, periphery=tt.Periphery.full(noise), seed=seed)
        made.weights = np.random.default_rng(1).normal(size=shape)
        return made

    x = np.random.default_rng(2).normal(size=(batch, shape[1]))
    one, many = array(), array()
    whole = many.forward(x, threads=threads)
    assert np.array_equal(whole, [one.forward(row) for row in x])
    assert one.ledger == many.ledger


@settings(max_examples=40, deadline=None)
@given(
    rule=st.sampled_from(
        [tt.DigitalSgd(), tt.AnalogSgd(), tt.Ttv1(), tt.Ttv2(transfer_lr=20.0), tt.Ttv2(transfer_line="row")]
    ),
    batch=st.integers(1, 5),
    cut=st.integers(0, 6),
    seed=seeds,
)
def test_training_goes_on_from_a_state_as_if_never_stopped(
    rule: tt.RuleConfig, batch: int, cut: int, seed: int
) -> None:
    layers = [tt.nn.Linear(4, 5), tt.nn.ReLU(), tt.nn.Linear(5, 2)]
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(30, 4)), rng.integers(0, 2, 30)
    whole, first, second = (tt.Network(layers, rule, seed=seed) for _ in range(3))
    whole.train(x, y, batch=batch)
    order = np.arange(30)
    first.train(x, y, order=order[: cut * batch], batch=batch)
    second.restore(first.state())
    second.train(x, y, order=order[cut * batch :], batch=batch, threads=2)
    assert second.digest() == whole.digest()
    assert second.ledger == whole.ledger


@st.composite
def images(draw: st.DrawFn) -> list[tt.nn.Layer]:
    """One or two convolutions, with or without any layers between them."""
    layers: list[tt.nn.Layer] = []
    channels, height, width = (draw(st.integers(low, high)) for low, high in ((1, 3), (1, 7), (1, 7)))
    for _ in range(draw(st.integers(1, 2))):
        kernel = draw(st.integers(1, min(3, height, width)))
        conv = tt.nn.Conv2d(
            *(channels, height, width),
            filters=draw(st.integers(1, 4)),
            kernel=kernel,
            stride=draw(st.integers(1, 3)),
            padding=draw(st.integers(0, kernel - 1)),
            bias=draw(st.booleans()),
            scale=draw(st.sampled_from([0.5, 1.0, 2.0])),
        )
        layers += [conv, *draw(activations)]
        channels, height, width = conv.image
        if draw(st.booleans()):
            window = draw(st.integers(1, min(3, height, width)))
            pool = tt.nn.MaxPool2d(channels, height, width, window, draw(st.sampled_from([None, 1, 2])))
            layers += [pool, *draw(activations)]
            channels, height, width = pool.image
    layers += [tt.nn.Flatten(channels, height, width)] * draw(st.integers(0, 1))
    return [*layers, tt.nn.Linear(channels * height * width, 3)]


@st.composite
def memories(draw: st.DrawFn) -> list[tt.nn.Layer]:
    """LSTMs and linear layers in any order, one LSTM at least, with as many outputs as inputs."""
    layers: list[tt.nn.Layer] = []
    width = 3
    for kind in [*draw(st.lists(st.sampled_from(["lstm", "linear"]), max_size=2)), "lstm"]:
        size = draw(st.integers(1, 4))
        if kind == "lstm":
            layers.append(
                tt.nn.LSTM(
                    *(width, size),
                    bias=draw(st.booleans()),
                    scale=draw(st.sampled_from([0.5, 1.0, 4.0])),
                    clip=draw(st.sampled_from([0.0, 0.01, 1.0])),
                    carry=draw(st.booleans()),
                )
            )
        else:
            layers.append(tt.nn.Linear(width, size))
        layers += draw(activations)
        width = size
    return [*layers, tt.nn.Linear(width, 3)]


activations = st.lists(st.sampled_from([tt.nn.Sigmoid(), tt.nn.Tanh(), tt.nn.ReLU()]), max_size=2)
# without bound management, which repeats products
NOISY = tt.Periphery(*(tt.IoSettings(7, 1.0, 9, 12.0, output_noise=0.06, noise_management=True) for _ in range(3)))
EVERY = 3
ANALOG: dict[str, tt.RuleConfig] = {
    "float": tt.DigitalSgd(),
    "sgd": tt.AnalogSgd(periphery=NOISY),
    "ttv1": tt.Ttv1(periphery=NOISY, transfer_every=EVERY),
    "ttv2": tt.Ttv2(periphery=NOISY, transfer_every=EVERY, transfer_lr=20.0),
    "ttv2 batches": tt.Ttv2(periphery=NOISY, transfer_every=EVERY, transfer_unit="batch", rates="r24"),
}


def samples_of(layer: tt.nn.Layer) -> int:
    """Input vectors of the array for each image, or for each step of a sequence."""
    return int(np.prod(layer.image[1:])) if isinstance(layer, tt.nn.Conv2d) else 1


@pytest.mark.parametrize("rule", ANALOG)
@settings(max_examples=40, deadline=None)
@given(layers=images() | memories(), examples=st.integers(1, 5), batch=st.integers(1, 3), seed=seeds, data=st.data())
def test_stacks_learn_and_what_they_did_is_counted(
    rule: str, layers: list[tt.nn.Layer], examples: int, batch: int, seed: int, data: st.DataObject
) -> None:
    network, rng = tt.Network(layers, ANALOG[rule], seed=seed), np.random.default_rng(seed)
    steps = data.draw(st.integers(1, 4)) if network.recurrent else 1
    if not network.recurrent:
        x: Any = rng.normal(size=(examples, network.inputs))
    elif data.draw(st.booleans()):
        x = rng.integers(0, network.inputs, (examples, steps))
    else:
        x = rng.normal(size=(examples, steps, network.inputs))
    y = rng.integers(0, 3, (examples, steps) if network.recurrent else examples)
    assert np.isfinite(network.train(x, y, batch=batch, threads=data.draw(st.integers(1, 2))).loss)
    assert all(np.isfinite(weights).all() for weights in network.weights)
    expected = counts(rule, layers, examples, -(-examples // batch), steps)
    ledger = network.ledger
    for array, operations in expected.items():
        assert {name: ledger[array][name] for name in operations} == operations
    assert np.isfinite(network.evaluate(x, y).loss)
    assert np.isfinite(network.forward(x)).all()
    if network.recurrent:
        assert set(network.sample([0, 2], 4, seed=seed).tolist()) <= {0, 1, 2}
    assert network.ledger == ledger


def counts(rule: str, layers: list[tt.nn.Layer], examples: int, batches: int, steps: int) -> dict[str, dict[str, int]]:
    """Operations of a training: every patch and every time step is one sample of its array."""
    arrays = [layer for layer in layers if layer.shape is not None]
    samples = [examples * steps * samples_of(layer) for layer in arrays]
    # The first layer needs no backward product, except that an LSTM goes back through time to its first step.
    backward = sum(samples[1:]) + (examples * (steps - 1) if isinstance(arrays[0], tt.nn.LSTM) else 0)
    products = {"forward_mvms": sum(samples), "backward_mvms": backward}
    transfers = sum(n // EVERY for n in samples)
    if rule == "float":
        return {array: dict.fromkeys([*products, "updates", "line_reads"], 0) for array in ("fast", "slow")}
    if rule == "sgd":
        return {"slow": {**products, "updates": sum(samples), "line_reads": 0}}
    if rule == "ttv2 batches":
        transfers = len(arrays) * (batches // EVERY)
    return {
        "fast": {"forward_mvms": 0, "backward_mvms": 0, "updates": sum(samples), "line_reads": transfers},
        "slow": {**products, "updates": transfers if rule == "ttv1" else 0, "line_reads": 0},
    }
