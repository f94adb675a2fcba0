"""What limits a rule, derived: the pulses that the weights get for the progress that they make [ours].

Every pulse adds noise, and on soft bounds pulls a weight towards its symmetry point. SGD sends pulses for all
gradients, though most of them cancel. A rule with a fast array A sends F times as many for the same progress. On a
given network all rules fail at about the same F. docs/limits.md derives this and compares it with measurements.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tikitaka.config import SoftBounds
from tikitaka.config.size import step_of

__all__ = [
    "derived",
    "pulses_per_read",
    "resting_variance",
    "sgd_noise",
    "transfer_lr_at",
    "ttv1_ratio",
    "ttv2_ratio",
    "variance_at",
]

_MEAN = math.sqrt(2 / math.pi)
"""The mean of |v| of a normal v of variance 1."""

_REACH = SoftBounds().bound
"""b of the devices of the studies."""


def resting_variance(reach: float, step: float, cycle_noise: float) -> float:
    """The variance of a soft-bounds device under pulses of random sign, b·δ·(1 + σ_c²)/2 (weight units squared).

    A pulse forgets the share δ/b of the weight and adds δ²(1 + σ_c²) to its variance, which settles at half of their
    ratio.
    """
    return reach * step * (1 + cycle_noise**2) / 2


def sgd_noise(step: float, cycle_noise: float) -> float:
    """What limits SGD on symmetric constant steps: δ·(1 + σ_c²) (weight units).

    Pulses for gradients of the mean size ⟨|g|⟩ add lr·δ(1 + σ_c²)·⟨|g|⟩ per sample to the variance of a weight, and
    descent with curvature h takes 2·lr·h of it away. So it settles at δ(1 + σ_c²)·⟨|g|⟩/(2h), and the loss is higher by
    δ(1 + σ_c²)/4 times the sum of ⟨|g|⟩ over the weights.
    """
    return step * (1 + cycle_noise**2)


def ttv1_ratio(variance: float, reach: float = _REACH) -> float:
    """F of TTv1: ⟨|v|⟩/b = √(2V/π)/b for reads v of the given variance V.

    A steady gradient g holds A at b·g/⟨|g|⟩, b being its bound. So it moves C by β·b·g/⟨|g|⟩ per read, for a rate of β
    weights per read and unit of A, while C gets β⟨|v|⟩/δ_C pulses, almost all because of the noise of A. For a move of
    lr·g, SGD sends lr·⟨|g|⟩/δ_C.
    """
    return _MEAN * math.sqrt(variance) / reach


def pulses_per_read(transfer_lr: float, variance: float) -> float:
    """Pulses that H sends per read of the given variance, at λ_H = `transfer_lr`.

    Small reads carry H to its threshold as a random walk does, (1/λ)²/V reads away; large ones, λ|v| > 1, send about
    λ|v| pulses each. Between them the times add up: 1/p = 1/(λ²V) + 1/(λ√(2V/π)). That is right at both ends.
    """
    walk, straight = transfer_lr**2 * variance, transfer_lr * _MEAN * math.sqrt(variance)
    return walk * straight / (walk + straight) if variance else 0.0


def ttv2_ratio(variance: float, transfer_lr: float, reach: float = _REACH) -> float:
    """F of TTv2: p pulses per read, where β = λ_H·δ_C asks for p·δ_C/(β·b) = p/(λ_H·b)."""
    return pulses_per_read(transfer_lr, variance) / (transfer_lr * reach)


def variance_at(ratio: float, transfer_lr: float | None = None, reach: float = _REACH) -> float:
    """The variance of reads at which TTv2 with this λ_H, or TTv1 for None, has the given F."""
    straight = ratio * reach / _MEAN
    if transfer_lr is None:
        return straight**2
    return ((straight + math.sqrt(straight**2 + 4 * ratio * reach / transfer_lr)) / 2) ** 2


def transfer_lr_at(ratio: float, variance: float, reach: float = _REACH) -> float:
    """λ_H at which TTv2 has the given F with reads of this variance; infinite where every λ_H has less.

    A training of E times as many epochs learns as much with a λ_H that is E times lower.
    """
    straight = _MEAN * math.sqrt(variance)
    if ratio * reach >= straight:
        return math.inf
    return ratio * reach * straight / (variance * (straight - ratio * reach))


def derived(result: Mapping[str, Any], states: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tolerances of the studies update-noise and mvm-noise that follow from those of the study `states`.

    What a rule tolerates in states fixes its F (of SGD on symmetric steps, its noise), and the rest follows: a row for
    each tolerance of `result` with panel, points, rule and value, 0 if the rule fails without any noise. λ_H is the one
    that the search has chosen for the last value that is measured to be tolerated. There is no row for rules and
    studies that the derivation does not cover, and none where `states` gives only a bound.
    """
    anchors = {(each["rule"], each["points"]): each for each in states["tolerances"]}
    sigma = SoftBounds().cycle_noise
    rows = []
    for each in result["tolerances"]:
        rule, panel = each["rule"], each.get("panel", "")
        anchor = anchors.get((rule, each["points"]))
        if anchor is None or anchor["tolerance"] is None or anchor["beyond"] or result["claim"] not in _NOISES:
            continue
        here = step_of(SoftBounds(states=_states(panel)))
        there = step_of(SoftBounds(states=anchor["tolerance"]))
        updates = result["claim"] == "update-noise"
        if rule == "sgd-symmetric" and updates:
            value = _noise(sgd_noise(there, sigma) / here - 1)
        elif rule in ("ttv1", "ttv2"):
            known = resting_variance(_REACH, there, sigma)
            if rule == "ttv1":
                allowed = variance_at(ttv1_ratio(known))
            else:
                ratio, transfer_lr = _ttv2(result, panel, each, states, anchor, anchors.get(("ttv1", each["points"])))
                allowed = variance_at(ratio, transfer_lr)
            own = resting_variance(_REACH, here, 0.0 if updates else sigma)
            value = _noise(allowed / own - 1) if updates else _noise(allowed - own)
        else:
            continue
        rows.append({**({"panel": panel} if panel else {}), "points": each["points"], "rule": rule, "value": value})
    return rows


