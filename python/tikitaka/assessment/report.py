"""The result of an assessment, in plain values, from the rows of its trainings."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from tikitaka._core import Crossbar
from tikitaka._internal.atomic_write import atomic_write
from tikitaka.assessment import page, words
from tikitaka.assessment.hardware import Hardware
from tikitaka.assessment.intervals import Interval, interval
from tikitaka.assessment.plain import plain
from tikitaka.assessment.plan import Plan, Size
from tikitaka.assessment.properties import CIRCUITS, Level, Property
from tikitaka.assessment.source import Source
from tikitaka.assessment.targets import POINTS, target
from tikitaka.config import Device, to_dict
from tikitaka.experiments.learning_rates import chosen
from tikitaka.experiments.quality import HARD
from tikitaka.plot.device import pulsed
from tikitaka.training import TrainConfig

__all__ = ["Assessment", "Found", "Studied", "report"]

Row = Mapping[str, Any]

_DEVICES, _POINTS, _LONGEST = 4, 120, 20_000
"""Devices whose response is drawn, points of each, and the most pulses in a direction."""

_CHANCE = 0.8
"""Share of the error of guessing from which a rule does not train at all."""


@dataclass(frozen=True)
class Studied:
    """The trainings at one level of a property."""

    known: Property
    """the property"""
    level: Level
    """its level"""
    value: float | None
    """its value"""
    rule: Any
    """the rule with the rates that were found"""
    rows: Sequence[Row]
    """measurements, one for each seed"""


@dataclass(frozen=True)
class Found:
    """What the trainings of an assessment measured."""

    plan: Plan
    """what the assessment might use, with all measured classes of speed"""
    base: TrainConfig
    """settings of the reported trainings, but for rule and seed"""
    size: Size
    """how much was trained"""
    seeds: tuple[int, ...]
    """their seeds"""
    hardware: Hardware
    """the hardware"""
    rules: Mapping[str, Any]
    """the rule with the rates that were found, by kind"""
    rows: Mapping[str, Sequence[Row]]
    """measurements of each rule on the hardware, one for each seed"""
    best: str
    """the rule with the lowest error"""
    winner: str
    """the rule that is studied: the best, or one that better hardware makes better than it"""
    shorter: Sequence[Row]
    """measurements of this rule with fewer epochs"""
    shorter_epochs: int
    """those epochs"""
    studied: Sequence[Studied]
    """every level of every property"""
    guessing: float
    """error of guessing the most frequent class, 0 to 1"""
    tests: int
    """test examples"""
    warnings: Mapping[str, tuple[str, ...]]
    """by rule, why so many examples are too few for its rates; nothing if they suffice"""


@dataclass(frozen=True)
class Assessment:
    """The answer: plain values, which report.json holds, the text of one screen, and a page."""

    result: dict[str, Any]
    """everything, as plain values; errors and differences in percent of the test examples"""
    configs: dict[str, TrainConfig]
    """the trainings behind the numbers, by the name of their file in trainings/, with the first seed"""

    @property
    def text(self) -> str:
        """The answer on one screen."""
        return words.text(self.result)

    @property
    def html(self) -> str:
        """The answer as a page of its own, which fetches nothing."""
        return page.html(self.result)

    @property
    def limited_by(self) -> list[str]:
        """The properties that limit the training, the first most; those without a significant gain are left out."""
        return [each["property"] for each in self.result["limits"]]

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return page.body(self.result)

    def write(self, folder: str | Path) -> None:
        """Write report.txt, report.json, report.html and the configs in trainings/ to `folder`; OSError if it fails."""
        path = Path(folder)
        (path / "trainings").mkdir(parents=True, exist_ok=True)
        for name, config in self.configs.items():
            atomic_write(path / "trainings" / f"{name}.toml", config.to_toml().encode())
        content = json.dumps(self.result, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
        for name, written in (("report.json", content), ("report.txt", self.text + "\n"), ("report.html", self.html)):
            atomic_write(path / name, written.encode())


def report(source: Source, found: Found, endurance: float | None, command: str) -> Assessment:
    """The assessment of what was `found` on the device of a `source`."""
    configs: dict[str, TrainConfig] = {}

    def made_by(name: str, rule: Any) -> str:
        place = name.replace(" ", "-")
        configs[place] = replace(found.base, rule=rule, seed=found.seeds[0])
        return place

    exact = _errors(found.rows["float"])
    limit = fmean(exact) + POINTS
    of_rules = [
        {
            "rule": kind,
            "error": _percent(_errors(rows), found.tests),
            "above_float": asdict(interval(_minus(_errors(rows), exact), 100 / found.tests)),
            "average": _average(rows),
            "rates": chosen(found.rules[kind]),
            "given_up": sum(bool(row.get("given_up") or row.get("diverged")) for row in rows),
            "pulses": _pulses(rows, endurance),
            "warnings": list(found.warnings.get(kind, ())),
            "config": made_by(kind, found.rules[kind]),
        }
        for kind, rows in found.rows.items()
    ]
    present = _errors(found.rows[found.winner])
    properties = _properties(found, present, limit, made_by)
    gain = interval(_minus(_errors(found.shorter), present), 100 / found.tests)
    trains = fmean(_errors(found.rows[found.best])) < 100 * _CHANCE * found.guessing
    winner = next(each for each in of_rules if each["rule"] == found.winner)
    comparable = fmean(exact) <= HARD
    converged = comparable and not winner["warnings"] and trains and gain.mean <= POINTS
    result = {
        "format": 1,
        "command": command,
        "device": {
            "name": source.name,
            **to_dict(source.device),
            "mean_states": found.hardware.states,
            "mean_step": found.hardware.step,
            "mean_bounds": list(found.hardware.bounds),
        },
        "fit": source.fit,
        "replicates": len(source.replicates),
        "reference": to_dict(found.hardware.reference),
        "periphery": to_dict(found.hardware.periphery),
        "net": found.base.net,
        "data": found.base.data,
        "plan": asdict(found.plan),
        "size": {**asdict(found.size), "seeds": list(found.seeds)},
        "float": _percent(exact, found.tests),
        "limit": limit,
        "rules": of_rules,
        "best": found.best,
        "studied": found.winner,
        "trains": trains,
        "comparable": comparable,
        "convergence": {"epochs": found.shorter_epochs, "costs": _gain(gain), "converged": converged},
        "properties": properties,
        "response": _response(found.hardware.device, found.hardware.states),
        "limits": _limits(properties, found.tests) if comparable else [],
        "endurance": endurance,
        "costs": None,
    }
    return Assessment(plain(result), configs)


def _properties(found: Found, present: list[float], limit: float, made_by: Any) -> list[dict[str, Any]]:
    """Each property with its levels, what they gain, and the target that reaches the limit."""
    table: dict[str, dict[str, Any]] = {}
    errors: dict[str, dict[float, list[float]]] = {}
    for each in found.studied:
        name, level = each.known.name, each.level
        entry = table.setdefault(
            name,
            {"property": name, "unit": each.known.unit, "now": each.known.value(found.hardware), "levels": []},
        )
        these = _errors(each.rows)
        errors.setdefault(name, {1.0 if level.name != "introduced" else 0.0: present})[level.factor] = these
        entry["levels"].append(
            {
                "level": level.name,
                "factor": level.factor,
                "value": each.value,
                "error": _percent(these, found.tests),
                "gain": _gain(interval(_minus(present, these), 100 / found.tests)),
                "rates": chosen(each.rule),
                "config": made_by(f"{name} {level.name}", each.rule),
            }
        )
    known = {each.known.name: each.known for each in found.studied}
    for name, entry in table.items():
        introduced = entry["levels"][0]["value"] if entry["levels"][0]["level"] == "introduced" else None
        entry["target"] = target(known[name], found.hardware, errors[name], limit, introduced)
    return list(table.values())


def _limits(properties: Sequence[Mapping[str, Any]], tests: int) -> list[dict[str, Any]]:
    """The properties whose improvement gains significantly, by what half as bad gains, then by what ideal gains.

    Of gains that do not differ significantly, those of circuits come first: they are easier to change than devices.
    """
    rows = []
    for each in properties:
        for rank, name in enumerate(("half", "ideal")):
            level = next((level for level in each["levels"] if level["level"] == name), None)
            if level is not None and level["gain"]["significant"] and level["gain"]["mean"] > 0:
                rows.append((rank, -level["gain"]["mean"], each["property"], level))
                break
    rows.sort(key=lambda row: row[:3])
    found = []
    while rows:
        first = rows[0]
        alike = [row for row in rows if row[0] == first[0] and not _better(first[3], row[3], tests)]
        chosen = next((row for row in alike if row[2] in CIRCUITS), first)
        rows.remove(chosen)
        found.append({"property": chosen[2], "level": chosen[3]["level"]})
    return found


def _better(level: Mapping[str, Any], other: Mapping[str, Any], tests: int) -> bool:
    """Whether the errors at one level are significantly below those at another."""
    difference = interval(_minus(other["error"]["each"], level["error"]["each"]), 100 / tests)
    return difference.significant and difference.mean > 0


def _response(device: Device, states: float) -> dict[str, Any]:
    """Weights of some devices after some of the pulses up, then down: "pulses", and "weights" of each device."""
    train = max(2, min(round(1.5 * states), _LONGEST))
    weights = pulsed(Crossbar(1, _DEVICES, device, seed=0), train)
    every = max(1, 2 * train // _POINTS)
    kept = sorted({*range(0, 2 * train + 1, every), train, 2 * train})
    return {"pulses": kept, "weights": [[round(float(weights[k, n]), 4) for k in kept] for n in range(_DEVICES)]}


def _errors(rows: Sequence[Row]) -> list[float]:
    return [100 * float(row["test_error"]) for row in rows]


def _minus(first: Sequence[float], second: Sequence[float]) -> list[float]:
    return [a - b for a, b in zip(first, second, strict=True)]


def _percent(errors: Sequence[float], tests: int) -> dict[str, Any]:
    found = interval(errors, 100 / tests)
    return {
        "mean": found.mean,
        "low": None if found.low is None else max(found.low, 0.0),
        "high": found.high,
        "each": list(errors),
    }


def _gain(gain: Interval) -> dict[str, Any]:
    return {**asdict(gain), "significant": gain.significant}


def _average(rows: Sequence[Row]) -> dict[str, Any] | None:
    """The error of the model of averaged reads; None unless every seed has one."""
    each = [row.get("average_error") for row in rows]
    return None if None in each else _percent([100 * float(error) for error in each if error is not None], 10**9)


def _pulses(rows: Sequence[Row], endurance: float | None) -> dict[str, Any] | None:
    """The pulses that a device gets in a training: the mean, and the most of any device of all seeds."""
    counted = [row["device_pulses"] for row in rows if row.get("device_pulses")]
    if not counted:
        return None
    kinds = {
        kind: {
            "mean": fmean(each[kind]["mean"] for each in counted),
            "most": max(each[kind]["most"] for each in counted),
        }
        for kind in counted[0]
    }
    most = max(each["most"] for each in kinds.values())
    return {"arrays": kinds, "trainings": None if endurance is None or not most else endurance / most}
