"""From columns or rows of a file to traces: which columns hold values, whose they are, and what says the direction."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tikitaka._internal.shown import listed, shown
from tikitaka.measurement.counters import Counter, counted, counters, paired
from tikitaka.measurement.direction import Trace, trend, turning_signs
from tikitaka.measurement.found import Found, unit_of
from tikitaka.measurement.grid import Grid, Words
from tikitaka.measurement.long_table import from_reads
from tikitaka.measurement.options import ColumnName, Options
from tikitaka.measurement.pulse_columns import one_kind_of_pulse, signs_of_blocks, signs_of_voltage, signs_of_words
from tikitaka.measurement.words import Heading, Unit, direction_of, heading, remainder

__all__ = ["from_grid"]

F64 = NDArray[np.float64]
I8 = NDArray[np.int8]

_FEW = 20  # reads without which a word does not name a device


def from_grid(grid: Grid, options: Options, name: str, sign: int = 0) -> Found:
    """The traces in a block of columns: `name` is the device if they name none, `sign` that of the whole file."""
    headings = [heading(text) for text in grid.names]
    count = len(grid.columns)
    said = [f"{grid.rows:,} rows × {count} column{'s' * (count != 1)}, {listed([grid.where, *grid.notes])}"]
    if any(grid.names):
        said[0] += f"; headings {listed(text or '(none)' for text in grid.names)}"
    if options.up or options.down:
        found = _up_down(grid, options, name)
        said += found.account
    else:
        chosen = [(device, _place(grid, column, "columns")) for device, column in options.columns]
        labels = _labels(grid, headings, {place for _, place in chosen})
        signs = _signs(grid, headings, options, said)
        if signs is not None and not any(grid.names) and "device" not in labels:
            labels |= _numbered(grid)
        values = chosen or [("", place) for place in _values(grid, headings, said) if place not in labels.values()]
        if not values:
            raise ValueError("it has no column of values: name it with columns=")
        if signs is None and "device" in labels and len(values) == 1:
            signs = _signs_of_blocks(grid, headings, labels, values[0][1], said)
        long = bool(labels) or signs is not None
        taken = {place for _, place in values} | set(labels.values())
        some = counters(grid, headings, taken, options)
        counting = paired(some, headings, [place for _, place in values])
        found = (from_reads if long else _wide)(grid, headings, values, labels, signs, name, sign, counting)
        said += [*found.account, *_between(grid, found)]
        if found.unit is None and headings[values[0][1]].quantity == "R":
            found.unit = Unit("ohm", "R", 1.0)
            said.append("no unit: resistances are taken to be in ohm")
    found.account = said
    found.read_voltage = _read_voltage(grid, headings, said)
    return found


def _between(grid: Grid, found: Found) -> list[str]:
    """What counters say about the traces, in words; nothing where there is one pulse before each read."""
    counts = [trace.counts[1:] for trace in found.traces if trace.counts is not None]
    every = np.concatenate(counts) if counts else np.ones(1, np.int64)
    if (every == 1).all():
        return []
    low, high = int(every.min()), int(every.max())
    each = f"{high:,}" if low == high else f"{low:,} to {high:,}"
    places = dict.fromkeys(trace.counted_by for trace in found.traces if trace.counted_by is not None)
    columns = f"column{'s' * (len(places) > 1)} {listed(map(grid.called, places))}"
    return [f"{each} pulse{'s' * (high > 1)} from read to read, by {columns}"]


def _read_voltage(grid: Grid, headings: list[Heading], said: list[str]) -> float | None:
    """The voltage in a column of read voltages."""
    for place, (one, column) in enumerate(zip(headings, grid.columns, strict=True)):
        if one.quantity != "read_V" or isinstance(column, Words):
            continue
        voltages = np.unique(column[~np.isnan(column)])
        if len(voltages) > 1:
            raise ValueError(
                f"the read voltage must be the same for all reads, not {len(voltages)} different ones in column "
                f"{grid.called(place)}: convert to conductance first"
            )
        if len(voltages) and voltages[0]:
            voltage = float(voltages[0]) * (one.unit.factor if one.unit else 1.0)
            said.append(f"reads at {voltage:g} V, by column {grid.called(place)}")
            return voltage
    return None


def _place(grid: Grid, column: ColumnName, option: str) -> int:
    """The index of a column that an option names."""
    if isinstance(column, int):
        if column > len(grid.columns):
            raise ValueError(f"{option} must be from 1 to {len(grid.columns)}, the columns of the block, not {column}")
        return column - 1
    names = [text.casefold() for text in grid.names]
    wanted = column.strip().casefold()
    if wanted in names:
        return names.index(wanted)
    short = [heading(text).text.casefold() for text in grid.names]
    if short.count(wanted) == 1:
        return short.index(wanted)
    if grid.letters and wanted.isalpha() and wanted.isascii() and len(wanted) <= 3:
        number = 0
        for letter in wanted:
            number = number * 26 + ord(letter) - ord("a") + 1
        return _place(grid, number, option)
    known = listed(text for text in grid.names if text) or f"numbers from 1 to {len(grid.columns)}"
    raise ValueError(f"{option} must name a column of the file, {known}, not {shown(column)}")


def _up_down(grid: Grid, options: Options, name: str) -> Found:
    """Traces of columns that options name."""
    places = {
        1: [_place(grid, column, "up") for column in options.up],
        -1: [_place(grid, column, "down") for column in options.down],
    }
    taken = {place for some in places.values() for place in some}
    headings = [heading(text) for text in grid.names]
    counting = paired(counters(grid, headings, taken, options), headings, sorted(taken))
    named = {remainder(grid.names[place])[0] for some in places.values() for place in some}
    traces = [
        part
        for sign, some in places.items()
        for place in some
        for own in [remainder(grid.names[place])[0]]
        for part in counted(
            Trace(own if len(named) == len(some) > 1 and own else name, grid.numbers(place), sign=sign),
            counting.get(place),
            slice(None),
        )
    ]
    found = Found(traces, unit_of([heading(grid.names[place]).unit for some in places.values() for place in some]))
    found.account = _between(grid, found)
    return found


def _labels(grid: Grid, headings: list[Heading], values: set[int]) -> dict[str, int]:
    """Columns that say device and cycle."""
    found: dict[str, int] = {}
    for kind in ("device", "cycle"):
        for place, one in enumerate(headings):
            named = remainder(one.text) == ("", None)  # not "Device 3", which names one
            if one.quantity == kind and named and place not in values:
                found.setdefault(kind, place)
    if "device" not in found:
        words = [
            place
            for place, column in enumerate(grid.columns)
            if isinstance(column, Words) and headings[place].quantity in ("", "counter") and place not in values
        ]
        for place in words:
            names = grid.words(place)
            if _FEW * len(names) <= grid.rows and not any(map(direction_of, names)):  # not the time of each read
                return {**found, "device": place}
    return found


def _numbered(grid: Grid) -> dict[str, int]:
    """The column of a table without headings that numbers its devices: whole numbers, each for several rows."""
    for place, column in enumerate(grid.columns):
        if isinstance(column, Words) or np.isnan(column).any() or (column % 1).any():
            continue
        steps = np.diff(column)
        if (steps >= 0).all() and 1 <= np.count_nonzero(steps) <= len(column) / 2 - 1:
            return {"device": place}
    return {}


def _signs(grid: Grid, headings: list[Heading], options: Options, said: list[str]) -> I8 | None:
    """The sign of each row from a column of pulses, directions or voltages; None without one.

    Raises ValueError if the pulses have different widths or amplitudes.
    """
    flip = np.int8(-1 if options.flip else 1)
    by_voltage = None
    for place, (one, column) in enumerate(zip(headings, grid.columns, strict=True)):
        if isinstance(column, Words):
            continue
        if one.quantity == "width":
            one_kind_of_pulse(column, "width", one.unit.name if one.unit else "s")
        elif one.quantity == "V" and by_voltage is None:
            by_voltage = place, signs_of_voltage(column, one.unit.name if one.unit else "V")
    for place, column in enumerate(grid.columns):
        if isinstance(column, Words):
            signs = signs_of_words(column)
            if signs is not None:
                said.append(f"directions by column {grid.called(place)}")
                return signs * flip
        elif headings[place].quantity == "pulse":
            known = column[~np.isnan(column)]
            if known.size and np.isin(known, (-1, 0, 1)).all() and (known < 0).any():
                said.append(f"signs of pulses by column {grid.called(place)}")
                return np.nan_to_num(column).astype(np.int8) * flip
            if by_voltage is None and (known < 0).any() and (known > 0).any():
                by_voltage = place, signs_of_voltage(column, "V")
    if by_voltage is None:
        return None
    place, signs = by_voltage
    if signs is None:
        said.append(f"column {grid.called(place)} has voltages of one sign only and says no direction")
        return None
    which = "negative" if options.flip else "positive"
    said.append(f"signs of pulses by column {grid.called(place)}: {which} voltages are up")
    return signs * flip


def _signs_of_blocks(
    grid: Grid, headings: list[Heading], labels: dict[str, int], place: int, said: list[str]
) -> I8 | None:
    """The sign of each row if a column has two words, one in rising blocks and one in falling ones."""
    column = grid.columns[labels["device"]]
    if not isinstance(column, Words) or len(column.names) != 2:
        return None
    rising = -1 if headings[place].quantity == "R" else 1
    signs = signs_of_blocks(column, grid.numbers(place) * rising)
    if signs is not None:
        words = listed(column.names, " and ")
        said.append(f"{words} in column {grid.called(labels['device'])} are directions, by where their blocks lead")
        del labels["device"]
    return signs


def _values(grid: Grid, headings: list[Heading], said: list[str]) -> list[int]:
    """The columns of values: of one quantity if headings name it, else all that count nothing."""
    numeric = [
        place
        for place, column in enumerate(grid.columns)
        if not isinstance(column, Words) and not np.isnan(column).all()
    ]
    for kind in ("G", "R", "I"):
        named = [place for place in numeric if headings[place].quantity == kind]
        if named:
            return named
    left = [place for place in numeric if headings[place].quantity in ("", "cycle", "device", "pulse")]
    left = [place for place in left if headings[place].quantity == "" or remainder(grid.names[place]) != ("", None)]
    left += [
        place for place in numeric if headings[place].quantity == "pulse" and headings[place].sign and place not in left
    ]
    counters = [place for place in left if _counts(grid.numbers(place))]
    even = [place for place in left if _even(grid.numbers(place))]
    if not counters and even == left[:1]:  # such as an unnamed time; two of them are a device with constant steps
        counters = even
    if counters and len(counters) < len(left):
        which = listed(grid.called(place) for place in counters)
        said.append(f"column {which} counts reads" if len(counters) == 1 else f"columns {which} count reads")
        left = [place for place in left if place not in counters]
    derived = [place for place in numeric if headings[place].quantity == "derived"]
    if derived and not [place for place in left if place not in counters]:
        return derived  # such as a normalised conductance
    if derived:
        said.append(f"columns of averages, errors or fits are ignored: {listed(grid.names[k] for k in derived)}")
    return sorted(left)


def _counts(values: F64) -> bool:
    """Whether values number their rows from 0 or 1: whole numbers, or digitised ones close to them."""
    known = values[~np.isnan(values)]
    if len(known) < 5 or not -0.5 <= known[0] <= 1.5:
        return False
    return bool(np.abs(known - known[0] - np.arange(len(known))).max() < 0.5 + 0.02 * len(known)) and bool(
        (np.diff(known) > 0).all()
    )


def _even(values: F64) -> bool:
    """Whether values rise in steps that are exactly equal."""
    steps = np.diff(values)
    return len(steps) > 2 and bool(steps.min() > 0 and np.ptp(steps) < 1e-6 * steps.mean())


def _wide(
    grid: Grid,
    headings: list[Heading],
    values: list[tuple[str, int]],
    labels: dict[str, int],
    signs: I8 | None,
    name: str,
    sign: int,
    counting: dict[int, Counter],
) -> Found:
    """Traces of a table with a column per trace."""
    traces: list[Trace] = []
    said = []
    for device, place in values:
        own, cycle = remainder(grid.names[place])
        column = grid.numbers(place)
        for start, end in pairwise([0, *grid.breaks, grid.rows]):
            if end > start:
                which = headings[place].sign or sign
                number = cycle if which else None  # a trace of both directions may have many cycles
                trace = Trace(device or own or name, column[start:end], cycle=number, sign=which)
                traces += counted(trace, counting.get(place), slice(start, end))
    plain = not any(grid.names[place] for _, place in values)
    if len(traces) == 2 and plain and not sign and not grid.breaks and not any(device for device, _ in values):
        rises = [trend(trace.values) for trace in traces]
        if max(rises) > 0 and all(turning_signs(trace.values) is None for trace in traces):
            traces[0].sign, traces[1].sign = 1, -1
            said.append("two columns without headings: reads after up pulses, reads after down pulses")
    elif len(values) > 1 and any(trace.sign for trace in traces):
        up = sum(trace.sign > 0 for trace in traces)
        said.append(f"columns are traces: {up} up, {len(traces) - up} down{' by the name of the file' if sign else ''}")
    if grid.breaks:
        said.append(f"blank lines separate {len(grid.breaks) + 1:,} blocks")
    found = Found(traces, unit_of([headings[place].unit for _, place in values]))
    found.account = said
    return found
