"""The rules with fast arrays and mixed precision: by hand, against each other, and batch against single samples.

Devices by hand: constant steps of 0.05 on A and 0.1 on C, no noise, bounds ±1, trains of 4 slots at most. The sample
x = (1, −1, 0), δ = (0.5, −0.5) at lr_A = 0.2 needs 2 pulses at its largest crosspoints, so every slot fires.
"""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from support.layers import normal, set_state

X, DELTA = [[1.0, -1.0, 0.0]], [[0.5, -0.5]]
STEP = [[-0.1, 0.1, 0.0], [0.1, -0.1, 0.0]]
BY_HAND: dict[str, Any] = {
    "fast_lr": 0.2,
    "device": tt.ConstantStep(weight_step=0.05, bound=1.0),
    "slow_device": tt.ConstantStep(weight_step=0.1, bound=1.0),
    "pulse_trains": tt.PulseTrains(max_length=4),
    "reference": tt.Reference(),
}
FILTERED = [tt.Ttv2, tt.Cttv2, tt.Agad, tt.Rlv2, tt.Erider]
NOISY: dict[str, Any] = {
    "periphery": tt.Periphery.full(0.06),
    "device": tt.SoftBounds(cycle_noise=0.3, step_spread=0.3),
    "reference": tt.Reference("ideal", spread=0.1),
}


def close(given: Any, expected: Any, atol: float = 1e-6) -> None:
    np.testing.assert_allclose(given, expected, rtol=0, atol=atol)


def layer(rule: Any, shape: tuple[int, int] = (2, 3), seed: int = 1) -> tt.AnalogLayer:
    return tt.AnalogLayer(rule, np.zeros(shape), seed=seed)


def state_of(layer: tt.AnalogLayer) -> dict[str, Any]:
    """What can be compared between rules: all but the fingerprint of the settings."""
    return {name: value for name, value in layer.state().items() if name not in ("settings", "from")}


def assert_same(one: tt.AnalogLayer, other: tt.AnalogLayer, without: tuple[str, ...] = ()) -> None:
    first, second = state_of(one), state_of(other)
    for name in first.keys() & second.keys():
        if not name.startswith(without or "-"):
            np.testing.assert_array_equal(first[name], second[name], err_msg=name)
    np.testing.assert_array_equal(one.weights, other.weights)
    assert one.ledger == other.ledger


def trained(rule: Any, samples: int = 120, shape: tuple[int, int] = (5, 7)) -> tt.AnalogLayer:
    made = tt.AnalogLayer(rule, 0.1 * normal(*shape, seed=8), seed=3, layer=1)
    made.update(normal(samples, shape[1], seed=5), 0.3 * normal(samples, shape[0], seed=6), lr_scale=0.7)
    return made


# --- the gradient -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [tt.Ttv1, tt.Ttv2, tt.Cttv2, tt.Agad, tt.Rl, tt.Rlv2, tt.Rider, tt.Erider])
def test_the_fast_array_moves_by_the_gradient(rule: Any) -> None:
    made = layer(rule(**BY_HAND, transfer_every=100))
    made.update(X, DELTA)
    close(made.state()["a"], STEP)
    assert made.ledger["fast"]["pulses"] == 8


@pytest.mark.parametrize(
    ("line", "expected"), [("column", [[-0.1, -0.1, 0], [0.1, 0.1, 0]]), ("row", [[-0.1, 0.1, 0]] * 2)]
)
def test_signs_chop_the_gradient_and_its_read(line: Any, expected: Any) -> None:
    """The sign of line 1 is −: A holds the gradient of that line with the other sign, H gets it with its own."""
    rule = tt.Cttv2(**BY_HAND, transfer_every=2, transfer_lr=0.5, transfer_line=line)
    made = layer(rule)
    signs = np.array([1.0, -1.0, 1.0][: 3 if line == "column" else 2], np.float32)
    made.restore(made.state() | {"chopper": signs, "schedule.line": np.uint64(1), "schedule.count": np.uint64(1)})
    made.update(X, DELTA)
    close(made.state()["a"], expected)
    of_line = np.zeros((2, 3))
    at = (slice(None), 1) if line == "column" else (1, slice(None))
    of_line[at] = 0.5 * np.array(STEP)[at]
    close(made.state()["h"], of_line)


# --- rules that are others --------------------------------------------------------------------------------------------


def test_without_flips_c_ttv2_is_ttv2() -> None:
    for line in ("column", "row"):
        assert_same(
            trained(tt.Cttv2(**NOISY, transfer_lr=2.0, flip_rate=0.0, transfer_line=line)),  # type: ignore[arg-type]
            trained(tt.Ttv2(**NOISY, transfer_lr=2.0, transfer_line=line)),  # type: ignore[arg-type]
        )


