"""How bad may hardware be before each training rule fails on it? The claims of the abstract as studies of one axis.

The limits are those of `quality_of` the network: float + 1 point and + 0.5 points of wrong classes, or for texts
float + 0.3 nats and + 0.15 nats. `follow` says what is trained.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from tikitaka import plot
from tikitaka._internal.statistics import standard_deviation
from tikitaka._internal.validation import one_of
from tikitaka.config import AnalogSgd, Device, to_dict
from tikitaka.config.device_name import device_named
from tikitaka.config.size import step_of
from tikitaka.experiments import learning_rates
from tikitaka.experiments.axis import SYMMETRIC, Axis, Panel
from tikitaka.experiments.follow import Followed, Key, named
from tikitaka.experiments.measure import scored
from tikitaka.experiments.quality import quality_of
from tikitaka.experiments.study import DATA_DIR, Option, Study, one_writer
from tikitaka.experiments.sweep import sweep
from tikitaka.experiments.tolerance import Tolerance, ratio, tolerance
from tikitaka.experiments.tolerance_table import table
from tikitaka.nn import nets
from tikitaka.training import TrainConfig

__all__ = ["Scale", "ToleranceStudy", "scales", "text_scales"]


@dataclass(frozen=True)
class Scale:
    """The amount of work of a study."""

    examples: int | None
    """training examples (None: all); sequences of a text"""
    epochs: int
    """epochs of each training"""
    seeds: int
    """seeds next to each crossing, and of float"""
    search: learning_rates.Search
    """the search for rates"""


scales = {
    "quick": Scale(10_000, 6, 2, learning_rates.Search(4_000, 4_000, 5)),
    "full": Scale(None, 10, 3, learning_rates.Search(10_000, 10_000, 6, finalists=3, final_epochs=10)),
}
"""Scales by name."""

text_scales = {
    "quick": Scale(500, 2, 1, learning_rates.Search(250, 100, 2)),
    "full": Scale(1_200, 4, 3, learning_rates.Search(400, 300, 2, finalists=2, final_examples=1_200, final_epochs=4)),
}
"""Scales of networks for texts."""


class ToleranceStudy(Study):
    """How far along an axis of the hardware does each rule stay near float?"""

    seeds_help = "Seeds next to a crossing (default: 3; quick: 2, for a text 1)."

    def __init__(self, axis: Axis) -> None:
        self.axis = axis
        self.name, self.question, self.scales = axis.name, axis.question, scales
        self.options = (
            Option("net", "name", "Network.", "fcn", tuple(nets)),
            Option("data", "name", "Data set (default: that of the network)."),
            DATA_DIR,
            Option("rules", "names", f"Rules among {', '.join(axis.names)}, with commas.", axis.usual),
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
        interrupted study continues where it stopped. `measure` names what is compared: error_percent, of the test
        images, or loss, in nats per character of the test part; `spread` is a sample standard deviation over seeds,
        None for one seed. In studies of devices, `step_noise` is the noise of a step at the tolerance in weight units,
        σ_c times the step. `device` replaces the devices of the study: a config, or its name as on the command line.
        Raises ValueError for unknown names, and the exceptions of `sweep` and of loading data.
        """
        axis = self.axis
        one_of("scale", scale, self.scales)
        kinds = axis.kinds(rules, alone=device is not None)
        panels = axis.panels[scale] if device is None else (Panel(device=_device(device)),)
        text = net in nets and nets[net].text
        size = (text_scales if text else self.scales)[scale]
        values = (scale == "full" and text and axis.text_values) or axis.values[scale]
        count = size.seeds if seeds is None else seeds
        if count < 1:
            raise ValueError(f"seeds must be at least 1, not {count}")
        names = {"net": net} if data is None else {"net": net, "data": data}
        base = TrainConfig(**names, examples=size.examples, epochs=size.epochs)  # type: ignore[arg-type]
        learning_rates.check_data(base, size.search, data_dir)
        folder, quality = Path(out), quality_of(net)
        folder.mkdir(parents=True, exist_ok=True)
        measure = partial(scored, data_dir=data_dir)

        def run(name: str, grid: Iterable[TrainConfig]) -> list[dict[str, Any]]:
            file = folder / f"{name}.jsonl"
            return sweep(grid, executor, out=file, measure=measure, progress=progress, threads=threads)

        lines = [(kind, panel) for panel in panels for kind in kinds]
        tried = partial(_tried, net, axis)
        followed = Followed(run, base, size.search, tried, quality, values)
        digital = learning_rates.candidates("float", 0, net)
        best = learning_rates.searched(partial(run, "search"), base, {"float": digital}, size.search)["float"]
        exact = [quality.of(row) for row in run("cells", [replace(base, rule=best, seed=k) for k in range(count)])]
        if fmean(exact) > quality.hard:
            raise ValueError(
                f"float has a test {quality.name} of {fmean(exact):.3g} {quality.unit}: {base.data} is too small or "
                "too hard to compare rules"
            )
        limits = [fmean(exact) + points for points in quality.points]
        followed.follow(lines, limits[0])
        followed.decide(lines, limits, count)
        keys = followed.keys(lines)
        tolerances: list[dict[str, Any]] = []
        ratios: list[dict[str, Any]] = []
        for panel in panels:
            for points, limit in zip(quality.points, limits, strict=True):
                by_kind = {kind: self._tolerance(followed, (kind, panel), limit, count) for kind in kinds}
                where = {**named(panel), "points": points}
                for kind, known in by_kind.items():
                    sign = _sign(known, followed.values)
                    noise = self._step_noise(kind, panel, known)
                    tolerances.append({**where, "rule": kind, **asdict(known), "sign": sign, **noise})
                ratios += _ratios(by_kind, followed.values, where)
        return {
            "claim": self.name,
            "axis": axis.field,
            "label": axis.label,
            "unit": axis.unit,
            "measure": quality.key,
            "net": base.net,
            "data": base.data,
            **({} if device is None else {"device": to_dict(_device(device))}),
            "scale": scale,
            **asdict(size),
            "seeds": count,
            "float": {
                quality.key: fmean(exact),
                "spread": standard_deviation(exact),
                "seeds": count,
                "lr": best.lr,
            },
            "rows": [followed.row(key) for key in keys],
            "tolerances": tolerances,
            "ratios": ratios,
            "rates": [
                {**named(key[1]), "rule": key[0], "value": key[2], **learning_rates.chosen(followed.best[key])}
                for key in keys
            ],
        }

    def table(self, result: Mapping[str, Any]) -> str:
        """The tolerances, and how much more ttv2 tolerates than the others."""
        return table(result)

    def plot(self, result: Mapping[str, Any], path: str | Path) -> None:
        """The error of each rule along the axis."""
        plot.claim(result, path)

    def _tolerance(self, followed: Followed, line: tuple[str, Panel], limit: float, seeds: int) -> Tolerance:
        errors = followed.by_seed(line, seeds)
        return tolerance(errors, followed.values, limit, logarithmic=self.axis.logarithmic)

    def _step_noise(self, kind: str, panel: Panel, known: Tolerance) -> dict[str, float]:
        """The noise of a step at the tolerance (weight units), for an axis of the devices."""
        if not self.axis.field.startswith("rule.device.") or not known.tolerance:
            return {}
        device: Any = self.axis.rule(kind, AnalogSgd(), panel, known.tolerance).device  # type: ignore[attr-defined]
        return {"step_noise": device.cycle_noise * step_of(device)} if hasattr(device, "cycle_noise") else {}


