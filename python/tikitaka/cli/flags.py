"""Command-line flags made from the config dataclasses, and configs made from flags."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import click

from tikitaka._internal.shown import shown
from tikitaka._internal.validation import nearest, one_of
from tikitaka.config import (
    OneSidedPair,
    Periphery,
    Spread,
    devices,
    doc_of,
    kinds_of,
    peripheries,
    presets,
    rules,
    to_dict,
)
from tikitaka.config.device_name import device_named
from tikitaka.config.rule import TileSize
from tikitaka.nn import nets
from tikitaka.training import TrainConfig, schedules

__all__ = ["DeviceName", "apply_flags", "rule_flags", "rule_options", "training_options"]

F = TypeVar("F", bound=Callable[..., Any])
Path = tuple[str, ...]

_NO_PREFIX = {"device", "pulse_trains", "periphery", "reliability"}  # tables whose fields are flags by their own names
_PREFIX = {"slow_device": "slow"}  # tables whose fields get another prefix than the name of the table
_HARDWARE = ("device", "periphery", "reliability", "tile")  # what the arrays of a chip share
_ALSO = {"reference-spread": "--reference-error", "slow-reference-spread": "--slow-reference-error"}


class DeviceName(click.Choice):  # type: ignore[type-arg,unused-ignore]
    """A kind of devices, a preset, or the path of a file that ends in .toml."""

    name = "device"

    def __init__(self) -> None:
        super().__init__([*devices, *presets, "FILE.toml"])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The name or path itself; BadParameter for another name."""
        if isinstance(value, str) and value.endswith(".toml"):
            return value
        return super().convert(value, param, ctx)


