"""What model comes out of noisy hardware? A study of the second half of the paper's abstract.

Networks are trained with TTv2 on 20-state devices, at the full periphery and at two noisier settings, under two
schedules. The study reports the test error of the chip itself; one read of it, and the mean of several, which
averages out the noise of reading but not that of training; the average over iterates, formed during training from the
reads of the transfers; that average rounded to 8, 6 and 4 bits; and that average on other analog chips, whose
devices are drawn anew, with programming errors of 2, 5 and 10 % of the range 2·bound and the same periphery.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from threading import Event
from typing import Any

from tqdm.auto import tqdm

from tikitaka import plot
from tikitaka._internal.progress import bar_disabled
from tikitaka._internal.statistics import plus_minus, standard_deviation
from tikitaka._internal.validation import check_int, one_of
from tikitaka.config import Periphery, SoftBounds, Ttv2
from tikitaka.data import Dataset, load
from tikitaka.deployment import program
from tikitaka.experiments.study import DATA_DIR, Option, Study, one_writer
from tikitaka.model import extract
from tikitaka.network import Network
from tikitaka.training import Run, TrainConfig
from tikitaka.training.rule_warnings import silent
from tikitaka.training.summary import summarize

__all__ = ["BITS", "ERRORS", "READS", "SCHEDULES", "SETTINGS", "Scale", "extraction", "scales", "study"]

SETTINGS: dict[str, Ttv2] = {
    "full periphery": Ttv2(periphery=Periphery.full()),
    "cycle noise 1": Ttv2(periphery=Periphery.full(), device=SoftBounds(cycle_noise=1.0)),
    "output noise 0.3": Ttv2(periphery=Periphery.full(0.3)),
}
"""Rules by name of the setting; all at 20 states."""

SCHEDULES = ("decay", "swa")
"""Schedules of λ_H: decayed over the averaging window, or held constant over it."""

READS = 10
"""Reads of the last iterate in the mean of reads."""

BITS = (8, 6, 4)
"""Bits that the average is rounded to."""

ERRORS = (0.02, 0.05, 0.1)
"""Programming errors, as fractions of the range 2·bound."""


@dataclass(frozen=True)
class Scale:
    """The amount of work of the study."""

    examples: int | None
    """training examples (None: all)"""
    epochs: int
    """epochs of each training"""
    seeds: int
    """trainings of each setting and schedule"""
    chips: int
    """target chips of each training"""


scales = {
    "quick": Scale(examples=5_000, epochs=9, seeds=2, chips=2),
    "full": Scale(examples=None, epochs=30, seeds=3, chips=3),
}
"""Scales by name; `full` is the size of the paper."""


def extraction(
    data: str = "mnist",
    data_dir: str | Path | None = None,
    *,
    settings: Sequence[str] = tuple(SETTINGS),
    schedules: Sequence[str] = SCHEDULES,
    scale: Scale = scales["full"],
    out: str | Path,
    threads: int = 1,
    progress: Callable[[], object] = lambda: None,
) -> list[dict[str, Any]]:
    """Run the study and return a row per setting, schedule and model.

    A row holds setting, schedule, model, error_percent (mean over seeds, and over chips if there are any), spread
    (sample standard deviation, None for one number), seeds and n (the numbers averaged). Every training is stored as a
    RUN folder in `out`/runs and not repeated if it is complete and has the same settings; `progress` is called after
    each. Raises ValueError for an unknown setting, and the exceptions of loading data and writing runs.
    """
    for name in settings:
        one_of("settings", name, SETTINGS)
    full_set = load(data, data_dir)
    examples = scale.examples if scale.examples is not None and scale.examples < len(full_set.train_y) else None
    dataset = full_set.first(examples)
    cells = [(setting, schedule, seed) for setting in settings for schedule in schedules for seed in range(scale.seeds)]
    configs = [
        TrainConfig(
            data=data,
            examples=examples,
            epochs=scale.epochs,
            schedule=schedule,
            seed=seed,
            rule=SETTINGS[setting],
        )
        for setting, schedule, seed in cells
    ]
    folder = Path(out) / "runs"

    def one(job: tuple[tuple[str, str, int], TrainConfig]) -> dict[str, list[float]]:
        (setting, schedule, seed), config = job
        path = folder / f"{setting} {schedule} {seed}".replace(" ", "-")
        errors = _errors(_trained(path, config, dataset, stop), config, dataset, scale.chips)
        progress()
        return errors

    stop = Event()  # Ctrl-C must not wait for running trainings
    with ThreadPoolExecutor(threads) as pool:
        try:
            results = list(pool.map(one, zip(cells, configs, strict=True)))
        except BaseException:
            stop.set()
            raise
    rows = []
    for setting in settings:
        for schedule in schedules:
            of_cell = [r for r, cell in zip(results, cells, strict=True) if cell[:2] == (setting, schedule)]
            for model in of_cell[0]:
                errors = [100 * error for r in of_cell for error in r[model]]
                rows.append(
                    {
                        "setting": setting,
                        "schedule": schedule,
                        "model": model,
                        "error_percent": fmean(errors),
                        "spread": standard_deviation(errors),
                        "seeds": scale.seeds,
                        "n": len(errors),
                    }
                )
    return rows


def _trained(path: Path, config: TrainConfig, dataset: Dataset, stop: Event) -> Network:
    """The network of a RUN folder, which is trained first unless it is complete."""
    if (path / "summary.json").is_file():
        run = Run.open(path)
        if run.config == config:
            return run.network()
        raise ValueError(f"{path} must not contain a run with other settings; choose another folder")
    network = config.network(dataset)
    run = Run(path, config)
    with run.locked():
        run = Run.create(path, config, force=True)
        with silent():
            history = config.fit(network, dataset, progress=False, on_epoch=run.log, stop=stop.is_set)
        run.checkpoint(network, epoch=config.epochs)
        run.finish(summarize(config, network, dataset, history, seconds=sum(m.seconds for m in history), threads=1))
    return network


def _errors(network: Network, config: TrainConfig, dataset: Dataset, chips: int) -> dict[str, list[float]]:
    """Test errors by model, one for each chip if there are several."""
    x, y = dataset.test_x, dataset.test_y
    average = extract.average(network)
    if average is None:
        raise ValueError("the training gathered no average")
    rule = config.rule
    assert isinstance(rule, Ttv2)
    errors = {
        "chip itself": [network.evaluate(x, y, draw=config.epochs).error],
        "one read": [extract.last_read(network).evaluate(x, y).error],
        f"mean of {READS} reads": [extract.mean_read(network, reads=READS).evaluate(x, y).error],
        "average": [average.evaluate(x, y).error],
    }
    for bits in BITS:
        errors[f"average, {bits} bit"] = [average.quantised(bits).evaluate(x, y).error]
    for error in ERRORS:
        errors[f"average on a chip, {100 * error:g} % error"] = [
            program(
                average,
                device=rule.slow_device or rule.device,
                periphery=rule.periphery,
                method="error",
                error_share=error,
                seed=1_000 * (config.seed + 1) + chip,
            )
            .network.evaluate(x, y)
            .error
            for chip in range(chips)
        ]
    return errors


class Extraction(Study):
    """What model comes out of noisy hardware?"""

    name = "extraction"
    question = "The model that comes out of noisy hardware: read, averaged, quantised, and on other chips."
    scales = scales
    options = (
        Option("data", "name", "Data set.", "mnist"),
        DATA_DIR,
        Option("settings", "names", "With commas.", tuple(SETTINGS)),
    )
    seeds_help = "Trainings of each setting and schedule (default: 3, quick: 2)."

    @one_writer
    def run(
        self,
        *,
        out: str | Path,
        data: str = "mnist",
        data_dir: str | Path | None = None,
        settings: Sequence[str] = tuple(SETTINGS),
        seeds: int | None = None,
        scale: str = "full",
        threads: int = 1,
        progress: bool = True,
    ) -> dict[str, Any]:
        """Run the study and return its result, with the rows of `extraction`."""
        size = scales[one_of("scale", scale, scales)]
        size = size if seeds is None else replace(size, seeds=check_int("seeds", seeds, 1))
        total = len(settings) * len(SCHEDULES) * size.seeds
        with tqdm(total=total, unit="run", file=sys.stderr, disable=bar_disabled(progress)) as bar:
            rows = extraction(
                data, data_dir, settings=settings, scale=size, out=out, threads=threads, progress=bar.update
            )
        return {"claim": self.name, "data": data, "scale": scale, "epochs": size.epochs, "rows": rows}

    def table(self, result: Mapping[str, Any]) -> str:
        """The error of every model, by setting and schedule."""
        lines = []
        for setting, schedule in dict.fromkeys((row["setting"], row["schedule"]) for row in result["rows"]):
            lines += ["", f"{setting}, schedule {schedule}"]
            for row in result["rows"]:
                if (row["setting"], row["schedule"]) == (setting, schedule):
                    error = plus_minus(row["error_percent"], row["spread"])
                    lines.append(f"  {row['model']:<31}{error} %  (n = {row['n']})")
        return "\n".join(lines[1:])

    def plot(self, result: Mapping[str, Any], path: str | Path) -> None:
        """The error of every model, a panel per setting."""
        plot.extraction(result["rows"], path)


study = Extraction()
