"""From traces to the table: units, directions, mirrored traces, cycles, and the checks."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tikitaka._internal.shown import listed
from tikitaka.measurement.checks import check_device, unusual
from tikitaka.measurement.convert import convert
from tikitaka.measurement.direction import Trace, pattern_length, pattern_signs, runs_of, trend, turning_signs
from tikitaka.measurement.found import Found
from tikitaka.measurement.options import Options
from tikitaka.measurement.table import Measured, Sweep

__all__ = ["assemble"]

F64 = NDArray[np.float64]
I8 = NDArray[np.int8]

_LONGEST = 50_000_000  # pulses of a source whose reads are counted
_TREND = 0.3  # share of the range of a trace by which its parts lead up or down
_BLOCK = 5  # pulses of one sign in a row, from which a new cycle may begin


def assemble(found: Found, options: Options, source: str) -> Measured:
    """The table of the traces of a source; ValueError, with the reason, for what cannot be understood or used."""
    account, warnings = list(found.account), list(found.warnings)
    unit, source_unit = convert(found, options, account, warnings)
    if options.seconds_per_pulse is not None and all(trace.counts is None for trace in found.traces):
        raise ValueError("seconds_per_pulse needs a column of times, such as t (s)")
    _check_pulses(found.traces)
    for trace in found.traces:
        if options.initial_read is not None:
            trace.initial = options.initial_read
            if trace.counts is not None:
                trace.counts[0] = 0 if trace.initial else max(trace.counts[0], 1)
        elif options.pattern is not None and trace.counts is not None and trace.counts[0] == 0:
            rows = int(np.maximum(trace.counts, 1).sum())
            if rows % pattern_length(options.pattern) == 0:  # as many pulses as the pattern has
                trace.counts[0], trace.initial = 1, False
    between: dict[str, int] = {}
    if options.pattern is not None:
        _spread(found.traces, between)
    traces = [each for trace in found.traces if (each := _trimmed(trace)) is not None]
    if not traces:
        raise ValueError("it holds no values")
    if options.device is not None:
        for trace in traces:
            trace.device = options.device
    _direct(traces, options, account, warnings)
    if options.flip and any(trace.sign for trace in traces):
        for trace in traces:
            trace.sign = -trace.sign
        account.append("flip: up and down are exchanged")
    _spread(traces, between)
    _turn_back(traces, options, account)
    sweeps = _sweeps(traces, account)
    devices: dict[str, list[Sweep]] = {}
    for sweep in sweeps:
        devices.setdefault(sweep.device, []).append(sweep)
    devices = _usable(devices, warnings)
    sweeps = [sweep for each in devices.values() for sweep in sorted(each, key=lambda sweep: sweep.cycle)]
    if any(trace.initial for trace in traces):
        account.append("the first read of each trace comes before any pulse")
    return Measured(
        tuple(sweeps),
        unit,
        source_unit,
        tuple(account),
        (*warnings, *unusual(sweeps, unit, sum(between.get(name, 0) for name in devices))),
        source,
    )


def _check_pulses(traces: list[Trace]) -> None:
    """Raise ValueError for more pulses than memory may hold."""
    pulses = sum(int(trace.counts.sum()) for trace in traces if trace.counts is not None)
    if pulses > _LONGEST:
        raise ValueError(f"there must be at most {_LONGEST:,} pulses, not {pulses:,} by the columns that count them")


def _spread(traces: list[Trace], between: dict[str, int]) -> None:
    """Give every pulse a row, and add the reads that are missing by design to those of each device."""
    for trace in traces:
        between[trace.device] = between.get(trace.device, 0) + trace.spread()


def _usable(devices: dict[str, list[Sweep]], warnings: list[str]) -> dict[str, list[Sweep]]:
    """The devices that show how they learn; ValueError, with the reason of the first other one, if few do."""
    good: dict[str, list[Sweep]] = {}
    bad: list[ValueError] = []
    for name, sweeps in devices.items():
        try:
            check_device(sweeps)
            good[name] = sweeps
        except ValueError as error:
            bad.append(error)
    if bad and len(good) <= len(bad):
        raise bad[0]
    warnings += [f"left out: {error}" for error in bad[:3]]
    if len(bad) > 3:
        warnings.append(f"left out: {len(bad) - 3:,} more devices")
    return good


def _trimmed(trace: Trace) -> Trace | None:
    """The trace without blank ends; None if nothing is left."""
    known = np.flatnonzero(~np.isnan(trace.values))
    if not known.size:
        return None
    start, end = int(known[0]), int(known[-1]) + 1
    trace.initial = trace.initial and start == 0
    trace.skipped = start
    trace.values = trace.values[start:end].copy()  # which may be reversed in place
    if trace.signs is not None:
        trace.signs = trace.signs[start:end]
    if trace.counts is not None:
        trace.counts = trace.counts[start:end].copy()
        trace.counts[0] = min(trace.counts[0], 1)  # what came before the first read is unknown
    if trace.rests is not None:
        trace.rests = trace.rests[start:end]
    return trace


def _direct(traces: list[Trace], options: Options, account: list[str], warnings: list[str]) -> None:
    """Find the signs of the traces that nothing has given them."""
    unknown = [trace for trace in traces if trace.sign == 0 and trace.signs is None]
    if options.pattern is not None:
        _apply(options.pattern, traces, options, account, warnings)
        return
    if unknown and options.flip:
        raise ValueError("flip needs signs of pulses: nothing in the source says which pulses are positive")
    by_trend: list[Trace] = []
    said: dict[str, int] = {}
    uneven = False
    for trace in unknown:
        turned = None if _lead(trace.siblings) else turning_signs(trace.values)
        if turned is None:
            by_trend.append(trace)
            continue
        trace.signs, initial, words, even = turned
        if trace.counts is not None:
            words = words.replace(" pulses", " reads")
        uneven = uneven or not even
        if trace.counts is None:
            trace.initial = initial if options.initial_read is None else options.initial_read
        said[words] = said.get(words, 0) + 1
    if uneven:
        warnings.append("blocks between turning points are of different lengths: check them, or pass pattern=")
    for words, count in list(said.items())[:3]:
        account.append(f"turning points of {count} trace{'s' * (count != 1)}: {words} (pattern= says it for certain)")
    for trace in by_trend:
        trace.sign = 1 if trend(trace.values) > 0 else -1
    if by_trend:
        up = sum(trace.sign > 0 for trace in by_trend)
        account.append(f"directions by where traces lead: {up} rise and are up, {len(by_trend) - up} fall and are down")
    _join(traces, account)


def _lead(parts: list[Trace]) -> bool:
    """Whether each of the parts that a trace was cut into leads up or down by much of the range of all."""
    if not parts:
        return False
    every = np.concatenate([part.values for part in parts])
    size = float(np.subtract(*np.nanquantile(every, [0.995, 0.005])))
    return all(abs(trend(part.values)) >= _TREND * size for part in parts)


def _apply(pattern: str, traces: list[Trace], options: Options, account: list[str], warnings: list[str]) -> None:
    """Give traces the signs of a pattern; it begins after the first read if that comes before any pulse."""
    rest = length = 0
    for trace in traces:
        reads = trace.skipped + len(trace.values)
        length = pattern_length(pattern)
        if options.initial_read is None and reads > length and reads % length == 1:
            trace.initial = trace.skipped == 0
        first = int(trace.initial or bool(options.initial_read))
        rests = np.zeros(reads, bool)
        if trace.rests is not None and "r" not in pattern.lower():
            rests[trace.skipped :] = trace.rests
        rests[:first] = True
        pulsed, repetitions = pattern_signs(pattern, int(np.count_nonzero(~rests)))
        rest = rest or len(pulsed) % length
        signs, cycles = np.zeros(reads, np.int8), np.ones(reads, np.int64)
        signs[~rests] = pulsed
        cycles = repetitions[np.maximum(np.cumsum(~rests) - 1, 0)] if len(repetitions) else cycles
        signs = signs[trace.skipped :]
        trace.sign, trace.signs = 0, signs * np.int8(-1 if options.flip else 1)
        trace.cycles = None if trace.cycle is not None else cycles[trace.skipped :]
    account.append(f"pattern {pattern}, {length:,} pulses, repeated")
    if rest:
        warnings.append(f"the last repetition of the pattern has {rest:,} of {length:,} reads")


def _join(traces: list[Trace], account: list[str]) -> None:
    """Two sources of one direction each are of one device."""
    signs: dict[str, set[int]] = {}
    for trace in traces:
        signs.setdefault(trace.device, set()).add(trace.sign)
    if sorted(map(tuple, signs.values())) == [(-1,), (1,)] and len(signs) == 2:
        account.append(f"{listed(signs, ' and ')} have one direction each and are one device")
        name = " and ".join(signs)
        for trace in traces:
            trace.device = name


def _turn_back(traces: list[Trace], options: Options, account: list[str]) -> None:
    """Reverse down traces that are stored backwards."""
    devices: dict[str, list[Trace]] = {}
    for trace in traces:
        devices.setdefault(trace.device, []).append(trace)
    turned = []
    for device, some in devices.items():
        blocks = {sign: [part for trace in some for part in _parts(trace, sign)] for sign in (1, -1)}
        mirrored = _mirrored(blocks) if options.mirrored_down is None else options.mirrored_down
        if mirrored and blocks[-1]:
            turned.append(device)
            for part in blocks[-1]:
                part[:] = part[::-1].copy()
    if turned and options.mirrored_down is None:
        of = "" if len(turned) == len(devices) else f" of {listed(turned)}"
        account.append(f"the down traces{of} rise and are read backwards (mirrored_down=False keeps them)")
    elif turned:
        account.append("down traces are read backwards, as mirrored_down says")


def _parts(trace: Trace, sign: int) -> list[F64]:
    """The reads of a trace, as views, in blocks of pulses of one sign."""
    if trace.signs is None:
        return [trace.values] if trace.sign == sign else []
    runs = [run for run in runs_of(trace.signs) if run[2] == sign and run[1] - run[0] >= _BLOCK]
    return [trace.values[start:end] for start, end, _ in runs]


def _mirrored(blocks: dict[int, list[F64]]) -> bool:
    """Whether down traces rise as up traces do, from where up traces begin rather than from where they end."""
    if not blocks[1] or not blocks[-1]:
        return False
    up, down = (float(np.mean([trend(part) for part in blocks[sign]])) for sign in (1, -1))
    start, end, down_start = (
        float(np.mean([_level(part, last) for part in some]))
        for some, last in ((blocks[1], False), (blocks[1], True), (blocks[-1], False))
    )
    return up > 0 and down > 0 and not abs(down_start - start) >= abs(down_start - end)


def _level(values: F64, last: bool) -> float:
    """The median of the first or the last tenth of some reads."""
    known = values[~np.isnan(values)]
    part = max(1, len(known) // 10)
    return float(np.median(known[-part:] if last else known[:part])) if known.size else float("nan")


def _sweeps(traces: list[Trace], account: list[str]) -> list[Sweep]:
    numbers: dict[tuple[str, int], int] = {}
    sweeps: list[Sweep] = []
    split = 0
    for trace in traces:
        signs = trace.signs
        if signs is None:
            signs = np.full(len(trace.values), trace.sign, np.int8)
        if trace.initial:
            signs = np.concatenate([np.zeros(1, np.int8), signs[1:]])
        if trace.cycle is not None:
            sweeps.append(Sweep(trace.device, trace.cycle, signs, trace.values))
            continue
        key = trace.device, trace.sign
        edges = [0, *_cycle_starts(signs, trace.cycles), len(signs)]
        split += len(edges) > 2
        for start, end in pairwise(edges):
            values = trace.values[start:end]
            numbers[key] = numbers.get(key, 0) + 1
            if not np.isnan(values).all():
                sweeps.append(Sweep(trace.device, numbers[key], signs[start:end], values))
    if split:
        account.append(f"{'each trace is' if split > 1 else 'the trace is'} cut into cycles, each a sweep of its own")
    return sweeps


def _cycle_starts(signs: I8, cycles: NDArray[np.int64] | None) -> list[int]:
    """Where cycles after the first begin: at repetitions of the pattern, or where the first direction comes again."""
    if cycles is not None:
        return [int(k) + 1 for k in np.flatnonzero(np.diff(cycles))]
    blocks = [block for block in runs_of(signs) if block[1] - block[0] >= _BLOCK]
    return [
        start
        for (start, _, sign), (_, _, before) in zip(blocks[1:], blocks[:-1], strict=True)
        if sign == blocks[0][2] and before != sign
    ]
