"""Time, energy and area: the published numbers, and every number of a bill by hand from its ledger and the table."""

import math
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from tikitaka import costs as package
from tikitaka.costs.band import Band, quantity
from tikitaka.costs.formulas import adc_energy

N, SLOTS, EVERY = 512, 5, 2
R24_NS = {"sgd": 30.9, "ttv2": 56.3, "agad": 62.1, "mp": 3024.5}
"""Update times of R24's Table 1, for N = 512, trains of 5 slots, and ns = 2."""
COSTS = tt.Costs()
FULL = tt.Periphery.full()


def update_ns(ledger: dict[str, Any], samples: int, rule: tt.RuleConfig | None = None) -> float:
    return 1e9 * COSTS.of_ledger(ledger, (N, N), rule).time_s.usual / samples


def test_update_times_of_r24_from_its_formula() -> None:
    """T = l·t_p + (t_MVM + t_p)/ns + ops/F; mixed precision has no trains, and SGD no transfer."""
    operations = {"sgd": 2 * N, "ttv2": 2 * N + 2 * N / EVERY, "agad": 2 * N + 6 * N / EVERY, "mp": 2 * N**2 + 2 * N}
    for name, expected in R24_NS.items():
        trains = {"fast": {"slots": EVERY * SLOTS}} if name != "mp" else {}
        transfer = {"line_reads": 1, "line_slots": 1} if name != "sgd" else {}
        ledger = {"slow": transfer, **trains, "digital_operations": round(EVERY * operations[name])}
        assert update_ns(ledger, EVERY) == pytest.approx(expected, rel=0.005), name


def test_update_times_of_real_layers_next_to_r24() -> None:
    """SGD and TTv2 agree; AGAD counts 5 operations per value read where R24 counts 6, and mixed precision looks through
    all of χ and writes every line that is due, where R24 counts one line."""
    device, trains = tt.SoftBounds(states=100), tt.PulseTrains(max_length=SLOTS, length_management=False)
    fast: dict[str, Any] = {"device": device, "pulse_trains": trains, "fast_lr": 0.01, "transfer_lr": 12.0}
    rules: dict[str, tt.RuleConfig] = {
        "sgd": tt.AnalogSgd(lr=0.01, device=device, pulse_trains=trains),
        "ttv2": tt.Ttv2(**fast, transfer_every=EVERY),
        "agad": tt.Agad(**fast, transfer_every=EVERY, warm_up=False),
        "mp": tt.MixedPrecision(lr=5e-3, device=device, transfer_every=EVERY),
    }
    rng, took, ledgers = np.random.default_rng(1), dict[str, float](), dict[str, Any]()
    for name, rule in rules.items():
        layer, samples = tt.AnalogLayer(rule, np.zeros((N, N), np.float32), seed=1), 40 if name == "mp" else 400
        for _ in range(samples):
            layer.update(rng.uniform(0.1, 1, (1, N)), rng.uniform(-1, 1, (1, N)))
        ledgers[name], took[name] = layer.ledger, update_ns(layer.ledger, samples, rule)
        print(f"{name:5} {took[name]:8.2f} ns per update, R24 {R24_NS[name]:8.1f} ns")  # pytest -s shows it
    assert took["sgd"] == pytest.approx(R24_NS["sgd"], rel=0.005)
    assert ledgers["ttv2"]["slow"]["line_slots"] >= 195  # of 200 transfers, each in one slot
    assert took["ttv2"] == pytest.approx(R24_NS["ttv2"], rel=0.005)
    crossings = ledgers["agad"]["slow"]["pulses"]  # each resets a value of H
    assert ledgers["agad"]["digital_operations"] == 400 * 2 * N + 200 * 5 * N + crossings
    assert R24_NS["agad"] - N / EVERY / 175 == pytest.approx(took["agad"] - crossings / 400 / 175, rel=0.005)
    writes = ledgers["mp"]["slow"]["line_slots"] * 5 / 40
    operations = ledgers["mp"]["digital_operations"] / 40
    assert 2 * N**2 + N**2 / EVERY <= operations <= 2 * N**2 + 3 * N**2 / EVERY
    assert writes > 0
    assert took["mp"] == pytest.approx(writes + operations / 175)


