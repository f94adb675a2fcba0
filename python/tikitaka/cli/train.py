"""`tikitaka train`."""

import time
from pathlib import Path
from typing import Any

import click

from tikitaka.cli.flags import apply_flags, rule_options
from tikitaka.cli.output import Failed, Signalled, common_options, nats, percent, print_json, signals
from tikitaka.config import rules
from tikitaka.data import Dataset
from tikitaka.models import nets
from tikitaka.network import Network
from tikitaka.run import Run, TrainConfig, read_toml, summarize
from tikitaka.train import Metrics, Stopped, check, fit, schedules

__all__ = ["train"]


@click.command(context_settings={"max_content_width": 120})
@click.argument("config_file", metavar="[CONFIG.toml]", required=False, type=click.Path(path_type=Path))
@click.option("--net", type=click.Choice(list(nets)), help="Network.")
@click.option("--data", metavar="NAME", help="Data set: digits, or a folder or text in the data folder.")
@click.option("--data-dir", metavar="DIR", envvar="TIKITAKA_DATA", help="Folder of data sets (TIKITAKA_DATA).")
@click.option("--rule", type=click.Choice(list(rules)), help="Training rule.")
@click.option("--periphery", type=click.Choice(["ideal", "full"]), help="Exact products, or converters and noise.")
@click.option("--mvm-noise", type=click.FloatRange(min=0), help="Output noise of all products; above 0 implies full.")
@click.option("--epochs", type=click.IntRange(min=1), help="Passes over the training data.")
@click.option("--batch", type=click.IntRange(min=1), help="Examples per mini-batch.")
@click.option("--sequence", type=click.IntRange(min=1), metavar="N", help="Characters per sequence, of a text.")
@click.option("--schedule", type=click.Choice(list(schedules)), help="Learning-rate schedule.")
@click.option("--average-from", type=click.IntRange(min=1), metavar="EPOCH", help="Average from this epoch on.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Seed of all randomness.")
@click.option("--examples", type=click.IntRange(min=1), metavar="N", help="Train on the first N examples.")
@click.option("--holdout", type=click.IntRange(min=1), metavar="N", help="Test on the last N training examples.")
@click.option("--out", type=click.Path(path_type=Path), metavar="RUN", help="Folder to keep the run in.")
@click.option("--force", is_flag=True, help="Replace a run that is in RUN.")
@click.option("--print-config", is_flag=True, help="Print the whole config as TOML and stop.")
@common_options
@rule_options
def train(
    config_file: Path | None,
    data_dir: str | None,
    out: Path | None,
    force: bool,
    print_config: bool,
    threads: int,
    as_json: bool,
    **given: Any,
) -> None:
    """Train a network; flags override CONFIG.toml, which overrides the settings that come with the network."""
    values = {} if config_file is None else read_toml(config_file)
    if given["net"] is not None:  # before all else: it brings the defaults of the others
        values["net"] = given["net"]
    config = apply_flags(TrainConfig.from_dict(values), given)
    if print_config:
        click.echo(config.to_toml(), nl=False)
        return
    dataset = config.dataset(data_dir)
    network = config.network(dataset.inputs, dataset.classes)
    check(network, dataset, batch=config.batch)
    run = None if out is None else Run.create(out, config, force=force)
    summary = _train(config, network, dataset, run, threads)
    if as_json:
        print_json(summary)
    else:
        click.echo(_text(summary, out))


def _train(config: TrainConfig, network: Network, dataset: Dataset, run: Run | None, threads: int) -> dict[str, Any]:
    start = time.perf_counter()

    def log(metrics: Metrics) -> None:
        if run is not None:
            run.log(metrics)
            run.checkpoint(network, epoch=metrics.epoch, vocabulary=dataset.vocabulary)

    with signals() as seen:
        try:
            if run is not None:
                run.checkpoint(network, epoch=0, vocabulary=dataset.vocabulary)
            history = fit(
                network,
                dataset,
                epochs=config.epochs,
                batch=config.batch,
                schedule=config.schedule,
                average_from=config.average_from,
                threads=threads,
                on_epoch=log,
                stop=lambda: bool(seen),
            )
            summary = summarize(config, network, dataset, history, seconds=time.perf_counter() - start, threads=threads)
            if run is not None:
                run.finish(summary)
        except Stopped as stopped:
            if run is not None:
                at = {"epoch": stopped.epoch - 1, "position": stopped.position}
                run.checkpoint(network, **at, vocabulary=dataset.vocabulary)
            raise Signalled(seen[0], f"{stopped}{f'; checkpoint in {run.path}' if run else ''}") from None
        except (ArithmeticError, ValueError, TypeError, OSError) as error:
            raise Failed(str(error)) from error
    return summary


def _text(summary: dict[str, Any], out: Path | None) -> str:
    samples = "characters" if nets[summary["config"]["net"]].text else "samples"
    error = {name: percent(summary[f"{name}test_error"]) for name in ("", "last_read_", "average_")}
    loss = {name: nats(summary[f"{name}test_loss"]) for name in error}
    lines = [
        f"test error          {error['']}, loss {loss['']}  (the hardware as it stands)",
        f"of one read         {error['last_read_']}, loss {loss['last_read_']}  (last weights, exact arithmetic)",
        f"of the average      {error['average_']}, loss {loss['average_']}  (averaged reads, exact arithmetic)",
        f"train loss          {nats(summary['train_loss'])}",
        f"speed               {summary['samples_per_second']:,.0f} {samples}/s, {summary['threads']} threads",
        f"pulses per sample   {summary['pulses_per_sample']:,.1f}",
        f"digest              {summary['digest']}",
    ]
    return "\n".join(lines if out is None else [*lines, f"kept in             {out}"])