def test_before_the_first_flip_c_ttv2_is_ttv2() -> None:
    """120 samples are 60 reads of 7 lines: none flips before its hundredth."""
    rates = {"fast_lr": 0.3, "transfer_lr": 2.0}
    assert_same(trained(tt.Cttv2(**NOISY, **rates, flip_rate=0.01)), trained(tt.Ttv2(**NOISY, **rates)))


def test_without_a_share_residual_rules_are_those_without_it() -> None:
    assert_same(trained(tt.Rl(**NOISY, gamma=0.0)), trained(tt.Ttv1(**NOISY)))
    assert_same(
        trained(tt.Erider(**NOISY, gamma=0.0, transfer_lr=2.0, flip_rate=0.3)),
        trained(tt.Agad(**NOISY, transfer_lr=2.0, flip_rate=0.3)),
    )
    assert_same(
        trained(tt.Rlv2(**NOISY, gamma=0.0, leak=0.0, transfer_lr=2.0)),
        trained(tt.Ttv2(**NOISY, after_pulse="subtract", transfer_lr=2.0)),
    )
    assert_same(trained(tt.Rl(**NOISY)), trained(tt.Ttv1(**NOISY, gamma=0.1)))


@pytest.mark.parametrize("unit", ["sample", "batch"])
def test_one_fast_tile_is_residual_learning(unit: Any) -> None:
    one = tt.Tiles(**NOISY, fast_tiles=1, gamma=0.3, transfer_lr=0.2, transfer_unit=unit)
    assert_same(trained(one), trained(tt.Rl(**NOISY, gamma=0.3, transfer_lr=0.2, transfer_unit=unit)))


# --- the chopper ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("offset", "pulses"), [(0.18, False), (0.21, True)])
def test_errors_of_the_reference_cancel_below_the_bound(offset: float, pulses: bool) -> None:
    """At rest A reads −o: H swings by λ_H·|o|·p, back to 0 after 2p reads; with λ_H·|o|·p ≥ 1 it writes C both ways."""
    period = 5
    rule = tt.Cttv2(**BY_HAND, transfer_every=1, transfer_lr=1.0, flip_rate=1 / period)
    made = layer(rule, (1, 1))
    set_state(made, a=[[-offset]])
    swings, sent = [], []
    for _ in range(4 * period):
        made.update([[0.0]], [[0.0]])
        swings.append(made.state()["h"][0, 0])
        sent.append(made.ledger["slow"]["pulses"])
    if pulses:
        assert sent[period - 1] == 1
        assert sent[-1] > 1
        close(made.weights, 0.0)  # as many up as down
    else:
        assert max(map(abs, swings)) == pytest.approx(offset * period, abs=1e-6)
        close([swings[2 * period - 1], swings[-1]], 0.0)
        assert sent[-1] == 0


# --- the tracked reference --------------------------------------------------------------------------------------------


def test_agad_by_hand() -> None:
    """Reads 0.2, 0.4, 0.6 and a flip: P = 0.1, 0.25, 0.425 = P^ref, H = 1.2λ; then 0.225 gives −(0.225 − 0.425)."""
    rule = tt.Agad(**BY_HAND, transfer_every=1, transfer_lr=0.1, flip_rate=1 / 3, warm_up=False)
    made = layer(rule, (1, 1))
    for read, mean in ((0.2, 0.1), (0.4, 0.25), (0.6, 0.425)):
        set_state(made, a=[[read]])
        made.update([[0.0]], [[0.0]])
        close(made.state()["tracker.mean"], [[mean]])
    close(made.state()["h"], [[0.12]])
    close(made.state()["tracker.reference"], [[0.425]])
    assert made.state()["chopper"] == [-1.0]
    set_state(made, a=[[0.225]])
    made.update([[0.0]], [[0.0]])
    close(made.state()["h"], [[0.12 + 0.02]])


@pytest.mark.parametrize("offset", [0.1, -0.3])
def test_agad_does_not_know_its_reference(offset: float) -> None:
    """A constant in what A reads changes nothing with β = 1 and the warm-up; to TTv2 it is a gradient."""

    def of(rule: Any, shift: float) -> tt.AnalogLayer:
        made = tt.AnalogLayer(rule, np.zeros((4, 6)), seed=2)
        set_state(made, a=made.state()["a"] + np.float32(shift))
        if "a.reference" in made.state():
            set_state(made, **{"a.reference": made.state()["a.reference"] - np.float32(shift)})
        made.update(normal(300, 6, seed=3), 0.2 * normal(300, 4, seed=4))
        return made

    device = tt.SoftBounds(cycle_noise=0.2, bound_spread=0.0)
    settings: dict[str, Any] = {"device": device, "reference": tt.Reference("ideal"), "transfer_every": 1}
    agad = tt.Agad(**settings, reference_rate=1.0, transfer_lr=0.5, flip_rate=0.2)
    plain, shifted = of(agad, 0.0), of(agad, offset)
    close(shifted.state()["h"], plain.state()["h"], 2e-5)
    np.testing.assert_array_equal(shifted.weights, plain.weights)
    assert plain.ledger["slow"]["pulses"] > 20
    ttv2 = tt.Ttv2(**settings, transfer_lr=0.5)
    assert of(ttv2, 0.0).ledger["slow"]["pulses"] != of(ttv2, offset).ledger["slow"]["pulses"]


