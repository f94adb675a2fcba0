"""`tikitaka train`."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from tikitaka.cli.configured import config_of, config_options
from tikitaka.cli.flags import rule_options
from tikitaka.cli.output import Failed, Signalled, common_options, nats, percent, print_json, signals
from tikitaka.data import Dataset
from tikitaka.network import Network
from tikitaka.nn import nets
from tikitaka.training import Run, Stopped, TrainConfig
from tikitaka.training.examples import check_examples
from tikitaka.training.guards import check_trainable
from tikitaka.training.session import train as train_all

__all__ = ["train"]

_WITH_RESUME = {"resume", "threads", "data_dir", "as_json", "checkpoint_epochs", "checkpoint_minutes"}
_PLAN = {"epochs", "schedule", "average_from"}  # also with --resume, for more epochs


@click.command(context_settings={"max_content_width": 120})
@config_options
@click.option("--out", type=click.Path(path_type=Path), metavar="RUN", help="Folder to keep the run in.")
@click.option("--force", is_flag=True, help="Replace a run that is in RUN.")
@click.option(
    "--resume",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Continue RUN from its last checkpoint, to the end or, with --epochs N, for N epochs in all; "
    "only with --threads, --data-dir, --json, --checkpoint-….",
)
@click.option(
    "--checkpoint-epochs", type=click.IntRange(min=1), default=1, metavar="N", help="A checkpoint every N epochs (1)."
)
@click.option(
    "--checkpoint-minutes",
    type=click.FloatRange(min=0),
    default=10.0,
    metavar="M",
    help="Also when the last is M minutes old (10).",
)
@click.option("--print-config", is_flag=True, help="Print the complete config as TOML and exit.")
@common_options
@rule_options
def train(
    config_file: Path | None,
    data_dir: str | None,
    out: Path | None,
    force: bool,
    resume: Path | None,
    print_config: bool,
    as_json: bool,
    **flags: Any,
) -> None:
    """Train a network; flags override CONFIG.toml, which overrides the settings that come with the network."""
    how = {name: flags.pop(name) for name in ("threads", "checkpoint_epochs", "checkpoint_minutes")}
    if resume is not None:
        _refuse_others(click.get_current_context())
        run = Run.open(resume)
        if flags["epochs"] is not None:
            run.config.dataset(data_dir)  # before any file changes
            run.extend(flags["epochs"], schedule=flags["schedule"], average_from=flags["average_from"])
        _print(_resumed(run, data_dir, how), resume, as_json)
        return
    config = config_of(config_file, flags)
    if print_config:
        click.echo(config.to_toml(), nl=False)
        return
    dataset = config.dataset(data_dir)
    network = config.network(dataset)
    check_trainable(network, dataset, batch=config.batch)
    check_examples(network, dataset)
    if out is None:
        summary = _trained(config, network, dataset, None, how)
    else:
        with Run(out, config).locked():
            summary = _trained(config, network, dataset, Run.create(out, config, force=force), how)
    _print(summary, out, as_json)


def _refuse_others(context: click.Context) -> None:
    """Raise ValueError for any setting on the command line that a resumed run already has."""
    allowed = _WITH_RESUME | (_PLAN if context.params["epochs"] is not None else set())
    for parameter in context.command.params:
        explicit = context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
        if explicit and parameter.name not in allowed:
            name = parameter.opts[0] if isinstance(parameter, click.Option) else "CONFIG.toml"
            raise ValueError(f"{name} cannot be given with --resume: the run continues with its own settings")


def _resumed(run: Run, data_dir: str | None, how: dict[str, Any]) -> dict[str, Any]:
    """The summary of an earlier run, which is completed first if necessary."""
    if (summary := run.finished()) is not None:
        return summary
    dataset = run.config.dataset(data_dir)
    with run.locked():
        network, start = run.prepare(dataset)
        return _trained(run.config, network, dataset, run, {**how, "start": start})


def _trained(
    config: TrainConfig, network: Network, dataset: Dataset, run: Run | None, how: dict[str, Any]
) -> dict[str, Any]:
    with signals() as received:
        try:
            return train_all(config, network, dataset, run=run, stop=lambda: bool(received), **how)
        except Stopped as stopped:
            raise Signalled(received[0], f"{stopped}{f'; checkpoint in {run.path}' if run else ''}") from None
        except (ArithmeticError, ValueError, TypeError, OSError) as error:
            raise Failed(str(error)) from error


def _print(summary: dict[str, Any], run: Path | None, as_json: bool) -> None:
    if as_json:
        print_json(summary)
    else:
        click.echo(_text(summary, run))


def _text(summary: dict[str, Any], out: Path | None) -> str:
    config = summary["config"]
    samples = "characters" if nets[config["net"]].text else "samples"
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
    if summary["epochs"] < config["epochs"]:
        lines.append(f"epochs              {summary['epochs']} of {config['epochs']}, ended by --patience")
    return "\n".join(lines if out is None else [*lines, f"kept in             {out}"])
