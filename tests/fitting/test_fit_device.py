"""Fits of simulated chips against the truth, and what a fit says of itself."""

import pickle
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import tikitaka as tt
from support.chips import Chip, sweeps_of

SAME = {"step_spread": 0.0, "bound_spread": 0.0, "asymmetry": 0.0}


@cache
def noisy_chip(seed: int = 1) -> Chip:
    """100 states, reads of 4 % of the range: a line through increments is wrong by a third and more."""
    return sweeps_of(tt.SoftBounds(states=100, cycle_noise=1.0, **SAME), seed=seed)


@cache
def noisy_fit() -> tt.DeviceFit:
    return tt.fit_device(noisy_chip().measured)


@cache
def population() -> Chip:
    device = tt.SoftBounds(states=60, cycle_noise=0.5, step_spread=0.3, bound_spread=0.2, asymmetry=0.1)
    return sweeps_of(device, devices=24, pulses=120, cycles=4, read_noise=0.03)


@cache
def population_fit() -> tt.DeviceFit:
    return tt.fit_device(population().measured, models=["constant", "linear"], noise="additive")


def test_steps_slopes_and_noises_are_found_where_a_line_through_increments_is_wrong() -> None:
    """Means of six chips. A line through increments finds twice the slope and more. Clamping at the bounds, which the
    filter does not know, makes the slope some 6 % too large; standard errors are 1 to 3 %."""
    step, slope, noise, read, naive = [], [], [], [], []
    for seed in range(6):
        chip = noisy_chip(seed)
        fit = tt.fit_device(chip.measured, models="linear", noise="additive", replicates=0)
        curves = fit.members[0].curves
        p = curves.p[0]
        step.append(fit.mean.step / (30e-6 * 0.012))
        slope.append(np.sqrt(-p[0] * p[2] * p[1] * p[3]) / 0.02)
        noise.append(fit.mean.pulse_noise)
        read.append(fit.mean.read_noise / (30e-6 * 0.048))
        up = [each for each in chip.measured.sweeps if each.signs[0] == 1]
        before = np.concatenate([each.values[:-1] for each in up])
        naive.append(-np.polyfit(before, np.concatenate([np.diff(each.values) for each in up]), 1)[0] / 0.02)
    assert np.mean(step) == pytest.approx(1, abs=0.1)
    assert np.mean(slope) == pytest.approx(1, abs=0.12)
    assert np.mean(noise) == pytest.approx(1, abs=0.1)
    assert np.mean(read) == pytest.approx(1, abs=0.05)
    assert np.mean(naive) > 2


def test_the_report_of_a_single_device() -> None:
    fit = noisy_fit()
    assert (fit.form.shape, fit.form.noise) == ("linear", "additive")
    assert fit.goodness.passed
    assert isinstance(fit.device, tt.SoftBounds)
    assert fit.read_noise == pytest.approx(0.04, rel=0.2)
    report = fit.report()
    for words in ("soft bounds", "passes on held-out cycles", "one: no spreads", "those of R24 stand in", "NL +"):
        assert words in report
    assert len(report.splitlines()) < 25
    assert str(fit) == report
    assert repr(fit).startswith("DeviceFit(1 device, linear, passes: SoftBounds(")
    assert "soft bounds" in fit._repr_html_()
    values = fit.values
    assert values["states"].low < 100 * 1.1
    assert values["states"].high > 100 * 0.8
    assert values["levels"].estimate == pytest.approx(1 / (4 * fit.read_noise))
    assert values["pulses_per_sweep"].estimate == 200


def test_same_seed_same_bits_with_any_number_of_threads() -> None:
    measured = sweeps_of(tt.SoftBounds(states=40), devices=3, pulses=60, cycles=2).measured
    one, two = (tt.fit_device(measured, seed=3, threads=threads) for threads in (1, 2))
    assert one.device == two.device
    assert one.replicates == two.replicates
    assert one.report() == two.report()
    assert tt.fit_device(measured, seed=4).replicates != one.replicates


