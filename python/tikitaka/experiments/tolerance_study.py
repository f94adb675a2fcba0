"""How bad may hardware be before each training rule fails on it? The claims of the abstract as studies of one axis.

A study goes in three steps. Every rule gets its rates by `learning_rates.searched`, at every value of the axis. Every
value is then trained with one seed. The other seeds are trained where they decide: beside the value at which a rule
leaves the limit, float + 1 point and float + 0.5 points, and further on where they leave it elsewhere.

A training without hope ends early: `measure.hopeless`.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from tikitaka import plot
from tikitaka._internal.shown import shown
from tikitaka._internal.statistics import standard_deviation
from tikitaka._internal.validation import one_of
from tikitaka.config import AnalogSgd, Device, to_dict
from tikitaka.config.device_name import device_named
from tikitaka.experiments import learning_rates
from tikitaka.experiments.axis import USUAL, Axis, Panel
from tikitaka.experiments.measure import scored
from tikitaka.experiments.study import DATA_DIR, Option, Study, one_writer
from tikitaka.experiments.sweep import sweep
from tikitaka.experiments.tolerance import Tolerance, missing, ratio, tolerance
from tikitaka.experiments.tolerance_table import table
from tikitaka.nn import nets
from tikitaka.training import TrainConfig

__all__ = ["HARD", "POINTS", "Scale", "ToleranceStudy", "scales"]

POINTS = (1.0, 0.5)
"""Limits, in points (percent of the test images) above float."""

HARD = 30.0
"""Error of float, in percent, above which the rules cannot be compared."""

Key = tuple[str, Panel, float]


@dataclass(frozen=True)
class Scale:
    """The amount of work of a study."""

    examples: int | None
    """training examples (None: all)"""
    epochs: int
    """epochs of each training"""
    seeds: int
    """seeds next to each crossing, and of float"""
    search: learning_rates.Search
    """the search for rates"""


scales = {
    "quick": Scale(10_000, 6, 2, learning_rates.Search(4_000, 10_000, 5)),
    "full": Scale(None, 10, 3, learning_rates.Search(10_000, 10_000, 6, finalists=3, final_epochs=4)),
}
"""Scales by name."""


class ToleranceStudy(Study):
    """How far along an axis of the hardware does each rule stay near float?"""

    seeds_help = "Seeds next to a crossing (default: 3, quick: 2)."

    def __init__(self, axis: Axis) -> None:
        self.axis = axis
        self.name, self.question, self.scales = axis.name, axis.question, scales
        self.options = (
            Option("net", "name", "Network.", "fcn", tuple(nets)),
            Option("data", "name", "Data set (default: that of the network)."),
            DATA_DIR,
            Option("rules", "names", f"Rules among {', '.join(axis.rules)}, with commas.", _usual(axis)),
            Option("device", "name", "Devices: a kind, a preset or a FILE.toml (default: soft bounds)."),
        )

    @one_writer
    def run(
        self,
        *,
        out: str | Path,
        net: str = "fcn",
        data: str | None = None,
        data_dir: str | Path | None = None,
        rules: Sequence[str] | None = None,
        device: Device | str | None = None,
        seeds: int | None = None,
        scale: str = "full",
        executor: Executor | None = None,
        threads: int | None = None,
        progress: bool = True,
    ) -> dict[str, Any]:
        """Run the study and return its result: plain values, as `tikitaka.plot.claim` takes.

        Every training is stored in `out`, as a line of search.jsonl or cells.jsonl, and is not repeated, so an
        interrupted study continues where it stopped. Errors are percent of the test images; `spread` is
        a sample standard deviation over seeds, None for one seed. `device` replaces the devices of the study: a config,
        or its name as on the command line. Raises ValueError for unknown names, and the
        exceptions of `sweep` and of loading data.
        """
        axis, size = self.axis, self.scales[one_of("scale", scale, self.scales)]
        kinds = _usual(axis) if rules is None else tuple(rules)
        learning_rates.check_names("rules", kinds, axis.rules)
        if net in nets and nets[net].text:
            raise ValueError(
                f"net must be a network for images, not {shown(net)}: its error is a share of wrong characters"
            )
        panels = axis.panels[scale] if device is None else (Panel(device=_device(device)),)
        count = size.seeds if seeds is None else seeds
        if count < 1:
            raise ValueError(f"seeds must be at least 1, not {count}")
        names = {"net": net} if data is None else {"net": net, "data": data}
        base = TrainConfig(**names, examples=size.examples, epochs=size.epochs)  # type: ignore[arg-type]
        learning_rates.check_data(base, size.search, data_dir)
        folder, values = Path(out), axis.values[scale]
        folder.mkdir(parents=True, exist_ok=True)
        measure = partial(scored, data_dir=data_dir)

        def run(name: str, grid: Iterable[TrainConfig]) -> list[dict[str, Any]]:
            file = folder / f"{name}.jsonl"
            return sweep(grid, executor, out=file, measure=measure, progress=progress, threads=threads)

        keys = [(kind, panel, value) for panel in panels for kind in kinds for value in values]
        best = learning_rates.searched(partial(run, "search"), base, _tried(net, axis, keys), size.search)
        exact = [
            100 * row["test_error"] for row in run("cells", _seeds(replace(base, rule=best["float"]), range(count)))
        ]

        if fmean(exact) > HARD:
            raise ValueError(
                f"float has {fmean(exact):.0f} % of errors: {base.data} is too small or too hard to compare rules"
            )
        errors: dict[Key, dict[int, float]] = {key: {} for key in keys}
        rows: dict[Key, dict[int, dict[str, Any]]] = {key: {} for key in keys}
        wanted = {(key, 0) for key in keys}
        while wanted:
            cells = sorted(wanted, key=lambda cell: (cell[1], keys.index(cell[0])))
            measured = run("cells", [replace(base, rule=best[key], seed=seed) for key, seed in cells])
            for (key, seed), row in zip(cells, measured, strict=True):
                errors[key][seed], rows[key][seed] = 100 * row["test_error"], row
            wanted = {
                ((kind, panel, value), seed)
                for panel in panels
                for kind in kinds
                for points in POINTS
                for seed, needed in enumerate(
                    missing(_by_seed(errors, (kind, panel), values, count), values, fmean(exact) + points)
                )
                for value in needed
            }
        settings = [
            {**_named(panel), "rule": kind, "value": value, **learning_rates.chosen(best[kind, panel, value])}
            for kind, panel, value in keys
        ]
        lines = [_line(key, errors[key], rows[key]) for key in keys]
        tolerances: list[dict[str, Any]] = []
        ratios: list[dict[str, Any]] = []
        for panel in panels:
            for points in POINTS:
                by_kind = {
                    kind: tolerance(
                        _by_seed(errors, (kind, panel), values, count),
                        values,
                        fmean(exact) + points,
                        logarithmic=axis.logarithmic,
                    )
                    for kind in kinds
                }
                where = {**_named(panel), "points": points}
                tolerances += [
                    {**where, "rule": kind, **asdict(known), "sign": _sign(known, values)}
                    for kind, known in by_kind.items()
                ]
                ratios += _ratios(by_kind, values, where)
        return {
            "claim": self.name,
            "axis": axis.field,
            "label": axis.label,
            "unit": axis.unit,
            "net": base.net,
            "data": base.data,
            **({} if device is None else {"device": to_dict(_device(device))}),
            "scale": scale,
            **asdict(size),
            "seeds": count,
            "float": {
                "error_percent": fmean(exact),
                "spread": standard_deviation(exact),
                "seeds": count,
                "lr": best["float"].lr,
            },
            "rows": lines,
            "tolerances": tolerances,
            "ratios": ratios,
            "rates": settings,
        }

    def table(self, result: Mapping[str, Any]) -> str:
        """The tolerances, and how much more ttv2 tolerates than the others."""
        return table(result)

    def plot(self, result: Mapping[str, Any], path: str | Path) -> None:
        """The error of each rule along the axis."""
        plot.claim(result, path)


def _tried(net: str, axis: Axis, keys: Sequence[Key]) -> dict[Any, list[Any]]:
    """The rules among which the search chooses, for each key and for "float"."""
    tried: dict[Any, list[Any]] = {"float": learning_rates.candidates("float", 0, net)}
    for key in keys:
        kind, panel, value = key
        states = value if axis.field.endswith(".states") else panel.states
        if panel.device is not None:
            states = learning_rates.usual_states(axis.rule(AnalogSgd(), panel, value).device)  # type: ignore[attr-defined]
        tried[key] = [axis.rule(rule, panel, value) for rule in learning_rates.candidates(kind, states, net)]
    return tried


def _device(device: Device | str) -> Device:
    return device if isinstance(device, Device) else device_named(device)


def _sign(known: Tolerance, values: Sequence[float]) -> str:
    """The sign of a bound: whether the tolerance is below or above it."""
    upwards = values[-1] > values[0]
    return {"easy": "<" if upwards else ">", "hard": ">" if upwards else "<"}.get(str(known.beyond), "")


def _seeds(config: TrainConfig, seeds: Iterable[int]) -> list[TrainConfig]:
    return [replace(config, seed=seed) for seed in seeds]


def _by_seed(
    errors: Mapping[Key, Mapping[int, float]], of: tuple[str, Panel], values: Sequence[float], seeds: int
) -> list[dict[float, float]]:
    """The errors of a rule in a panel, by value for each seed."""
    return [{v: errors[(*of, v)][seed] for v in values if seed in errors[(*of, v)]} for seed in range(seeds)]


def _named(panel: Panel) -> dict[str, Any]:
    return {} if panel.name is None else {"panel": panel.name}


def _line(key: Key, errors: Mapping[int, float], rows: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    kind, panel, value = key
    seeds = sorted(errors)
    each = [errors[seed] for seed in seeds]
    averages = [rows[seed]["average_error"] for seed in seeds if rows[seed].get("average_error") is not None]
    return {
        **_named(panel),
        "rule": kind,
        "value": value,
        "error_percent": fmean(each),
        "spread": standard_deviation(each),
        "seeds": len(each),
        "errors_percent": each,
        "average_error_percent": 100 * fmean(averages) if averages else None,
        "given_up": sum(bool(rows[seed].get("given_up") or rows[seed].get("diverged")) for seed in seeds),
    }


def _ratios(
    by_kind: Mapping[str, Tolerance], values: Sequence[float], where: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """How much more TTv2 tolerates than each other rule."""
    ours = by_kind.get("ttv2")
    if ours is None:
        return []
    others = [kind for kind in by_kind if kind != "ttv2"]
    return [{**where, "rule": "ttv2", "over": kind, **ratio(ours, by_kind[kind], values)} for kind in others]


def _usual(axis: Axis) -> tuple[str, ...]:
    return tuple(kind for kind in USUAL if kind in axis.rules)
