"""Derived tolerances by hand; tests/statistical/test_limits_in_law.py compares the derivation with simulated arrays."""

import math
from typing import Any

import pytest

from tikitaka.experiments.limits import (
    derived,
    pulses_per_read,
    resting_variance,
    sgd_noise,
    transfer_lr_at,
    ttv1_ratio,
    ttv2_ratio,
    variance_at,
)


def test_formulas_by_hand() -> None:
    assert resting_variance(0.6, 0.06, 0.3) == pytest.approx(0.6 * 0.06 * 1.09 / 2)
    assert sgd_noise(0.001, 3.0) == pytest.approx(0.01)
    assert ttv1_ratio(0.09 * math.pi / 2, 0.6) == pytest.approx(0.5)
    assert pulses_per_read(2.0, 0.0) == 0.0
    assert pulses_per_read(1e-3, 0.01) == pytest.approx(1e-8, rel=0.01)  # (1/λ)²/V reads per pulse
    assert pulses_per_read(1e4, 0.01) == pytest.approx(1e4 * math.sqrt(0.02 / math.pi), rel=0.01)
    assert ttv2_ratio(0.02, 3.0, 0.6) == pytest.approx(pulses_per_read(3.0, 0.02) / 1.8)


@pytest.mark.parametrize("variance", [1e-3, 0.02, 0.3])
@pytest.mark.parametrize("rate", [0.1, 3.0, 100.0])
def test_inverses(variance: float, rate: float) -> None:
    ratio = ttv2_ratio(variance, rate)
    assert variance_at(ratio, rate) == pytest.approx(variance)
    assert transfer_lr_at(ratio, variance) == pytest.approx(rate)
    assert variance_at(ttv1_ratio(variance)) == pytest.approx(variance)
    assert transfer_lr_at(ttv1_ratio(variance), variance) == math.inf


def tolerances(*rows: tuple[str, str, float | None]) -> list[dict[str, Any]]:
    """Tolerances of a result: panel, rule and value; those below 0 are bounds."""
    return [
        {
            **({"panel": panel} if panel else {}),
            "rule": rule,
            "points": 1.0,
            "tolerance": value and abs(value),
            "beyond": "easy" if value and value < 0 else None,
        }
        for panel, rule, value in rows
    ]


STATES: dict[str, Any] = {
    "claim": "states",
    "tolerances": tolerances(("", "sgd", -4000), ("", "sgd-symmetric", 60), ("", "ttv1", 40), ("", "ttv2", 10)),
    "rates": [{"rule": "ttv2", "value": 10, "transfer_lr": 3.0}, {"rule": "ttv2", "value": 100, "transfer_lr": 9.0}],
}

RULES = ("sgd", "sgd-symmetric", "ttv1", "ttv2", "agad")


def test_noise_of_updates_follows_from_states() -> None:
    """δ(1 + σ²) stays the same for SGD and TTv1, and for TTv2 where λ_H does."""
    result = {
        "claim": "update-noise",
        "tolerances": tolerances(*(("1,200 states, additive", rule, 1.0) for rule in RULES))
        + tolerances(("20 states, additive", "ttv1", -0.1), ("20 states, additive", "ttv2", 1.0)),
        "rates": [
            {"panel": panel, "rule": "ttv2", "value": 1, "transfer_lr": 3.0}
            for panel in ("1,200 states, additive", "20 states, additive")
        ],
    }
    rows = {(row["panel"], row["rule"]): row["value"] for row in derived(result, STATES)}
    assert rows == {
        ("1,200 states, additive", "sgd-symmetric"): pytest.approx(math.sqrt(1200 / 60 * 1.09 - 1)),
        ("1,200 states, additive", "ttv1"): pytest.approx(math.sqrt(1200 / 40 * 1.09 - 1)),
        ("1,200 states, additive", "ttv2"): pytest.approx(math.sqrt(1200 / 10 * 1.09 - 1)),
        ("20 states, additive", "ttv1"): 0.0,
        ("20 states, additive", "ttv2"): pytest.approx(math.sqrt(20 / 10 * 1.09 - 1)),
    }


def test_noise_of_reads_adds_to_that_of_a() -> None:
    result = {
        "claim": "mvm-noise",
        "tolerances": tolerances(
            ("20 states", "ttv1", -0.1), ("20 states", "ttv2", 0.1), ("1,200 states", "ttv1", 0.1)
        ),
        "rates": [{"panel": "20 states", "rule": "ttv2", "value": 0.1, "transfer_lr": 3.0}],
    }
    rows = {(row["panel"], row["rule"]): row["value"] for row in derived(result, STATES)}
    variance = {states: resting_variance(0.6, 1.2 / states, 0.3) for states in (10, 20, 40, 1200)}
    assert rows == {
        ("20 states", "ttv1"): 0.0,
        ("20 states", "ttv2"): pytest.approx(math.sqrt(variance[10] - variance[20])),
        ("1,200 states", "ttv1"): pytest.approx(math.sqrt(variance[40] - variance[1200])),
    }


def test_automatic_rates_take_the_ratio_of_ttv1() -> None:
    """λ_H grows with lr and the states, from where TTv2 has the F at which TTv1 fails."""
    states = {**STATES, "rates": [{"rule": "ttv2", "value": 10, "lr": 0.1}]}
    panel = "200 states, additive"
    result = {
        "claim": "update-noise",
        "tolerances": tolerances((panel, "ttv2", 1.0)),
        "rates": [{"panel": panel, "rule": "ttv2", "value": 1, "lr": 0.3}],
    }
    (row,) = derived(result, states)
    ratio = ttv1_ratio(resting_variance(0.6, 0.03, 0.3))
    rate = 60 * transfer_lr_at(ratio, resting_variance(0.6, 0.12, 0.3))
    assert row["value"] == pytest.approx(math.sqrt(variance_at(ratio, rate) / (0.6 * 0.006 / 2) - 1))


def test_other_studies_and_bounds_are_not_derived() -> None:
    assert derived({"claim": "reference", "tolerances": tolerances(("20 states", "ttv1", 0.1))}, STATES) == []
    beyond = {**STATES, "tolerances": tolerances(("", "ttv1", -4000))}
    result = {"claim": "update-noise", "tolerances": tolerances(("20 states, additive", "ttv1", 1.0)), "rates": []}
    assert derived(result, beyond) == []