# --- a whole training by hand -----------------------------------------------------------------------------------------

TABLE = tomllib.loads(Path(package.__file__).with_name("costs.toml").read_text(encoding="utf-8"))
LAYERS = [tt.nn.Linear(64, 48), tt.nn.Sigmoid(), tt.nn.Linear(48, 10)]


def trained(rule: Any, layers: list[tt.nn.Layer] = LAYERS, examples: int = 200) -> tt.Network:
    digits = tt.data.load("digits").first(examples)
    network = tt.Network(layers, rule, seed=1)
    tt.fit(network, digits, epochs=3, progress=False)
    return network


@pytest.mark.parametrize("level", ["low", "usual", "high"])
def test_every_number_of_a_training_by_hand(level: str) -> None:
    """TTv2 on 20 states with the full periphery, straight from the ledger and the file of the table."""
    network = trained(tt.Ttv2(device=tt.SoftBounds(states=20), periphery=FULL))
    bill, t = COSTS.of(network), {name: entry[level] for name, entry in TABLE.items()}
    if level == "usual":
        low, usual, high = (1e6 * value for value in bill.energy_j)  # pytest -s shows what is printed
        print(f"energy {usual:.3g} µJ ({low:.3g} to {high:.3g}), {1e3 * bill.time_s.usual:.3g} ms on the chip")
        print(f"most of it: {', '.join(f'{name} {100 * part:.0f} %' for name, part in bill.largest().items())}")
    expected: dict[str, dict[str, float]] = {"time_s": {}, "energy_j": {}, "area_mm2": {}}
    for (name, ledger), (rows, cols) in zip(network.ledgers.items(), [(48, 65), (10, 49)], strict=True):
        a, c, operations = ledger["fast"], ledger["slow"], ledger["digital_operations"]
        products = c["forward_mvms"] + c["backward_mvms"]
        assert a["forward_mvms"] == a["backward_mvms"] == a["line_slots"] == c["slots"] == 0 < c["line_reads"]
        fired = (a["row_firings"] + c["row_firings"]) * cols + (a["column_firings"] + c["column_firings"]) * rows
        reads = a["line_reads"] + c["line_reads"]
        assert a["dac_conversions"] + c["dac_conversions"] == (
            c["forward_mvms"] * cols + c["backward_mvms"] * rows + reads  # of 7 bits each; a read drives one line
        )
        assert c["retries"] == 0
        assert a["adc_conversions"] + c["adc_conversions"] == (
            c["forward_mvms"] * rows + c["backward_mvms"] * cols + reads * rows  # of 9 bits each
        )
        per_device = t["read_v"] ** 2 * t["conductance_us"] * 1e-6 * t["mvm_ns"] * 1e-9
        pulse = t["write_v"] ** 2 * t["conductance_us"] * 1e-6 * t["slot_ns"] * 1e-9
        lines = 2 * (rows + cols)
        of = {
            "time_s": {
                "products": 1e-9 * products * t["mvm_ns"],
                "reads of lines": 1e-9 * reads * t["mvm_ns"],
                "pulse trains": 1e-9 * a["slots"] * t["slot_ns"],
                "writes of lines": 1e-9 * c["line_slots"] * t["slot_ns"],
                "digital operations": 1e-9 * operations / t["digital_gflops"],
            },
            "energy_j": {
                "array reads": per_device * (products * rows * cols * t["mean_square_input"] + reads * rows),
                "DACs": (a["dac_conversions"] + c["dac_conversions"]) * 7 * t["dac_pj"] * 1e-12,
                "ADCs": (a["adc_conversions"] + c["adc_conversions"]) * t["adc_pj"] * 1e-12,
                "pulses": (a["pulses"] + c["pulses"]) * pulse,
                "half-selected devices": fired * pulse / 4,
                "charging of lines": fired * t["write_v"] ** 2 * t["line_ff"] * 1e-15,
                "digital operations": operations * t["digital_pj"] * 1e-12,
                "digital memories": ledger["buffer_accesses"] * t["buffer_pj"] * 1e-12,
            },
            "area_mm2": {
                "devices": 2 * rows * cols * t["cell_f2"] * (t["feature_nm"] * 1e-6) ** 2,
                "reference devices": rows * cols * t["cell_f2"] * (t["feature_nm"] * 1e-6) ** 2,
                "ADCs": lines / t["lines_per_adc"] * t["adc_um2"] * 1e-6,
            },
        }
        for quantity_, parts in of.items():
            told = bill.arrays[name].parts[quantity_]
            assert {part: getattr(band, level) for part, band in told.items()} == pytest.approx(parts, rel=1e-12)
            for part, value in parts.items():
                expected[quantity_][part] = expected[quantity_].get(part, 0) + value
    for quantity_, parts in expected.items():
        assert {part: getattr(band, level) for part, band in bill.parts[quantity_].items()} == pytest.approx(parts)
        assert getattr(getattr(bill, quantity_), level) == pytest.approx(math.fsum(parts.values()))
    if level == "usual":
        ordered = sorted(expected["energy_j"], key=lambda part: -expected["energy_j"][part])
        assert list(bill.largest()) == ordered[:3]


