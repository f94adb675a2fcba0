"""The config dataclasses equal the structs of the core: names, defaults, bounds."""

import math
import tomllib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from tikitaka import _core, config
from tikitaka._internal.validation import hints_of
from tikitaka.cli.flags import apply_flags
from tikitaka.nn import kinds, nets

KINDS: dict[str, type[Any]] = {
    **config.devices,
    "iosettings": tt.IoSettings,
    "periphery": tt.Periphery,
    "pulsetrains": tt.PulseTrains,
    "reference": tt.Reference,
    "reliability": tt.Reliability,
    "spread": tt.Spread,
    "onesidedpair": tt.OneSidedPair,
    **config.rules,
}
RULES = ", ".join(config.rules)
DEVICES = ", ".join(config.devices)


def test_flags_and_files_of_real_arrays() -> None:
    """A size of tiles as a number or two, named yields, and the fields of tables as flags of their own."""
    flags = {"tile": [64, 32], "stuck": 0.1, "write_noise": 0.02, "wire_ratio": 1e5, "forward_bit_serial": True}
    config_ = apply_flags(tt.TrainConfig(net="fcn", data="digits"), {"rule": "ttv2", "periphery": "full", **flags})
    rule: Any = config_.rule
    assert (rule.tile, rule.reliability.stuck, rule.reliability.write_noise) == ((64, 32), 0.1, 0.02)
    assert (rule.periphery.wire_ratio, rule.periphery.forward.bit_serial) == (1e5, True)
    assert tt.TrainConfig.from_dict(tomllib.loads(config_.to_toml())) == config_
    table = config.to_dict(tt.Agad(tile=7)) | {"reliability": "reram-om"}
    named: Any = config.from_dict(tt.Agad, table)
    assert (named.tile, named.reliability) == (7, tt.reliabilities["reram-om"])
    with pytest.raises(ValueError, match="reliability"):
        config.from_dict(tt.Agad, {"reliability": "reram-omm"})


@pytest.mark.parametrize("kind", KINDS)
def test_names_and_defaults_equal_the_core(kind: str) -> None:
    defaults = _core.defaults(kind)
    assert set(config.to_dict(KINDS[kind]())) == set(defaults)
    assert config.from_dict(KINDS[kind], defaults) == KINDS[kind]()


