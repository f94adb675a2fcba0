"""The assessment of a device: will it train, what limits it, and what must improve?"""

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from numbers import Real
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from tikitaka._internal.cpu import cores
from tikitaka._internal.lock import locked_folder
from tikitaka._internal.shown import shown
from tikitaka._internal.validation import check_int, check_kind, one_of
from tikitaka.assessment import plan as plans
from tikitaka.assessment.cost import Sizes, class_of, pulses_per_example, speed_class
from tikitaka.assessment.first import (
    FIRST,
    against_automatic,
    digital_rates,
    first_rates,
    helped_most,
    lengthened,
    second_rates,
    size_of,
)
from tikitaka.assessment.hardware import Hardware
from tikitaka.assessment.plain import plain
from tikitaka.assessment.properties import Level, Property, present
from tikitaka.assessment.report import Assessment, Found, Studied, report
from tikitaka.assessment.source import Source, opened
from tikitaka.assessment.targets import POINTS
from tikitaka.assessment.trainings import Trainings
from tikitaka.config import Device, Periphery, Reference, RuleConfig, TransferRule, rules, to_dict
from tikitaka.data import Dataset
from tikitaka.experiments.axis import USUAL
from tikitaka.nn import nets
from tikitaka.training import TrainConfig
from tikitaka.training.unusual import unusual_data, unusual_settings

__all__ = ["LEVELS", "assess"]

LEVELS = (Level("ideal", 0.0), Level("half", 0.5), Level("double", 2.0))
"""How bad each property is made, relative to the present."""

_MOST_MINUTES = 100_000

Variant = tuple[str, str]
"""A property and a level of it; PRESENT is the hardware itself."""

PRESENT: Variant = ("", "")


def assess(
    device: Device | str | Path,
    *,
    net: str = "fcn",
    data: str | None = None,
    minutes: float = 10,
    out: str | Path,
    seeds: int | Sequence[int] | None = None,
    reference: Reference | None = None,
    periphery: Periphery | None = None,
    endurance: float | None = None,
    plan: str | Path | None = None,
    data_dir: str | Path | None = None,
    executor: Executor | None = None,
    threads: int | None = None,
    progress: bool = True,
) -> Assessment:
    """Train `net` on a device under float, SGD, TTv1 and TTv2, find what limits it, and write the report to `out`.

    `device` is a device config, or the name of a kind or preset, or the path of a device.toml, or of a file of measured
    pulses, which is fitted first. The rules' learning rates are searched on held-out training examples. Then each
    property of the hardware alone is made ideal, half as bad and twice as bad, with rates searched again, for the rule
    that does best or, if it is not good enough, the one that better hardware helps most. Numbers are means over seeds
    with 95 % intervals; where the device comes from a fit with replicates, every seed has a replicate of its own, so
    that the intervals include the uncertainty of the fit.

    `minutes` are those of `threads` threads (by default a thread per core), or of as many workers of the `executor`,
    any of `concurrent.futures`. The plan is kept in `out`, as plan.json, and determines the result: the same plan gives
    the same report. `plan` is the file of an earlier assessment, whose workers and speeds are taken; one that was
    interrupted may not have measured all of them yet. Each training is kept, so the same call continues after an
    interruption. `seeds` is their number (by default 3 to 20, as
    time allows) or the seeds themselves. `reference` is that of the fast array, with its error (by default exact
    symmetry points), `periphery` the circuits (by default exact, or with the read noise of the device file at every
    output), and `endurance` the pulses that a device survives.

    Writes report.txt, report.json, report.html, in trainings/ the config of each training, and device.toml if the
    device was fitted. Raises, before any training, ValueError or TypeError for arguments that are not allowed, for a
    text network, and for a folder with another assessment, OSError for files, BlockingIOError if another process or
    thread writes to `out`; afterwards the exceptions of `sweep`.
    """
    source = opened(device)
    reference = Reference("ideal") if reference is None else reference
    _check(net, minutes, endurance, reference, periphery)
    given = _seeds(seeds)
    names: dict[str, Any] = {"net": net} if data is None else {"net": net, "data": data}
    base = TrainConfig(**names)
    dataset = base.dataset(data_dir)
    if dataset.task != "classification":
        raise ValueError(f"data must have classes, whose errors can be counted, not {base.data}")
    hardware = Hardware(source.device, reference, periphery or _circuits(source))
    replicates = [replace(hardware, device=each) for each in source.replicates] or [hardware]
    usual = [hardware.under(rules[kind]()) for kind in USUAL]
    for words in (*unusual_settings(usual), *unusual_data(dataset, batch=base.batch)):
        warnings.warn(f"unusual setting: {words}", stacklevel=2)
    request = {
        "device": to_dict(source.device),
        "replicates": len(source.replicates),
        "net": net,
        "data": base.data,
        "digest": dataset.digest,
        "minutes": float(minutes),
        "seeds": given,
        "reference": to_dict(reference),
        "periphery": to_dict(hardware.periphery),
    }
    earlier = None if plan is None else plans.read(Path(plan))[0]
    folder = Path(out)
    workers = check_int("threads", threads, 1) if threads is not None else cores()

    def made() -> plans.Plan:
        if earlier is not None:
            return plans.Plan(float(minutes), earlier.workers, earlier.speeds)
        timed = [hardware.under(nets[net].rule(kind)) for kind in USUAL if issubclass(rules[kind], TransferRule)]
        speed = speed_class([replace(base, rule=rule) for rule in timed], dataset, workers)
        return plans.Plan(float(minutes), workers, (speed,))

    with locked_folder(folder, "another process makes an assessment in this folder"):
        decided = plans.kept(folder, plain(request), made)
        if source.write is not None:
            source.write(folder / "device.toml")
        trainings = Trainings(folder, executor, threads, data_dir, progress)
        found = _found(trainings, decided, base, dataset, hardware, replicates, given)
        result = report(source, found, endurance, _command(source, base, decided, request, endurance))
        result.write(folder)
    return result