class _Sides(click.ParamType[Any]):
    """Rows and columns of a physical array, or one number for both."""

    name = "rows[,cols]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """A number, or a list of two."""
        try:
            sides = [int(side) for side in str(value).split(",")]
        except ValueError:
            self.fail(f"must be a whole number or two, such as 512 or 512,256, not {shown(value)}", param, ctx)
        return sides if len(sides) > 1 else sides[0]


@dataclass(frozen=True)
class Flag:
    """A flag for the field at `path` of the rules named in `kinds`."""

    name: str
    path: Path
    type: Any
    doc: str
    kinds: tuple[str, ...]


def _schedule(text: str) -> str | list[float]:
    """A schedule by name, or numbers separated by commas: a factor for each epoch."""
    if text in schedules:
        return text
    try:
        return [float(factor) for factor in text.split(",")]
    except ValueError:
        names = f"must be one of {', '.join(schedules)}, or factors such as 1,0.5,0.25"
        raise click.BadParameter(f"{names}, not {shown(text)}{nearest(text, schedules)}") from None


def training_options(command: F) -> F:
    """Give a click command an option for every field of `TrainConfig`, None if it is not given."""
    hints, docs = get_type_hints(TrainConfig), doc_of(TrainConfig)
    settings: dict[str, dict[str, Any]] = {
        "net": {"type": click.Choice(list(nets))},
        "rule": {"type": click.Choice(list(rules))},
        "schedule": {"type": _schedule, "metavar": f"[{'|'.join(schedules)}|F,F,…]"},
        "layer_rules": {
            "multiple": True,
            "metavar": "NAME=RULE",
            "help": "another rule for one array, such as linear3=float or -1=float; repeatable",
        },
    }
    for f in reversed(fields(TrainConfig)):
        key = "layer_rule" if f.name == "layer_rules" else f.name
        name = key.replace("_", "-")
        names = [f"--{name}/--no-{name}" if hints[f.name] is bool else f"--{name}"]
        kind = settings.get(f.name) or {"type": _click_type(hints[f.name])}
        command = click.option(*names, key, default=None, **{"help": docs[f.name], **kind})(command)
    return command


def rule_flags() -> dict[str, Flag]:
    """Every flag of every rule, by its name in snake case."""
    flags: dict[str, Flag] = {}
    for kind, rule in rules.items():
        for path, kind_of_value, doc in _leaves(rule):
            name = _flag_name(path)
            key = name.replace("-", "_")
            kinds = flags[key].kinds if key in flags else ()
            if kind not in kinds:
                flags[key] = Flag(name, path, kind_of_value, doc, (*kinds, kind))
    return flags


def rule_options(command: F) -> F:
    """Give a click command an option for every flag of every rule, None if it is not given."""
    for key, flag in reversed(rule_flags().items()):
        only = "" if len(flag.kinds) >= len(rules) - 1 else f"  [{', '.join(flag.kinds)}]"
        names = [f"--{flag.name}/--no-{flag.name}" if flag.type is bool else f"--{flag.name}"]
        names += [_ALSO[flag.name]] if flag.name in _ALSO else []
        command = click.option(*names, key, type=flag.type, default=None, help=flag.doc + only)(command)
    return command


def apply_flags(config: TrainConfig, flags: Mapping[str, Any]) -> TrainConfig:
    """`config` with the `flags` (by snake-case name; None: not given) instead of its own values.

    Raises ValueError for a flag that the rule does not have; those of devices are ignored by the float rule. Flags of
    a rule apply to `rule` alone; `layer_rule` holds NAME=RULE for single arrays, whose rules get the hardware of
    `rule`.
    """
    values = {key: value for key, value in flags.items() if value is not None}
    table = to_dict(config)
    kind = values.pop("rule", table["rule"]["kind"])
    net, batch = values.get("net", config.net), values.get("batch", config.batch)
    if kind != table["rule"]["kind"]:
        table["rule"] = to_dict(nets[net].rule(kind, batch))
    made = [_set_layer_rule(table["layer_rules"], text, net, batch) for text in values.pop("layer_rule", ())]
    _set_periphery(table["rule"], values.pop("periphery", None), values.pop("mvm_noise", None))
    known = rule_flags()
    partners = {  # each replaces the other
        "states": "weight_step",
        "weight_step": "states",
        "slow_states": "slow_weight_step",
        "slow_weight_step": "slow_states",
    }
    # a kind of device comes before its fields, and the fields of A before those of C, which may copy them
    for key in sorted(values, key=lambda key: (not key.endswith("device"), key.startswith("slow"))):
        if key not in known:
            table[key] = values[key]
        elif kind in known[key].kinds:
            _set(table["rule"], known[key].path, values[key])
            if key in partners and partners[key] not in values:
                _set(table["rule"], known[partners[key]].path, None)
        elif kind != "float" or len(known[key].path) == 1:
            name, owners = known[key].name, ", ".join(known[key].kinds)
            raise ValueError(f"--{name} is not a setting of rule {kind}, only of {owners}")
    for layer in filter(None, made):
        own = table["layer_rules"][layer]
        own.update({part: table["rule"][part] for part in _HARDWARE if part in own and part in table["rule"]})
    return TrainConfig.from_dict(table)


def _leaves(cls: type[Any], above: Path = ()) -> Iterator[tuple[Path, Any, str]]:
    hints, docs = get_type_hints(cls), doc_of(cls)
    for f in fields(cls):
        hint, path = hints[f.name], (*above, f.name)
        table = kinds_of(hint)
        if not table and f.init and get_origin(hint) is not tuple:
            yield path, _click_type(hint), docs[f.name] + _of(above)
        if len(table) > 1:
            yield (*path, "kind"), DeviceName(), docs[f.name]
        for part in table.values():
            if part not in (Spread, OneSidedPair):  # from files only, like lists
                yield from _leaves(part, path)


def _of(above: Path) -> str:
    words = {
        "slow_device": "of the devices of C",
        "reference": "for the reference of A",
        "slow_reference": "for the reference of C",
        "forward": "of forward products",
        "backward": "of backward products",
        "read": "of reads of a line",
    }
    return f", {words[above[-1]]}" if above and above[-1] in words else ""


def _flag_name(path: Path) -> str:
    *tables, name = (part for part in path if part not in _NO_PREFIX or path[-1] == "kind")
    words = [_PREFIX.get(table, table) for table in tables]
    if name == "kind":
        words, name = [], path[-2]
    elif name == "method":
        name = words.pop()
    return "-".join([*words, name]).replace("_", "-")


def _click_type(hint: Any) -> Any:
    if hint == TileSize:
        return _Sides()
    allowed = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    first = next(part for part in allowed if part is not NoneType)
    return click.Choice(get_args(first)) if get_origin(first) is Literal else first


def _set_layer_rule(layer_rules: dict[str, Any], text: str, net: str, batch: int) -> str | None:
    """Set the rule of NAME=RULE, with the settings that suit the network, and return NAME; None where there is a rule
    of that kind, which is kept."""
    name, equals, kind = text.partition("=")
    if not (name and equals):
        raise ValueError(f"--layer-rule must be NAME=RULE, such as linear1=float, not {shown(text)}")
    one_of(f"--layer-rule {name}", kind, rules)
    if layer_rules.get(name, {}).get("kind") == kind:
        return None
    layer_rules[name] = to_dict(nets[net].rule(kind, batch))
    return name


def _set_periphery(rule: dict[str, Any], name: str | None, noise: float | None) -> None:
    if noise and name not in (None, "full"):
        raise ValueError(f"--mvm-noise above 0 needs --periphery full, not {name}")
    if "periphery" not in rule or (name is None and noise is None):
        return
    with_noise = noise is not None and (noise > 0 or name == "full")
    rule["periphery"] = to_dict(Periphery.full(noise or 0.0) if with_noise else peripheries[name or "ideal"])


def _set(table: dict[str, Any], path: Path, value: Any) -> None:
    *tables, name = path
    for part in tables:
        if table[part] is None:  # C's devices are those of A unless a flag changes them
            table[part] = dict(table["device"])
        table = table[part]
    if name == "kind":
        table.clear()
    if name == "kind":
        table.update(to_dict(device_named(value)))
    else:
        table[name] = value