def test_a_fit_can_be_pickled() -> None:
    copy = pickle.loads(pickle.dumps(noisy_fit()))
    assert copy.report() == noisy_fit().report()
    assert copy.device == noisy_fit().device


def test_spreads_between_devices_without_the_error_of_estimation() -> None:
    """24 devices know a spread to 15 %; limits are three standard errors. The truth is that of these devices."""
    fit, true = population_fit(), population().parameters
    assert fit.spreads is not None
    up, down, upper, lower = fit.spreads.sd[:4]
    logs = np.log(true["up_step"][0]), np.log(true["down_step"][0])
    assert up == pytest.approx(np.std(logs[0], ddof=1), rel=0.25)
    assert down == pytest.approx(np.std(logs[1], ddof=1), rel=0.25)
    assert upper == pytest.approx(np.std(true["upper_bound"], ddof=1) / np.mean(true["upper_bound"]), rel=0.35)
    assert lower == pytest.approx(np.std(true["lower_bound"], ddof=1) / -np.mean(true["lower_bound"]), rel=0.35)
    assert np.corrcoef(logs)[0, 1] == pytest.approx(fit.spreads.correlation[0][1], abs=0.2)
    matrix = np.array(fit.spreads.correlation)
    assert np.linalg.eigvalsh(matrix).min() > -1e-9
    assert len(fit.spreads.rows) == 24


def test_replicates_differ_as_much_as_the_fit_is_uncertain() -> None:
    fit = population_fit()
    steps = np.array([each.weight_step for each in fit.replicates])  # type: ignore[attr-defined]
    assert len(steps) == 50
    spread = fit.spreads.sd[0] if fit.spreads else 0
    assert np.std(np.log(steps)) == pytest.approx(spread / np.sqrt(24), rel=0.5)


def test_weight_0_is_the_mean_symmetry_point_and_the_mean_half_range_is_the_bound() -> None:
    fit = population_fit()
    physical = fit.physical
    assert physical["conductance_at_weight_0"] == pytest.approx(50e-6, abs=2e-6)
    half = (fit.mean.upper - fit.mean.lower) / 2
    assert physical["conductance_per_unit_weight"] == pytest.approx(half / 0.6)
    assert fit.mean.up == pytest.approx(fit.mean.down, rel=1e-3)
    other = tt.fit_device(population().measured, models="linear", noise="additive", bound=1.2, replicates=0)
    assert other.physical["conductance_per_unit_weight"] == pytest.approx(half / 1.2)
    assert other.device.bound == 1.2  # type: ignore[attr-defined]


def test_a_hard_bound_is_found_and_its_tail_left_out() -> None:
    device = tt.ConstantStep(states=80, cycle_noise=0.3)
    fit = tt.fit_device(sweeps_of(device, pulses=130, cycles=4, read_noise=0.03).measured)
    assert fit.form.shape == "constant"
    assert fit.physical["reads_in_saturated_tails"] > 300
    assert fit.mean.upper == pytest.approx(68e-6, abs=0.3e-6)
    assert fit.mean.lower == pytest.approx(32e-6, abs=0.3e-6)
    assert fit.mean.step == pytest.approx(30e-6 * 1.2 / 80, rel=0.05)
    assert "saturated tails" in fit.report()


def test_a_bound_that_is_not_reached_is_only_said_to_be_beyond() -> None:
    chip = sweeps_of(tt.SoftBounds(states=1000, cycle_noise=0.5, **SAME), pulses=100, cycles=4, read_noise=0.01)
    fit = tt.fit_device(chip.measured, models="linear")
    assert np.isnan(fit.values["upper_bound"].estimate)
    assert any(line.startswith("upper bound: no sweep reaches it") for line in fit.unknown)
    assert fit.values["upper_bound"].low < 68e-6


def test_reads_without_noise_are_said_to_have_none() -> None:
    chip = sweeps_of(tt.SoftBounds(states=100, cycle_noise=0.5, **SAME), pulses=60, read_noise=0.0)
    fit = tt.fit_device(chip.measured, models="linear", noise="additive")
    assert fit.read_noise < 0.003
    assert fit.mean.pulse_noise == pytest.approx(0.5, rel=0.15)