@pytest.mark.parametrize("kind", KINDS)
def test_every_number_has_bounds_and_they_hold(kind: str) -> None:
    default = tt.Reference("ideal") if kind == "reference" else KINDS[kind]()  # others have no error
    numbers = {
        f.name
        for f in fields(default)
        if isinstance(value := getattr(default, f.name), int | float) and not isinstance(value, bool)
    }
    bounds = _core.bounds(kind)
    assert numbers <= set(bounds) <= {f.name for f in fields(default)}
    for name, (low, high) in bounds.items():
        whole = isinstance(getattr(default, name), int)
        if name not in ("dac_bits", "adc_bits"):  # 1 is not allowed between 0 and 2
            replace(default, **{name: int(low) if whole else low})
        outside = [int(low) - 1, int(high) + 1] if whole else [math.nextafter(low, -math.inf), high * 1.001 + 1]
        for value in (*outside, *(() if whole else (math.nan, math.inf))):
            with pytest.raises((ValueError, TypeError, OverflowError), match=name):
                replace(default, **{name: value})


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: tt.SoftBounds(states=0), "states"),
        (lambda: tt.SoftBounds(states=-20), "states"),
        (lambda: tt.SoftBounds(states=20, weight_step=0.5), "states"),
        (lambda: tt.SoftBounds(noise="pink"), "pink"),  # type: ignore[arg-type]
        (lambda: tt.IoSettings(dac_bits=1), "dac_bits"),
        (lambda: tt.Reference("guess"), "guess"),  # type: ignore[arg-type]
        (lambda: tt.Reference(spread=0.1), "spread must be 0 unless the method of the reference is ideal"),
        (lambda: tt.Reference("zero-shift", mean=-0.1), "mean must be 0 unless the method of the reference is ideal"),
        (lambda: tt.Ttv2(after_pulse="explode"), "explode"),  # type: ignore[arg-type]
        (lambda: tt.nn.Linear(0, 3), "inputs"),
    ],
)
def test_bad_values_are_refused_by_name(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_states_and_step_that_agree_are_accepted() -> None:
    assert tt.SoftBounds(states=20, weight_step=0.06).states == 20


def test_nested_values_make_the_same_config_again() -> None:
    rule = tt.Ttv2(device=tt.SoftBounds(states=40), slow_device=tt.ConstantStep(), periphery=tt.Periphery.full(0.1))
    assert config.from_dict(tt.Ttv2, config.to_dict(rule)) == rule


def test_unknown_fields_and_kinds_are_named_with_their_path() -> None:
    with pytest.raises(ValueError, match=r"device\.colour"):
        config.from_dict(tt.AnalogSgd, {"device": {"kind": "soft-bounds", "colour": 1}})
    with pytest.raises(ValueError, match=r"device\.kind.*soft-bounds, constant-step"):
        config.from_dict(tt.AnalogSgd, {"device": {"kind": "vacuum-tube"}})
    with pytest.raises(TypeError, match="device"):
        config.from_dict(tt.AnalogSgd, {"device": 3})


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_documented(kind: str) -> None:
    cls = KINDS[kind]
    assert set(config.doc_of(cls)) == {f.name for f in fields(cls) if f.init}


def test_the_classes_are_those_of_the_core() -> None:
    for cls in (*config.rules.values(), *config.devices.values(), tt.Periphery):
        for f in fields(cls):
            assert {*config.kinds_of(hints_of(cls)[f.name]).values()} <= {*KINDS.values()}
    with pytest.raises(ValueError, match="kind must be one of ") as refused:
        _core.defaults("none")
    assert set(str(refused.value).partition("one of ")[2].partition(", not")[0].split(", ")) == {*KINDS, *kinds}


def from_toml(text: str) -> tt.TrainConfig:
    return tt.TrainConfig.from_dict(tomllib.loads(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("epoch = 3", "unknown field 'epoch': did you mean epochs?"),
        ("[rule]\nfast_lrr = 1.0", "unknown field 'rule.fast_lrr': did you mean fast_lr?"),
        ("fast_lr = 1.0", "unknown field 'fast_lr': did you mean rule.fast_lr?"),
        ("[rule]\nstates = 20", "unknown field 'rule.states': did you mean rule.device.states?"),
        (
            "[rule.pulse_trains]\nqqq = 1",
            "unknown field 'rule.pulse_trains.qqq': PulseTrains has max_length, update_management",
        ),
        ("net = 'fnc'", "net must be one of fcn, lenet, lstm, not 'fnc': did you mean fcn?"),
        ("schedule = 'decaying'", "not 'decaying': did you mean decay?"),
        ("rule = 'ttv3'", f"rule.kind must be one of {RULES}, not 'ttv3': did you mean ttv"),
        ("[rule]\ndevice = 'gv17'", "not 'gv17': did you mean gv16?"),
        ("[rule]\ndevice.kind = 'soft-bound'", f"rule.device.kind must be one of {DEVICES}, not"),
        ("[rule]\ndevice.preset = 'r42'", "rule.device.preset must be one of ideal, gv16, r24, reram,"),
        ("[rule]\nperiphery = 'fall'", "rule.periphery must be one of ideal, full, not 'fall': did you mean full?"),
        (
            "[rule]\ndevice = {preset = 'gv16', kind = 'soft-bounds'}",
            "rule.device.kind must be constant-step, as in the preset gv16, not 'soft-bounds'",
        ),
        ("[rule]\nslow_device = {states = 20}", f"rule.slow_device.kind must be one of {DEVICES}"),
        ("[rule]\npulse_trains = 'full'", "rule.pulse_trains must be a table of fields, not 'full'"),
        ("[rule]\ndevice = 3", "rule.device must be a table of fields or a name, not 3"),
        ("rule = 3", "rule must be a table of fields or a name, not 3"),
        ("[rule.device]\nstates = 0", "rule.device.states must be from 1 to 10,000,000, not 0"),
        ("[rule.device]\nstates = true", "rule.device.states must be a number, not True"),
        (
            "[rule.device]\nstates = 20\nweight_step = 0.5",
            "rule.device.states must be 2·bound/weight_step = 2.4, not 20",
        ),
        ("[rule.periphery.forward]\nadc_bits = 1", "rule.periphery.forward.adc_bits must be 0 (off) or 2 to 24, not 1"),
        ("[rule.periphery.forward]\nadc_bits = 9.0", "rule.periphery.forward.adc_bits must be a whole number, not 9.0"),
        ("[rule]\ncount_pulses = 1", "rule.count_pulses must be true or false, not 1"),
        ("[rule]\nlr = 'fast'\nkind = 'sgd'", "rule.lr must be a number, not 'fast'"),
        (
            "[rule]\ntransfer_unit = 'batches'",
            "rule.transfer_unit must be one of sample, batch, not 'batches': did you mean batch?",
        ),
        ("[rule]\nfast_lr = nan", "rule.fast_lr must be from 0 to 1,000, not NaN"),
        ("epochs = 2.0", "epochs must be a whole number, not 2.0"),
        ("seed = -1", "seed must be from 0 to 2^63 - 1, not -1"),
        ("data = 1979-05-27", "data must be a string, not datetime.date"),
        ('data = "a\\nb"', "data must be a name without control characters"),
        ("net = ['fcn']", "net must be one of fcn, lenet, lstm, not ['fcn']"),
        ("rule.kind = ['sgd']", f"rule.kind must be one of {RULES}, not ['sgd']"),
    ],
)
def test_a_bad_file_is_refused_by_path(text: str, words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=r"\w") as refused:
        from_toml(text)
    assert words in str(refused.value)


def test_a_config_is_a_table() -> None:
    with pytest.raises(TypeError, match="must be a table of fields, not 3"):
        tt.TrainConfig.from_dict(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="kind must be one of sgd, not 'ttv2'"):
        config.from_dict(tt.AnalogSgd, {"kind": "ttv2"})


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: tt.SoftBounds(bound="wide"), "bound must be a number, not 'wide'"),  # type: ignore[arg-type]
        (lambda: tt.SoftBounds(states=True), "states must be a number, not True"),
        (lambda: tt.IoSettings(noise_management=1), "noise_management must be true or false, not 1"),  # type: ignore[arg-type]
        (lambda: tt.Ttv2(transfer_every=2.5), "transfer_every must be a whole number, not 2.5"),  # type: ignore[arg-type]
        (lambda: tt.Ttv2(device=tt.PulseTrains()), "device must be a Device, not PulseTrains"),  # type: ignore[arg-type]
        (lambda: tt.Ttv2(device=None), "device must be a Device, not None"),  # type: ignore[arg-type]
        (lambda: tt.TrainConfig(rule="ttv2"), "rule must be a RuleConfig, not 'ttv2'"),  # type: ignore[arg-type]
        (lambda: tt.nn.Linear("4", 3), "inputs must be a whole number, not '4'"),  # type: ignore[arg-type]
    ],
)
def test_wrong_types_are_refused_by_name(make: Any, words: str) -> None:
    with pytest.raises(TypeError) as refused:
        make()
    assert str(refused.value).startswith(words)


