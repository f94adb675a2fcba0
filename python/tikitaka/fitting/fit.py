"""From measured pulses to a device of the simulator."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tikitaka import _core
from tikitaka._internal.cpu import cores
from tikitaka._internal.shown import shown
from tikitaka._internal.validation import check_int, check_kind, one_of
from tikitaka.fitting.ageing import cycle_effect
from tikitaka.fitting.choice import Choice, choose, fit_line, fitted
from tikitaka.fitting.data import Data, data_of
from tikitaka.fitting.form import FORMS, NOISES, SHAPES, Form
from tikitaka.fitting.goodness import goodness
from tikitaka.fitting.intervals import covariance, draws, draws_along
from tikitaka.fitting.mapping import device_of, unit_of_weight
from tikitaka.fitting.optimise import Curvature, Estimate, curvature, maximise
from tikitaka.fitting.population import MeanDevice, Member, Population, Spreads, known_bounds
from tikitaka.fitting.profile import path_of_read_noise
from tikitaka.fitting.quantities import Curves
from tikitaka.fitting.report import figures, report, unknowns
from tikitaka.fitting.restricted import restricted
from tikitaka.fitting.result import DeviceFit
from tikitaka.fitting.tails import Tails, without_tails
from tikitaka.measurement.checks import check_device
from tikitaka.measurement.table import Measured

__all__ = ["fit_device"]

F64 = NDArray[np.float64]

_DRAWS = 200  # parameter sets per device
_SEEN = 0.25  # sd of ln σ_r up to which the likelihood is close to a parabola in it
_REPLICATES = 200  # of the whole fit, for intervals
_MANY = 20  # devices from which measured ones may be drawn


def fit_device(
    measured: Measured,
    *,
    models: Sequence[str] = SHAPES,
    noise: Sequence[str] = NOISES,
    bound: float = 0.6,
    replicates: int = 50,
    draw_measured: bool = False,
    seed: int = 0,
    threads: int | None = None,
) -> DeviceFit:
    """Fit a device of the simulator to measured pulses.

    The likelihood of the reads comes from a Kalman filter, which tells the noise of reads from that of pulses. Each
    device is fitted with its cycles pooled. `models` are the shapes of the step to choose from: "constant", "linear"
    (soft bounds included), "power", "exponential", "table"; `noise` the forms of the pulse noise: "additive",
    "multiplicative". The choice is made on cycles that the fit has not seen, and falls on the simplest form that
    predicts as well as the best. Weight 0 is the conductance where the mean steps up and down are equal, and the mean
    half range becomes `bound` in weights. `replicates` devices say how uncertain the fit is. With `draw_measured`,
    the simulator draws from the list of measured devices, of which there must be 20, instead of from fitted spreads.
    `seed` is that of draws and simulated sweeps; `threads` (default: cores) do not change results.

    Needs SciPy (the extra `fit`): ModuleNotFoundError without. Raises TypeError for anything but measured pulses,
    ValueError for devices that show no update (fewer than 20 pulses in a direction, one direction only, …), unknown
    models and numbers out of range.

    >>> import numpy as np
    >>> import tikitaka as tt
    >>> rng, up, down = np.random.default_rng(1), [], []
    >>> device = tt.Crossbar(1, 1, tt.SoftBounds(states=60, cycle_noise=0.5), seed=1)
    >>> for cycle in range(4):
    ...     for sign, traces in ((1, up), (-1, down)):
    ...         traces.append([])
    ...         for _ in range(150):
    ...             device.pulse_column(0, [sign])
    ...             traces[-1].append(device.weights[0, 0] + rng.normal(0, 0.02))
    >>> fit = tt.fit_device(tt.measured(up=np.array(up), down=np.array(down)))
    >>> print(fit.form.shape, fit.goodness.passed)
    linear True
    """
    check_kind("measured", measured, Measured)
    forms = _forms(models, noise)
    check_kind("bound", bound, float) if not isinstance(bound, int) else None
    if not 1e-3 <= bound <= 1e3:
        raise ValueError(f"bound must be from 0.001 to 1,000, not {shown(bound)}")
    replicates = check_int("replicates", replicates, 0, 10_000)
    seed = check_int("seed", seed, 0, 2**63 - 1)
    check_kind("draw_measured", draw_measured, bool)
    threads = cores() if threads is None else check_int("threads", threads, 1, 1024)
    names = measured.devices
    if draw_measured and len(names) < _MANY:
        raise ValueError(f"draw_measured needs {_MANY} devices or more, not {len(names)}")
    for name in names:
        check_device(list(measured.of(name)))
    with _one_blas_thread(), ThreadPoolExecutor(min(threads, len(names))) as pool:
        return _fit(measured, forms, (float(bound), replicates, draw_measured, seed), pool.map)


def _one_blas_thread() -> AbstractContextManager[Any]:
    """SciPy's BLAS on one thread: its matrices here have ten rows, and its threads would wait for each other."""
    try:
        import scipy.optimize  # noqa: F401  # loads its BLAS, which can be limited from then on
        from threadpoolctl import threadpool_limits
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "a fit needs SciPy and threadpoolctl: pip install 'tikitaka[fit]'", name=error.name
        ) from error
    limits: AbstractContextManager[Any] = threadpool_limits(1, user_api="blas")
    return limits