def test_what_differs_between_rules() -> None:
    read = tt.Periphery(read=tt.IoSettings(adc_bits=9))
    of = {name: COSTS.of(trained(rule, examples=40)) for name, rule in {
        "float": tt.DigitalSgd(),
        "sgd": tt.AnalogSgd(),
        "referenced": tt.AnalogSgd(reference=tt.Reference("ideal")),
        "tiles": tt.Tiles(fast_tiles=3),
        "row": tt.Ttv2(transfer_line="row", periphery=read),
        "mixed": [tt.DigitalSgd(), tt.Ttv2()],
    }.items()}  # fmt: skip
    assert of["float"].energy_j == of["float"].time_s == of["float"].area_mm2 == Band(0, 0, 0)
    assert of["float"].assumed == ("exact arithmetic, which costs nothing here",)
    assert of["float"].largest() == {}
    assert of["mixed"].arrays["linear1"].energy_j.usual == 0 < of["mixed"].arrays["linear2"].energy_j.usual
    assert of["mixed"].assumed[0] == "linear1: exact arithmetic, which costs nothing here"
    cells = {name: bill.parts["area_mm2"]["devices"].usual for name, bill in of.items()}
    assert cells["tiles"] == pytest.approx(4 * cells["sgd"])
    references = {name: bill.parts["area_mm2"]["reference devices"].usual for name, bill in of.items()}
    assert (references["sgd"], references["referenced"]) == (0, pytest.approx(cells["sgd"]))
    assert references["tiles"] == pytest.approx(3 * cells["sgd"])
    assert of["row"].assumed == (
        "DACs of 7 bits for forward products, backward products, reads of lines, where the rule has none",
        "ADCs of 9 bits for forward products, backward products, where the rule has none",
    )


def test_a_rule_in_python_has_a_bill() -> None:
    class Two(tt.Rule):
        def build(self, weights: Any, seed: int, layer: int) -> None:
            self.array = tt.Crossbar(*weights.shape, seed=seed, array=1)
            self.other = tt.Crossbar(*weights.shape, seed=seed, array=2)
            self.array.weights = weights

        def update(self, x: Any, delta: Any, lr_scale: float) -> None:
            for x_s, delta_s in zip(x, delta, strict=True):
                self.other.update(x_s, delta_s, -0.1 * lr_scale)

    network = tt.Network([tt.nn.Linear(2, 3)], Two(), loss="mse", seed=1)
    network.train([[1.0, 0.5]], [[0.3, 0.2, 0.1]])
    bill = COSTS.of(network)
    assert bill.parts["time_s"]["pulse trains"].usual == 5e-9 * network.ledger["fast"]["slots"] > 0
    assert bill.parts["area_mm2"]["devices"].usual == pytest.approx(2 * 9 * 48 * 32**2 * 1e-12)