def test_steps_that_age_are_reported() -> None:
    chip = sweeps_of(
        tt.SoftBounds(states=60, cycle_noise=0.3, **SAME), pulses=120, cycles=8, read_noise=0.02, ageing=0.08
    )
    fit = tt.fit_device(chip.measured, models="linear", noise="additive")
    for each in fit.effects:
        assert each.ages
        assert each.slope == pytest.approx(np.log(0.92), rel=0.35)
    assert "changes by -" in fit.report()


def test_a_single_cycle_is_scored_by_akaike_and_says_so() -> None:
    fit = tt.fit_device(sweeps_of(tt.SoftBounds(states=40, **SAME), cycles=1, read_noise=0.02).measured)
    assert not fit.choice.held_out
    assert "Akaike" in fit.report()
    assert any(line.startswith("cycles: fewer than three") for line in fit.unknown)


def test_missing_reads_and_alternating_blocks() -> None:
    rng = np.random.default_rng(1)
    array = tt.Crossbar(1, 1, tt.SoftBounds(states=50, cycle_noise=0.5, **SAME), seed=1)
    signs = np.concatenate([np.repeat([0, 1, -1], [20, 100, 100]), np.tile([1, -1], 60)]).astype(np.int8)
    signs = np.tile(signs, 3)
    values = []
    for sign in signs:
        array.pulse_column(0, [int(sign)])
        values.append(array.weights[0, 0] + 0.02 * rng.standard_normal())
    reads = np.array(values)
    reads[rng.choice(len(reads), 60, replace=False)] = np.nan
    cut = np.split(np.arange(len(signs)), 3)
    sweeps = tuple(tt.Sweep("D", k, signs[each], reads[each]) for k, each in enumerate(cut))
    fit = tt.fit_device(tt.Measured(sweeps), models="linear", noise="additive")
    assert fit.mean.pulse_noise == pytest.approx(0.5, rel=0.2)
    assert fit.mean.read_noise == pytest.approx(0.02, rel=0.1)


