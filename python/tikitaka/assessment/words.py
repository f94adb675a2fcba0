"""The answer of an assessment on one screen of text."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tikitaka.assessment.targets import POINTS
from tikitaka.plot.style import rule_name

__all__ = [
    "above",
    "amount",
    "between",
    "convergence",
    "limits",
    "measure",
    "pulses",
    "shown_value",
    "targets",
    "text",
    "verdict",
    "within",
]

_WIDTH = 110
_LEFT = 12

Plain = Mapping[str, Any]


def text(result: Plain) -> str:
    """The answer as text: a line or some for each question."""
    parts: list[tuple[str, Iterable[str]]] = [
        ("device", _device(result)),
        ("training", _training(result)),
        ("verdict", [verdict(result)]),
        ("converged", [convergence(result)]),
        ("limited by", limits(result)),
        ("to reach", [targets(result)]),
        ("worse", [_worse(result)]),
        ("pulses", [pulses(result)]),
        ("costs", ["time and energy: costs unknown"]),
        ("made by", [result["command"]]),
    ]
    lines = []
    for name, paragraphs in parts:
        wrapped = [line for each in paragraphs for line in _wrapped(each)]
        lines += [f"{name if k == 0 else '':<{_LEFT}}{line}".rstrip() for k, line in enumerate(wrapped)]
    return "\n".join(lines).replace(f"{'limited by':<{_LEFT}}", "limited by  ", 1)


def _wrapped(paragraph: str) -> list[str]:
    return textwrap.wrap(
        paragraph, _WIDTH - _LEFT, break_long_words=False, break_on_hyphens=False, subsequent_indent="  "
    )


def amount(value: float | None, unit: str = "") -> str:
    """A number of three digits with its unit.

    >>> amount(0.12345, "steps"), amount(1234.5), amount(None)
    ('0.123 steps', '1,234', '–')
    """
    if value is None:
        return "–"
    number = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{number} {unit}".rstrip()


def between(found: Plain, unit: str = "", digits: int = 1) -> str:
    """A mean with its interval, as "1.2 [0.9, 1.5] points"."""
    return _between(found, unit, f".{digits}f")


def above(found: Plain) -> str:
    """A difference to float with its interval, as "float +1.2 [+0.9, +1.5] points"."""
    return f"float {_between(found, 'points', '+.1f')}"


def _between(found: Plain, unit: str, form: str) -> str:
    words = f"{found['mean']:{form}}"
    if found["low"] is not None:
        words += f" [{found['low']:{form}}, {found['high']:{form}}]"
    return f"{words} {unit}".rstrip().replace("-", "−")


def measure(each: Plain) -> str:
    """The present value of a property, as "pulse noise 0.3 steps"."""
    return f"{each['property']} {amount(each['now'], each['unit'])}"


def within(row: Plain) -> str:
    """Whether a rule is within the limit: "yes", "no", or "unclear" if the interval holds the limit."""
    gap = row["above_float"]
    low, high = (gap["mean"], gap["mean"]) if gap["low"] is None else (gap["low"], gap["high"])
    return "yes" if high <= POINTS else "no" if low > POINTS else "unclear"


def verdict(result: Plain) -> str:
    """Whether the network trains, and under which rules."""
    by = {"yes": [], "no": [], "unclear": []}  # type: dict[str, list[str]]
    for row in result["rules"]:
        if row["rule"] != "float":
            by[within(row)].append(rule_name(row["rule"]))
    said = []
    if by["yes"]:
        said.append(f"trains within float + {POINTS:g} point under {_and(by['yes'])}")
    if by["unclear"]:
        said.append(f"too close to float + {POINTS:g} point to tell under {_and(by['unclear'])}")
    if by["no"]:
        said.append(
            f"does not reach it under {_and(by['no'])}" if said else f"reaches float + {POINTS:g} point under no rule"
        )
    return "; ".join(said)


def convergence(result: Plain) -> str:
    """Whether more training would change the answer."""
    found, best = result["convergence"], rule_name(result["best"])
    row = next(each for each in result["rules"] if each["rule"] == result["best"])
    if not result["trains"]:
        return f"no: {best}, the best rule, is not far from guessing"
    half = f"with {found['epochs']} instead of {result['size']['epochs']} epochs {best} is worse by {between(found['costs'], 'points')}"
    if row["warnings"]:
        return f"no, too few examples for these rates: {row['warnings'][0]}"
    if found["converged"]:
        return f"yes: {half}"
    return f"no: {half}; more minutes train longer"


def limits(result: Plain) -> list[str]:
    """What limits the training, a line for each property, the first most; then what makes no difference."""
    known = {each["property"]: each for each in result["properties"]}
    lines = []
    for rank, limit in enumerate(result["limits"], 1):
        each = known[limit["property"]]
        gains = {level["level"]: level for level in each["levels"]}
        words = [
            f"{_better(each, name)} buys {between(gains[name]['gain'], 'points')}"
            for name in ("half", "ideal")
            if name in gains
        ]
        lines.append(f"{rank}. {measure(each)}: {'; '.join(words)}")
    none = [
        measure(each)
        for each in result["properties"]
        if each["property"] not in {x["property"] for x in result["limits"]}
        and each["levels"][0]["level"] != "introduced"
    ]
    if not lines:
        lines.append("nothing that one property alone improves")
    if none:
        lines.append(f"not significant: {', '.join(none)}")
    if not result["convergence"]["converged"]:
        lines.append("for this amount of training only, which has not converged")
    return lines


def _better(each: Plain, level: str) -> str:
    value = next(known["value"] for known in each["levels"] if known["level"] == level)
    if each["target"]["falls"]:
        return f"{value / each['now']:.3g} times as many" if each["now"] else f"{amount(value)}"
    return "halving it" if level == "half" else "without it"


def targets(result: Plain) -> str:
    """For each property, the value that reaches float + 1 point with all others as they are."""
    present = next(each["error"]["mean"] for each in result["rules"] if each["rule"] == result["best"])
    start = f"float + {POINTS:g} point = {result['limit']:.1f} %"
    inside = present <= result["limit"]
    said, never = [], []
    for each in result["properties"]:
        found = each["target"]
        if found["value"] is None or (inside and found["beyond"] == "easy"):
            continue
        if found["beyond"] == "easy":
            never.append(each["property"])
            continue
        sign = "≥" if found["falls"] else "≤"
        beyond = ", the worst tried" if found["beyond"] == "hard" else ""
        said.append(f"{each['property']} {sign} {shown_value(found, each['unit'])}{beyond}")
    words = f"{start} (now {present:.1f} %): "
    words += (
        f"{'holds up to, one at a time, ' if inside else 'one of '}{'; '.join(said)}"
        if said
        else "no property alone is enough"
    )
    if never and not inside:
        words += f"; not by {_or(never)} alone" if said else ""
    return words


def shown_value(found: Plain, unit: str) -> str:
    """The value of a target with its interval."""
    words = amount(found["value"])
    if found["low"] is not None:
        low, high = sorted((found["low"], found["high"]))
        words += f" [{amount(low)}, {amount(high)}]"
    return f"{words} {unit}".rstrip()


def _worse(result: Plain) -> str:
    said = []
    for each in result["properties"]:
        for level in each["levels"]:
            if (
                level["level"] in ("double", "introduced")
                and level["gain"]["significant"]
                and level["gain"]["mean"] < 0
            ):
                costs = level["gain"]
                turned = {"mean": -costs["mean"], "low": -costs["high"], "high": -costs["low"]}
                said.append(
                    (
                        turned["mean"],
                        f"{each['property']} {amount(level['value'], each['unit'])} costs {between(turned)}",
                    )
                )
    ordered = [words for _, words in sorted(said, reverse=True)]
    return f"{'; '.join(ordered)} points" if ordered else "no property twice as bad costs a significant amount"


def pulses(result: Plain) -> str:
    """How many pulses a device gets in a training, against its endurance."""
    row = next(each for each in result["rules"] if each["rule"] == result["best"])
    found = row["pulses"]
    if found is None:
        return "not counted"
    arrays = "; ".join(
        f"{kind.upper()} {amount(each['mean'])} on average, {amount(each['most'])} at most"
        for kind, each in found["arrays"].items()
    )
    words = f"a device gets in this training with {rule_name(result['best'])}: {arrays}"
    if found["trainings"] is None:
        return f"{words}; state your endurance to compare"
    return f"{words}; an endurance of {amount(result['endurance'])} is enough for {amount(found['trainings'])} trainings of this length"


def _device(result: Plain) -> list[str]:
    device = result["device"]
    low, high = device["mean_bounds"]
    lines = [
        f"{_titled(device)}{amount(device['mean_states'])} states, step {device['mean_step']:.3g}, "
        f"weights {low:.3g} to {high:.3g}",
        " · ".join(measure(each) for each in result["properties"] if each["property"] != "states" and each["now"]),
    ]
    if result["replicates"]:
        lines.append(f"fitted; intervals include its uncertainty ({result['replicates']} replicates)")
    return [line for line in lines if line]


def _titled(device: Plain) -> str:
    return f"{device['kind']}: " if device["name"] == device["kind"] else f"{device['name']}: {device['kind']}, "


def _training(result: Plain) -> list[str]:
    size, plan = result["size"], result["plan"]
    lines = [
        f"{result['net']} on {result['data']}: {size['examples']:,} examples × {size['epochs']} epochs, {len(size['seeds'])} seeds, "
        f"95 % intervals; planned for {plan['minutes']:g} minutes on {plan['workers']} workers of class {plan['speed']}"
    ]
    for row in result["rules"]:
        words = f"{rule_name(row['rule']):<6}{between(row['error'], '%'):<22}"
        if row["rule"] != "float":
            words += above(row["above_float"])
        if row["average"] is not None:
            words += f"; model of averaged reads {between(row['average'], '%')}"
        lines.append(words.rstrip())
    return lines


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _or(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