def _forms(models: Any, noise: Any) -> list[Form]:
    """The forms to choose from, the simplest first."""
    lists: list[list[str]] = []
    for name, given, known in (("models", models, SHAPES), ("noise", noise, NOISES)):
        each = [given] if isinstance(given, str) else given
        if not isinstance(each, Iterable):
            raise TypeError(f"{name} must be a list of names, not {shown(given)}")
        lists.append([one_of(name, one, known) for one in each])
        if not lists[-1]:
            raise ValueError(f"{name} must name at least one of {', '.join(known)}")
    return [form for form in FORMS if form.shape in lists[0] and form.noise in lists[1]]


@dataclass(frozen=True, eq=False)
class _One:
    """A device on the way."""

    name: str
    tails: Tails
    estimate: Estimate
    bend: Curvature

    @property
    def data(self) -> Data:
        return self.tails.data


def _fit(
    measured: Measured, forms: list[Form], options: tuple[float, int, bool, int], spread_out: Callable[..., Any]
) -> DeviceFit:
    bound, replicates, draw_measured, seed = options
    names = measured.devices
    tails = dict(zip(names, spread_out(lambda name: without_tails(data_of(measured.of(name))), names), strict=True))
    parts = {name: each.data for name, each in tails.items()}
    choice = choose(parts, forms, spread_out)
    form = choice.form
    found = spread_out(lambda name: fitted(parts[name], form, fit_line(parts[name])), names)
    estimates = dict(zip(names, found, strict=True))
    seen = _reads_are_seen(estimates, parts)
    ones = list(spread_out(lambda name: _one(name, tails[name], estimates[name]), names))
    members = [_member(each, seed + k) for k, each in enumerate(ones)]
    population = Population(members)
    mean = population.mean()
    spreads = population.spreads(mean) if len(members) > 1 else None
    device = device_of(population, mean, spreads, bound, draw_measured)
    means = _replicates(population, seed)
    copies = tuple(
        device_of(population, each, _spreads_of(population, each, some), bound, draw_measured)
        for each, some in means[:replicates]
    )
    good = _goodness(parts, form, choice, seed, spread_out)
    pairs = [(each.data, each.estimate) for each in ones]
    effects = (cycle_effect(pairs, 1), cycle_effect(pairs, -1))
    values = figures(measured, population, mean, [each for each, _ in means], seen)
    unknown = unknowns(population, mean, spreads, values, effects)
    physical = _physical(measured, mean, bound, ones)
    return DeviceFit(
        device=device,
        read_noise=mean.read_noise / mean.range,
        replicates=copies,
        form=form,
        choice=choice,
        goodness=good,
        values=values,
        spreads=spreads,
        effects=effects,
        members=tuple(members),
        mean=mean,
        physical=physical,
        unknown=unknown,
        warnings=measured.warnings,
        lines=report(measured, population, mean, spreads, choice, good, values, effects, unknown, physical),
    )


def _one(name: str, tails: Tails, estimate: Estimate) -> _One:
    bend = curvature(tails.data, estimate)
    return _One(name, tails, restricted(tails.data, estimate, bend), bend)