def test_rider_with_a_reference_that_is_the_read_transfers_nothing() -> None:
    made = layer(tt.Rider(**BY_HAND, reference_rate=1.0, transfer_every=1, transfer_lr=1.0))
    for _ in range(6):
        made.update(X, DELTA)
    assert made.ledger["slow"]["pulses"] == 0
    assert made.ledger["fast"]["line_reads"] == 6


# --- what the network sees --------------------------------------------------------------------------------------------


def test_residual_learning_sees_a_share_of_a() -> None:
    made = layer(tt.Rl(**BY_HAND, gamma=0.5, transfer_every=100))
    made.weights = np.array([[0.3, 0, 0], [0, 0, 0]], np.float32)
    made.update(X, DELTA)
    close(made.forward([[1.0, 0.0, 0.0]]), [[0.25, 0.05]])
    close(made.backward([[1.0, 0.0]]), [[0.25, 0.05, 0.0]])
    close(made.weights, [[0.25, 0.05, 0], [0.05, -0.05, 0]])


@pytest.mark.parametrize("line", ["column", "row"])
def test_e_rider_sees_chopped_differences(line: Any) -> None:
    """W̄ = C + γ·c⊙(A − P^ref), forward, backward, evaluated, read and inspected."""
    made = layer(tt.Erider(**BY_HAND, gamma=0.5, transfer_line=line))
    a, reference = 0.1 * np.arange(6).reshape(2, 3), np.array([[0.05, 0.1, 0.0], [0.2, 0.0, 0.3]])
    signs = np.array([1.0, -1.0, -1.0] if line == "column" else [-1.0, 1.0])
    set_state(made, a=a, c=np.full((2, 3), 0.1), chopper=signs, **{"tracker.reference": reference})
    seen = 0.1 + 0.5 * (signs if line == "column" else signs[:, None]) * (a - reference)
    x, delta = normal(5, 3, seed=1), normal(5, 2, seed=2)
    close(made.weights, seen)
    close(made.forward(x), x @ seen.T)
    close(made.evaluate(x), x @ seen.T)
    close(made.backward(delta), delta @ seen)
    close(made.read_weights(), seen)
    close(np.sum(delta * made.forward(x)), np.sum(x * made.backward(delta)), 1e-5)


def test_tiles_add_up_with_their_shares() -> None:
    """T = 2, 10 and 50 samples per line: 20 samples are 10, 2 and no transfers."""
    made = layer(tt.Tiles(**BY_HAND, gamma=0.5, transfer_every=2, every_ratio=5, transfer_unit="sample"), (2, 3))
    made.update(np.tile(X, (20, 1)), np.tile(DELTA, (20, 1)))
    state = made.state()
    close(made.weights, state["c"] + 0.5 * state["a"] + 0.25 * state["tile2"] + 0.125 * state["tile3"])
    reads = [int(state[f"{name}.counts.line_reads"]) for name in ("tile3", "tile2", "a")]
    updates = [int(state[f"{name}.counts.updates"]) for name in ("tile3", "tile2", "a", "c")]
    assert (reads, updates) == ([10, 2, 0], [20, 10, 2, 0])


def test_tiles_start_with_the_slowest() -> None:
    """For 4 samples each the fastest tile writes to C, to the next faster one, …; then the chain runs."""
    rule = tt.Tiles(**BY_HAND, transfer_every=1, every_ratio=1, warm_start=4, transfer_lr=1.0, transfer_unit="sample")
    made, updates = layer(rule), []
    for _ in range(4):
        made.update(np.tile(X, (4, 1)), np.tile(DELTA, (4, 1)))
        updates.append([int(made.state()[f"{name}.counts.updates"]) for name in ("tile2", "a", "c")])
    assert updates == [[0, 0, 4], [0, 4, 4], [4, 4, 4], [8, 8, 8]]


# --- mixed precision --------------------------------------------------------------------------------------------------