@pytest.mark.parametrize("managed", [(False, False), (True, False), (False, True)])
def test_conversions_of_each_direction_are_those_it_made(managed: tuple[bool, bool]) -> None:
    """With other bits in each direction, and retries, which convert only the outputs that saturated."""
    forward, backward = (
        tt.IoSettings(bits, 1.0, bits + 1, 0.4, bound_management=on) for bits, on in zip((5, 7), managed, strict=True)
    )
    rule = tt.AnalogSgd(periphery=tt.Periphery(forward, backward))
    rng, told = np.random.default_rng(1), list[dict[str, int]]()
    weights = rng.normal(0, 0.3, (9, 14))
    for direction in ("both", "forward", "backward"):
        rng = np.random.default_rng(2)
        array = tt.Crossbar(9, 14, tt.SoftBounds(), periphery=rule.periphery, seed=1)
        array.weights = weights
        x, delta = rng.normal(size=(20, 14)), rng.normal(size=(20, 9))
        if direction != "backward":
            array.forward(x)
        if direction != "forward":
            array.backward(delta)
        told.append(array.ledger)
    both, one, other = told
    assert (one["retries"] > 0, other["retries"] > 0) == managed
    bill = COSTS.of_ledger({"slow": both}, (9, 14), rule)
    dacs, adcs = (bill.parts["energy_j"][name].usual for name in ("DACs", "ADCs"))
    assert dacs == pytest.approx((one["dac_conversions"] * 5 + other["dac_conversions"] * 7) * 0.42e-12)
    assert adcs == pytest.approx((one["adc_conversions"] * 1.2**-3 + other["adc_conversions"] * 1.2**-1) * 2e-12)


def test_bits_of_converters() -> None:
    """1.2 per bit from 5 to 9 bits, the same below 5, 2 per bit above 9."""
    told = {bits: adc_energy(1, bits, 2.0, 1.2, 2.0) for bits in (2, 5, 8, 9, 10, 12)}
    by_hand = {2: 2 / 1.2**4, 5: 2 / 1.2**4, 8: 2 / 1.2, 9: 2.0, 10: 4.0, 12: 16.0}
    assert told == pytest.approx({bits: 1e-12 * value for bits, value in by_hand.items()})


def test_tiles_work_side_by_side() -> None:
    """Each has its own ADCs and its own digital unit, and a product is one of one tile."""
    counts = {"forward_mvms": 8, "slots": 6, "line_slots": 4, "line_reads": 2, "adc_conversions": 99}
    ledger, whole, tiled = {"slow": counts, "digital_operations": 350}, tt.AnalogSgd(), tt.AnalogSgd()
    for tile, tiles, lines in [((100, 256), 6 * 2, 512 * 2 + 512 * 6), (256, 4, 2 * 1024), (None, 1, 1024)]:
        object.__setattr__(tiled, "tile", tile)
        one, many = (COSTS.of_ledger(ledger, (512, 512), rule) for rule in (whole, tiled))
        assert many.time_s.usual == pytest.approx(one.time_s.usual / tiles)
        assert one.time_s.usual == pytest.approx((10 * 40 + 10 * 5 + 2) * 1e-9)
        reads = (bill.parts["energy_j"]["array reads"].usual for bill in (one, many))
        per_device = 0.2**2 * 2.1e-6 * 40e-9
        down = 1 if tile is None else 512 // (tile if isinstance(tile, int) else 512 / 6)
        assert next(reads) == pytest.approx(per_device * (8 * 512**2 * 0.2 + 2 * 512))
        assert next(reads) == pytest.approx(per_device * (8 * 512**2 * 0.2 / tiles + 2 * 512 / down))
        assert many.parts["area_mm2"]["ADCs"].usual == pytest.approx(lines * 1830e-6)


