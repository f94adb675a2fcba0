"""How many conversions of each direction an array made, and with how many bits."""

from collections.abc import Mapping
from dataclasses import dataclass

from tikitaka._internal.shown import listed
from tikitaka.config import IoSettings, RuleConfig, peripheries
from tikitaka.rule import Rule

__all__ = ["Direction", "assumed_converters", "directions", "line_length"]

_DIRECTIONS = ("forward", "backward", "read")


@dataclass(frozen=True)
class Direction:
    """The conversions of forward products, of backward products, or of reads of lines."""

    dac: float
    """digital-to-analog conversions"""
    dac_bits: int
    """their bits"""
    adc: float
    """analog-to-digital conversions"""
    adc_bits: int
    """their bits"""


def line_length(shape: tuple[float, float], rule: RuleConfig | Rule | None) -> float:
    """Devices of a line that is read: of a column, unless the rule says row."""
    rows, cols = shape
    return cols if getattr(rule, "transfer_line", "column") == "row" else rows


def directions(
    counts: Mapping[str, int], shape: tuple[float, float], rule: RuleConfig | Rule | None
) -> tuple[Direction, Direction, Direction]:
    """The conversions of each direction, of which the ledger has the sum, of arrays of `shape` (rows, columns).

    A forward product converts every column, a backward product every row, a read one line and all devices on it.
    Retries of bound management convert all inputs again, but only the outputs that saturated; so where one direction
    manages bounds, the other one and the reads have what their counts say, and it has the rest. Where both do, the rest
    is shared in proportion to what they convert without retries. With inputs bit by bit a conversion is one of a bit.
    """
    rows, cols = shape
    dac, adc = float(counts["dac_conversions"]), float(counts["adc_conversions"])
    dac_forward = min(float(counts["forward_mvms"] * cols), dac)
    dac_backward = min(float(counts["backward_mvms"] * rows), dac - dac_forward)
    adc_read = min(float(counts["line_reads"] * line_length(shape, rule)), adc)
    first = {"forward": float(counts["forward_mvms"] * rows), "backward": float(counts["backward_mvms"] * cols)}
    rest, settings = adc - adc_read, _settings(rule)
    forward_retries, backward_retries = (_manages_bounds(settings[name]) for name in ("forward", "backward"))
    if forward_retries and backward_retries:
        of_both = sum(first.values())
        adc_backward = rest * first["backward"] / of_both if of_both else 0.0
    elif backward_retries:
        adc_backward = rest - min(first["forward"], rest)
    else:
        adc_backward = min(first["backward"], rest)
    split = {
        "forward": (dac_forward, rest - adc_backward),
        "backward": (dac_backward, adc_backward),
        "read": (dac - dac_forward - dac_backward, adc_read),
    }
    usual = peripheries["full"].forward
    forward, backward, read = (
        Direction(
            split[name][0],
            1 if settings[name].bit_serial else settings[name].dac_bits or usual.dac_bits,
            split[name][1],
            settings[name].adc_bits or usual.adc_bits,
        )
        for name in _DIRECTIONS
    )
    return forward, backward, read


def assumed_converters(rule: RuleConfig | Rule | None) -> tuple[str, ...]:
    """Converters that the settings leave open."""
    usual, settings = peripheries["full"].forward, _settings(rule)
    words = {"forward": "forward products", "backward": "backward products", "read": "reads of lines"}
    unset = {
        f"DACs of {usual.dac_bits} bits": [words[name] for name in _DIRECTIONS if not settings[name].dac_bits],
        f"ADCs of {usual.adc_bits} bits": [words[name] for name in _DIRECTIONS if not settings[name].adc_bits],
    }
    return tuple(f"{which} for {listed(of)}, where the rule has none" for which, of in unset.items() if of)


def _settings(rule: RuleConfig | Rule | None) -> dict[str, IoSettings]:
    """The periphery of each direction; ideal if it is unknown."""
    periphery = getattr(rule, "periphery", None) if isinstance(rule, RuleConfig) else None
    return {name: getattr(periphery or peripheries["ideal"], name) for name in _DIRECTIONS}


def _manages_bounds(settings: IoSettings) -> bool:
    return settings.bound_management and settings.adc_bits > 0
