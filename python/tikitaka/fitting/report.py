"""The report of a fit, on one screen."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tikitaka._internal.shown import listed
from tikitaka.fitting.ageing import CycleEffect, end_spread
from tikitaka.fitting.choice import Choice
from tikitaka.fitting.gaps import gap
from tikitaka.fitting.goodness import Goodness
from tikitaka.fitting.optimise import Estimate
from tikitaka.fitting.population import MeanDevice, Member, Population, Spreads
from tikitaka.fitting.profile import profile_bound, profile_read_noise
from tikitaka.fitting.quantities import nonlinearity
from tikitaka.fitting.values import Value
from tikitaka.measurement.table import Measured, Sweep

__all__ = ["figures", "report", "unknowns"]

_SOME = 5  # devices whose limit of the read noise is looked for

_NAMES = {
    "soft-bounds": "soft bounds",
    "linear-step": "linear step",
    "constant-step": "constant step",
    "power-step": "power step",
    "exponential-step": "exponential step",
    "table-step": "table of steps",
}

_SLOPED = ("soft-bounds", "linear-step", "constant-step", "power-step")
"""Kinds whose shape is a number for each direction: γ or an exponent."""


def figures(
    measured: Measured, population: Population, mean: MeanDevice, replicates: Sequence[MeanDevice], reads_are_seen: bool
) -> dict[str, Value]:
    """The figures of the mean device, with intervals from replicates; that of reads without noise begins at 0."""
    unit = measured.unit
    form = population.form

    def sp(m: MeanDevice) -> float:
        return m.zero if m.balanced else float("nan")

    kinds: dict[str, tuple[Any, str]] = {
        "states": (lambda m: m.range / m.step, ""),
        "step": (lambda m: m.step, unit),
        "lower_bound": (lambda m: m.lower, unit),
        "upper_bound": (lambda m: m.upper, unit),
        "symmetry_point": (sp, unit),
        "skew": (lambda m: (sp(m) - (m.lower + m.upper) / 2) / (m.range / 2), ""),
        "pulse_noise": (lambda m: m.pulse_noise, "steps" if not form.multiplicative else "of the step"),
        "read_noise": (lambda m: m.read_noise, unit),
        "read_noise_percent": (lambda m: 100 * m.read_noise / m.range, "% of the range"),
        "levels": (lambda m: m.range / (4 * m.read_noise), ""),
        "pulse_snr": (lambda m: 1 / m.pulse_noise, ""),
        "read_snr": (lambda m: m.range / m.read_noise, ""),
    }
    if population.kind in _SLOPED:
        kinds |= {"up_slope": (lambda m: m.up_slope, ""), "down_slope": (lambda m: m.down_slope, "")}
    values = {}
    for name, (of, of_unit) in kinds.items():
        some = np.array([of(each) for each in replicates])
        values[name] = Value.of(float(of(mean)), some, of_unit)
    members = population.members
    pulses = int(_pulses(measured.sweeps))
    values["pulses_per_sweep"] = Value(float(pulses), float(pulses), float(pulses))
    for name, sign in (("nl_up", 1), ("nl_down", -1)):
        each_nl = np.array([nonlinearity(each.curves, sign, pulses) for each in members])
        values[name] = Value.spread(each_nl)
    values["states_of_devices"] = Value.spread(np.array([_own_states(each) for each in members]))
    mid = [np.mean(each.curves.used) for each in members]
    steps = np.array(
        [[each.curves.step(s, float(at))[0] for s in (1, -1)] for each, at in zip(members, mid, strict=True)]
    )
    values["asymmetry"] = Value.spread((steps[:, 0] - steps[:, 1]) / np.maximum(np.abs(steps).sum(axis=1), 1e-300))
    if not reads_are_seen:
        limit = float(np.median([profile_read_noise(each.data, _estimate(each)) for each in members[:_SOME]]))
        limit *= mean.size
        values["read_noise"] = Value(mean.read_noise, 0.0, limit, unit)
        values["read_noise_percent"] = Value(
            100 * mean.read_noise / mean.range, 0.0, 100 * limit / mean.range, "% of the range"
        )
    for k, name in enumerate(("lower", "upper")):
        if not population.reached[k]:
            values[f"{name}_bound"] = _beyond(population, k, unit)
        elif len(members) == 1 and (ends := _profiled(members[0], k)):
            values[f"{name}_bound"] = Value(values[f"{name}_bound"].estimate, *ends, unit)
    return values


def _own_states(member: Member) -> float:
    """Range over the mean step at the symmetry point of a device, or in its middle."""
    lower, upper = (float(each[0]) for each in member.bounds())
    at = float(member.curves.symmetry_point()[0])
    at = at if lower < at < upper else (lower + upper) / 2
    step = (member.curves.step(1, at)[0] + member.curves.step(-1, at)[0]) / 2
    return (upper - lower) / float(step) if step > 0 else float("nan")


def _estimate(member: Member) -> Estimate:
    return Estimate(member.curves.form, member.curves.t[0], member.nll)


def _profiled(member: Member, side: int) -> tuple[float, float] | None:
    """The interval of a soft bound of a single device, from the profile of the likelihood."""
    if np.isfinite(member.curves.hard[side]):
        return None
    ends = profile_bound(member.data, _estimate(member), side)
    if ends is None:
        return None
    low, high = (end * member.curves.size + member.curves.middle for end in ends)
    return low, high


def _beyond(population: Population, side: int, unit: str) -> Value:
    """A bound that no sweep has reached: beyond what 95 % of the draws exclude."""
    some = []
    for each in population.members:
        ends = each.curves.ends()[side]
        ordered = np.sort(ends[1:] if side else -ends[1:])
        some.append(ordered[int(0.05 * len(ordered))] * (1 if side else -1))
    limit = float(np.median(some))
    low, high = (limit, np.inf) if side else (-np.inf, limit)
    return Value(np.nan, *((low, high) if np.isfinite(limit) else (-np.inf, np.inf)), unit)


def _pulses(sweeps: Iterable[Sweep]) -> float:
    """Median number of pulses of a direction in a row."""
    runs = []
    for each in sweeps:
        ends = np.flatnonzero(np.diff(each.signs)) + 1
        runs += [len(run) for run in np.split(each.signs, ends) if run[0] and len(run) > 1]
    return float(np.median(runs)) if runs else 1.0


def unknowns(
    population: Population,
    mean: MeanDevice,
    spreads: Spreads | None,
    values: Mapping[str, Value],
    effects: Sequence[CycleEffect],
) -> tuple[str, ...]:
    """What the measurement does not show, and what stands in."""
    found = []
    for k, (name, sign) in enumerate((("lower", "<"), ("upper", ">"))):
        if not population.reached[k]:
            value = values[f"{name}_bound"]
            limit = value.low if k else value.high
            known = f", {sign} {limit:.3g} {value.unit}".rstrip() + " (95 %)" if np.isfinite(limit) else ""
            alone = ", the same for all devices" if spreads else ""
            found.append(f"{name} bound: no sweep reaches it{known}; the edge of the measured range stands in{alone}")
    if not mean.balanced:
        found.append(
            "symmetry point: the steps cross nowhere in the range; weight 0 is its middle, and up_down says it"
        )
    if spreads is None:
        found.append("spreads: one device; those of R24 stand in (step 0.3, bounds 0.3, asymmetry 0.1)")
    else:
        what = "rate" if spreads.proportional else "step"
        named = (f"{what} up", f"{what} down", "upper bound", "lower bound")
        reached = (True, True, population.reached[1], population.reached[0])
        none = [name for name, sd, known in zip(named, spreads.sd, reached, strict=False) if sd == 0 and known]
        if none:
            found.append(f"spread of {listed(none)}: not above the error of estimation; 0 stands in")
        if not spreads.correlation:
            found.append("correlation of the spreads: fewer than five devices; none stands in")
    if effects[0].cycles < 3:
        found.append("cycles: fewer than three; nothing is known of ageing and of faster and slower cycles")
    found.append("retention, drift and endurance: not in these pulses; none stands in")
    return tuple(found)


def report(
    measured: Measured,
    population: Population,
    mean: MeanDevice,
    spreads: Spreads | None,
    choice: Choice,
    good: Goodness,
    values: Mapping[str, Value],
    effects: Sequence[CycleEffect],
    unknown: Sequence[str],
    physical: Mapping[str, Any],
) -> tuple[tuple[str, str], ...]:
    """The lines of the report: subject and words."""
    form, unit = population.form, f" {measured.unit}" if measured.unit else ""
    count, low, high = len(population.members), *measured.range
    lines = [
        (
            "measured",
            f"{count} device{'s' * (count != 1)}, {measured.cycles} cycle{'s' * (measured.cycles != 1)}, "
            f"{measured.up:,} up and {measured.down:,} down pulses, {low:.4g} to {high:.4g}{unit}",
        ),
        ("model", f"{_NAMES[population.kind]}, {form.noise} noise: {choice.words()}"),
        ("fit", good.words()),
        (
            "states",
            f"{values['states']} (range/step){_single(values, count)}; pulses per sweep "
            f"{values['pulses_per_sweep'].estimate:.0f}; told apart by one read {values['levels'].estimate:.3g}",
        ),
        ("step", f"{values['step']} at weight 0"),
        ("bounds", f"{_bound(values['lower_bound'], 0)} and {_bound(values['upper_bound'], 1)}"),
        (
            "symmetry",
            (f"point {values['symmetry_point']}, skew {values['skew'].estimate:+.2f}; " if mean.balanced else "")
            + f"asymmetry in mid-range {values['asymmetry'].estimate:+.2f}; "
            f"NL {values['nl_up'].estimate:+.2f}, {values['nl_down'].estimate:+.2f}",
        ),
        ("pulse noise", f"{values['pulse_noise']}; SNR of a pulse {values['pulse_snr'].estimate:.2g}"),
        ("read noise", _reads(population, values)),
        ("cycles", _cycles(population, mean, effects)),
        ("devices", _devices(spreads, count)),
    ]
    moves = _gaps(measured, mean)
    if moves:
        lines.append(("gaps", f"{moves} between sweeps, which is no part of the fit: relaxation, or pulses not shown"))
    if physical["reads_in_saturated_tails"]:
        lines.append(("left out", f"{physical['reads_in_saturated_tails']:,} reads in saturated tails, at hard bounds"))
    if physical["reads_not_used"]:
        lines.append(
            ("left out", f"{physical['reads_not_used']:,} reads: of very many, equally spaced pieces are used")
        )
    if physical["spikes"]:
        lines.append(("left out", f"{physical['spikes']:,} reads more than three windows away, which are spikes"))
    lines.append(
        (
            "weights",
            f"weight 0 = {mean.zero:.4g}{unit}, one unit of weight = "
            f"{physical['conductance_per_unit_weight']:.4g}{unit}",
        )
    )
    lines += [("not known" if k == 0 else "", each) for k, each in enumerate(unknown)]
    lines += [("warning", each) for each in measured.warnings]
    return tuple(lines)


def _single(values: Mapping[str, Value], count: int) -> str:
    own = values["states_of_devices"]
    return f", single devices {own.low:.3g} to {own.high:.3g}" if count > 1 else ""


def _bound(value: Value, side: int) -> str:
    if np.isfinite(value.estimate):
        return str(value)
    limit = value.low if side else value.high
    name = ("lower", "upper")[side]
    return (
        f"{name} {'>' if side else '<'} {limit:.3g} {value.unit}".rstrip()
        if np.isfinite(limit)
        else f"{name} not reached"
    )


def _reads(population: Population, values: Mapping[str, Value]) -> str:
    if values["read_noise"].low == 0:
        return f"none seen: below {values['read_noise_percent'].high:.2g} {values['read_noise_percent'].unit} (95 %)"
    both = [each.covariance[-2:, -2:] for each in population.members]
    tied = float(np.mean([each[0, 1] / max(np.sqrt(each[0, 0] * each[1, 1]), 1e-300) for each in both]))
    words = f"{values['read_noise_percent']}, {values['read_noise'].estimate:.3g} {values['read_noise'].unit}".rstrip()
    return f"{words}; correlation with the pulse noise {tied:+.2f}"


def _cycles(population: Population, mean: MeanDevice, effects: Sequence[CycleEffect]) -> str:
    if effects[0].cycles < 3:
        return "too few"
    spread = ", ".join(f"{side} {100 * each.spread:.0f} %" for side, each in zip(("up", "down"), effects, strict=True))
    ages = [
        f"the step {side} changes by {100 * np.expm1(each.slope * (each.cycles - 1)):+.0f} % over {each.cycles} cycles"
        for side, each in zip(("up", "down"), effects, strict=True)
        if each.ages
    ]
    ends = [
        end_spread(each.data, float(each.curves.p[0, -1]), sign) * each.curves.size / mean.range
        for each in population.members
        for sign in (1, -1)
    ]
    known = [each for each in ends if not np.isnan(each)]
    where = f", ends of sweeps by {100 * np.mean(known):.0f} % of the range" if known else ""
    return f"step differs between cycles by {spread}{where}; {' and '.join(ages) or 'no ageing'}"


def _gaps(measured: Measured, mean: MeanDevice) -> str:
    devices = [measured.of(name) for name in measured.devices]
    found = {
        side: gap(devices, sign, step, mean.read_noise, mean.range)
        for side, sign, step in (("up", 1, mean.down), ("down", -1, mean.up))
    }
    known = [f"after {side} pulses {100 * each:+.0f} % of the range" for side, each in found.items() if each]
    return ", ".join(known)


def _devices(spreads: Spreads | None, count: int) -> str:
    if spreads is None:
        return "one: no spreads"
    up, down, upper, lower = spreads.sd[:4]
    errors = spreads.errors
    tied = ""
    if spreads.correlation:
        tied = f", correlation {spreads.correlation[0][1]:+.2f} ± {spreads.correlation_errors[0][1]:.2f}"
    what = "rate (step/distance from the bound)" if spreads.proportional else "step"
    return (
        f"{what} up ×/÷ {np.exp(up):.2f}, down ×/÷ {np.exp(down):.2f}{tied}; bounds up {100 * upper:.0f} ± "
        f"{100 * errors[2]:.0f} %, down {100 * lower:.0f} ± {100 * errors[3]:.0f} % ({count} devices)"
    )