def test_tiles_cost_what_arrays_of_their_size_do() -> None:
    """Two layers of one shape, and one of twice as many rows, cut into them."""
    rule, tiled = tt.Ttv2(device=tt.SoftBounds(states=20), periphery=FULL), tt.Ttv2(periphery=FULL)
    object.__setattr__(tiled, "tile", (10, 99))
    network = trained(rule, [tt.nn.Linear(64, 10), tt.nn.Linear(10, 10), tt.nn.Linear(10, 10)])
    names = ["linear2", "linear3"]
    one, other = (network.ledgers[name] for name in names)
    both = {part: {name: one[part][name] + other[part][name] for name in one[part]} for part in ("fast", "slow")}
    both |= {name: one[name] + other[name] for name in ("digital_operations", "buffer_accesses")}
    bill, apart = COSTS.of_ledger(both, (20, 11), tiled), COSTS.of(network)
    for of, parts in bill.parts.items():
        for part, band in parts.items():
            whole = sum(apart.arrays[name].parts[of][part].usual for name in names)
            assert band.usual == pytest.approx(whole / (2 if of == "time_s" else 1)), part


# --- the table --------------------------------------------------------------------------------------------------------


def test_every_entry_has_a_band_a_unit_and_a_source() -> None:
    assert TABLE.keys() == COSTS.entries.keys()
    shown = COSTS.table()
    for name, entry in COSTS.entries.items():
        assert 0 < entry.low <= entry.usual <= entry.high, name
        assert entry.source, name
        assert f"\n    {entry.source}" in shown, name
    assert repr(COSTS) == shown
    assert COSTS["read_v"].about in COSTS._repr_html_()


def test_the_estimate_of_inputs_is_that_of_the_digits() -> None:
    assert np.mean(tt.data.load("digits").train_x ** 2) == pytest.approx(0.23, abs=0.005)


def test_overrides(tmp_path: Path) -> None:
    given = tt.Costs(
        mvm_ns=20,
        adc_pj=(0.5, np.float32(1), 3),
        dac_pj={"usual": 1.5, "low": 1, "unit": "pJ per bit", "source": "mine"},
    )
    assert (given["mvm_ns"].low, given["mvm_ns"].high, given["mvm_ns"].source) == (20, 20, "given")
    assert (given["adc_pj"].low, given["adc_pj"].usual, given["adc_pj"].high) == (0.5, 1, 3)
    assert (given["dac_pj"].low, given["dac_pj"].usual, given["dac_pj"].high) == (1, 1.5, 1.5)
    assert given["dac_pj"].source == "mine"
    assert given["slot_ns"] == COSTS["slot_ns"]
    file = tmp_path / "mine.toml"
    file.write_text('mvm_ns = 20\nadc_pj = [0.5, 1, 3]\n[dac_pj]\nlow = 1\nusual = 1.5\nsource = "mine"\n', "utf-8")
    read = tt.Costs.from_toml(file)
    assert read["adc_pj"].source == "given in mine.toml"
    assert {name: (each.low, each.high) for name, each in read.entries.items()} == {
        name: (each.low, each.high) for name, each in given.entries.items()
    }
    network = trained(tt.AnalogSgd(), examples=20)
    faster = given.of(network).parts["time_s"]["products"].usual
    assert faster == pytest.approx(COSTS.of(network).parts["time_s"]["products"].usual / 2)
    assert tt.Costs(**COSTS.entries) == COSTS != given


