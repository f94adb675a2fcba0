"""The config dataclasses equal the structs of the core: names, defaults, bounds."""

import math
from dataclasses import fields, replace
from typing import Any

import pytest

import tikitaka as tt
from tikitaka import _core, config

KINDS: dict[str, type[Any]] = {
    "soft-bounds": tt.SoftBounds,
    "constant-step": tt.ConstantStep,
    "mvm": tt.Mvm,
    "periphery": tt.Periphery,
    "trains": tt.Trains,
    "reference": tt.Reference,
    "float": tt.Float,
    "sgd": tt.Sgd,
    "ttv1": tt.Ttv1,
    "ttv2": tt.Ttv2,
}


@pytest.mark.parametrize("kind", KINDS)
def test_names_and_defaults_equal_the_core(kind: str) -> None:
    assert config.to_dict(KINDS[kind]()) == _core.defaults(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_every_number_has_bounds_and_they_hold(kind: str) -> None:
    default = KINDS[kind]()
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
        (lambda: tt.SoftBounds(states=20, step=0.5), "states"),
        (lambda: tt.SoftBounds(noise="pink"), "pink"),  # type: ignore[arg-type]
        (lambda: tt.Mvm(dac_bits=1), "dac_bits"),
        (lambda: tt.Reference("guess"), "guess"),  # type: ignore[arg-type]
        (lambda: tt.Ttv2(after_pulse="explode"), "explode"),  # type: ignore[arg-type]
        (lambda: tt.nn.Linear(0, 3), "inputs"),
    ],
)
def test_bad_values_are_refused_by_name(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_states_and_step_that_agree_are_accepted() -> None:
    assert tt.SoftBounds(states=20, step=0.06).states == 20


def test_nested_values_make_the_same_config_again() -> None:
    rule = tt.Ttv2(device=tt.SoftBounds(states=40), slow_device=tt.ConstantStep(), periphery=tt.Periphery.full(0.1))
    assert config.from_dict(tt.Ttv2, config.to_dict(rule)) == rule


def test_unknown_fields_and_kinds_are_named_with_their_path() -> None:
    with pytest.raises(ValueError, match=r"device\.colour"):
        config.from_dict(tt.Sgd, {"device": {"kind": "soft-bounds", "colour": 1}})
    with pytest.raises(ValueError, match=r"device\.kind.*soft-bounds, constant-step"):
        config.from_dict(tt.Sgd, {"device": {"kind": "vacuum-tube"}})
    with pytest.raises(TypeError, match="device"):
        config.from_dict(tt.Sgd, {"device": 3})


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_documented(kind: str) -> None:
    cls = KINDS[kind]
    assert set(config.doc_of(cls)) == {f.name for f in fields(cls) if f.init}


def test_full_periphery_is_that_of_the_literature() -> None:
    full = tt.Periphery.full()
    assert full.forward == tt.Mvm(7, 1.0, 9, 12.0, 0.06, True, True)
    assert full.backward == replace(full.forward, bound_management=False)
    assert full.read == tt.Mvm(adc_bits=9, adc_bound=1.0, output_noise=0.06)
    assert tt.Periphery.ideal() == tt.Periphery()


def test_describe_ends_with_the_warnings() -> None:
    rule = tt.Ttv2(fast_lr=50.0)  # every train is as long as it can be
    warnings = rule.warnings(10, 100)
    assert warnings
    assert rule.describe(10, 100).endswith(f"warning: {warnings[-1]}")
    assert not tt.Ttv2().warnings(10, 100, samples=1_000_000)
