"""The vocabulary of headers: units, quantities, and words for up and down."""

import re
from typing import NamedTuple

__all__ = ["Heading", "Unit", "direction_of", "heading", "parse_unit", "remainder"]

_PREFIXES = {
    **{"": 1.0, "f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6},
    **{"m": 1e-3, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12},
}
_BASES = {
    **{"S": "G", "siemens": "G", "Siemens": "G", "mho": "G"},
    **{"ohm": "R", "ohms": "R", "Ohm": "R", "Ohms": "R", "OHM": "R", "Ω": "R", "\u2126": "R"},
    **{"A": "I", "amp": "I", "V": "V", "volt": "V", "s": "t", "sec": "t", "min": "t", "h": "t"},
}
_PLAIN = {"a.u.", "au", "a.u", "arb", "arb.", "arb. units", "counts", "count", "lsb", "norm", "norm.", "normalised"}
_PLAIN |= {"normalized", "1", "-", "none"}
_UNIT = re.compile(rf"([{''.join(_PREFIXES)}]?)({'|'.join(sorted(map(re.escape, _BASES), key=len, reverse=True))})")

_UP = {"up", "ltp", "set", "pot", "potentiation", "potentiate", "increase", "increasing", "inc", "rise", "rising"}
_DOWN = {"down", "dn", "ltd", "reset", "dep", "depression", "depress", "decrease", "decreasing", "dec", "fall"}
_DOWN |= {"falling"}
_QUANTITIES = {
    **dict.fromkeys(("g", "conductance", "cond", "weight"), "G"),
    **dict.fromkeys(("r", "resistance", "res"), "R"),
    **dict.fromkeys(("i", "current", "ids", "isd", "iread", "curr"), "I"),
    **dict.fromkeys(("v", "voltage", "amplitude", "vpulse", "bias", "volt"), "V"),
    **dict.fromkeys(("width", "pw", "duration", "twidth"), "width"),
    **dict.fromkeys(("t", "time", "timestamp", "seconds"), "t"),
    **dict.fromkeys(("device", "dev", "cell", "sample", "chip", "id"), "device"),
    **dict.fromkeys(("cycle", "sweep", "ramp", "rmp", "run", "repeat", "repetition", "loop"), "cycle"),
    **dict.fromkeys(("direction", "sign", "polarity", "type", "operation"), "pulse"),
    **dict.fromkeys(("index", "idx", "n", "no", "nr", "number", "step", "count", "point"), "counter"),
}
_DEVICE = {word for word, kind in _QUANTITIES.items() if kind == "device"}
_DERIVED = {"average", "avg", "mean", "std", "stdev", "sd", "err", "error", "median", "fit", "fitted", "norm", "noise"}
_DERIVED |= {"normalised", "normalized", "smoothed", "sem", "var", "variance", "delta", "nl", "r2"}


class Unit(NamedTuple):
    """A unit: what it measures, and its size in S, ohm, A, V or s."""

    name: str
    """as it is written"""
    quantity: str
    """G, R, I, V or t; "" for counts and arbitrary units"""
    factor: float
    """size in the basic unit"""


class Heading(NamedTuple):
    """What the heading of a column says."""

    text: str
    """the heading"""
    quantity: str
    """G, R, I, V, read_V, width, t, device, cycle, pulse, counter, derived (averages, errors), or "" if unknown"""
    unit: Unit | None
    """its unit, if it names one"""
    sign: int
    """+1 or −1 if it has a word for up or down, else 0"""


def parse_unit(text: str, quantity: str = "") -> Unit | None:
    """The unit that `text` names, exactly or, where `quantity` leaves no doubt, in any case; None for anything else.

    >>> parse_unit("uS"), parse_unit("us", "G").factor, parse_unit("cm")
    (Unit(name='uS', quantity='G', factor=1e-06), 1e-06, None)
    """
    text = text.strip()
    if text.casefold() in _PLAIN:
        return Unit(text, "", 1.0)
    match = _UNIT.fullmatch(text)
    if match is None or (quantity and _BASES[match[2]] != quantity):
        base = {"G": ("s", "S"), "R": ("ohm", "ohm"), "I": ("a", "A"), "V": ("v", "V"), "t": ("s", "s")}.get(quantity)
        if base is None or not text.casefold().endswith(base[0]):
            return None
        match = _UNIT.fullmatch(text[: -len(base[0])] + base[1])
    if match is None:
        return None
    factor = _PREFIXES[match[1]] * {"min": 60.0, "h": 3600.0}.get(match[2], 1.0)
    return Unit(text, _BASES[match[2]], factor)


def heading(text: str) -> Heading:
    """What a heading such as `G (uS)`, `R/ohm`, `pulse_v` or `LTD conductance` says.

    >>> heading("Gset (uS)")
    Heading(text='Gset (uS)', quantity='G', unit=Unit(name='uS', quantity='G', factor=1e-06), sign=1)
    """
    text = text.strip().lstrip("#%").strip().strip('"')
    name, unit_text = _split(text)
    words = _words(name)
    sign = direction_of(name)
    if any(word in _DERIVED for word in words):
        return Heading(text, "derived", None, sign)
    unit = parse_unit(unit_text) if unit_text else None
    quantity = _quantity(words, unit.quantity if unit else "")
    if unit_text and quantity in ("G", "R", "I", "V"):
        unit = parse_unit(unit_text, quantity) or unit
        if unit and unit.quantity:
            quantity = quantity if unit.quantity == quantity else unit.quantity
    if quantity == "V" and "read" in words:
        quantity = "read_V"
    return Heading(text, quantity, unit, sign)


def _split(text: str) -> tuple[str, str]:
    """Name and unit."""
    match = re.fullmatch(r"(.*?)[\s_]*[(\[]\s*([^)\]]*?)\s*[)\]]\s*(.*)", text)
    if match and (parse_unit(match[2]) or not match[3]):
        return f"{match[1]} {match[3]}".strip(), match[2]
    for separator in ("/", " in ", "_", " "):
        name, found, unit = text.rpartition(separator)
        known = parse_unit(unit) if found else None
        if (
            known
            and known.quantity
            and name
            and (separator in "/ in " or _quantity(_words(name), "") not in ("", "device", "cycle"))
        ):
            return name, unit
    return text, ""


def _words(name: str) -> list[str]:
    """The words of a heading in lower case, also those of camel case and with a quantity in front: Gset is g, set."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-zµμΩ]+|\d+", name)
    words: list[str] = []
    for part in map(str.casefold, parts):
        if part[0] in "gri" and part[1:] in _UP | _DOWN and part not in _UP | _DOWN:
            words += [part[0], part[1:]]
        else:
            words.append(part)
    return words


def _quantity(words: list[str], of_unit: str) -> str:
    kinds = [_QUANTITIES[word] for word in words if word in _QUANTITIES]
    if "pulse" in words or "pulses" in words:
        other = [kind for kind in kinds if kind in ("V", "width", "counter")]
        return other[0] if other else of_unit or "pulse"
    if of_unit in ("G", "R", "I", "V"):
        return of_unit
    measured = [kind for kind in kinds if kind in ("G", "R", "I")]
    return measured[0] if measured else kinds[0] if kinds else of_unit


def direction_of(text: str) -> int:
    """+1 if `text` has a word for up, −1 if it has one for down, 0 without or with both.

    >>> direction_of("Greset"), direction_of("LTP 3"), direction_of("setup")
    (-1, 1, 0)
    """
    words = set(_words(text))
    return bool(words & _UP) - bool(words & _DOWN)


def remainder(text: str) -> tuple[str, int | None]:
    """What a heading says besides quantity, unit and direction: a name of the device, and a number of the cycle.

    A number alone is that of a cycle if there is a word for the direction, else part of the name.

    >>> remainder("A3 up (uS)"), remainder("rmp12"), remainder("LTD2"), remainder("G (uS)")
    (('A3', None), ('', 12), ('', 2), ('', None))
    """
    name = _split(text.strip().lstrip("#%").strip().strip('"'))[0]
    number = re.search(r"(?i)(?:cycle|sweep|ramp|rmp|run|repeat|repetition|loop)s?[\s_#-]*(\d{1,15})", name)
    cycle = int(number[1]) if number else None
    if number:
        name = name[: number.start()] + name[number.end() :]
    parts = [part for part in re.split(r"[\s_\-,;:.#]+", name) if part]
    kept = [part for part in parts if not _known(part)]
    directed = cycle is None and bool(direction_of(name)) and not _DEVICE & set(_words(name))
    if directed and len(kept) == 1 and _known(kept[0].rstrip("0123456789") or "up"):
        digits = kept[0][len(kept[0].rstrip("0123456789")) :]
        if 1 <= len(digits) < 16:
            return "", int(digits)
    return " ".join(kept), cycle


def _known(part: str) -> bool:
    """Whether a part of a name is made of words for quantities and directions only."""
    words = _words(part)
    known = _UP | _DOWN | set(_QUANTITIES) | {"pulse", "pulses", "trace", "curve", "data", "value", "values", "read"}
    return bool(words) and all(word in known for word in words)