def test_numbers_of_numpy_become_plain_ones() -> None:
    rule = tt.Ttv2(transfer_every=np.int64(3), fast_lr=np.float64(0.25), count_pulses=np.bool_(True))  # type: ignore[arg-type]
    assert [type(value) for value in (rule.transfer_every, rule.fast_lr, rule.count_pulses)] == [int, float, bool]
    made = tt.TrainConfig(rule=rule, seed=np.int64(5))  # type: ignore[arg-type]
    assert from_toml(made.to_toml()) == made
    assert tt.nn.Linear(np.int64(4), 3) == tt.nn.Linear(4, 3)  # type: ignore[arg-type]


def test_presets_stand_for_tables() -> None:
    def rule(text: str) -> Any:
        return from_toml("[rule]\nkind = 'ttv2'\n" + text).rule

    for name, device in config.presets.items():
        assert rule(f"device = '{name}'").device == rule(f"device.preset = '{name}'").device == device
        assert rule(f"slow_device = '{name}'").slow_device == device
    for kind, cls in config.devices.items():
        assert rule(f"device = '{kind}'").device == cls()
    for name, periphery in config.peripheries.items():
        assert rule(f"periphery = '{name}'").periphery == periphery
    gv16 = tt.presets["gv16"]
    assert rule("device = {preset = 'gv16', bound = 0.5}").device == replace(gv16, bound=0.5)  # type: ignore[type-var]
    assert rule("device = {preset = 'gv16', states = 300}").device == replace(gv16, states=300, weight_step=None)  # type: ignore[type-var]
    full = tt.Periphery.full()
    given = rule("periphery = {preset = 'full', forward = {adc_bits = 12}}").periphery
    assert given == replace(full, forward=replace(full.forward, adc_bits=12))
    assert rule("device = {states = 7}").device == tt.SoftBounds(states=7)  # of the kind of the default
    assert from_toml("net = 'lenet'\nrule = 'sgd'").rule == nets["lenet"].rule("sgd")
    assert not {*config.presets} & {*config.devices}


