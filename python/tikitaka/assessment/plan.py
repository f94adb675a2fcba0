"""The plan of an assessment: how much is trained, so that it takes the minutes asked for.

The plan follows from what is asked, the number of workers and the class of speed of the machine alone. Speed is
measured before the first trainings, after the first searches and after the second ones, and kept: the time that a
training takes changes nothing else. An assessment with the same plan gives the same numbers, bit for bit.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tikitaka._internal.atomic_write import atomic_write
from tikitaka._internal.shown import shown
from tikitaka.assessment.cost import CLASS, Sizes
from tikitaka.experiments.learning_rates import Search

__all__ = [
    "ENOUGH",
    "FOCUS",
    "Plan",
    "Size",
    "broad",
    "kept",
    "lengthened",
    "most",
    "search_seconds",
    "sized",
    "split",
    "timed",
]

FORMAT = 3
FILE = "plan.json"

_EFFICIENCY = 0.9
"""Share of the workers' time that is used."""
_SETTLED = 0.6
"""Pulses of an example over a whole training, relative to those at its beginning."""
_BROAD = 0.06
"""Share of the time for the first round of the first search."""
_SHARE = 0.4
"""Work of a training of the first round of a search, relative to one that is reported."""
_FINALISTS = 2
"""Candidates that are compared again, at the length of those that are reported."""
_SEEDS = (3, 5, 20)
"""Seeds: at least, usually, and if there is time for more."""
LEAST = 500.0
"""Training examples, all epochs together, that are trained however little time there is."""
_FEW = 20_000
"""Training examples, all epochs together, below which fewer seeds are trained instead."""
ENOUGH = 60_000
"""Training examples, all epochs together, from which rates are searched again for every changed property, and every
property gets every level."""
FOCUS = 3
"""Properties that are also made half as bad if there is less time: those that gain most where they are ideal."""
_EPOCHS = (5, 30)
"""The fewest and the most epochs of a training that is reported."""


@dataclass(frozen=True)
class Plan:
    """What an assessment may use: the request's time on a class of machine."""

    minutes: float
    """time asked for"""
    workers: int
    """trainings at the same time"""
    speeds: tuple[int, ...]
    """class of speed of each worker, whenever it was measured: by `cost.speed_class`, then by `cost.class_of`"""

    @property
    def seconds(self) -> float:
        """Seconds of one worker of class 0 that may be used, by the last class."""
        return 60 * self.minutes * self.workers * _EFFICIENCY * CLASS ** self.speeds[-1]


@dataclass(frozen=True)
class Size:
    """How much is trained after the first search."""

    examples: int
    """training examples"""
    epochs: int
    """epochs of a training that is reported"""
    seeds: int
    """seeds of every reported number"""
    search: Search
    """the search for the rates of every device"""
    search_seeds: int
    """seeds of a candidate of the search"""


