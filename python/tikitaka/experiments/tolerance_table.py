"""The result of a study of tolerances as text."""

from collections.abc import Mapping
from typing import Any

from tikitaka._internal.statistics import plus_minus
from tikitaka.experiments.quality import quality_of

__all__ = ["table"]


def table(result: Mapping[str, Any]) -> str:
    """The tolerances of a study, and how much more ttv2 tolerates than the other rules."""
    quality, exact = quality_of(result["net"]), result["float"]
    digits = 2 if quality.unit == "%" else 3
    noisy = any("step_noise" in row for row in result["tolerances"])
    lines = [
        f"{result['label']}: {result['net']} on {result['data']}, scale {result['scale']}; "
        f"float {plus_minus(exact[quality.key], exact['spread'], digits)} {quality.unit} (seeds: {exact['seeds']})",
        f"{'':<30}{'within':<10}{'rule':<14}{'tolerance':>12}  {'95 % interval':<20}"
        + (f"{'step noise':<14}" if noisy else "")
        + "ttv2 is better by",
    ]
    ratios = {(r.get("panel"), r["points"], r["over"]): r for r in result["ratios"]}
    for row in result["tolerances"]:
        factor = ratios.get((row.get("panel"), row["points"], row["rule"]))
        words = "" if factor is None or factor["ratio"] is None else _factor(factor)
        noise = f"{row['step_noise']:<14.2g}" if "step_noise" in row else f"{'':<14}" if noisy else ""
        lines.append(
            f"{row.get('panel', ''):<30}{row['points']:<10g}{row['rule']:<14}{_value(row):>12}  "
            f"{_interval(row):<20}{noise}{words}".rstrip()
        )
    if noisy:
        lines.append("step noise: the noise of a step at the tolerance, σ_c times the step (weight units)")
    return "\n".join(lines)


def _value(row: Mapping[str, Any]) -> str:
    if row["tolerance"] is None:
        return "seeds differ"
    return "nowhere" if row["tolerance"] == 0 else f"{row['sign']} {_number(row['tolerance'])}".strip()


def _interval(row: Mapping[str, Any]) -> str:
    return "" if row["low"] is None else f"{_number(row['low'])} to {_number(row['high'])}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _factor(factor: Mapping[str, Any]) -> str:
    words = f"{factor['bound'] + ' ' if factor['bound'] else ''}{_number(factor['ratio'])} ×"
    return words if factor["low"] is None else f"{words} ({_number(factor['low'])} to {_number(factor['high'])})"
