"""The properties that an assessment varies, on devices of every kind."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from tikitaka.assessment import properties, spreads
from tikitaka.assessment.hardware import Hardware
from tikitaka.assessment.properties import PROPERTIES, present
from tikitaka.assessment.run import LEVELS
from tikitaka.config import devices, presets, rules

KNOWN = {known.name: known for known in PROPERTIES}


def test_names_are_unique() -> None:
    assert len(KNOWN) == len(PROPERTIES)


@pytest.mark.parametrize("name", [*devices, *presets])
def test_every_property_of_every_device(name: str) -> None:
    """Each level differs from the present in its own property as it says, and can be trained."""
    device = presets[name] if name in presets else devices[name]()
    hardware = Hardware(device)
    found = present(hardware, LEVELS)
    assert "states" in {known.name for known, _ in found}
    for known, levels in found:
        now = known.value(hardware)
        assert now is not None
        for level, other in levels:
            value = known.value(other)
            assert value is not None
            if level.name == "introduced":
                assert now == 0 < value
            else:
                assert (value < now) == ((level.factor < 1) != known.falls), (known.name, level.name)
            for rule in rules.values():
                tt.AnalogLayer(other.under(rule()), np.zeros((2, 3)))


def test_states_of_pairs_scale_as_those_of_their_devices() -> None:
    hardware = Hardware(tt.SoftBounds(states=20, pair=tt.OneSidedPair()))
    more: Any = KNOWN["states"].scaled(hardware, 0.5)
    assert (hardware.states, more.states, more.device.states) == (40, 80, 40)
    noisy = tt.NeuroSim(levels=64, cycle_to_cycle=0.02)
    pair = replace(noisy, pair=tt.OneSidedPair())
    assert KNOWN["pulse noise"].value(Hardware(pair)) == KNOWN["pulse noise"].value(Hardware(noisy))


@pytest.mark.parametrize(
    "device",
    [
        tt.SoftBounds(states=20, cycle_noise=0.5),
        tt.SoftBounds(states=20, cycle_noise=0.5, noise="multiplicative"),
        tt.ConstantStep(weight_step=0.1, cycle_noise=0.5),
        tt.NeuroSim(levels=20, cycle_to_cycle=0.05),
    ],
)
def test_more_states_leave_the_noise_of_a_pulse_as_it_is(device: Any) -> None:
    now = Hardware(device)
    more = KNOWN["states"].scaled(now, 0.5)
    assert more.states == pytest.approx(2 * now.states, rel=0.05)
    assert KNOWN["pulse noise"].value(more) == pytest.approx(KNOWN["pulse noise"].value(now))


def test_values_stay_within_what_settings_allow() -> None:
    device: Any = KNOWN["bound spread"].scaled(Hardware(tt.SoftBounds(bound_spread=0.3)), 0.0).device
    assert device.bound_spread == 0
    assert KNOWN["states"].value(KNOWN["states"].scaled(Hardware(tt.SoftBounds(states=1)), 2.0)) == 1


def test_a_property_that_cannot_be_better_is_left_out() -> None:
    found = {known.name: levels for known, levels in present(Hardware(tt.ConstantStep()), LEVELS)}
    assert [level.name for level, _ in found["pulse noise"]] == ["introduced"]
    assert "bound spread" not in found  # it is zero, and no size of it is usual


def test_the_reference_and_the_reads() -> None:
    hardware = Hardware(tt.SoftBounds(), tt.Reference("ideal", mean=0.3, spread=0.4), tt.Periphery.full(0.06))
    assert KNOWN["reference error"].value(hardware) == pytest.approx(0.5)
    half = KNOWN["reference error"].scaled(hardware, 0.5).reference
    assert (half.mean, half.spread) == (0.15, 0.2)
    quiet = KNOWN["read noise"].scaled(hardware, 0.0).periphery
    assert (quiet.read.output_noise, quiet.read.adc_bits) == (0, tt.Periphery.full().read.adc_bits)
    shifted = replace(hardware, reference=tt.Reference("zero-shift"))
    assert KNOWN["reference error"].value(shifted) is None


def test_a_rule_without_a_reference_gets_none() -> None:
    hardware = Hardware(tt.SoftBounds(states=7), tt.Reference("ideal", mean=0.1))
    sgd, ttv2, exact = (hardware.under(rule) for rule in (tt.AnalogSgd(), tt.Ttv2(), tt.DigitalSgd()))
    assert (sgd.reference, ttv2.reference) == (tt.Reference(), hardware.reference)  # type: ignore[attr-defined]
    assert exact == tt.DigitalSgd()


def test_parts_of_a_joint_spread() -> None:
    """Steps up and down: their common part, and their difference; correlations follow."""
    up, down, together = 0.5, 0.3, 0.4
    covariance = np.diag([up**2, down**2, 0.1**2, 0.2**2, 0.0, 0.0])
    covariance[0, 1] = covariance[1, 0] = together * up * down
    common = math.sqrt(up**2 + down**2 + 2 * together * up * down) / 2
    differ = math.sqrt(up**2 + down**2 - 2 * together * up * down) / 2
    for part, size in ((spreads.STEP, common), (spreads.ASYMMETRY, differ)):
        along = np.array(part.directions)
        change = np.eye(6) + (0.5 - 1) * along.T @ along
        changed = change @ covariance @ change.T
        other = spreads.ASYMMETRY if part is spreads.STEP else spreads.STEP

        def along_part(of: spreads.Part, matrix: Any) -> float:
            return float(np.sqrt(np.array(of.directions) @ matrix @ np.array(of.directions).T / 2).item())

        assert along_part(part, covariance) == pytest.approx(size)
        assert along_part(part, changed) == pytest.approx(size / 2)
        assert along_part(other, changed) == pytest.approx(along_part(other, covariance))


def test_a_joint_spread_and_a_list_of_devices() -> None:
    joint = tt.SoftBounds(spread=tt.Spread(up_step=0.5, down_step=0.3, upper_bound=0.2, lower_bound=0.4))
    half: Any = KNOWN["step spread"].scaled(Hardware(joint), 0.0).device
    assert KNOWN["step spread"].value(Hardware(half)) == pytest.approx(0, abs=1e-9)
    before, after = (KNOWN["asymmetry spread"].value(Hardware(each)) for each in (joint, half))
    assert after == pytest.approx(before)
    assert half.spread.correlation[0][1] == pytest.approx(-1)  # what is up in one direction is down in the other
    tt.Crossbar(2, 2, half)
    rows = ((1.2, 0.8, 1.1, 0.9, 0.1, 0.0), (0.8, 1.3, 0.9, 1.2, -0.1, 0.2), (1.0, 1.0, 1.0, 1.0, 0.0, 0.0))
    listed = tt.LinearStep(measured=rows)
    for name in ("step spread", "asymmetry spread", "bound spread", "nonlinearity spread"):
        known = KNOWN[name]
        now = known.value(Hardware(listed))
        assert now is not None
        assert now > 0
        assert known.value(known.scaled(Hardware(listed), 0.5)) == pytest.approx(now / 2)


def test_soft_bounds_are_linear_steps_of_another_slope() -> None:
    device = tt.SoftBounds(states=30, upper_bound=0.5)
    half: Any = KNOWN["nonlinearity"].scaled(Hardware(device), 0.5).device
    assert (half.kind, half.up_slope, half.down_slope, half.states, half.upper_bound) == (
        "linear-step",
        0.5,
        0.5,
        30,
        0.5,
    )
    assert KNOWN["nonlinearity"].scaled(Hardware(device), 2.0).device == device


def test_levels_are_multiples_of_how_bad_the_hardware_is() -> None:
    assert [(level.name, level.factor) for level in LEVELS] == [("ideal", 0.0), ("half", 0.5), ("double", 2.0)]
    assert properties.Level("half", 0.5) in LEVELS
