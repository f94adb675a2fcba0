"""The report of an assessment as a page of its own: text, figures and numbers, in a light and a dark theme.

The page holds all that it shows and fetches nothing; its policy forbids it to.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from tikitaka.assessment import svg, words
from tikitaka.assessment.numbers import above, amount, between, value_between
from tikitaka.plot.style import rule_name

__all__ = ["body", "html"]

Plain = Mapping[str, Any]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def html(result: Plain) -> str:
    """The whole page."""
    title = escape(f"{result['device']['name']}: {result['net']} on {result['data']}")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="color-scheme" content="light dark">\n<link rel="icon" href="data:,">\n'
        f"<title>{title}</title>\n</head>\n<body>\n{body(result)}\n</body>\n</html>\n"
    )


def body(result: Plain) -> str:
    """The page without its head, as notebooks show it."""
    device = result["device"]
    sections = [
        f"<h1>Will {escape(device['name'])} train {escape(result['net'])} on {escape(result['data'])}?</h1>",
        f'<p class="lead">{_sentence(words.verdict(result))}</p>',
        _limits(result),
        _section("Training", [_rules(result), _rules_table(result)]),
        _section("What each property does", [_gains(result), *_properties(result), _table(result)]),
        _section("Device", [_response(result), _device(result)]),
        _section(
            "Pulses, time and energy", [_paragraph(words.pulses(result)), _paragraph("Time and energy: costs unknown.")]
        ),
        _section("How it was made", _made(result)),
    ]
    style = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    return f'<style>{style}</style>\n<main class="assessment">\n{"".join(sections)}\n</main>'


def _section(title: str, parts: Iterable[str]) -> str:
    return f"<section><h2>{escape(title)}</h2>{''.join(parts)}</section>\n"


def _paragraph(text: str, style: str = "") -> str:
    of = f' class="{style}"' if style else ""
    return f"<p{of}>{_sentence(text)}</p>"


def _sentence(text: str) -> str:
    words = text[:1].upper() + text[1:]
    return escape(words if words.endswith(".") else f"{words}.")


def _limits(result: Plain) -> str:
    items = "".join(f"<li>{_sentence(each.split('. ', 1)[-1])}</li>" for each in words.limits(result))
    reached, converged = f"To reach {words.targets(result)}", f"Converged: {words.convergence(result)}"
    parts = [f"<ul>{items}</ul>", _paragraph(reached), _paragraph(converged)]
    return _section("Limited by", parts)


def _figure(drawn: str, caption: str) -> str:
    return f"<figure>{drawn}<figcaption>{escape(caption)}</figcaption></figure>"


def _rules(result: Plain) -> str:
    bars = [
        svg.Bar("", rule_name(row["rule"]), row["error"]["mean"], row["error"]["low"], row["error"]["high"])
        for row in result["rules"]
    ]
    drawn = svg.rows(bars, "test error (%)", "Test error of each rule", [(result["limit"], "float + 1 point")])
    return _figure(
        drawn, f"Test error of each rule: mean of {len(result['size']['seeds'])} seeds with its 95 % interval."
    )


def _command(result: Plain, name: str) -> str:
    seeds = result["size"]["seeds"]
    each = f"--seed {seeds[0]}" if len(seeds) == 1 else f"--seed {seeds[0]} … {seeds[-1]}"
    return f"<code>tikitaka train trainings/{escape(name)}.toml {each}</code>"


def _rules_table(result: Plain) -> str:
    lines = [
        [
            escape(rule_name(row["rule"])),
            between(row["error"]),
            "–" if row["rule"] == "float" else above(row["above_float"]),
            "–" if row["average"] is None else between(row["average"]),
            _rates(row["rates"]),
            _command(result, row["config"]),
        ]
        for row in result["rules"]
    ]
    return _grid(["rule", "error (%)", "against float", "model of averaged reads (%)", "rates", "made by"], lines)


def _gains(result: Plain) -> str:
    names = {"half": "half", "ideal": "ideal", "double": "double", "introduced": "added"}
    bars = []
    for each in result["properties"]:
        for k, level in enumerate(sorted(each["levels"], key=lambda level: level["factor"])):
            gain = level["gain"]
            heading = words.measure(each) if k == 0 else ""
            bars.append(
                svg.Bar(heading, names[level["level"]], gain["mean"], gain["low"], gain["high"], gain["significant"])
            )
    drawn = svg.rows(bars, "points gained", "What each property gains", [(0.0, "now")])
    studied = rule_name(result["studied"])
    caption = (
        f"What {studied} gains where one property alone is ideal, half as bad or twice as bad. Hollow: not significant."
    )
    return _figure(drawn, caption)


def _properties(result: Plain) -> list[str]:
    now = next(row["error"] for row in result["rules"] if row["rule"] == result["studied"])
    found = []
    for each in result["properties"]:
        points = [(each["now"], now), *((level["value"], level["error"]) for level in each["levels"])]
        ordered = sorted(((value, error) for value, error in points if value is not None), key=lambda pair: pair[0])
        curve = svg.Curve(
            [(value, error["mean"]) for value, error in ordered],
            [None if error["low"] is None else (error["low"], error["high"]) for _, error in ordered],
        )
        name = f"{each['property']} ({each['unit']})" if each["unit"] else each["property"]
        drawn = svg.curves(
            [curve],
            name,
            "test error (%)",
            f"Test error against {each['property']}",
            line=result["limit"],
            logarithmic=each["target"]["falls"],
            least=0.0,
        )
        found.append(_figure(drawn, f"{each['property']}: {_target(each)}"))
    return [f'<div class="many">{"".join(found)}</div>']


def _target(each: Plain) -> str:
    found = each["target"]
    if found["value"] is None:
        return "seeds differ in whether float + 1 point is reached"
    sign = "≥" if found["falls"] else "≤"
    if found["beyond"] == "easy":
        return "float + 1 point (dashed) is not reached by this property alone"
    worst = ", the worst that was tried" if found["beyond"] == "hard" else ""
    return f"float + 1 point (dashed) at {sign} {value_between(found, each['unit'])}{worst}"


def _table(result: Plain) -> str:
    lines = [
        [
            escape(f"{each['property']} {level['level']}"),
            escape(amount(level["value"], each["unit"])),
            between(level["error"]),
            between(level["gain"]) + ("" if level["gain"]["significant"] else " (not significant)"),
            _rates(level["rates"]),
            _command(result, level["config"]),
        ]
        for each in result["properties"]
        for level in each["levels"]
    ]
    return _grid(["hardware", "value", "error (%)", "gain (points)", "rates", "made by"], lines)


def _rates(rates: Plain) -> str:
    return escape(
        ", ".join(
            f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}" for name, value in rates.items()
        )
    )


def _response(result: Plain) -> str:
    response = result["response"]
    each = [
        svg.Curve(list(zip(response["pulses"], weights, strict=True)), style="line thin")
        for weights in response["weights"]
    ]
    drawn = svg.curves(each, "pulses: up, then down", "weight", "Response of some devices to pulses")
    return _figure(drawn, f"{len(each)} of the devices, pulsed up from their lower bound, then down.")


def _device(result: Plain) -> str:
    skip = ("name",)
    lines = [
        [escape(name.replace("_", " ")), escape(_plain(value))]
        for name, value in result["device"].items()
        if name not in skip and value not in (None, (), [])
    ]
    for name, value in result["fit"].items():
        said = value.get("words") if isinstance(value, Mapping) else value
        if said not in (None, [], ""):
            lines.append([f"fit: {escape(name.replace('_', ' '))}", escape(_plain(said))])
    return _grid(["field", "value"], lines)


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return amount(value)
    if isinstance(value, list | tuple):
        return f"{len(value)} rows" if value and isinstance(value[0], list | tuple) else ", ".join(map(_plain, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(each)}" for name, each in value.items() if each not in (None, (), []))
    return str(value)


def _made(result: Plain) -> list[str]:
    size, plan = result["size"], result["plan"]
    first = (
        f"{size['examples']:,} training examples, {size['epochs']} epochs, seeds {', '.join(map(str, size['seeds']))}; "
        f"rates of every device searched on {size['search']['held_out']:,} held-out training examples. Planned for "
        f"{plan['minutes']:g} minutes on {plan['workers']} workers, {words.speed(plan)}. "
        "The same plan gives the same numbers"
    )
    second = (
        "Intervals are of the mean over seeds (Student's t, 95 %), each line by itself; differences are of the same "
        "seeds. The test examples are fixed. A gain whose interval holds zero is not significant. More states leave "
        "the noise of a pulse as it is in weight units. Read noise counts once for each output"
    )
    command = f"<p><code>{escape(result['command'])}</code></p>"
    return [_paragraph(first), _paragraph(second), command]


def _grid(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table of cells that are HTML already; on a narrow screen every cell is a line with the name of its column."""
    top = "".join(f"<th>{escape(head)}</th>" for head in heads)
    rows = "".join(
        "<tr>"
        + "".join(f'<td data-name="{escape(head)}">{cell}</td>' for head, cell in zip(heads, line, strict=True))
        + "</tr>"
        for line in lines
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{rows}</tbody></table>"
