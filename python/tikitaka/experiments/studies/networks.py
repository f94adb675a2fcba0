"""Do the claims hold for other networks? Every rule on the paper's networks, with 20 states and the full periphery.

Rates are searched for every rule and network on held-out training examples, around those of the network's
recipe (`tikitaka.nn.nets`): each rate unchanged, three times as high and a third as high.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from tikitaka._internal.statistics import plus_minus, standard_deviation
from tikitaka._internal.validation import one_of
from tikitaka.config import Periphery, RuleConfig, rules
from tikitaka.experiments import learning_rates
from tikitaka.experiments.axis import USUAL
from tikitaka.experiments.measure import scored
from tikitaka.experiments.study import DATA_DIR, Option, Study, one_writer
from tikitaka.experiments.sweep import sweep
from tikitaka.nn import nets
from tikitaka.training import TrainConfig

__all__ = ["RULES", "Size", "candidates", "scales", "study"]

RULES = tuple(rules)
"""Rules that the study knows."""


@dataclass(frozen=True)
class Size:
    """The amount of work for a network."""

    examples: int | None
    """training examples (None: all); sequences of a text"""
    epochs: int
    """epochs of each training"""
    seeds: int
    """seeds of each rule"""
    search: learning_rates.Search
    """the search for rates"""


scales: dict[str, dict[str, Size]] = {
    "quick": {
        "fcn": Size(10_000, 6, 2, learning_rates.Search(4_000, 2_000, 5)),
        "lenet": Size(4_000, 4, 2, learning_rates.Search(2_000, 1_000, 2)),
        "lstm": Size(4_000, 2, 1, learning_rates.Search(1_500, 200, 2)),
    },
    "full": {
        "fcn": Size(None, 30, 3, learning_rates.Search(10_000, 10_000, 6, finalists=3, final_epochs=4)),
        "lenet": Size(None, 30, 2, learning_rates.Search(10_000, 5_000, 4, finalists=3, final_epochs=4)),
        "lstm": Size(None, 10, 1, learning_rates.Search(3_000, 1_000, 3, finalists=2, final_epochs=2)),
    },
}
"""Work by scale and network; `full` is that of the paper."""


def candidates(net: str, kind: str) -> list[RuleConfig]:
    """The rules of a kind that are tried for a network."""
    rule: Any = nets[net].rule(kind)
    return learning_rates.around(replace(rule, periphery=Periphery.full()) if hasattr(rule, "periphery") else rule)


def _row(of_rule: Sequence[dict[str, Any]]) -> dict[str, Any]:
    errors = [100 * row["test_error"] for row in of_rule]
    losses = [row["test_loss"] for row in of_rule if row.get("test_loss") is not None]
    averages = [row["average_error"] for row in of_rule if row.get("average_error") is not None]
    return {
        "rule": of_rule[0]["config"]["rule"]["kind"],
        "error_percent": fmean(errors),
        "spread": standard_deviation(errors),
        "loss": fmean(losses) if losses else None,
        "average_error_percent": 100 * fmean(averages) if averages else None,
        "seeds": len(errors),
        "errors_percent": errors,
        "diverged": sum(bool(row.get("diverged")) for row in of_rule),
    }


class Networks(Study):
    """Do the claims hold for other networks?"""

    name = "networks"
    question = "Every rule on the paper's networks, on devices of 20 states with the full periphery."
    scales = scales
    options = (
        DATA_DIR,
        Option("nets", "names", "With commas.", tuple(nets)),
        Option("rules", "names", f"Rules among {', '.join(RULES)}, with commas.", USUAL),
    )
    seeds_help = "Seeds of each rule (default: 1 to 3)."
    has_figure = False

    @one_writer
    def run(
        self,
        *,
        out: str | Path,
        nets: Sequence[str] = tuple(nets),
        rules: Sequence[str] = USUAL,
        seeds: int | None = None,
        scale: str = "full",
        data_dir: str | Path | None = None,
        executor: Executor | None = None,
        threads: int | None = None,
        progress: bool = True,
    ) -> dict[str, Any]:
        """Run the study and return its result: plain values, a row for each network and rule.

        A row holds net, data, rule, error_percent and spread (mean and sample standard deviation over seeds, None for
        one, of the hardware after the last epoch; for a text the share of wrong characters), loss (nats),
        average_error_percent (of the average of iterates, ttv2 alone), seeds, diverged (how many), and the rates.
        Trainings are stored in `out`, as for the other studies, and not repeated. Raises ValueError for unknown
        names, and the exceptions of `sweep` and of loading data.
        """
        one_of("scale", scale, scales)
        learning_rates.check_names("nets", nets, tuple(scales[scale]))
        learning_rates.check_names("rules", rules, RULES)
        if seeds is not None and seeds < 1:
            raise ValueError(f"seeds must be at least 1, not {seeds}")
        for net in nets:
            size = scales[scale][net]
            config = TrainConfig(net=net, examples=size.examples, epochs=size.epochs)
            learning_rates.check_data(config, size.search, data_dir)
        folder = Path(out)
        folder.mkdir(parents=True, exist_ok=True)
        measure = partial(scored, data_dir=data_dir, patient=True)

        def run(name: str, grid: Iterable[TrainConfig]) -> list[dict[str, Any]]:
            file = folder / f"{name}.jsonl"
            return sweep(grid, executor, out=file, measure=measure, progress=progress, threads=threads)

        rows = []
        for net in nets:
            size = scales[scale][net]
            base = TrainConfig(net=net, examples=size.examples, epochs=size.epochs)
            candidates_by_rule = {kind: candidates(net, kind) for kind in rules}
            best = learning_rates.searched(partial(run, "search"), base, candidates_by_rule, size.search)
            cells = [
                replace(base, rule=best[kind], seed=seed)
                for kind in rules
                for seed in range(size.seeds if seeds is None else seeds)
            ]
            measured = run("cells", cells)
            for kind in rules:
                of_rule = [row for cell, row in zip(cells, measured, strict=True) if cell.rule is best[kind]]
                rows.append({"net": net, "data": base.data, **_row(of_rule), **learning_rates.chosen(best[kind])})
        return {"claim": self.name, "scale": scale, "rows": rows}

    def table(self, result: Mapping[str, Any]) -> str:
        """A line per network and rule."""
        lines = [f"{'net':<7}{'rule':<7}{'test error':>16}{'loss':>9}{'of the average':>16}   rates"]
        for row in result["rows"]:
            error = f"{plus_minus(row['error_percent'], row['spread'])} %"
            loss = "–" if row["loss"] is None else f"{row['loss']:.3f}"
            average = "–" if row["average_error_percent"] is None else f"{row['average_error_percent']:.2f} %"
            rates = ", ".join(f"{name} {row[name]:.3g}" for name in learning_rates.RATES if name in row)
            lines.append(f"{row['net']:<7}{row['rule']:<7}{error:>16}{loss:>9}{average:>16}   {rates}")
        return "\n".join(lines)


study = Networks()
