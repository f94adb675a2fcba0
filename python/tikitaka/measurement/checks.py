"""What measured pulses must be to say how a device learns, and what is unusual about them."""

import numpy as np
from numpy.typing import NDArray

from tikitaka._internal.shown import shown
from tikitaka.measurement.direction import runs_of, trend
from tikitaka.measurement.table import Sweep

__all__ = ["check_binary", "check_device", "unusual"]

F64 = NDArray[np.float64]

_FEW = 20  # pulses in a direction
_BLOCK = 5  # pulses of one sign in a row that have a trend
_BINARY = 0.8  # share of the range in one pulse
_RATIO = 100.0  # highest over lowest conductance


def check_device(sweeps: list[Sweep]) -> None:
    """Raise ValueError, with the reason, unless the sweeps of one device show its response to up and down pulses."""
    name = sweeps[0].device
    if len({len(each) for each in sweeps}) == 1 and len(sweeps[0]) == 1:
        raise ValueError(f"device {shown(name)}: every sweep is a single read")
    up, down = (sum(getattr(each, side) for each in sweeps) for side in ("up", "down"))
    for count, side, other in ((up, "up", "down"), (down, "down", "up")):
        if not count:
            raise ValueError(
                f"device {shown(name)}: there are only {other} pulses, {up + down:,} of them. An update needs both "
                f"directions: say where the {side} pulses are ({side}=, pattern=). A device without them is one half "
                "of a one-sided pair, as of phase-change memory; reads without pulses show drift, not updates"
            )
        if count < _FEW:
            raise ValueError(
                f"device {shown(name)}: there must be at least {_FEW} pulses in each direction, and {count} are {side}"
            )
    blocks = {sign: [block for each in sweeps for block in _blocks(each, sign)] for sign in (1, -1)}
    for each in blocks.values():
        check_binary(name, each)
    if not blocks[1] or not blocks[-1]:
        _check_alternation(sweeps)
    rises = {sign: _rise(each) for sign, each in blocks.items() if each}
    if rises.get(1, 1.0) <= 0:
        what = f"fall by {-rises[1]:.3g}" if rises[1] < 0 else "stay the same"
        hint = "check which pulses are up and which are down"
        if rises.get(-1, 0.0) > 0:
            what += f", while the down trace rises by {rises[-1]:.3g}"
            hint = "if the signs are swapped, pass flip=True"
        raise ValueError(f"device {shown(name)}: the up trace must rise, not {what}; {hint}")
    if rises.get(-1, -1.0) >= 0:
        what = f"rise by {rises[-1]:.3g} like the up trace" if rises[-1] > 0 else "stay the same"
        raise ValueError(
            f"device {shown(name)}: the down trace must fall, not {what}; if it is stored backwards, pass "
            "mirrored_down=True"
        )
    _check_overlap(name, blocks)


def check_binary(name: str, blocks: list[F64]) -> None:
    """Raise ValueError if most blocks go from one end of their range to the other in one pulse."""
    jump = float(np.median([_jump(block) for block in blocks])) if blocks else 0.0
    if jump > _BINARY:
        raise ValueError(_binary(name, jump))


def _check_alternation(sweeps: list[Sweep]) -> None:
    """Raise ValueError if single pulses go from one end of the range to the other."""
    steps = np.concatenate([np.abs(np.diff(each.values)) for each in sweeps])
    values = np.concatenate([each.values for each in sweeps])
    size = float(np.subtract(*np.nanquantile(values, [0.95, 0.05])))
    if not size > 0:
        raise ValueError(f"device {shown(sweeps[0].device)}: values must change, not stay the same")
    share = 0.0 if np.isnan(steps).all() else float(np.nanmedian(steps)) / size
    if share > _BINARY:
        raise ValueError(_binary(sweeps[0].device, share))


def _binary(name: str, share: float) -> str:
    return (
        f"device {shown(name)}: it switches: one pulse covers {100 * share:.0f} % of the range. A binary cell has no "
        "gradual update to describe; use weaker pulses"
    )


def _jump(block: F64) -> float:
    """The largest step of a block over its range, if the reads before and after it stay on their sides; else 0."""
    known = block[~np.isnan(block)]
    if len(known) < _BLOCK or not np.ptp(known) > 0:
        return 0.0
    place = int(np.argmax(np.abs(np.diff(known)))) + 1
    apart = abs(float(np.median(known[place:]) - np.median(known[:place])))
    size = float(np.ptp(known))
    return min(abs(float(known[place] - known[place - 1])), apart) / size


def _blocks(sweep: Sweep, side: int) -> list[F64]:
    return [
        sweep.values[max(0, start - 1) : end]  # with the read before its first pulse
        for start, end, sign in runs_of(sweep.signs)
        if sign == side and end - start >= _BLOCK
    ]


def _rise(blocks: list[F64]) -> float:
    """By how much blocks rise on average."""
    return float(np.mean([trend(block) for block in blocks]))


def _check_overlap(name: str, blocks: dict[int, list[F64]]) -> None:
    ranges = {}
    for side, found in blocks.items():
        values = np.concatenate(found) if found else np.empty(0)
        values = values[~np.isnan(values)]
        if not values.size:
            return
        ranges[side] = np.quantile(values, [0.005, 0.995])
    (up_low, up_high), (down_low, down_high) = ranges[1], ranges[-1]
    if up_high < down_low or down_high < up_low:
        raise ValueError(
            f"device {shown(name)}: up and down pulses must cover the same range: up traces are from {up_low:.3g} to "
            f"{up_high:.3g}, down traces from {down_low:.3g} to {down_high:.3g}. Are they of one device, in one unit?"
        )


def unusual(sweeps: list[Sweep], unit: str, between: int = 0) -> list[str]:
    """What is unusual about the values, in words; no read was made after `between` pulses."""
    found = []
    every = np.concatenate([each.values for each in sweeps])
    values = every[~np.isnan(every)]
    missing = len(every) - len(values) - between
    if missing > 0:
        found.append(
            f"{missing:,} of {len(every) - between:,} reads are missing (blank or NaN); their pulses still count"
        )
    low, high = np.quantile(values, [0.005, 0.995])
    if unit and low > 0 and high / low > _RATIO:
        found.append(
            f"the highest conductance is {high / low:,.0f} times the lowest; weights are linear in it, so most pulses "
            "act on a small part of the range"
        )
    step = _quantum(values)
    if step:
        share = 100 * step / float(np.ptp(values))
        found.append(
            f"reads are quantised in steps of {step:.3g}{f' {unit}' if unit else ''}, {share:.2g} % of the range"
        )
    return found


def _quantum(values: F64) -> float:
    """The step of quantised values; 0 if they are not."""
    some = np.unique(values[:: max(1, len(values) // 100_000)])
    if len(some) < 3 or len(some) > 0.6 * min(len(values), 100_000):
        return 0.0
    size, steps = float(np.ptp(some)), np.diff(some)
    least = float(steps.min())
    if not least > 0.001 * size:
        return 0.0
    step = size / float(np.round(steps / least).sum())  # decimals are rounded, so that the least is uncertain
    multiples = (some - some[0]) / step
    return step if float(np.abs(multiples - np.round(multiples)).max()) < 0.05 else 0.0
