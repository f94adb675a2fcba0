"""The cells of a sweep: one configuration for each combination of the values of some fields and each seed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from difflib import get_close_matches
from itertools import product
from typing import Any

import numpy as np

from tikitaka._internal.shown import shown
from tikitaka._internal.validation import check_kind
from tikitaka.config import rules, to_dict
from tikitaka.nn import nets
from tikitaka.training import TrainConfig

__all__ = ["cells", "labels", "leaves"]


def cells(base: TrainConfig, axes: Mapping[str, Iterable[Any]], seeds: Iterable[int]) -> list[TrainConfig]:
    """The product of `axes` and `seeds` as configurations, the seed changing fastest, with the other fields of `base`.

    An axis is a field by its path: "epochs", "rule", "rule.device.states", "rule.periphery.forward.output_noise". All
    fields of a cell are set at once, wider ones first: with an axis "rule", others may name the fields of its rules.
    A rule may also be given by its kind, "sgd", and then has the settings that suit the network; so may the rule of a
    single array, "layer_rules.linear3", which `base` need not have. "rule.slow_device.…" starts from the devices of A
    where the rule has no others for C.

    Raises ValueError for an unknown axis, an axis without values and no seeds, and what the configuration raises for a
    value that is not allowed; TypeError for axes or seeds that are not collections.
    """
    check_kind("base", base, TrainConfig)
    for path in axes:
        check_kind("an axis", path, str)
    if "seed" in axes:
        raise ValueError("'seed' must not be an axis: seeds are an argument of their own")
    values = {path: _values(path, given) for path, given in {**axes, "seed": seeds}.items()}
    return [_cell(base, dict(zip(values, chosen, strict=True))) for chosen in product(*values.values())]


def labels(grid: Sequence[TrainConfig]) -> list[str]:
    """A label for each cell of a grid: the common fields in which the cells differ."""
    tables = [dict(leaves(to_dict(config))) for config in grid]
    common = [path for path in tables[0] if all(path in table for table in tables)]
    differ = [path for path in common if any(table[path] != tables[0][path] for table in tables)] or ["seed"]
    return [", ".join(f"{path}={table[path]}" for path in differ) for table in tables]


def leaves(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """The plain values of nested tables by their paths."""
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{above}{name}.")
        else:
            yield above + name, value


def _values(path: str, choices: Iterable[Any]) -> list[Any]:
    name = "seeds" if path == "seed" else f"axis {shown(path)}"
    if isinstance(choices, str | Mapping) or not isinstance(choices, Iterable):
        raise TypeError(f"{name} must be a list of values, not {shown(choices)}")
    values = [value.item() if isinstance(value, np.generic) else value for value in choices]
    if not values:
        raise ValueError(f"{name} must contain at least one value")
    return values


def _cell(base: TrainConfig, chosen: Mapping[str, Any]) -> TrainConfig:
    values: Any = to_dict(base)  # including the fields that are not set
    # wider fields come first, the network before a rule that must suit it, and devices of A before those of C
    for path in sorted(chosen, key=lambda path: (path.count("."), path != "net", "slow_" in path)):
        *tables, name = path.split(".")
        table = values
        for part in tables:
            if part == "slow_device" and part in table and table[part] is None:
                table[part] = dict(table["device"])
            table = table.get(part) if isinstance(table, dict) else None
        known = isinstance(table, dict) and (name in table or tables == ["layer_rules"])
        if not known or name == "kind":
            raise ValueError(_unknown(path, values))
        table[name] = _table(path, chosen[path], values["net"], values["batch"])
    try:
        return TrainConfig.from_dict(values)
    except (ValueError, TypeError) as error:
        cell = ", ".join(f"{path}={shown(value)}" for path, value in chosen.items())
        raise type(error)(f"cell {cell}: {error}") from error


def _table(path: str, value: Any, net: str, batch: int) -> Any:
    """The value as nested plain values."""
    of_array = path.startswith("layer_rules.") and path.count(".") == 1
    if (path == "rule" or of_array) and isinstance(value, str) and net in nets:
        if value not in rules:
            raise ValueError(f"{path} must be one of {', '.join(rules)}, not {shown(value)}")
        value = nets[net].rule(value, batch)
    return to_dict(value) if is_dataclass(value) and not isinstance(value, type) else value


def _unknown(path: str, values: Mapping[str, Any]) -> str:
    known = set()
    for name, _ in leaves(values):
        while name:  # the field, and every table it is in
            known.add(name)
            name = name.rpartition(".")[0]
    names = sorted(name for name in known if name != "seed" and name.rpartition(".")[2] != "kind")
    nearest = get_close_matches(path, names, n=1)
    suggestion = f"; did you mean {nearest[0]!r}" if nearest else ""
    table = path.rpartition(".")[0]
    while table and table not in names:
        table = table.rpartition(".")[0]
    start = f"{table}." if table else ""
    allowed = [name for name in names if name.startswith(start) and "." not in name.removeprefix(start)]
    return f"unknown axis {shown(path)}{suggestion}; allowed: {', '.join(allowed)}"