def split(samples: float, available: int, most_epochs: int = _EPOCHS[1]) -> tuple[int, int]:
    """Training examples, of two digits unless all, and epochs, for so many in all; (examples, epochs)."""
    epochs = min(max(round((samples / 600) ** (1 / 3)), _EPOCHS[0]), most_epochs)
    examples = samples / epochs
    if examples >= available:
        return available, min(max(round(samples / available), _EPOCHS[0]), most_epochs)
    unit = 10 ** max(0, math.floor(math.log10(max(examples, 1))) - 1)
    return max(1, int(examples // unit) * unit), epochs


def broad(plan: Plan, sizes: Sizes, pulses: Iterable[float], seeds: int) -> Search:
    """The first search, for the rates of every rule: `pulses` per example of each candidate."""
    held_out = held_out_of(sizes.examples)
    available, each = sizes.examples - held_out, list(pulses)

    def seconds(samples: float) -> float:
        examples, epochs = split(samples, available)
        return seeds * sum(sizes.seconds(examples, epochs, held_out, _SETTLED * number) for number in each)

    samples = _largest(seconds, _BROAD * plan.seconds, 2.0 * LEAST, 30_000)
    examples, epochs = split(samples, available)
    return Search(examples, held_out, epochs)


def held_out_of(examples: int) -> int:
    """Training examples that rates are judged on."""
    return max(1, min(2_000, examples // 4))


def sized(
    plan: Plan,
    sizes: Sizes,
    used: float,
    reported: Iterable[float],
    searched: Iterable[float],
    candidates: int,
    seeds: int | None,
    search_seeds: int = 2,
) -> Size:
    """The size of the trainings after the first search, which has `used` so many seconds.

    `reported` are the pulses per example of everything that is trained with all seeds, `searched` those of everything
    whose rates are searched, among `candidates` each. `seeds` overrides the number of seeds.
    """
    held_out = held_out_of(sizes.examples)
    reports, each = list(reported), list(searched)

    def size(samples: float, count: int) -> Size:
        examples, epochs = split(samples, sizes.examples)
        few, short = split(_SHARE * samples, sizes.examples - held_out, most_epochs=epochs)
        whole = min(examples, sizes.examples - held_out)
        return Size(examples, epochs, count, Search(few, held_out, short, _FINALISTS, whole, epochs), search_seeds)

    def seconds(samples: float, count: int) -> float:
        of = size(samples, count)
        whole = sum(sizes.seconds(of.examples, of.epochs, sizes.tests, pulses) for pulses in reports)
        return count * whole + search_seconds(sizes, of, each, candidates)

    left, upper = plan.seconds - used, most(sizes)
    if seeds is not None:
        return size(_largest(lambda samples: seconds(samples, seeds), left, LEAST, upper), seeds)
    samples = _largest(lambda samples: seconds(samples, _SEEDS[1]), left, LEAST, upper)
    if samples < _FEW:
        return size(_largest(lambda samples: seconds(samples, _SEEDS[0]), left, LEAST, upper), _SEEDS[0])
    count = _SEEDS[1]
    while count < _SEEDS[2] and samples >= 0.95 * upper and seconds(samples, count + 1) <= left:
        count += 1
    return size(samples, count)


def search_seconds(sizes: Sizes, size: Size, searched: Iterable[float], candidates: int) -> float:
    """Seconds to search the rates of everything in `searched`, by its pulses per example, among so many candidates."""
    search, each = size.search, list(searched)
    examples, epochs, held_out = search.examples or 1, search.epochs, search.held_out
    tried = sum(sizes.seconds(examples, epochs, held_out, pulses) for pulses in each)
    again = sum(sizes.seconds(search.final_examples or 1, search.final_epochs, held_out, pulses) for pulses in each)
    return size.search_seeds * (candidates * tried + search.finalists * again)


def most(sizes: Sizes) -> float:
    """Training examples, all epochs together, that are trained however much time there is."""
    return float(_EPOCHS[1] * sizes.examples)


def lengthened(plan: Plan, sizes: Sizes, used: float, size: Size, reported: Iterable[float], reserved: float) -> Size:
    """`size` with as much training as the time that is left allows, after searches that have `used` so many seconds.

    `reported` are the pulses per example of everything that is still trained with all seeds, now known from the
    searches; `reserved` are seconds for searches that are still to come.
    """
    each, left = list(reported), plan.seconds - used - reserved

    def seconds(samples: float) -> float:
        examples, epochs = split(samples, sizes.examples)
        return size.seeds * sum(sizes.seconds(examples, epochs, sizes.tests, pulses) for pulses in each)

    samples = _largest(seconds, left, LEAST, most(sizes))
    examples, epochs = split(samples, sizes.examples)
    return replace(size, examples=examples, epochs=epochs)


def _largest(seconds: Callable[[float], float], limit: float, least: float, most: float) -> float:
    """The largest number of samples from `least` to `most`, in steps of 5 %, whose time is within the limit."""
    samples = least
    while samples * 1.05 <= most and seconds(samples * 1.05) <= limit:
        samples *= 1.05
    return samples


def kept(folder: Path, request: Mapping[str, Any], make: Callable[[], Plan]) -> Plan:
    """The plan in `folder`, which must be of the same `request`, with its first class of speed; made by `make` and kept
    there if there is none.

    Raises ValueError, naming what differs, for the plan of another request, and if the file is damaged.
    """
    path = folder / FILE
    if path.exists():
        plan, other = read(path)
        differ = [name for name in request if request[name] != other.get(name)]
        if differ:
            raise ValueError(
                f"{path} is the plan of another assessment: {', '.join(differ)} differ; choose another folder"
            )
    else:
        plan = make()
        _write(path, plan, request)
    return replace(plan, speeds=plan.speeds[:1])


def timed(folder: Path, plan: Plan, measure: Callable[[], int]) -> Plan:
    """`plan` with its next class of speed: the one in `folder`, or one that `measure` finds and that is kept there."""
    path = folder / FILE
    known, request = read(path)
    number = len(plan.speeds)
    if len(known.speeds) == number:
        known = replace(known, speeds=(*known.speeds, measure()))
        _write(path, known, request)
    return replace(plan, speeds=known.speeds[: number + 1])


def _write(path: Path, plan: Plan, request: Mapping[str, Any]) -> None:
    content = {"format": FORMAT, "plan": asdict(plan), "request": request}
    atomic_write(path, (json.dumps(content, indent=2, allow_nan=False) + "\n").encode())


def read(path: Path) -> tuple[Plan, dict[str, Any]]:
    """The plan and the request in a file; OSError if it cannot be read, ValueError if it is no plan."""
    try:
        content = json.loads(path.read_bytes())
        if content["format"] != FORMAT:
            raise ValueError(f"{path} must be a plan of format {FORMAT}, not {shown(content['format'])}")
        plan, request = Plan(**content["plan"]), content["request"]
        plan = replace(plan, speeds=tuple(plan.speeds))
    except (json.JSONDecodeError, UnicodeDecodeError, TypeError, KeyError) as error:
        raise ValueError(f"{path} is not the plan of an assessment") from error
    whole = [plan.workers, *plan.speeds]
    numbers = isinstance(plan.minutes, int | float) and all(isinstance(number, int) for number in whole)
    if not isinstance(request, dict) or not numbers or not plan.speeds or plan.minutes <= 0:
        raise ValueError(f"{path} is not the plan of an assessment")
    return plan, request
