"""Averages over iterates: their exact cost, and that they do not affect training."""

import numpy as np
import pytest

import tikitaka as tt

ROWS, COLS, SAMPLES = 5, 7, 60
RNG = np.random.default_rng(1)
X, DELTA = RNG.normal(size=(SAMPLES, COLS)), RNG.normal(size=(SAMPLES, ROWS))
PERIPHERY = tt.Periphery.full(0.06)


def trained(rule: tt.Ttv2 | tt.MixedPrecision, averaging: bool) -> tt.AnalogLayer:
    layer = tt.AnalogLayer(rule, np.zeros((ROWS, COLS)), seed=3)
    layer.averaging = averaging
    layer.update(X, DELTA)
    return layer


@pytest.mark.parametrize("line", ["column", "row"])
@pytest.mark.parametrize("every", [1, 3])
def test_the_ledger_is_right_to_the_count(line: str, every: int) -> None:
    rule = tt.Ttv2(periphery=PERIPHERY, transfer_every=2, transfer_line=line, average_every=every)
    off, on = trained(rule, averaging=False), trained(rule, averaging=True)
    lines, width = (COLS, ROWS) if line == "column" else (ROWS, COLS)
    transfers = SAMPLES // 2
    reads = sum(1 for transfer in range(transfers) if transfer // lines % every == 0)
    assert off.ledger["fast"] == on.ledger["fast"]
    assert off.ledger["slow"]["line_reads"] == 0
    extra = {key: on.ledger["slow"][key] - count for key, count in off.ledger["slow"].items()}
    expected = dict.fromkeys(extra, 0) | {
        "line_reads": reads,
        "dac_conversions": reads,
        "adc_conversions": reads * width,
    }
    assert extra == expected
    # a multiply-add and the count per value
    assert on.ledger["digital_operations"] - off.ledger["digital_operations"] == 2 * width * reads
    assert int(on.state()["average_reads"].sum()) == reads


def test_averaging_changes_nothing_but_the_average() -> None:
    off, on = (trained(tt.Ttv2(periphery=PERIPHERY, fast_lr=2.0), averaging) for averaging in (False, True))
    for name in ("a", "c", "h"):
        assert np.array_equal(off.state()[name], on.state()[name])
    assert off.average is None
    assert on.average is not None


def test_an_exponential_average_follows_the_iterate_more_closely() -> None:
    """C drifts in one direction, so a mean over few reads is closer to its present value than one over all."""
    delta = np.full((SAMPLES * 20, ROWS), -1.0)
    distance = {}
    for average in ("uniform", "exponential"):
        rule = tt.Ttv2(fast_lr=0.5, transfer_lr=2.0, average=average, average_memory=3.0)
        layer = tt.AnalogLayer(rule, np.zeros((ROWS, COLS)), seed=3)
        layer.averaging = True
        layer.update(np.ones((SAMPLES * 20, COLS)), delta)
        distance[average] = float(np.abs(layer.average - layer.weights).mean())
    assert distance["exponential"] < 0.5 * distance["uniform"]


def test_lines_not_read_yet_come_from_a_read() -> None:
    layer = tt.AnalogLayer(tt.Ttv2(periphery=PERIPHERY), RNG.uniform(-0.3, 0.3, (ROWS, COLS)), seed=3)
    layer.averaging = True
    layer.update(X[:4], DELTA[:4])  # two transfers: columns 0 and 1
    assert layer.average is not None
    assert np.array_equal(layer.average[:, 2:], layer.read_weights()[:, 2:])
    assert not np.array_equal(layer.average[:, :2], layer.read_weights()[:, :2])


def test_everything_can_be_looked_at() -> None:
    """A, R, H, C, device constants and pulses per crosspoint, each as (outputs, inputs)."""
    layer = tt.AnalogLayer(tt.Ttv2(fast_lr=2.0, transfer_lr=5.0, count_pulses=True), np.zeros((ROWS, COLS)), seed=3)
    layer.update(X, DELTA)
    state, constants = layer.state(), layer.device_parameters()
    for name in ("a", "a.reference", "h", "c", "a.pulses", "c.pulses"):
        assert state[name].shape == (ROWS, COLS), name
    assert int(state["a.pulses"].sum()) == layer.ledger["fast"]["pulses"] > 0
    assert int(state["c.pulses"].sum()) == layer.ledger["slow"]["pulses"] > 0
    assert np.array_equal(state["a.reference"], constants["a.symmetry_point"])
    again = tt.AnalogLayer(tt.Ttv2(fast_lr=2.0, transfer_lr=5.0, count_pulses=True), np.zeros((ROWS, COLS)), seed=3)
    again.restore(state)
    assert all(np.array_equal(value, again.state()[name]) for name, value in state.items())


@pytest.mark.parametrize("every", [1, 4])
def test_mixed_precision_reads_column_after_column(every: int) -> None:
    """One column every `every` mini-batches, of what the network sees; C and χ are the same with and without."""
    rule = tt.MixedPrecision(lr=0.05, average_every=every)
    off, on = (tt.AnalogLayer(rule, np.zeros((ROWS, COLS)), seed=3) for _ in range(2))
    on.averaging = True
    sums, reads = np.zeros((ROWS, COLS)), np.zeros(COLS)
    for batch in range(1, SAMPLES // 2 + 1):
        rows = slice(2 * batch - 2, 2 * batch)
        off.update(X[rows], DELTA[rows])
        on.update(X[rows], DELTA[rows])
        if batch % every == 0:
            k = batch // every % COLS
            sums[:, k] += off.weights[:, k]
            reads[k] += 1
    for name in ("c", "chi"):
        assert np.array_equal(off.state()[name], on.state()[name])
    assert np.array_equal(on.state()["average_reads"], reads)
    assert on.ledger["slow"]["line_reads"] == reads.sum()
    expected = np.where(reads > 0, sums / np.maximum(reads, 1), on.weights)
    np.testing.assert_allclose(on.average, expected, atol=1e-6)


def test_mixed_precision_averages_reach_a_model() -> None:
    """From the training by way of a state to the extracted model, to the bit as without the state."""
    digits = tt.data.load("digits")
    layers = [tt.nn.Linear(digits.inputs, digits.classes)]
    network, again = (tt.Network(layers, tt.MixedPrecision(), seed=1) for _ in range(2))
    tt.fit(network, digits, epochs=2, batch=16, average_from=1, progress=False)
    again.restore(network.state())
    assert again.averaging
    for each in (network, again):
        each.train(digits.train_x, digits.train_y, order=np.arange(48), batch=16)
    model = network.extract()
    assert model.metadata["kind"] == "average"
    assert np.array_equal(model.weights[0], again.extract().weights[0])
    assert not np.array_equal(model.weights[0], network.weights[0])
