"""`tikitaka reproduce`: a command for each study."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from tikitaka._internal.shown import shown
from tikitaka.cli.output import check_kept, common_options, keep, print_json
from tikitaka.experiments.studies import registry
from tikitaka.experiments.study import Option, Study, locked_study

__all__ = ["reproduce"]


@click.group()
def reproduce() -> None:
    """Run a study and print its numbers."""


def _command(study: Study) -> click.Command:
    @common_options
    def run(out: Path | None, threads: int, as_json: bool, **settings: Any) -> None:
        if out is None:
            result = study.run(out=None, threads=threads, **settings)
        else:
            with locked_study(out):
                check_kept(out, study.name)
                result = study.run(out=out, threads=threads, **settings)
                keep(result, out)
                if study.has_figure and find_spec("matplotlib") is not None:
                    study.plot(result, out / f"{study.name}.png")
        if as_json:
            print_json(result)
        else:
            click.echo(study.table(result))

    for option in reversed([*map(_option, study.options), *_common(study)]):
        run = option(run)
    return click.command(study.name, help=study.question)(run)


def _option(option: Option) -> Callable[[Any], Any]:
    """The flag of an option of a study."""
    settings: dict[str, Any] = {"default": option.default, "show_default": option.default is not None}
    if option.kind in ("names", "numbers"):
        split = _names if option.kind == "names" else _numbers
        settings |= {"default": ",".join(map(str, option.default)), "metavar": "LIST", "callback": split}
    elif option.kind == "folder":
        settings |= {"metavar": "DIR", "envvar": option.environment}
    elif option.choices:
        settings |= {"type": click.Choice(option.choices)}
    else:
        settings |= {"metavar": "NAME"}
    return click.option(f"--{option.name.replace('_', '-')}", option.name, help=option.help, **settings)


def _common(study: Study) -> list[Callable[[Any], Any]]:
    """The flags of every study."""
    files = [*(["trainings"] if study.resumable else []), f"{study.name}.json"]
    keeps = f"Keeps {' and '.join(files)}"
    if study.has_figure:
        keeps = f"Keeps {', '.join(files)} and, with matplotlib, {study.name}.png"
    keeps += "; an interrupted study continues there." if study.resumable else "."
    folder = click.Path(file_okay=False, path_type=Path)
    return [
        click.option("--seeds", type=click.IntRange(min=1), help=study.seeds_help),
        click.option("--scale", type=click.Choice(list(study.scales)), default="full", show_default=True, help="Size."),
        click.option("--out", type=folder, metavar="DIR", required=study.resumable, help=keeps),
    ]


def _names(_context: click.Context, _option: click.Parameter, text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def _numbers(_context: click.Context, _option: click.Parameter, text: str) -> list[float]:
    try:
        return [int(word) if word.strip().isdigit() else float(word) for word in text.split(",")]
    except ValueError:
        raise click.BadParameter(f"must be numbers separated by commas, not {shown(text)}") from None


for _study in registry.values():
    reproduce.add_command(_command(_study))
