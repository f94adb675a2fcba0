"""The flags of commands that train: what is trained, the config that they make, and the command that repeats it."""

from collections.abc import Callable, Container, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from tikitaka.cli.flags import apply_flags, training_options
from tikitaka.config import peripheries, read_toml
from tikitaka.training import TrainConfig

__all__ = ["config_of", "config_options", "given_arguments"]

F = TypeVar("F", bound=Callable[..., Any])


def config_options(command: F) -> F:
    """Give a click command the file and the flags of a `TrainConfig`, and the folder of data sets."""
    for option in (
        click.option(
            "--mvm-noise", type=click.FloatRange(min=0), help="Output noise of all products; above 0 implies full."
        ),
        click.option(
            "--periphery", type=click.Choice(list(peripheries)), help="Exact products, or converters and noise."
        ),
        click.option("--data-dir", metavar="DIR", envvar="TIKITAKA_DATA", help="Folder of data sets (TIKITAKA_DATA)."),
        training_options,
        click.argument("config_file", metavar="[CONFIG.toml]", required=False, type=click.Path(path_type=Path)),
    ):
        command = option(command)
    return command


def config_of(config_file: Path | None, flags: Mapping[str, Any]) -> TrainConfig:
    """The config of a file, if any, with the `flags` instead of its own values."""
    values = {} if config_file is None else read_toml(config_file)
    for name in ("net", "batch"):  # first, because they determine the defaults of the others
        if flags.get(name) is not None:
            values[name] = flags[name]
    return apply_flags(TrainConfig.from_dict(values), flags)


def given_arguments(context: click.Context, without: Container[str]) -> list[str]:
    """The arguments that the command line of `context` gives, except for parameters `without`."""
    words: list[str] = []
    for parameter in context.command.params:
        name = str(parameter.name)
        explicit = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if not explicit or name in without:
            continue
        value = context.params[name]
        if not isinstance(parameter, click.Option):
            words.append(str(value))
        elif parameter.is_flag:
            words.append((parameter.opts if value else parameter.secondary_opts)[0])
        else:
            for each in value if parameter.multiple else [value]:
                words += [parameter.opts[0], ",".join(map(str, each)) if isinstance(each, list) else str(each)]
    return words