def _check(net: str, minutes: float, endurance: Any, reference: Any, periphery: Any) -> None:
    one_of("net", net, nets)
    if nets[net].text:
        raise ValueError(f"net must be a network for images, not {shown(net)}")
    for name, value in (("minutes", minutes), ("endurance", endurance)):
        if value is not None:
            check_kind(name, value, Real)
            if not 0 < value <= (_MOST_MINUTES if name == "minutes" else math.inf):
                raise ValueError(f"{name} must be above 0{' to 100,000' if name == 'minutes' else ''}, not {value}")
    check_kind("reference", reference, Reference)
    if periphery is not None:
        check_kind("periphery", periphery, Periphery)


def _seeds(seeds: int | Sequence[int] | None) -> list[int] | int | None:
    if seeds is None or isinstance(seeds, int):
        return None if seeds is None else check_int("seeds", seeds, 1, 1_000)
    given = [check_int("a seed", seed, 0, 2**63 - 1) for seed in seeds]
    if not given or len(set(given)) < len(given):
        raise ValueError(f"seeds must be different numbers, at least one, not {shown(given)}")
    return given


def _circuits(source: Source) -> Periphery:
    """Exact circuits with the read noise of the device at every output."""
    hardware = Hardware(source.device)
    lower, upper = hardware.bounds
    noise = source.read_noise * (upper - lower)
    exact = Periphery()
    return replace(
        exact,
        forward=replace(exact.forward, output_noise=noise),
        backward=replace(exact.backward, output_noise=noise),
        read=replace(exact.read, output_noise=noise),
    )