def test_mixed_precision_by_hand() -> None:
    """χ gets ∓0.05 per sample; two of them are one pulse of 0.1 each, and nothing is left."""
    rule = tt.MixedPrecision(lr=0.1, device=tt.ConstantStep(weight_step=0.1, bound=1.0))
    made = layer(rule)
    made.update(X, DELTA)
    close(made.state()["chi"], 0.5 * np.array(STEP))
    made.update(X, DELTA)
    close(made.weights, STEP)
    close(made.state()["chi"], 0.0)
    set_state(made, chi=[[0.07, -0.26, 0.05], [0, 0, 0]], c=np.zeros((2, 3)))
    made.update(0 * np.array(X), DELTA)
    close(made.weights, [[0, -0.2, 0], [0, 0, 0]])
    close(made.state()["chi"], [[0.07, -0.06, 0.05], [0, 0, 0]])


def test_mixed_precision_loses_nothing() -> None:
    """χ plus the pulses sent is −lr·Σδxᵀ, whatever the devices do with the pulses."""
    rule = tt.MixedPrecision(lr=0.1, device=tt.ConstantStep(weight_step=0.01, bound=100.0), transfer_every=3)
    made = layer(rule, (4, 6))
    x, delta = normal(90, 6, seed=1), normal(90, 4, seed=2)
    for start in range(0, 90, 9):
        made.update(x[start : start + 9], delta[start : start + 9])
    close(made.state()["chi"] + made.weights, -0.1 * delta.T @ x, 1e-4)
    assert made.ledger["slow"]["pulses"] > 100


# --- every rule -------------------------------------------------------------------------------------------------------


def any_rule(kind: str) -> Any:
    """A rule whose choppers flip and whose filters send within a few samples."""
    rule = tt.config.rules[kind]
    known = {f.name for f in fields(rule)}
    fast: dict[str, Any] = {**NOISY, "flip_rate": 0.3, "transfer_lr": 1.0, "every_ratio": 2, "warm_start": 9}
    fast["transfer_unit"] = "sample"
    return rule(**{name: value for name, value in fast.items() if name in known and (kind != "sgd" or name != "lr")})


@pytest.mark.parametrize("kind", tt.config.rules)
def test_a_batch_is_its_samples_one_by_one(kind: str) -> None:
    """Flips, reads and phases inside the batch included. Mixed precision transfers after a mini-batch."""
    rule = any_rule(kind)
    rule = replace(rule, transfer_every=100) if kind == "mp" else rule
    x, delta = normal(70, 7, seed=5), 0.3 * normal(70, 5, seed=6)
    at_once, one_by_one = (tt.AnalogLayer(rule, 0.1 * normal(5, 7, seed=8), seed=3) for _ in range(2))
    for start in range(0, 70, 7):
        at_once.update(x[start : start + 7], delta[start : start + 7])
    for k in range(70):
        one_by_one.update(x[k : k + 1], delta[k : k + 1])
    first, second = state_of(at_once), state_of(one_by_one)
    assert first.keys() == second.keys()
    for name in first.keys() - {"batches"}:
        np.testing.assert_allclose(first[name], second[name], rtol=0, atol=1e-6 if name == "chi" else 0, err_msg=name)


@pytest.mark.parametrize("kind", tt.config.rules)
def test_a_state_continues_bit_for_bit(kind: str) -> None:
    rule = any_rule(kind)
    x, delta = normal(90, 7, seed=5), 0.3 * normal(90, 5, seed=6)
    whole, begun, resumed = (tt.AnalogLayer(rule, 0.1 * normal(5, 7, seed=8), seed=3) for _ in range(3))
    if kind not in ("float", "sgd", "mp"):
        for made in (whole, begun, resumed):
            made.averaging = True
    begun.update(x[:41], delta[:41])
    whole.update(x[:41], delta[:41])
    resumed.restore(begun.state())
    for made in (whole, resumed):
        made.update(x[41:], delta[41:])
    assert_same(whole, resumed)
    np.testing.assert_array_equal(whole.evaluate(x), resumed.evaluate(x))
    assert (whole.average is None) == (kind in ("float", "sgd", "mp"))


@pytest.mark.parametrize("kind", ["ttv1", "ttv2", "cttv2", "agad", "rl", "rlv2", "tiles"])
def test_averages_are_of_what_the_network_sees(kind: str) -> None:
    """Without noise and with nothing that moves, every read is of the weights as they are."""
    still: dict[str, Any] = {"periphery": tt.Periphery(), "fast_lr": 0.0, "transfer_lr": 0.0}
    rule = replace(any_rule(kind), **still, **({"warm_start": 0} if kind == "tiles" else {}))
    made = tt.AnalogLayer(rule, 0.1 * normal(5, 7, seed=8), seed=3)
    made.averaging = True
    for name in ("a", "tile2", "tile3"):
        if name in made.state():
            set_state(made, **{name: 0.05 * normal(5, 7, seed=9)})
    made.update(np.zeros((28, 7)), np.zeros((28, 5)))  # two sweeps
    close(made.average, made.weights, 1e-6)