def test_the_file_has_all_of_it(tmp_path: Path) -> None:
    fit = noisy_fit()
    path = tmp_path / "device.toml"
    fit.write(path)
    found = tt.config.read_device(path)
    assert found.device == fit.device
    assert found.replicates == fit.replicates
    assert found.physical["unit"] == "S"
    assert found.physical["read_noise_percent_of_range"] == pytest.approx(100 * fit.read_noise)
    assert found.fit["passed"] is True
    assert found.fit["values"]["states"]["estimate"] == pytest.approx(fit.values["states"].estimate)
    fit.write(path, replicates=False)
    assert tt.config.read_device(path).replicates == ()


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"models": ["cubic"]}, ValueError, "models must be one of constant, linear"),
        ({"models": []}, ValueError, "models must name at least one"),
        ({"models": 3}, TypeError, "models must be a list of names"),
        ({"noise": "white"}, ValueError, "noise must be one of additive, multiplicative"),
        ({"bound": 0}, ValueError, "bound must be from 0.001"),
        ({"bound": "1"}, TypeError, "bound must be a number"),
        ({"replicates": -1}, ValueError, "replicates must be from 0"),
        ({"seed": 1.5}, TypeError, "seed must be a whole number"),
        ({"threads": 0}, ValueError, "threads must be from 1"),
        ({"draw_measured": 1}, TypeError, "draw_measured must be true or false"),
        ({"draw_measured": True}, ValueError, "draw_measured needs 20 devices or more, not 1"),
    ],
)
def test_options_are_checked_first(options: dict[str, object], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        tt.fit_device(noisy_chip().measured, **options)  # type: ignore[arg-type]


def test_anything_but_measured_pulses_is_refused() -> None:
    with pytest.raises(TypeError, match="measured must be"):
        tt.fit_device(np.zeros(3))  # type: ignore[arg-type]
    up = tt.Sweep("A1", 1, np.ones(50), np.linspace(0, 1, 50))
    with pytest.raises(ValueError, match="device 'A1': there are only up pulses"):
        tt.fit_device(tt.Measured((up,)))
    few = [tt.Sweep("A1", 1, np.full(10, s), s * np.linspace(0, 1, 10)) for s in (1, -1)]
    with pytest.raises(ValueError, match="at least 20 pulses in each direction"):
        tt.fit_device(tt.Measured(tuple(few)))


def test_without_scipy_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "scipy", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'tikitaka\[fit\]'"):
        tt.fit_device(noisy_chip().measured)


def test_a_spike_is_left_out() -> None:
    sweeps = list(noisy_chip().measured.sweeps)
    values = sweeps[2].values.copy()
    values[50] = 1.0
    sweeps[2] = tt.Sweep("D0", sweeps[2].cycle, sweeps[2].signs, values)
    fit = tt.fit_device(tt.Measured(tuple(sweeps), unit="S"), models="linear", noise="additive")
    assert fit.physical["spikes"] == 1
    assert fit.mean.step == pytest.approx(noisy_fit().mean.step, rel=0.02)
    assert "1 reads more than three windows away" in fit.report()


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_any_unit_gives_the_same_weights(scale: float) -> None:
    chip = noisy_chip()
    sweeps = tuple(tt.Sweep("D", each.cycle, each.signs, scale * each.values / 1e-5) for each in chip.measured.sweeps)
    fit = tt.fit_device(tt.Measured(sweeps), models="linear", noise="additive", replicates=0)
    assert fit.device.weight_step == pytest.approx(  # type: ignore[attr-defined]
        noisy_fit().device.weight_step,  # type: ignore[attr-defined]
        rel=1e-4,
    )


def test_steps_that_grow_are_a_line_of_negative_slope() -> None:
    rng, n = np.random.default_rng(3), 80
    curve = np.expm1(1.5 * np.linspace(0, 1, n)) / np.expm1(1.5)
    reads = [[np.r_[each + rng.normal(0, 0.01, n)] for _ in range(4)] for each in (curve, 1 - curve)]
    measured = tt.measured(up=np.array(reads[0]), down=np.array(reads[1]), unit="", device="D")
    line = tt.fit_device(measured, models="linear", replicates=0).device
    assert isinstance(line, tt.LinearStep)
    assert line.up_slope < -0.2
    fit = tt.fit_device(measured)
    assert fit.form.shape in ("linear", "exponential", "table")
    assert fit.values["nl_up"].estimate < -0.5
    assert np.isnan(fit.values["upper_bound"].estimate)


def test_slopes_are_the_shares_of_a_step_that_are_lost_to_its_bound() -> None:
    """1 for soft bounds, by definition; a table has none."""
    soft = noisy_fit()
    assert isinstance(soft.device, tt.SoftBounds)
    for name in ("up_slope", "down_slope"):
        value = soft.values[name]
        assert (value.estimate, value.low, value.high) == (1.0, 1.0, 1.0)
    table = tt.fit_device(noisy_chip().measured, models="table", noise="additive", replicates=0)
    assert "up_slope" not in table.values


def test_noiseless_and_flat_reads() -> None:
    flat = tuple(tt.Sweep("D", 1, np.full(30, s), np.full(30, 2.0)) for s in (1, -1))
    with pytest.raises(ValueError, match="device 'D'"):
        tt.fit_device(tt.Measured(flat))
    line = np.linspace(0, 1, 60)
    exact = tt.measured(up=np.array([line] * 2), down=np.array([line[::-1]] * 2), unit="", device="D")
    assert tt.fit_device(exact).mean.step == pytest.approx(1 / 59, rel=1e-3)


def test_relaxation_between_sweeps_is_reported_and_does_no_harm() -> None:
    sweeps = [
        tt.Sweep(each.device, each.cycle, each.signs, each.values - (8e-6 if each.signs[0] == -1 else 0))
        for each in noisy_chip().measured.sweeps
    ]
    fit = tt.fit_device(tt.Measured(tuple(sweeps), unit="S"), models="linear", noise="additive", replicates=0)
    assert "after up pulses -" in fit.report()
    assert "after up" not in noisy_fit().report()