def test_a_faster_unit_is_the_cheap_end() -> None:
    ledger = {"slow": {}, "digital_operations": 1000}
    bill = tt.Costs(digital_gflops=(100, 200, 400)).of_ledger(ledger, (4, 4))
    assert bill.time_s == pytest.approx(Band(2.5e-9, 5e-9, 10e-9))


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"adc": 1}, "an entry must be one of .*, not 'adc': did you mean adc_pj"),
        ({"mvm_ns": -1}, "mvm_ns must be from 0 to 1e\\+12, not -1"),
        ({"mvm_ns": math.nan}, "mvm_ns must be from 0 to 1e\\+12, not nan"),
        ({"mvm_ns": math.inf}, "mvm_ns must be from 0 to 1e\\+12, not inf"),
        ({"mvm_ns": True}, "mvm_ns must be a number or three of them"),
        ({"mvm_ns": "fast"}, "mvm_ns must be a number or three of them .*, not 'fast'"),
        ({"adc_pj": (1, 2)}, "adc_pj must be a number or three of them"),
        ({"adc_pj": (3, 2, 4)}, "adc_pj must have low ≤ usual ≤ high, not 3, 2, 4"),
        ({"adc_pj": {"low": 1}}, "adc_pj must have a usual value"),
        ({"adc_pj": {"usual": 1, "unit": "fJ"}}, "adc_pj.unit must be pJ, not 'fJ'"),
        ({"adc_pj": {"usal": 1}}, "not 'usal': did you mean usual"),
        ({"digital_gflops": 0}, "digital_gflops must be from 1e-06"),
        ({"lines_per_adc": 0.5}, "lines_per_adc must be from 1 "),
    ],
)
def test_impossible_numbers_are_refused(overrides: dict[str, Any], words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        tt.Costs(**overrides)


def test_anything_but_a_ledger_is_refused(tmp_path: Path) -> None:
    for ledger, words in [
        ([], "ledger must be a Mapping"),
        ({}, "ledger must have the counts"),
        ({"slow": {"pulses": -1}}, r"ledger\['slow'\]\['pulses'\] must be from 0"),
        ({"slow": {"pulse": 1}}, "not 'pulse': did you mean pulses"),
        (tt.Crossbar(2, 3).ledger, "ledger must have the counts"),
        ({"slow": {}, "digital_operation": 1}, "not 'digital_operation': did you mean digital_operations"),
    ]:
        with pytest.raises((ValueError, TypeError), match=words):
            COSTS.of_ledger(ledger, (2, 3))  # type: ignore[arg-type]
    for shape in [(2,), (0, 3), 5, "23"]:
        with pytest.raises((ValueError, TypeError), match="shape must be"):
            COSTS.of_ledger({"slow": {}}, shape)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="network must be a Network"):
        COSTS.of(tt.AnalogLayer(tt.Ttv2(), np.zeros((2, 3))))  # type: ignore[arg-type]
    file = tmp_path / "bad.toml"
    for text in ("mvm_ns = -1", "mvm_ns = ", "mvm = 1"):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match=r"^\S*bad\.toml: (?!\S*bad)"):
            tt.Costs.from_toml(file)


def test_a_bill_as_text() -> None:
    bill = COSTS.of(trained(tt.Ttv2(periphery=FULL), examples=40))
    text = repr(bill)
    for part in ("time", "energy", "area", *bill.largest(), *bill.largest("time_s"), "linear2"):
        assert part in text
    assert " ".join(text.split()).endswith(f"excluded: {', '.join(bill.excluded)}")
    assert max(map(len, text.splitlines())) <= 100
    assert bill.assumed == ("DACs of 7 bits for reads of lines, where the rule has none",)
    assert "assumed: DACs of 7 bits" in text
    assert "excluded" in bill._repr_html_()
    with pytest.raises(ValueError, match="of must be one of time_s, energy_j, area_mm2, not 'energy'"):
        bill.largest("energy")


def test_quantities_as_text() -> None:
    told = [quantity(value, "J") for value in (0, 9.996e-10, 1e-9, 1.234e-8, 0.5, 12345, 3e-17)]
    assert told == ["0 J", "1.00 nJ", "1.00 nJ", "12.3 nJ", "500 mJ", "12.3 kJ", "0.0300 fJ"]