def test_presets_are_written_out() -> None:
    made = from_toml("rule.device = 'gv16'\nrule.periphery = 'full'")
    text = made.to_toml()
    gv16 = tomllib.loads(text)["rule"]["device"]
    assert config.from_dict(tt.ConstantStep, gv16) == tt.presets["gv16"]
    assert gv16["weight_step"] == 0.001
    assert from_toml(text) == made


def test_flags_take_presets() -> None:
    made: Any = apply_flags(tt.TrainConfig(), {"device": "gv16", "states": 300.0, "slow_device": "r24"}).rule
    assert made.device == replace(tt.presets["gv16"], states=300.0, weight_step=None)  # type: ignore[type-var]
    assert made.slow_device == tt.presets["r24"]
    copied: Any = apply_flags(tt.TrainConfig(), {"device": "gv16", "slow_bound": 0.5}).rule
    assert copied.slow_device == replace(tt.presets["gv16"], bound=0.5)  # type: ignore[type-var]


@pytest.mark.parametrize("net", nets)
@pytest.mark.parametrize("kind", config.rules)
def test_the_printed_file_gives_the_same_config(net: str, kind: str) -> None:
    usual = tt.TrainConfig(net=net, rule=nets[net].rule(kind))
    full = replace(usual, examples=10, holdout=5, average_from=2, schedule="swa", seed=2**63 - 1)
    if kind != "float":
        full = replace(full, rule=replace(full.rule, periphery=tt.Periphery.full(), device=tt.presets["gv16"]))  # type: ignore[call-arg]
    if kind.startswith("ttv"):
        full = replace(full, rule=replace(full.rule, slow_device=tt.SoftBounds(weight_step=0.01)))  # type: ignore[call-arg]
    for made in (usual, full):
        text = made.to_toml()
        assert from_toml(text) == made
        assert from_toml(text).to_toml() == text
        lines = [line for line in text.splitlines() if line]
        assert all("  # " in line or line.startswith("# ") for line in lines)
        told = {line.removeprefix("# ").partition(" ")[0] for line in lines}
        assert told >= {f.name for f in fields(made.rule)} - {*_tables(made.rule)}


def _tables(part: Any) -> list[str]:
    return [f.name for f in fields(part) if config.kinds_of(hints_of(type(part))[f.name]) and getattr(part, f.name)]


def test_a_file_edited_by_hand() -> None:
    text = tt.TrainConfig(rule=tt.Ttv2()).to_toml()
    for before, after in (
        ("# examples is not set: train on", "examples = 500  # train on"),
        ("# states is not set:", "states = 50  # of ours:"),
        ("lr = 0.2  # learning rate", "# lr = 0.8\nlr = 0.5  # mine, by the learning rate"),
        ("average_bound = 1.5", ""),
        ("[rule.pulse_trains]", "  # trains of GV16\n\n[ rule . pulse_trains ] "),
    ):
        assert before in text
        text = text.replace(before, after, 1)
    made = from_toml(text)
    assert made == tt.TrainConfig(examples=500, rule=tt.Ttv2(lr=0.5, device=tt.SoftBounds(states=50)))


def test_the_documented_file_and_commands_work() -> None:
    text = (Path(__file__).parents[2] / "docs/config.md").read_text(encoding="utf-8")
    files = text.split("```toml\n")[1:]
    assert files
    for file in files:
        assert from_toml(file.partition("```")[0]).rule.describe(10, 10)


def test_full_periphery_is_that_of_the_literature() -> None:
    full = tt.Periphery.full()
    assert full.forward == tt.IoSettings(7, 1.0, 9, 12.0, 0.06, True, True)
    assert full.backward == replace(full.forward, bound_management=False)
    assert full.read == tt.IoSettings(adc_bits=9, adc_bound=1.0, output_noise=0.06)
    assert tt.Periphery.ideal() == tt.Periphery()


def test_describe_ends_with_the_warnings() -> None:
    rule = tt.Ttv2(fast_lr=50.0)  # every train is as long as it can be
    warnings = rule.warnings(10, 100)
    assert warnings
    assert rule.describe(10, 100).endswith(f"warning: {warnings[-1]}")
    assert not tt.Ttv2().warnings(10, 100, samples=1_000_000)