def _tried(net: str, axis: Axis, key: Key) -> list[Any]:
    """The rules among which the search chooses, for each key."""
    kind, panel, value = key
    states = value if axis.field.endswith(".states") else panel.states
    if panel.device is not None:
        device: Any = axis.rule(kind, AnalogSgd(), panel, value).device  # type: ignore[attr-defined]
        states = learning_rates.usual_states(device)
    if kind == SYMMETRIC:  # at the rates of float, which it comes close to
        candidates = [AnalogSgd(lr=rule.lr) for rule in learning_rates.candidates("float", states, net)]
    else:
        candidates = learning_rates.candidates(kind, states, net)
    return [axis.rule(kind, rule, panel, value) for rule in candidates]


def _device(device: Device | str) -> Device:
    return device if isinstance(device, Device) else device_named(device)


def _sign(known: Tolerance, values: Sequence[float]) -> str:
    """The sign of a bound: whether the tolerance is below or above it."""
    upwards = values[-1] > values[0]
    return {"easy": "<" if upwards else ">", "hard": ">" if upwards else "<"}.get(str(known.beyond), "")


def _ratios(
    by_kind: Mapping[str, Tolerance], values: Sequence[float], where: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """How much more TTv2 tolerates than each other rule."""
    ours = by_kind.get("ttv2")
    if ours is None:
        return []
    others = [kind for kind in by_kind if kind != "ttv2"]
    return [{**where, "rule": "ttv2", "over": kind, **ratio(ours, by_kind[kind], values)} for kind in others]
