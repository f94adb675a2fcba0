"""`tikitaka tune`: the best learning rates for a training."""

import shlex
import signal
from pathlib import Path
from typing import Any

import click

from tikitaka._internal.atomic_write import atomic_write
from tikitaka._internal.lock import locked
from tikitaka.cli.configured import config_of, config_options, given_arguments
from tikitaka.cli.flags import rule_options
from tikitaka.cli.output import Signalled, common_options, print_json
from tikitaka.experiments.tuned import Tuned
from tikitaka.experiments.tuning import tune as tuned_by

__all__ = ["tune"]

_OWN = {"held_out", "finalists", "seeds", "first_epochs", "out", "save", "force", "as_json"}


@click.command(context_settings={"max_content_width": 120})
@config_options
@click.option(
    "--held-out", type=click.IntRange(min=1), metavar="N", help="The last N training examples judge (default: a sixth)."
)
@click.option(
    "--finalists",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="Rates that are compared again in trainings of full length; 1: none.",
)
@click.option(
    "--seeds", type=click.IntRange(1, 100), default=3, show_default=True, help="Seeds of these longer trainings."
)
@click.option("--first-epochs", type=click.IntRange(min=1), help="Epochs of the first round (default: a third).")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="File of the trainings; an interrupted search continues there.",
)
@click.option("--save", type=click.Path(path_type=Path), metavar="BEST.toml", help="Also write the best config.")
@click.option("--force", is_flag=True, help="Replace BEST.toml.")
@common_options
@rule_options
def tune(
    config_file: Path | None,
    data_dir: str | None,
    held_out: int | None,
    finalists: int,
    seeds: int,
    first_epochs: int | None,
    out: Path,
    save: Path | None,
    force: bool,
    threads: int,
    as_json: bool,
    **flags: Any,
) -> None:
    """Search the learning rates of a rule on held-out training examples; other flags are those of `tikitaka train`.

    \b
    Tries rates from a ninth to nine times the given one, and goes on where the best lies at the edge; then compares the
    best few in trainings of full length. Prints what was tried, and the `tikitaka train` command with the best rates.
    """
    config = config_of(config_file, flags)
    if save is not None and save.exists() and not force:
        raise FileExistsError(f"{save} exists already; --force replaces it")
    try:
        found = tuned_by(
            config,
            out=out,
            held_out=held_out,
            finalists=finalists,
            seeds=seeds,
            first_epochs=first_epochs,
            data_dir=data_dir,
            threads=threads,
        )
    except KeyboardInterrupt:
        raise Signalled(
            signal.SIGINT, f"stopped; the finished trainings are in {out}, and the same command continues"
        ) from None
    if save is not None:
        with locked(save):
            atomic_write(save, found.config.to_toml().encode())
    command = _command(click.get_current_context(), found, save)
    if as_json:
        print_json({**found.to_dict(), "command": command})
    else:
        click.echo(f"{found}\n\n{command}")


tune.params = [each for each in tune.params if each.name != "holdout"]  # --held-out takes its place


def _command(context: click.Context, found: Tuned, save: Path | None) -> str:
    """The command that trains with the best rates."""
    if save is not None:
        settings = {str(p.name) for p in context.command.params} - {"threads", "data_dir"}
        return shlex.join(["tikitaka", "train", str(save), *given_arguments(context, settings)])
    rates = [word for name, rate in found.rates.items() for word in (f"--{name.replace('_', '-')}", repr(rate))]
    return shlex.join(["tikitaka", "train", *given_arguments(context, {*_OWN, *found.rates}), *rates])
