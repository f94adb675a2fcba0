"""The answer of an assessment on one screen of text, and the sentences that the page shares with it."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tikitaka.assessment.cost import CLASS
from tikitaka.assessment.numbers import above, amount, between, value_between
from tikitaka.assessment.targets import POINTS
from tikitaka.plot.style import rule_name

__all__ = ["convergence", "limits", "measure", "pulses", "speed", "targets", "text", "verdict", "within"]

_WIDTH, _LEFT = 110, 12

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
    lines: list[str] = []
    for name, paragraphs in parts:
        wrapped = [line for each in paragraphs for line in _wrapped(each)]
        lines += [f"{name if k == 0 else '':<{_LEFT}}{line}".rstrip() for k, line in enumerate(wrapped)]
    return "\n".join(lines)


def _wrapped(paragraph: str) -> list[str]:
    wrapper = textwrap.TextWrapper(_WIDTH - _LEFT, break_long_words=False, break_on_hyphens=False)
    wrapper.subsequent_indent = "  "
    return wrapper.wrap(paragraph)


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
    if not result["comparable"]:
        return f"unknown: float itself has {between(result['float'], '%')} of errors; give more minutes or other data"
    by: dict[str, list[str]] = {"yes": [], "unclear": [], "no": []}
    for row in result["rules"]:
        if row["rule"] != "float":
            by[within(row)].append(rule_name(row["rule"]))
    limit = f"float + {POINTS:g} point"
    said = [
        f"{words} under {_joined(by[key])}"
        for key, words in (("yes", f"trains within {limit}"), ("unclear", f"too close to {limit} to tell"))
        if by[key]
    ]
    if not said:
        answer = f"reaches {limit} under no rule"
    else:
        answer = "; ".join([*said, f"does not reach it under {_joined(by['no'])}"] if by["no"] else said)
    return answer if result["convergence"]["converged"] else f"after this little training: {answer}"


def convergence(result: Plain) -> str:
    """Whether more training would change the answer."""
    found, studied = result["convergence"], rule_name(result["studied"])
    row = _studied(result)
    if not result["trains"]:
        return f"no: {rule_name(result['best'])}, the best rule, is not far from guessing"
    if row["warnings"]:
        return f"no, too few examples for the rates of {studied}: {row['warnings'][0]}"
    epochs, costs = result["size"]["epochs"], between(found["costs"], "points")
    half = f"with {found['epochs']} instead of {epochs} epochs {studied} is worse by {costs}"
    return f"yes: {half}" if found["converged"] else f"no: {half}; more minutes train longer"


def limits(result: Plain) -> list[str]:
    """What limits the training, a line for each property, the first most; then what makes no difference."""
    if not result["comparable"]:
        return ["not ranked: after so little training, differences between devices say nothing about them"]
    known = {each["property"]: each for each in result["properties"]}
    lines = []
    for rank, limit in enumerate(result["limits"], 1):
        each = known[limit["property"]]
        levels = {level["level"]: level for level in each["levels"]}
        said = [f"{_better(each, levels[name])} {_gain(levels[name])}" for name in ("half", "ideal") if name in levels]
        lines.append(f"{rank}. {measure(each)}: {', '.join(said)}")
    none = [measure(each) for name, each in known.items() if name not in _limiting(result) and _can_improve(each)]
    if not lines:
        lines.append("no single property: nothing improves the error significantly")
    if none:
        lines.append(f"no significant gain: {', '.join(none)}")
    if result["studied"] != result["best"]:
        studied, best = rule_name(result["studied"]), rule_name(result["best"])
        lines.append(
            f"all this is for {studied}: {best} is better on the device as it is, but gains less from a better one"
        )
    if not result["convergence"]["converged"]:
        lines.append("all this holds for this amount of training, which has not converged")
    return lines


def _limiting(result: Plain) -> set[str]:
    return {each["property"] for each in result["limits"]}


def _can_improve(each: Plain) -> bool:
    return bool(each["levels"][0]["level"] != "introduced")


def _gain(level: Plain) -> str:
    gain = level["gain"]
    words = f"buys {between(gain, 'points')}" if gain["mean"] >= 0 else f"costs {between(_turned(gain), 'points')}"
    return words + ("" if gain["significant"] else " (not significant)")


def _turned(gain: Plain) -> dict[str, float | None]:
    """The gain as a loss."""
    low, high = gain["low"], gain["high"]
    return {"mean": -gain["mean"], "low": None if high is None else -high, "high": None if low is None else -low}


def _better(each: Plain, level: Plain) -> str:
    if each["target"]["falls"]:
        return f"{level['value'] / each['now']:.3g} times as many"
    return "halving it" if level["level"] == "half" else "none of it"


def targets(result: Plain) -> str:
    """For each property, the value that reaches float + 1 point with all others as they are."""
    present = _studied(result)["error"]["mean"]
    start = f"float + {POINTS:g} point = {result['limit']:.1f} % (now {present:.1f} %):"
    by: dict[str | None, list[Plain]] = {None: [], "easy": [], "hard": [], "both": []}
    for each in result["properties"]:
        by[each["target"]["beyond"]].append(each)
    found = [f"{each['property']} {_at_least(each)} {value_between(each['target'], each['unit'])}" for each in by[None]]
    if present <= result["limit"]:
        said = [f"kept with {', or '.join(found)}"] if found else []
        worse = [each for each in by["hard"] if _worsened(each)]
        said += [f"kept also with {_joined(_names(worse), 'or')}"] if worse else []
        said = said or ["reached by the device as it is"]
    else:
        said = [", or ".join(found) if found else "no property alone is enough"]
        easy = [each["property"] for each in by["easy"] if _can_improve(each)]
        said += [f"not by {_joined(easy, 'or')} alone"] if found and easy else []
    said += [f"unclear for {_joined([each['property'] for each in by['both']])}"] if by["both"] else []
    return f"{start} {'; '.join(said)}"


def _at_least(each: Plain) -> str:
    return "≥" if each["target"]["falls"] else "≤"


def _names(properties: Iterable[Plain]) -> list[str]:
    """The worst of each property that was tried."""
    return [
        "half the states"
        if each["target"]["falls"]
        else f"{each['property']} {amount(each['levels'][0]['value'], each['unit'])}"
        if each["levels"][0]["level"] == "introduced"
        else f"twice the {each['property']}"
        for each in properties
    ]


_NOT_TRIED = "twice as bad is not tried in so little time"


def _worsened(each: Plain) -> bool:
    """Whether a worse value than the present one was tried."""
    return any(level["level"] in ("double", "introduced") for level in each["levels"])


def _worse(result: Plain) -> str:
    """What costs, the most first; and what gains although it is worse."""
    costs, gains = [], []
    for each in result["properties"]:
        for level in each["levels"]:
            gain, value = level["gain"], f"{each['property']} {amount(level['value'], each['unit'])}"
            if level["level"] in ("double", "introduced") and gain["significant"]:
                if gain["mean"] < 0:
                    costs.append((gain["mean"], f"{value} costs {between(_turned(gain))}"))
                else:
                    gains.append(f"{value} gains {between(gain)}")
    tried = [level["level"] for each in result["properties"] for level in each["levels"]]
    if costs:
        words = f"{', '.join(words for _, words in sorted(costs))} points"
    elif "double" in tried:
        words = "nothing twice as bad costs significantly"
    else:
        words = f"{'no new property costs significantly; ' if 'introduced' in tried else ''}{_NOT_TRIED}"
    return f"{words}; but {', '.join(gains)} points" if gains else words


def pulses(result: Plain) -> str:
    """How many pulses a device gets in a training, against its endurance."""
    found, studied = _studied(result)["pulses"], rule_name(result["studied"])
    if found is None:
        return "not counted"
    arrays = "; ".join(
        f"{kind.upper()} {amount(each['mean'])} on average, {amount(each['most'])} at most"
        for kind, each in found["arrays"].items()
    )
    words = f"a device gets in this training with {studied}: {arrays}"
    if found["trainings"] is None:
        return f"{words}; state the endurance to compare"
    return f"{words}; an endurance of {amount(result['endurance'])} lasts for {amount(found['trainings'])} trainings"


def _device(result: Plain) -> list[str]:
    device = result["device"]
    low, high = device["mean_bounds"]
    name = device["kind"] if device["name"] == device["kind"] else f"{device['name']}: {device['kind']}"
    lines = [
        f"{name}, {amount(device['mean_states'])} states, step {amount(device['mean_step'])}, "
        f"weights {amount(low)} to {amount(high)}",
        " · ".join(measure(each) for each in result["properties"] if each["property"] != "states" and each["now"]),
    ]
    if result["replicates"]:
        lines.append(f"fitted; intervals include the uncertainty of the fit ({result['replicates']} replicates)")
    return [line for line in lines if line]


def speed(plan: Plain) -> str:
    """The speed of the machine that a plan is for."""
    return f"each {CLASS ** plan['speeds'][-1]:.2g} times as fast as the reference"


def _training(result: Plain) -> list[str]:
    size, plan = result["size"], result["plan"]
    examples = f"{result['net']} on {result['data']}: {size['examples']:,} examples × {size['epochs']} epochs"
    planned = f"planned for {plan['minutes']:g} min on {plan['workers']} workers, {speed(plan)}"
    lines = [f"{examples}, {len(size['seeds'])} seeds, 95 % intervals; {planned}"]
    for row in result["rules"]:
        words = f"{rule_name(row['rule']):<6}{between(row['error'], '%'):<22}"
        if row["rule"] != "float":
            words += above(row["above_float"])
        if row["average"] is not None:
            words += f"; averaged model {between(row['average'], '%')}"
        lines.append(words.rstrip())
    return lines


def _studied(result: Plain) -> Any:
    return next(row for row in result["rules"] if row["rule"] == result["studied"])


def _joined(names: Sequence[str], last: str = "and") -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"
