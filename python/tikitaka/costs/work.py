"""What an array did, from its ledger, its shape and its rule: what the formulas need."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tikitaka import _core
from tikitaka._internal.shown import shown
from tikitaka._internal.validation import check_int, check_kind, one_of
from tikitaka.config import DigitalSgd, RuleConfig, Tiles, TransferRule
from tikitaka.config.rule import tile_of
from tikitaka.costs.conversions import Direction, assumed_converters, directions, line_length
from tikitaka.rule import Rule

__all__ = ["Work", "work_of"]

_TOTALS = ("digital_operations", "buffer_accesses")


@dataclass(frozen=True)
class Work:
    """What one array of a network did, those of its rule together, and how large it is."""

    products: float
    """forward and backward products, retries included"""
    reads: float
    """reads of lines"""
    slots: float
    """slots of pulse trains"""
    line_slots: float
    """slots of writes to lines"""
    pulses: float
    """pulses sent to devices"""
    driven: float
    """devices that products drive, summed over products"""
    read: float
    """devices of the lines that are read, summed over reads"""
    fired: float
    """devices on lines that fire, summed over firings"""
    conversions: tuple[Direction, ...]
    """of forward products, backward products and reads of lines, of fast and slow arrays"""
    operations: float
    """digital operations"""
    accesses: float
    """accesses to digital memories"""
    devices: int
    """devices of all arrays of the rule"""
    references: int
    """devices of their reference arrays"""
    lines: int
    """rows and columns of all arrays of the rule"""
    tiles: int
    """tiles of each array, which work side by side"""
    assumed: tuple[str, ...]
    """what the settings leave open, and what was taken instead"""


@cache
def _counters() -> tuple[str, ...]:
    return tuple(_core.Crossbar(1, 1).ledger)


def _checked(ledger: Any) -> dict[str, Any]:
    """A ledger with all counters; TypeError or ValueError for anything else."""
    check_kind("ledger", ledger, Mapping)
    if not any(part in ledger for part in ("fast", "slow")):
        raise ValueError(f"ledger must have the counts of the arrays fast and slow, not {shown(dict(ledger))}")
    for name in ledger:
        one_of("a part of ledger", name, ("fast", "slow", *_TOTALS))
    full: dict[str, Any] = {name: check_int(name, ledger.get(name, 0), 0, 2**64 - 1) for name in _TOTALS}
    for part in ("fast", "slow"):
        counts = ledger.get(part, {})
        check_kind(f"ledger[{part!r}]", counts, Mapping)
        for name in counts:
            one_of(f"a counter of ledger[{part!r}]", name, _counters())
        full[part] = {
            name: check_int(f"ledger[{part!r}][{name!r}]", counts.get(name, 0), 0, 2**64 - 1) for name in _counters()
        }
    return full


def work_of(ledger: Any, shape: tuple[int, int], rule: RuleConfig | Rule | None) -> Work:
    """The work of an array of `shape` (rows, columns) under `rule`, None if it is unknown.

    Fast and slow arrays add up: their operations come one after another. Where the array is cut into tiles, the ledger
    has the counts of all of them, each of which is of their mean size or almost.
    """
    full = _checked(ledger)
    rows, cols = shape
    each = [full["fast"], full["slow"]]
    arrays, references = _arrays(full, rule)
    of_fast, of_slow = _devices(rule)
    down, across = _grid(shape, rule)
    tiles, tile = down * across, (rows / down, cols / across)

    def both(*names: str) -> float:
        return float(sum(counts[name] for counts in each for name in names))

    products = both("forward_mvms", "backward_mvms")
    return Work(
        products=products,
        reads=both("line_reads"),
        slots=both("slots"),
        line_slots=both("line_slots"),
        pulses=both("pulses"),
        driven=products * tile[0] * tile[1] * of_slow,
        read=sum(
            line_length(tile, rule) * counts["line_reads"] * devices
            for counts, devices in zip(each, (of_fast, of_slow), strict=True)
        ),
        fired=both("row_firings") * tile[1] + both("column_firings") * tile[0],
        conversions=tuple(each_way for counts in each for each_way in directions(counts, tile, rule)),
        operations=float(full["digital_operations"]),
        accesses=float(full["buffer_accesses"]),
        devices=(max(arrays - 1, 0) * of_fast + min(arrays, 1) * of_slow) * rows * cols,
        references=references * rows * cols,
        lines=arrays * (rows * across + cols * down),
        tiles=tiles,
        assumed=_assumed(both("dac_conversions", "adc_conversions") > 0, rule),
    )


def _assumed(converts: bool, rule: RuleConfig | Rule | None) -> tuple[str, ...]:
    if isinstance(rule, DigitalSgd):
        return ("exact arithmetic, which costs nothing here",)
    return assumed_converters(rule) if converts else ()


def _grid(shape: tuple[int, int], rule: RuleConfig | Rule | None) -> tuple[int, int]:
    """Tiles from top to bottom and from left to right: ⌈rows/r⌉, ⌈columns/c⌉ for a rule whose field `tile` is (r, c),
    or one number for both; 1 and 1 without it."""
    tile = getattr(rule, "tile", None)
    if tile is None:
        return 1, 1
    tile = tile_of(tile)
    height, width = (tile, tile) if isinstance(tile, int) else tile
    return -(-shape[0] // height), -(-shape[1] // width)


def _devices(rule: RuleConfig | Rule | None) -> tuple[int, int]:
    """Devices per crosspoint of fast and of slow arrays: two for one-sided pairs."""
    fast = getattr(rule, "device", None)
    slow = getattr(rule, "slow_device", None) or fast
    first, second = (1 if getattr(device, "pair", None) is None else 2 for device in (fast, slow))
    return first, second


def _arrays(full: Mapping[str, Any], rule: RuleConfig | Rule | None) -> tuple[int, int]:
    """Arrays of a rule, and reference arrays beside them."""
    if isinstance(rule, DigitalSgd):
        return 0, 0
    if not isinstance(rule, RuleConfig):
        return 1 + any(full["fast"].values()), 0
    fast = rule.fast_tiles if isinstance(rule, Tiles) else int(isinstance(rule, TransferRule))
    first, second = (
        int(getattr(getattr(rule, name, None), "method", "none") != "none") for name in ("reference", "slow_reference")
    )
    return 1 + fast, first * max(fast, 1) + second
