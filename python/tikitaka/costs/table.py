"""The table of numbers with their sources, and the bill that follows from it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, Self

from tikitaka._internal import display
from tikitaka._internal.shown import shown
from tikitaka._internal.validation import check_int, check_kind, one_of
from tikitaka.config import RuleConfig, read_toml
from tikitaka.costs.band import Band, total
from tikitaka.costs.bill import Bill
from tikitaka.costs.entry import Entry, Override, overridden
from tikitaka.costs.parts import parts_of
from tikitaka.costs.work import work_of
from tikitaka.network import Network
from tikitaka.rule import Rule

__all__ = ["Costs"]


class Costs:
    """What operations of a chip take: numbers with a low, a usual and a high value, and the source of each.

    `print` shows the table. Keywords override entries by name: with a number, with three (low, usual, high), or with a
    dict of some of low, usual, high, unit and source. Raises ValueError or TypeError that names the entry, unless
    low ≤ usual ≤ high, all finite and from 0 on.

    >>> import tikitaka as tt
    >>> costs = tt.Costs(mvm_ns=20, adc_pj=(0.5, 1.0, 3.0))
    >>> costs["adc_pj"].usual, costs["adc_pj"].source, costs["slot_ns"].source
    (1.0, 'given', 'R24 Table 1')
    >>> network = tt.Network([tt.nn.Linear(2, 3)], tt.Ttv2(periphery=tt.Periphery.full()), seed=1)
    >>> score = network.train([[0.9, 0.1]], [2])
    >>> bill = costs.of(network)
    >>> f"{bill.time_s.usual:.3g} s, {bill.energy_j.low:.2g} to {bill.energy_j.high:.2g} J"
    '4e-08 s, 1.7e-11 to 4.5e-11 J'
    """

    __slots__ = ("_entries",)

    def __init__(self, **overrides: Override) -> None:
        self._entries = _with(_default(), overrides, "given")

    @classmethod
    def from_toml(cls, path: str | Path) -> Self:
        """The default table with the entries of a TOML file instead of its own, in the forms of the keywords.

        Raises OSError if the file cannot be read, ValueError or TypeError with its path if it is no such table.
        """
        costs = cls()
        try:
            costs._entries = _with(costs._entries, read_toml(path), f"given in {Path(path).name}")
        except (ValueError, TypeError) as error:
            words = str(error) if str(error).startswith(f"{path}: ") else f"{path}: {error}"
            raise type(error)(words) from error
        return costs

    @property
    def entries(self) -> dict[str, Entry]:
        """The entries by name."""
        return dict(self._entries)

    def __getitem__(self, name: str) -> Entry:
        return self._entries[one_of("name", name, self._entries)]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Costs) and self._entries == other._entries

    __hash__ = None  # type: ignore[assignment]

    def of(self, network: Network) -> Bill:
        """The bill of all that `network` did so far: of its ledgers, array by array, one after another.

        Raises TypeError for anything but a network. Arrays under the float rule compute exactly and cost nothing.
        """
        check_kind("network", network, Network)
        shapes = (layer.shape for layer in network.layers if layer.shape is not None)
        rules = network.rules if isinstance(network.rules, tuple) else (network.rules,) * len(network.names)
        arrays = {
            name: self.of_ledger(ledger, shape, rule)
            for (name, ledger), shape, rule in zip(network.ledgers.items(), shapes, rules, strict=True)
        }
        return Bill(_summed(list(arrays.values())), arrays, _noted(arrays))

    def of_ledger(
        self, ledger: Mapping[str, Any], shape: tuple[int, int], rule: RuleConfig | Rule | None = None
    ) -> Bill:
        """The bill of one ledger, such as that of an `AnalogLayer`, of arrays of `shape` (rows, columns).

        The `rule` says how many arrays and references there are, which converters they have, and which lines are read;
        without it there is one array, or two if the fast one did something, with converters of 7 and 9 bits. Raises
        ValueError or TypeError for a ledger with other names or counts than those of `Network.ledger`.
        """
        if isinstance(shape, str | bytes | Mapping) or not hasattr(shape, "__len__"):
            raise TypeError(f"shape must be (rows, columns), not {shown(shape)}")
        if len(shape) != 2:
            raise ValueError(f"shape must be (rows, columns), not {shown(shape)}")
        rows, cols = (check_int("shape", side, 1, 2**31) for side in shape)
        if rule is not None and not isinstance(rule, RuleConfig | Rule):
            raise TypeError(f"rule must be a config of tikitaka.config or a tikitaka.Rule, not {shown(rule)}")
        work = work_of(ledger, (rows, cols), rule)
        numbers = {name: entry.cheap_to_dear for name, entry in self._entries.items()}
        return Bill(parts_of(work, numbers), {}, work.assumed)

    def table(self) -> str:
        """All numbers with their units, meanings and sources, as text."""
        widths = [max(len(name) for name in self._entries), max(len(_values(each)) for each in self._entries.values())]
        lines = []
        for name, entry in self._entries.items():
            lines += [
                f"{name.ljust(widths[0])}  {_values(entry).rjust(widths[1])} {entry.unit}".rstrip(),
                f"    {entry.about}",
                f"    {entry.source}",
            ]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """The entries as plain values, by name."""
        return {
            name: {key: value for key, value in asdict(entry).items() if key != "name"}
            for name, entry in self._entries.items()
        }

    def __repr__(self) -> str:
        return self.table()

    def _repr_html_(self) -> str:
        rows = [(name, _values(each), each.unit, each.about, each.source) for name, each in self._entries.items()]
        return display.table("Costs", ("entry", "low / usual / high", "unit", "meaning", "source"), rows)


@cache
def _default() -> dict[str, Entry]:
    """The table of the package."""
    table = read_toml(Path(__file__).with_name("costs.toml"))
    return {name: Entry(name=name, **values) for name, values in table.items()}


def _with(entries: Mapping[str, Entry], overrides: Mapping[str, Any], source: str) -> dict[str, Entry]:
    """`entries` with `overrides` in their places."""
    changed = dict(entries)
    for name, value in overrides.items():
        changed[name] = overridden(entries[one_of("an entry", name, entries)], value, source)
    return changed


def _summed(bills: Sequence[Bill]) -> dict[str, dict[str, Band]]:
    """The parts of all bills together."""
    return {
        of: {part: total(bill.parts[of][part] for bill in bills) for part in named}
        for of, named in bills[0].parts.items()
    }


def _values(entry: Entry) -> str:
    if entry.low == entry.high:
        return f"{entry.usual:,.12g}"
    return " / ".join(f"{value:,.12g}" for value in (entry.low, entry.usual, entry.high))


def _noted(arrays: Mapping[str, Bill]) -> tuple[str, ...]:
    """What was assumed, each once, with the arrays it is about unless it is about all."""
    notes = dict.fromkeys(note for bill in arrays.values() for note in bill.assumed)
    about = {note: [name for name, bill in arrays.items() if note in bill.assumed] for note in notes}
    return tuple(note if len(of) == len(arrays) else f"{', '.join(of)}: {note}" for note, of in about.items())