def _reads_are_seen(estimates: dict[str, Estimate], parts: dict[str, Data]) -> bool:
    """Whether a noise of reads is needed, by Akaike's criterion over all devices. It stays in the fit even so: its
    interval then begins at 0."""
    names = list(estimates)
    form = estimates[names[0]].form
    still = any((each.signs[1:] == 0).any() for each in parts.values())
    small = all(each.t[-1] < np.log(0.3 * max(each.p[0], each.p[1])) for each in estimates.values())
    if still or not small:
        return True
    exact = Form(form.shape, form.multiplicative, read_noise=False)
    gain = sum(maximise(parts[name], exact, [each.t]).nll - each.nll for name, each in estimates.items())
    return bool(gain > len(names))


def _member(one: _One, seed: int) -> Member:
    form, data, p = one.estimate.form, one.data, one.estimate.p
    spread = covariance(data, one.bend, form.multiplicative)
    states = _core.states_of_sweeps(form.shape, form.multiplicative, p, data.arrays)[3]
    low, high = np.nanquantile(states, [0.005, 0.995])
    hard = data.hard
    ends = [max(low, hard[0]), min(high, hard[1])]
    least = form.limits[0][-1]
    if form.read_noise and (spread[-1, -1] > _SEEN**2 or one.estimate.t[-1] < least + _SEEN):
        path = path_of_read_noise(data, one.estimate)
        drawn = draws_along(form, one.estimate.t, spread, path, _DRAWS, seed)
        spread = np.cov(drawn[1:].T)
    else:
        drawn = draws(form, one.estimate.t, spread, _DRAWS, seed)
    curves = Curves(
        form,
        drawn,
        data.middle,
        data.size,
        (float(ends[0] * data.size + data.middle), float(ends[1] * data.size + data.middle)),
        (float(hard[0] * data.size + data.middle), float(hard[1] * data.size + data.middle)),
    )
    return Member(one.name, data, curves, spread, known_bounds(curves), one.tails.dropped, one.estimate.nll)


def _replicates(population: Population, seed: int) -> list[tuple[MeanDevice, list[int]]]:
    """Mean devices of samples of devices, or, from fewer than five, of draws from the uncertainty of each."""
    rng = np.random.default_rng([seed, 1])
    count = len(population.members)
    found = []
    for k in range(1, _REPLICATES + 1):
        if count >= 5:
            which = rng.integers(0, count, count).tolist()
            found.append((population.mean(which), which))
        else:
            which = list(range(count))
            found.append((population.mean(which, [min(k, population.sets - 1)] * count), which))
    return found


def _spreads_of(population: Population, mean: MeanDevice, which: list[int]) -> Spreads | None:
    """The spreads of a sample of devices."""
    if len(population.members) == 1:
        return None
    return population.spreads(mean, which)


def _goodness(parts: dict[str, Data], form: Form, choice: Choice, seed: int, spread_out: Callable[..., Any]) -> Any:
    """On odd cycles after a fit to even ones; with a single cycle on that itself."""

    def case(data: Data) -> tuple[Data, Form, F64]:
        known, unseen = (data.half(0), data.half(1)) if choice.held_out else (data, data)
        return unseen, form, fitted(known, form, fit_line(known)).t

    return goodness(list(spread_out(case, parts.values())), choice.held_out, seed)


def _not_used(measured: Measured, ones: list[_One]) -> int:
    """Reads that were left out because there are very many, if it is a tenth of all or more."""
    total = sum(map(len, measured.sweeps))
    left = total - sum(len(each.data.values) + each.tails.dropped for each in ones)
    return left if left > 0.1 * total else 0


def _physical(measured: Measured, mean: MeanDevice, bound: float, ones: list[_One]) -> dict[str, Any]:
    """What the device file keeps."""
    low, high = measured.range
    return {
        "unit": measured.unit,
        "conductance_at_weight_0": mean.zero,
        "conductance_per_unit_weight": unit_of_weight(mean, bound),
        "window": [low, high],
        "lower_bound": mean.lower,
        "upper_bound": mean.upper,
        "step": mean.step,
        "read_noise": mean.read_noise,
        "read_noise_percent_of_range": 100 * mean.read_noise / mean.range,
        "devices": len(ones),
        "cycles": measured.cycles,
        "up_pulses": measured.up,
        "down_pulses": measured.down,
        "reads_in_saturated_tails": sum(each.tails.dropped for each in ones),
        "reads_not_used": _not_used(measured, ones),
        "spikes": sum(each.data.spikes for each in ones),
        "source": measured.source,
    }
