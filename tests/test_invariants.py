"""What holds for every array, whatever its settings: checked over many random ones."""

import numpy as np
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
references = st.builds(
    tt.Reference,
    method=st.sampled_from(["none", "ideal", "zero-shift"]),
    spread=st.floats(0, 0.5),
    pulses=st.integers(1, 20),
)
trains = st.builds(
    tt.Trains, max_train=st.integers(1, 100), update_management=st.booleans(), train_management=st.booleans()
)
seeds = st.integers(0, 2**64 - 1)


@settings(max_examples=60, deadline=None)
@given(shape=shapes, device=devices, reference=references, trains=trains, seed=seeds)
def test_a_state_stays_within_its_bounds_and_pulses_are_accounted_for(
    shape: tuple[int, int], device: tt.SoftBounds, reference: tt.Reference, trains: tt.Trains, seed: int
) -> None:
    array = tt.Crossbar(*shape, device, trains=trains, reference=reference, seed=seed, count_pulses=True)
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
    rule=st.sampled_from([tt.Float(), tt.Sgd(), tt.Ttv1(), tt.Ttv2(transfer_lr=20.0), tt.Ttv2(line="row")]),
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
