"""A fitted device, pulsed in the simulator, does what the fit says: for each kind of step."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tikitaka as tt
from support.chips import sweeps_of
from tikitaka.config import devices

F64 = NDArray[np.float64]

SAME = {"step_spread": 0.0, "bound_spread": 0.0, "asymmetry": 0.0}
ZERO, UNIT = 50e-6, 30e-6

CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "constant": ("constant-step", "constant-step", {}),
    "soft bounds": ("linear", "soft-bounds", {}),
    "separate bounds": ("linear", "soft-bounds", {"upper_bound": 0.8, "lower_bound": -0.4}),
    "line": ("linear", "linear-step", {"up_slope": 0.6, "down_slope": 0.5}),
    "power": ("power", "power-step", {"up_power": 2.0, "down_power": 1.6}),
    "exponential": ("exponential", "exponential-step", {"up_amplitude": 0.2, "down_amplitude": 0.25}),
    "table": ("table", "table-step", {"up": (1.6, 1.2, 1.0, 0.9), "down": (0.9, 1.0, 1.2, 1.6)}),
}


def changes(device: tt.Device, zero: float, unit: float, at: F64) -> F64:
    """Mean changes of conductance by an up and by a down pulse (2, places), of the device without noise and spreads."""
    quiet: dict[str, Any] = {**SAME, "cycle_noise": 0.0}
    if hasattr(device, "spread"):
        quiet |= {"spread": None, "measured": ()}
    array = tt.Crossbar(1, len(at), replace(device, **quiet))  # type: ignore[type-var]
    found = []
    for sign in (1, -1):
        array.weights = ((at - zero) / unit)[None].astype(np.float32)
        before = array.weights[0].astype(np.float64)
        array.pulse_row(0, np.full(len(at), sign))
        found.append((array.weights[0] - before) * unit)
    return np.array(found)


@pytest.mark.parametrize("name", CASES)
def test_the_device_steps_as_the_one_that_was_measured(name: str) -> None:
    """Two chips of the same device, six cycles; the mean step is then known to 2 to 4 %."""
    shape, kind, fields = CASES[name]
    source = {"constant": "constant-step", "soft bounds": "soft-bounds", "separate bounds": "soft-bounds"}
    true = devices[source.get(name, kind)](**{"states": 100.0, "cycle_noise": 0.4, **SAME, **fields})  # type: ignore[arg-type]
    pulses = {"constant": 40, "line": 60}.get(name, 120)  # without saturation at hard bounds
    chip = sweeps_of(true, pulses=pulses, cycles=6, devices=2, read_noise=0.012, zero=ZERO, unit=UNIT)
    models = [shape.removesuffix("-step")]
    fit = tt.fit_device(chip.measured, models=models, noise="additive", replicates=3)
    assert fit.device.kind in (kind, "table-step" if shape == "power" else kind)
    low, high = fit.members[0].curves.used
    at = np.linspace(0.85 * low + 0.15 * high, 0.15 * low + 0.85 * high, 7)
    zero, unit = (fit.physical[key] for key in ("conductance_at_weight_0", "conductance_per_unit_weight"))
    assert np.allclose(
        changes(fit.device, zero, unit, at), changes(true, ZERO, UNIT, at), rtol=0.15, atol=0.03 * fit.mean.step
    )
    assert fit.device.cycle_noise == pytest.approx(0.4, rel=0.25)  # type: ignore[attr-defined]
    assert len(fit.replicates) == 3


def test_measured_devices_are_drawn() -> None:
    chip = sweeps_of(tt.SoftBounds(states=40), pulses=60, cycles=2, devices=20, read_noise=0.01)
    fit = tt.fit_device(chip.measured, models="linear", noise="additive", replicates=1, draw_measured=True)
    assert len(fit.device.measured) == 20  # type: ignore[attr-defined]
    drawn = tt.Crossbar(20, 20, fit.device, seed=1).device_parameters
    assert np.std(np.log(drawn["up_step"])) == pytest.approx(fit.spreads.sd[0], rel=0.2)  # type: ignore[union-attr]


def test_spreads_and_their_correlation_reach_the_simulator() -> None:
    chip = sweeps_of(tt.SoftBounds(states=40), pulses=60, cycles=2, devices=12, read_noise=0.01)
    fit = tt.fit_device(chip.measured, models="linear", noise="additive", replicates=1)
    assert fit.spreads is not None
    drawn = tt.Crossbar(40, 40, fit.device, seed=1).device_parameters
    logs = [np.log(drawn[name]).ravel() for name in ("up_step", "down_step")]
    assert np.std(logs[0]) == pytest.approx(fit.spreads.sd[0], rel=0.1)
    assert np.std(logs[1]) == pytest.approx(fit.spreads.sd[1], rel=0.1)
    assert np.corrcoef(logs)[0, 1] == pytest.approx(fit.spreads.correlation[0][1], abs=0.1)


@pytest.mark.parametrize("proportional", [False, True])
def test_steps_in_proportion_to_bounds_are_told_from_others(proportional: bool) -> None:
    """Where bounds differ by 30 %, steps at weight 0 or rates differ less, and the mean device is of these."""
    spread = tt.Spread(0.2, 0.15, 0.3, 0.3, proportional=proportional)
    true = tt.SoftBounds(states=60, cycle_noise=0.5, **SAME, spread=spread)  # type: ignore[arg-type]
    chip = sweeps_of(true, pulses=120, cycles=4, devices=40, read_noise=0.01, seed=4)
    fit = tt.fit_device(chip.measured, models="linear", noise="additive", replicates=1)
    assert fit.spreads is not None
    assert fit.spreads.proportional is proportional
    assert fit.device.spread.proportional is proportional  # type: ignore[attr-defined]
    steps = [chip.parameters[name] for name in ("up_step", "down_step")]
    bounds = [chip.parameters["upper_bound"], -chip.parameters["lower_bound"]]
    rates = [step / (bound if proportional else 1) for step, bound in zip(steps, bounds, strict=True)]
    sd = [*(np.std(np.log(rate), ddof=1) for rate in rates), *(np.std(bound / 0.6, ddof=1) for bound in bounds)]
    assert fit.spreads.sd[:4] == pytest.approx(sd, rel=0.2)
    assert ("rate (step/distance from the bound) up" in fit.report()) is proportional
    assert fit.values["states"].estimate == pytest.approx(60, rel=0.1)
    if proportional:  # devices as others draw them, too
        drawn = [tt.Crossbar(60, 60, device, seed=1).device_parameters for device in (true, fit.device)]
        states = [np.quantile(_states(each), [0.1, 0.5, 0.9]) for each in drawn]
        assert states[1] == pytest.approx(states[0], rel=0.15)


def _states(p: dict[str, Any]) -> F64:
    """Range by the step at the symmetry point of each device."""
    step = p["up_step"] * (1 - p["symmetry_point"] / p["upper_bound"])
    return np.asarray((p["upper_bound"] - p["lower_bound"]) / step)