_NOISES = ("update-noise", "mvm-noise")
"""The studies that are derived."""


def _noise(variance: float) -> float:
    return math.sqrt(max(variance, 0.0))


def _states(panel: str) -> float:
    return float(panel.split()[0].replace(",", ""))


def _ttv2(
    result: Mapping[str, Any],
    panel: str,
    each: Mapping[str, Any],
    states: Mapping[str, Any],
    anchor: Mapping[str, Any],
    ttv1: Mapping[str, Any] | None,
) -> tuple[float, float]:
    """F and λ_H of TTv2 for a tolerance `each` of `result`.

    With rates by hand, F follows from λ_H and the `anchor`. Automatic rates hold lr·δ_C·λ_H constant, but not at a
    value that a result contains, so that F is that of TTv1 in `states`, and λ_H follows.
    """
    at, here = _chosen(states, "", anchor["tolerance"]), _chosen(result, panel, each["tolerance"])
    sigma = SoftBounds().cycle_noise
    known = resting_variance(_REACH, step_of(SoftBounds(states=anchor["tolerance"])), sigma)
    if "transfer_lr" in at:
        return ttv2_ratio(known, at["transfer_lr"]), float(here["transfer_lr"])
    of_ttv1 = anchor if ttv1 is None or not ttv1["tolerance"] else ttv1
    ratio = ttv1_ratio(resting_variance(_REACH, step_of(SoftBounds(states=of_ttv1["tolerance"])), sigma))
    grows = here["lr"] / at["lr"] * _states(panel) / anchor["tolerance"]
    return ratio, transfer_lr_at(ratio, known) * grows


def _chosen(result: Mapping[str, Any], panel: str, near: float | None) -> Mapping[str, Any]:
    """The rates of TTv2 that the search has chosen for the last value, from the easy end, before `near`."""
    chosen: Sequence[Mapping[str, Any]] = [
        row for row in result["rates"] if row["rule"] == "ttv2" and row.get("panel", "") == panel
    ]
    rises = chosen[-1]["value"] > chosen[0]["value"]
    easier = [row for row in chosen if near is None or (row["value"] <= near if rises else row["value"] >= near)]
    return (easier or chosen[:1])[-1]
