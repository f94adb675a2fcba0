"""Exact: without noise, the compiled core equals the slow NumPy twin step by step.

Nothing here is statistical. A float32 simulator may differ from a float64 twin only where a decision (a level of a
converter, a threshold, the length of a train) is nearly a tie; the twin records the closest one, and the tests assert
that its distance exceeded the error of float32.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tikitaka as tt
import twin
from support.of_core import twin_rule

F32 = NDArray[np.float32]
SOFT = tt.SoftBounds(states=30, cycle_noise=0, asymmetry=0.2)
CONSTANT = tt.ConstantStep(states=40, step_spread=0.3, bound_spread=0.3, asymmetry=0.1)
# The DAC has no level at half its range: at ±1 half of the largest input, which halving and equal outputs make often,
# would be a tie each time.
FULL = tt.Periphery(
    forward=tt.IoSettings(7, 1.1, 9, 12.0, noise_management=True, bound_management=True),
    backward=tt.IoSettings(7, 1.1, 9, 12.0, noise_management=True),
    read=tt.IoSettings(adc_bits=9, adc_bound=1.0),
)


def normal(*shape: int, seed: int, scale: float = 1.0) -> F32:
    return (scale * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def devices_of(core: tt.Crossbar, model: tt.Device) -> twin.Devices:
    return twin.Devices(model, core.device_parameters)


# --- devices ----------------------------------------------------------------------------------------------------------


SPREAD = tt.Spread(up_step=0.4, down_step=0.2, upper_bound=0.2, lower_bound=0.1, up_slope=0.3, down_slope=0.2)
QUIET = {"states": 30, "cycle_noise": 0}
MODELS: dict[str, tt.Device] = {
    "add": SOFT,
    "mult": replace(SOFT, noise="multiplicative"),
    "const": CONSTANT,
    "skewed": replace(SOFT, up_down=0.3, upper_bound=0.8, lower_bound=-0.3),
    "joint": tt.SoftBounds(**QUIET, spread=SPREAD),
    "listed": tt.LinearStep(**QUIET, measured=[[1, 1.2, 0.9, 1, 0.3, -0.2], [0.5, 1, 1, 1.3, -0.4, 0.2]]),
    "linear": tt.LinearStep(
        **QUIET, up_slope=0.8, down_slope=-0.3, spread=replace(SPREAD, up_slope=0.1, down_slope=0.1)
    ),
    "exponential": tt.ExponentialStep(**QUIET, up_amplitude=0.4, up_rate=1.5, offset=0.2, up_down=-0.1),
    "power": tt.PowerStep(**QUIET, up_power=3, down_power=0.7, spread=SPREAD),
    "table": tt.TableStep(**QUIET, up=(3, 2, 1.5, 0.1), down=(0, 1, 4), upper_bound=0.5),
    "jumps": tt.JumpTable(**QUIET, up=((1, 3, 4), (0, 1, 2), (-1, 0.2, 1)), down=((0, 0.1), (2, 3))),
    "neurosim": tt.NeuroSim(64, 2.4, -4.88, cycle_to_cycle=0, nonlinearity_spread=0.3),
}


@pytest.mark.parametrize("name", MODELS)
def test_pulses_and_symmetry_points(name: str) -> None:
    model = MODELS[name]
    core = tt.Crossbar(7, 5, model, seed=1)
    devices = devices_of(core, model)
    if name != "const":
        np.testing.assert_allclose(core.symmetry_point, devices.symmetry_point(), atol=2e-6)
    w = core.weights.astype(float)
    counts = np.random.default_rng(2).integers(-9, 10, (20, 7))
    for k, count in enumerate(counts):
        core.pulse_column(k % 5, count)
        for n in range(9):
            sent = np.where(np.arange(5) == k % 5, count[:, None], 0)
            w = np.where(np.abs(sent) > n, devices.pulse(w, sent > 0), w)
    np.testing.assert_allclose(core.weights, w, atol=5e-6)
    assert np.ptp(w) > 0.4  # far enough for the bounds to matter


# --- products ---------------------------------------------------------------------------------------------------------

PARTS = {
    "off": tt.IoSettings(),
    "dac": tt.IoSettings(dac_bits=5, dac_bound=0.8),
    "adc": tt.IoSettings(adc_bits=6, adc_bound=2.0),
    "noise management": tt.IoSettings(dac_bits=7, noise_management=True),
    "bound management": tt.IoSettings(adc_bits=6, adc_bound=0.4, bound_management=True),
    "all": tt.IoSettings(7, 1.1, 7, 0.3, noise_management=True, bound_management=True),
}


@pytest.mark.parametrize("shape", [(40, 9), (6, 70), (1, 1)], ids=str)
@pytest.mark.parametrize("name", PARTS)
def test_products_through_the_periphery(name: str, shape: tuple[int, int]) -> None:
    part, (rows, cols) = PARTS[name], shape
    core = tt.Crossbar(rows, cols, SOFT, periphery=tt.Periphery(part, part, part), seed=3)
    core.weights = normal(rows, cols, seed=4, scale=0.3)
    w = core.weights.astype(float)
    for product, mvms, matrix in [
        (core.forward, "forward_mvms", w),
        (core.backward, "backward_mvms", w.T),
        (core.read, "line_reads", w),
    ]:
        compared = 0
        for x in normal(12, matrix.shape[1], seed=5):
            before = core.ledger
            got, after = product(x), core.ledger
            ties = twin.Ties()
            expected = twin.mvm(matrix, x.astype(float), part, ties=ties)
            if ties.closest < 1e-4:  # levels and bounds; a float32 product of these sizes errs by about 1e-6
                continue
            compared += 1
            np.testing.assert_allclose(got, expected.y, rtol=1e-5, atol=3e-6)
            took = {key: after[key] - before[key] for key in after if after[key] != before[key]}
            counts = {mvms: expected.mvms, "dac_conversions": expected.dac, "adc_conversions": expected.adc}
            assert took == counts | ({"retries": expected.retries} if expected.retries else {})
        assert compared >= 10  # of 12


def test_bound_management_gives_up_after_ten_halvings() -> None:
    part = PARTS["bound management"]
    core = tt.Crossbar(2, 1, tt.ConstantStep(bound=1e6), periphery=tt.Periphery(part))
    core.weights = [[0.1], [0.4 * 2**12]]
    expected = twin.mvm(core.weights.astype(float), np.ones(1), part)
    np.testing.assert_allclose(core.forward([1.0]), expected.y, rtol=1e-6)
    np.testing.assert_allclose(expected.y[1], 0.4 * 2**10)
    assert core.ledger["forward_mvms"] == expected.mvms == 11
    assert core.ledger["retries"] == expected.retries == 10
    assert core.ledger["adc_conversions"] == expected.adc == 2 + 10


@pytest.mark.parametrize("bits", [2, 3, 7, 9])
def test_levels_of_the_converters(bits: int) -> None:
    """2^bits − 2 steps over the range, zero among the levels; ties to even, clipped beyond."""
    bound, step = 0.75, twin.level(bits, 0.75)
    v = np.linspace(-1.1, 1.1, 4001, dtype=np.float32)
    core = tt.Crossbar(
        1, len(v), tt.ConstantStep(bound=2), periphery=tt.Periphery(read=tt.IoSettings(0, 1, bits, bound))
    )
    core.weights = v[None]
    got = core.read_row(0)
    assert len(np.unique(got)) == 2**bits - 1
    away = np.abs(v / step - np.floor(v / step) - 0.5) > 1e-4
    np.testing.assert_allclose(got[away], twin.quantise(v.astype(float), bits, bound)[away], atol=1e-6)
    assert np.max(np.abs(got)) == np.float32(bound)


# --- the pulsed update ------------------------------------------------------------------------------------------------

TRAINS = {
    "default": tt.PulseTrains(),
    "plain": tt.PulseTrains(5, update_management=False, length_management=False),
    "one slot": tt.PulseTrains(1),
    "many words": tt.PulseTrains(200, length_management=False),
}


@pytest.mark.parametrize("pulse_trains", TRAINS.values(), ids=TRAINS)
@pytest.mark.parametrize(
    ("model", "reference"),
    [(SOFT, tt.Reference()), (SOFT, tt.Reference("ideal", mean=0.05)), (CONSTANT, tt.Reference())],
    ids=["soft", "soft with reference", "constant"],
)
def test_updates_given_their_trains(model: tt.Device, reference: tt.Reference, pulse_trains: tt.PulseTrains) -> None:
    core = tt.Crossbar(9, 17, model, pulse_trains=pulse_trains, reference=reference, seed=6, count_pulses=True)
    core.weights = normal(9, 17, seed=7, scale=0.2)
    devices = devices_of(core, model)
    r = core.reference.astype(float)
    state = core.weights + r
    counts, rng = np.zeros((9, 17), int), np.random.default_rng(8)
    slots, fired = 0, np.zeros(2, int)
    for lr in rng.uniform(-0.3, 0.3, 30).astype(np.float32):
        x, delta = rng.standard_normal(17), rng.standard_normal(9)
        x[rng.random(17) < 0.3] = 0
        rows, cols = core.next_pulse_trains(x, delta, lr)
        assert len(rows) == len(cols) == twin.plan(x, delta, lr, core.weight_step, pulse_trains).slots
        core.update(x, delta, lr)
        state = twin.pulsed_update(state, devices, lr * np.outer(delta, x), rows, cols)
        counts += rows.astype(int).T @ cols.astype(int)
        slots += len(rows)
        fired += rows.sum(), cols.sum() if rows.any() else 0
        np.testing.assert_allclose(core.weights, state - r, atol=2e-6)
    np.testing.assert_array_equal(core.pulses, counts)
    assert core.ledger["pulses"] == counts.sum() > 0
    assert core.ledger["updates"] == 30
    assert core.ledger["slots"] == slots
    assert (core.ledger["row_firings"], core.ledger["column_firings"]) == tuple(fired)


# --- whole trainings --------------------------------------------------------------------------------------------------

TIE = 2e-5  # exceeds the error of float32: decisions further from a tie are the same
SIZES = (6, 5, 3)
SAMPLES = 40
SATURATING = replace(FULL, forward=replace(FULL.forward, adc_bound=0.3))
REFERENCES = {"reference": tt.Reference("zero-shift", pulses=300), "slow_reference": tt.Reference("ideal")}
TTV2 = tt.Ttv2(device=SOFT, fast_lr=0.31, transfer_lr=3.0, transfer_every=1)
FAST: dict[str, Any] = {"device": SOFT, "fast_lr": 0.31, "transfer_lr": 9.0, "transfer_every": 1}
TILES: dict[str, Any] = {"device": SOFT, "fast_lr": 0.31, "transfer_lr": 0.5, "transfer_every": 1, "every_ratio": 2}
TILES |= {"fast_tiles": 2, "gamma": 0.4, "transfer_unit": "sample"}
RULES: dict[str, tt.RuleConfig] = {
    "float": tt.DigitalSgd(lr=0.5),
    "sgd": tt.AnalogSgd(lr=0.21, device=SOFT),
    "sgd constant-step": tt.AnalogSgd(lr=0.21, device=CONSTANT, pulse_trains=TRAINS["plain"]),
    "sgd periphery": tt.AnalogSgd(lr=0.21, device=SOFT, periphery=FULL),
    "sgd retries": tt.AnalogSgd(lr=0.21, device=SOFT, periphery=SATURATING),
    "ttv1": tt.Ttv1(device=SOFT, fast_lr=0.31, transfer_lr=0.5, transfer_every=1),
    "ttv1 hadamard": tt.Ttv1(device=SOFT, fast_lr=0.31, transfer_lr=2.0, read_vectors="hadamard", slow_device=CONSTANT),
    "ttv1 gamma": tt.Ttv1(device=SOFT, fast_lr=0.31, transfer_lr=0.43, gamma=0.57, periphery=FULL, **REFERENCES),
    "ttv2": TTV2,
    "ttv2 periphery": replace(TTV2, periphery=FULL),
    "ttv2 subtract": replace(TTV2, after_pulse="subtract", transfer_lr=15.0, max_pulses=2),
    "ttv2 keep": replace(TTV2, after_pulse="keep", keep=0.4),
    "ttv2 pulses": replace(TTV2, max_pulses=4, transfer_lr=20.0, slow_device=CONSTANT),
    "ttv2 row": replace(TTV2, transfer_line="row"),
    "ttv2 batches": replace(TTV2, transfer_unit="batch", transfer_every=1, transfer_lr=20.0),
    "ttv2 r24": replace(TTV2, rates="r24", learning_rate=0.4, granularity=0.5, reads=2.0, memory=10.0),
    "ttv2 references": replace(TTV2, **REFERENCES),
    "ttv2 r24 matched": replace(TTV2, rates="r24-matched", learning_rate=0.4, granularity=0.5, reads=0.5, memory=10.0),
    "cttv2": tt.Cttv2(**FAST, flip_rate=1 / 3),
    "cttv2 row": tt.Cttv2(**FAST, flip_rate=0.5, transfer_line="row", periphery=FULL),
    "agad": tt.Agad(**FAST, flip_rate=1 / 3, periphery=FULL),
    "agad at once": tt.Agad(**FAST, flip_rate=0.5, reference_rate=1.0, warm_up=False, transfer_line="row"),
    "agad batches": tt.Agad(**(FAST | {"transfer_lr": 20.0}), flip_rate=0.5, transfer_unit="batch", warm_up=False),
    "ttv1 automatic": tt.Ttv1(device=SOFT, lr=0.7, transfer_every=1),
    "ttv2 automatic": tt.Ttv2(device=SOFT, lr=0.8, transfer_every=1),
    "ttv2 automatic, fine steps": tt.Ttv2(device=replace(SOFT, states=300), lr=0.8, transfer_every=1),
    "cttv2 automatic": tt.Cttv2(device=SOFT, lr=0.8, transfer_every=1, flip_rate=1 / 3),
    "agad automatic": tt.Agad(device=SOFT, lr=0.8, transfer_every=1, flip_rate=0.5),
    "rl": tt.Rl(device=SOFT, fast_lr=0.31, transfer_lr=0.5, transfer_every=1),
    "rlv2": tt.Rlv2(**FAST, leak=0.2, periphery=FULL),
    "rider": tt.Rider(device=SOFT, fast_lr=0.31, transfer_lr=0.7, transfer_every=1, gamma=0.4, reference_rate=0.3),
    "erider": tt.Erider(**FAST, flip_rate=1 / 3, gamma=0.4, periphery=FULL, warm_up=False),
    "erider row": tt.Erider(**FAST, flip_rate=0.5, gamma=0.4, transfer_line="row"),
    "tiles": tt.Tiles(**TILES),
    "tiles in turns": tt.Tiles(**TILES | {"fast_tiles": 3, "warm_start": 7}, slow_device=CONSTANT),
    "tiles row": tt.Tiles(**TILES, transfer_line="row", reference=tt.Reference("ideal")),
    "tiles automatic": tt.Tiles(**TILES | {"fast_lr": None}),
    "tiles batches": tt.Tiles(**TILES | {"transfer_unit": "batch", "transfer_lr": 1.0}),
    "mp": tt.MixedPrecision(device=SOFT, lr=0.5),
    "mp reads": tt.MixedPrecision(device=SOFT, lr=0.5, periphery=FULL, average_every=2),
}


def assert_same(core: tt.Network, rules: list[twin.Rule], when: str) -> None:
    """Every array and buffer of the core against that of the twin."""
    for layer, rule in enumerate(rules):
        state = core.layer_state(layer)
        for key, value in parts(rule).items():
            np.testing.assert_allclose(state[key], value, atol=2e-5, err_msg=f"{key} of array {layer}, {when}")
    for (name, ledger), rule in zip(core.ledgers.items(), rules, strict=True):
        assert counted(ledger) == rule.ledger(), f"{name}, {when}"


def counted(ledger: dict[str, Any]) -> dict[str, Any]:
    """A ledger without counts of 0, as the twin keeps it."""
    arrays = {part: {name: n for name, n in ledger[part].items() if n} for part in ("fast", "slow")}
    return ledger | arrays


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("name", RULES)
def test_training_step_for_step(name: str, batch: int) -> None:
    config, seed = RULES[name], 11
    n, hidden, classes = SIZES
    core = tt.Network([tt.nn.Linear(n, hidden), tt.nn.Sigmoid(), tt.nn.Linear(hidden, classes)], config, seed=seed)
    ties = twin.Ties()
    rules = [twin_rule(config, core, layer, seed, ties) for layer in range(2)]
    mlp = twin.Mlp(rules)
    x = normal(SAMPLES, n, seed=14)
    y = np.random.default_rng(13).integers(0, classes, SAMPLES)
    start = core.weights
    for first in range(0, SAMPLES, batch):
        order = np.arange(first, first + batch)
        score = core.train(x, y, order=order, batch=batch, lr_scale=0.9)
        loss = mlp.train(x[order], y[order], lr_scale=0.9) / batch
        assert score.loss == pytest.approx(loss, abs=1e-5)
        assert_same(core, rules, f"example {first}")
        core.averaging = core.keeps_average  # from the second batch on
        for rule in rules:
            rule.averaging = True
    if isinstance(rules[0], twin.Ttv2 | twin.MixedPrecision | twin.Tiles):
        for average, rule in zip(core.averages, rules, strict=True):
            read = rule.reads > 0
            np.testing.assert_allclose(average[read], rule.sums[read] / rule.reads[read], atol=2e-6)
            assert read.sum() > average.size / (2 * batch if isinstance(rule, twin.MixedPrecision) else 2)
    assert (core.ledger["slow"]["retries"] > 20) == (name == "sgd retries")
    assert ties.closest > TIE
    assert all(np.max(np.abs(w - before)) > 0.02 for w, before in zip(core.weights, start, strict=True))


# --- convolutions and memory ------------------------------------------------------------------------------------------

nn = tt.nn
STACKS: dict[str, list[tt.nn.Layer]] = {
    # patches with and without padding, apart and overlapping; the second convolution needs a backward product
    "conv": [
        nn.Conv2d(2, 4, 5, filters=3, kernel=3, stride=2, padding=1, scale=1.5),
        nn.Tanh(),
        nn.Conv2d(3, 2, 3, filters=2, kernel=2, padding=1, bias=False, scale=0.8),
        nn.Sigmoid(),
        nn.Linear(24, 3, scale=1.2),
    ],
    "lstm": [nn.LSTM(4, 3, scale=2.0), nn.LSTM(3, 4, bias=False, scale=1.5, clip=0.01), nn.Linear(4, 3)],
    "carry": [nn.LSTM(4, 3, carry=True, scale=2.0), nn.LSTM(3, 3, clip=0.02, carry=True), nn.Linear(3, 3, scale=1.5)],
    "one carries": [nn.LSTM(4, 3), nn.LSTM(3, 3, carry=True, scale=1.5), nn.Linear(3, 3, scale=1.5)],
}
STEPS = 5
DEEP_RULES: dict[str, tt.RuleConfig] = {
    "float": tt.DigitalSgd(lr=0.5),
    "sgd": tt.AnalogSgd(lr=0.21, device=SOFT),
    "ttv1": tt.Ttv1(device=SOFT, fast_lr=0.43, transfer_lr=0.5, transfer_every=2, slow_device=CONSTANT),
    "ttv2": replace(TTV2, transfer_every=2),
    # more than an image has patches or a sequence has steps, and no multiple of them
    "ttv2 seldom": replace(TTV2, transfer_every=13, transfer_lr=40.0, max_pulses=3),
    "ttv2 batches": replace(TTV2, transfer_unit="batch", transfer_lr=40.0),
    "ttv2 few batches": replace(
        TTV2, transfer_unit="batch", transfer_every=2, fast_lr=0.9, transfer_lr=50.0, transfer_line="row"
    ),
    "ttv2 periphery": replace(TTV2, transfer_every=2, periphery=FULL),
    "ttv2 r24": replace(TTV2, rates="r24", learning_rate=0.2, granularity=0.5, reads=2.0, memory=10.0),
}


def twin_layers(layers: list[tt.nn.Layer], rules: list[twin.Rule]) -> list[twin.Layer]:
    left, made = iter(rules), list[twin.Layer]()
    for layer in layers:
        match layer:
            case nn.Linear():
                made.append(twin.Linear(next(left), scale=layer.scale, bias=layer.bias))
            case nn.Conv2d():
                made.append(twin.Conv2d(layer, next(left)))
            case nn.LSTM():
                made.append(twin.Lstm(layer, next(left)))
            case _:
                made.append(twin.activation(layer))
    return made


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("name", DEEP_RULES)
@pytest.mark.parametrize("stack", STACKS)
def test_convolutions_and_memory_step_for_step(stack: str, name: str, batch: int) -> None:
    """Among many decisions some are nearly ties; then the next seed is tried."""
    for seed in range(21, 41):
        ties = twin.Ties()
        try:
            train_both(STACKS[stack], DEEP_RULES[name], batch, seed, ties)
        except AssertionError:
            if ties.closest > TIE:
                raise
        if ties.closest > TIE:
            return
    pytest.fail("a tie with every seed")


def train_both(layers: list[tt.nn.Layer], config: tt.RuleConfig, batch: int, seed: int, ties: twin.Ties) -> None:
    core = tt.Network(layers, config, seed=seed)
    shapes = [layer.shape for layer in layers if layer.shape is not None]
    rules = [twin_rule(config, core, layer, seed, ties) for layer in range(len(shapes))]
    net = twin.Network(twin_layers(layers, rules))
    rng, examples = np.random.default_rng(22), 8 + 20 * batch
    if core.recurrent:
        x = rng.integers(0, 4, (examples, STEPS))
        y, given = rng.integers(0, 3, (examples, STEPS)), np.eye(4)[x]
        samples = [STEPS] * len(shapes)
    else:
        x = given = normal(examples, core.inputs, seed=23)
        y, samples = rng.integers(0, 3, examples), [2 * 3, 3 * 4, 1]
    start = core.weights
    for first in range(0, examples, batch):
        order = np.arange(first, first + batch)
        score = core.train(x, y, order=order, batch=batch, lr_scale=0.9)
        loss = net.train(given[order], y[order], lr_scale=0.9) / y[order].size
        assert score.loss == pytest.approx(loss, abs=1e-5)
        assert_same(core, rules, f"example {first}")
    if isinstance(config, tt.Ttv2):
        for layer, (rows, cols) in enumerate(shapes):
            counted = examples // batch if config.transfer_unit == "batch" else examples * samples[layer]
            state, lines = core.layer_state(layer), rows if config.transfer_line == "row" else cols
            transfers = state["schedule.line"] + state["schedule.sweeps"] * lines
            assert transfers == counted // config.transfer_every
    for layer in net.layers:
        if isinstance(layer, twin.Lstm) and layer.layer.clip:
            assert min(layer.clamped, layer.free) > 20
    assert all(np.max(np.abs(w - before)) > 0.01 for w, before in zip(core.weights, start, strict=True))


def parts(rule: twin.Rule) -> dict[str, twin.F64]:
    """The state of a rule, under the names of the core."""
    if isinstance(rule, twin.Float):
        return {"c": rule.w}
    if isinstance(rule, twin.AnalogSgd):
        return {"c": rule.c.weights}
    if isinstance(rule, twin.MixedPrecision):
        return {"c": rule.c.weights, "chi": rule.chi}
    if isinstance(rule, twin.Tiles):
        tiles = zip(twin.tile_names(len(rule.fast)), rule.fast, strict=True)
        return {"c": rule.c.weights, **{name: tile.weights for name, tile in tiles}}
    a_and_c = {"a": rule.a.weights, "c": rule.c.weights}
    if rule.config.reference.method != "none":
        a_and_c["a.reference"] = rule.a.reference
    if isinstance(rule, twin.Filtered):
        tracked = {"tracker.mean": rule.mean, "tracker.reference": rule.tracked} if rule.tracks else {}
        signs = {"chopper": rule.signs} if hasattr(rule.config, "flip_rate") else {}
        return a_and_c | {"h": rule.h} | tracked | signs
    if isinstance(rule, twin.Rider):
        return a_and_c | {"tracker.mean": rule.q, "tracker.reference": rule.q}
    return a_and_c | ({"h": rule.h} if isinstance(rule, twin.Ttv2) else {})