def _found(
    trainings: Trainings,
    plan: plans.Plan,
    base: TrainConfig,
    dataset: Dataset,
    hardware: Hardware,
    replicates: Sequence[Hardware],
    given: list[int] | int | None,
) -> Found:
    """Train, and gather what the report is made of."""
    sizes = Sizes(base, dataset)
    first = first_rates(USUAL, trainings, plan, base, dataset, hardware, sizes)
    candidate = min((kind for kind in first.errors if kind != "float"), key=first.errors.__getitem__)
    known = present(hardware, LEVELS)
    variants = {(p.name, level.name): (p, level, other) for p, levels in known for level, other in levels}
    count = given if isinstance(given, int) or given is None else len(given)

    def pulses_of(rule: Any) -> float:
        return pulses_per_example(replace(base, rule=rule), dataset)

    def changes(kind: str) -> dict[Variant, float]:
        """The pulses of each changed property, relative to the device as it is."""
        here = max(pulses_of(first.best[kind]), 1e-9)
        return {key: pulses_of(other.under(first.best[kind])) / here for key, (_, _, other) in variants.items()}

    plan = plans.timed(trainings.folder, plan, lambda: class_of(trainings.done, sizes))
    used = sum(map(sizes.of_row, trainings.done))
    searches = size_of(plan, sizes, used, first, candidate, changes(candidate), count)
    size = searches.size
    seeds = given if isinstance(given, list) else list(range(size.seeds))

    def placed(rule: Any, change: Callable[[Hardware], Hardware]) -> Callable[[int], Any]:
        """The rule for the seed at a place: on the replicate of that place."""
        return lambda place: change(replicates[place % len(replicates)]).under(rule)

    best = second_rates(trainings, base, first, size)
    present_best = helped = ""  # where no rule sends pulses
    plan = plans.timed(trainings.folder, plan, lambda: class_of(trainings.done, sizes))
    if best:
        ideal = [other for (_, level), (_, _, other) in variants.items() if level == "ideal"]
        present_best, helped = helped_most(trainings, base, best, ideal, size)
        size = lengthened(plan, sizes, trainings.done, searches, best, changes, helped)
    available = sizes.examples - size.search.held_out
    best = against_automatic(trainings, base, hardware, best, size, available)
    best |= digital_rates(trainings, base, hardware, first, size, available)
    best = {kind: best[kind] for kind in USUAL}
    whole = replace(base, examples=size.examples, epochs=size.epochs)
    counted = {kind: _counting(rule) for kind, rule in best.items()}
    rows = trainings.reported(whole, {kind: placed(rule, lambda h: h) for kind, rule in counted.items()}, seeds)
    errors = {kind: _mean_error(each) for kind, each in rows.items()}
    lowest = min((kind for kind in USUAL if kind != "float"), key=errors.__getitem__)
    enough = errors[lowest] <= errors["float"] + POINTS / 100
    winner = lowest if enough or helped == present_best else helped

    rates: dict[Variant, Any] = {key: other.under(best[winner]) for key, (_, _, other) in variants.items()}
    if searches.thorough:
        around = {key: first.tried(other, best[winner], base.net) for key, (_, _, other) in variants.items()}
    else:
        around = {
            key: first.few(other, best[winner], base.net)
            for key, (_, _, other) in variants.items()
            if other.usual_states != first.states and key[1] in (*FIRST, "half") and not _automatic(best[winner])
        }
    if around:
        rates |= trainings.searched(base, around, size.search, size.search_seeds)[0]
    jobs = {key: placed(rates[key], _change(p, level)) for key, (p, level, _) in variants.items()}
    if searches.thorough:
        cells = trainings.reported(whole, jobs, seeds)
    else:
        cells = trainings.reported(whole, {key: job for key, job in jobs.items() if key[1] in FIRST}, seeds)
        focus = _most_gaining(cells)
        cells |= trainings.reported(whole, {(name, "half"): jobs[name, "half"] for name in focus}, seeds)
    half = replace(whole, epochs=max(1, size.epochs // 2))
    shorter = trainings.reported(half, {winner: placed(best[winner], lambda h: h)}, seeds)[winner]
    studied = [
        Studied(p, level, p.value(other), rates[p.name, level.name], cells[p.name, level.name])
        for p, levels in known
        for level, other in levels
        if (p.name, level.name) in cells
    ]
    return Found(
        plan=plan,
        base=whole,
        size=size,
        seeds=tuple(seeds),
        hardware=hardware,
        rules=best,
        rows=rows,
        best=lowest,
        winner=winner,
        shorter=shorter,
        shorter_epochs=half.epochs,
        studied=studied,
        guessing=float(1 - np.bincount(dataset.test_y.astype(np.int64)).max() / len(dataset.test_y)),
        tests=len(dataset.test_y),
        warnings={kind: _too_short(rule, whole, dataset) for kind, rule in best.items()},
    )


def _too_short(rule: RuleConfig, config: TrainConfig, dataset: Dataset) -> tuple[str, ...]:
    """What the rule says against so few samples on the arrays of the network."""
    samples = config.epochs * (config.examples or len(dataset.train_y))
    said = []
    for layer in config.network(dataset).layers:
        if layer.shape is not None:
            anyway = rule.warnings(*layer.shape)
            said += [words for words in rule.warnings(*layer.shape, samples=samples) if words not in anyway]
    return tuple(dict.fromkeys(said))


def _command(
    source: Source, base: TrainConfig, plan: plans.Plan, request: Mapping[str, Any], endurance: float | None
) -> str:
    """The command that makes the report again."""
    words = [
        "tikitaka",
        "assess",
        source.name,
        "--net",
        base.net,
        "--data",
        base.data,
        "--minutes",
        f"{plan.minutes:g}",
    ]
    if request["seeds"] is not None:
        given = request["seeds"]
        words += [
            "--seeds",
            str(given) if isinstance(given, int) else ",".join(map(str, given)) + ("," * (len(given) == 1)),
        ]
    error = request["reference"]
    words += ["--reference-mean", f"{error['mean']:g}"] if error["mean"] else []
    words += ["--reference-spread", f"{error['spread']:g}"] if error["spread"] else []
    words += ["--endurance", f"{endurance:g}"] if endurance is not None else []
    return " ".join([*words, "--plan", "plan.json", "--out", "DIR"])


def _change(known: Property, level: Level) -> Callable[[Hardware], Hardware]:
    """What makes hardware that of a level of a property."""
    if level.name == "introduced":
        assert known.introduced is not None
        return known.introduced
    return lambda hardware: known.scaled(hardware, level.factor)


def _automatic(rule: Any) -> bool:
    """Whether the rates of a rule follow from the hardware."""
    return rule.fast_lr is None if hasattr(rule, "fast_lr") else False


def _counting(rule: Any) -> Any:
    return replace(rule, count_pulses=True) if hasattr(rule, "count_pulses") else rule


def _most_gaining(cells: Mapping[Variant, Sequence[Mapping[str, Any]]]) -> list[str]:
    """The properties with the lowest errors where they are ideal, as many as there is time to look at closely."""
    errors = {name: _mean_error(rows) for (name, level), rows in cells.items() if level == "ideal"}
    return sorted(errors, key=errors.__getitem__)[: plans.FOCUS]


def _mean_error(rows: Sequence[Mapping[str, Any]]) -> float:
    return fmean(float(row["test_error"]) for row in rows)
