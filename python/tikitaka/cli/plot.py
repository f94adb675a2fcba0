"""`tikitaka plot`: figures of trainings, results and devices."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from tikitaka import experiments
from tikitaka import plot as figures
from tikitaka._internal.shown import shown
from tikitaka._internal.text import decoded
from tikitaka.cli.flags import DeviceName, rule_flags
from tikitaka.cli.output import Failed
from tikitaka.config import Device, devices, from_dict, over, read_toml, to_dict
from tikitaka.config.device_name import device_named
from tikitaka.nn import nets
from tikitaka.training import Run, TrainConfig

__all__ = ["plot"]

F = TypeVar("F", bound=Callable[..., Any])

KINDS = ("curves", "claim", "histograms", "responses")
# fields of devices, with the flags of `tikitaka train`
_FIELDS = {key: flag for key, flag in rule_flags().items() if flag.path[0] == "device" and flag.path[-1] != "kind"}


def _device_options(command: F) -> F:
    for key, flag in reversed(_FIELDS.items()):
        command = click.option(f"--{flag.name}", key, type=flag.type, help=f"{flag.doc}  [responses]")(command)
    return command


@click.command(context_settings={"max_content_width": 120})
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--out",
    metavar="FILE.png",
    required=True,
    type=click.Path(path_type=Path),
    help="The picture to write; an existing one is replaced.",
)
@click.option("--kind", type=click.Choice(KINDS), help="The figure (default: chosen by PATH).")
@click.option(
    "--line",
    "lines",
    metavar="NAME=LOSS",
    multiple=True,
    help="A loss to compare with, as a horizontal line; repeatable.  [curves]",
)
@click.option(
    "--device",
    type=DeviceName(),
    help="Draw the responses of these devices, a model, a preset or a file; the flags below override it.  [responses]",
)
@click.option(
    "--devices", "number", type=click.IntRange(1, 20), default=5, show_default=True, help="Devices drawn.  [responses]"
)
@click.option("--pulses", type=click.IntRange(1, 1_000_000), help="Pulses up, and the same number down.  [responses]")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    default=0,
    show_default=True,
    help="Seed of devices and noise.  [responses]",
)
@_device_options
def plot(
    paths: tuple[Path, ...],
    out: Path,
    kind: str | None,
    lines: tuple[str, ...],
    device: str | None,
    number: int,
    pulses: int | None,
    seed: int,
    **fields: Any,
) -> None:
    """A figure as a picture: .png, .svg or .pdf (needs the extra `plot`).

    \b
    RUN...                     curves: test loss and test error after every epoch
    RESULT.json                claim: a result of `tikitaka reproduce`, as its --out or --json gives it
    RUN --kind histograms      histograms: weights, and symmetry points of A, at the last checkpoint
    --device NAME --states 20  responses: weights of these devices under pulses up, then down
    CONFIG.toml                the same for the devices of its rule (those of A); also RUN --kind responses
    """
    figures.check_picture(out)
    given = {key: value for key, value in fields.items() if value is not None}
    if kind is None:
        kind = _kind(paths, bool(device or given))
    if kind != "curves" and lines:
        raise ValueError(f"--line needs --kind curves, not {kind}")
    if kind != "responses" and (device or given or pulses):
        raise ValueError(f"settings of devices need --kind responses, not {kind}")
    try:
        if kind == "curves":
            _curves(paths, out, lines)
        elif kind == "claim":
            experiments.draw(_result(_one(paths, "RESULT.json")), out)
        elif kind == "histograms":
            figures.histograms(Run.open(_one(paths, "RUN")), out)
        else:
            figures.responses(_device(paths, device, given), out, devices=number, pulses=pulses, seed=seed)
    except ModuleNotFoundError as error:
        raise Failed("plots need matplotlib: pip install 'tikitaka[plot]'") from error


def _kind(paths: tuple[Path, ...], device: bool) -> str:
    endings = {path.suffix for path in paths}
    if ".json" in endings:
        return "claim"
    return "responses" if device or ".toml" in endings else "curves"


def _one(paths: tuple[Path, ...], what: str) -> Path:
    if len(paths) != 1:
        raise ValueError(f"this figure takes one {what}, not {len(paths)}")
    return paths[0]


def _curves(paths: tuple[Path, ...], out: Path, lines: tuple[str, ...]) -> None:
    if not paths:
        raise ValueError("give a RUN or several, a RESULT.json, a CONFIG.toml or --device")
    given = dict(_line(line) for line in lines)
    runs = {path.resolve().name: Run.open(path) for path in paths}
    if len(runs) < len(paths):
        raise ValueError("the RUN folders must have different names, which label the curves")
    kinds = {nets[run.config.net].text for run in runs.values()}
    if len(kinds) > 1:
        raise ValueError("one picture must not contain both runs on images and runs on texts")
    figures.curves({name: run.metrics() for name, run in runs.items()}, out, text=kinds.pop(), lines=given)


def _result(path: Path) -> dict[str, Any]:
    try:
        result = json.loads(decoded(path.read_bytes()))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error}") from error
    if not isinstance(result, dict) or "claim" not in result:
        raise ValueError(f"{path} is not a result of `tikitaka reproduce`: it has no claim")
    return result


def _device(paths: tuple[Path, ...], name: str | None, fields: dict[str, Any]) -> Device:
    """The device of a RUN or CONFIG.toml, or of a name, with `fields` instead of its own."""
    if paths and name:
        raise ValueError(f"give --device or a path, not both: {name} and {paths[0]}")
    if paths:
        path = _one(paths, "RUN or CONFIG.toml")
        config = Run.open(path).config if path.is_dir() else TrainConfig.from_dict(read_toml(path))
        if not hasattr(config.rule, "device"):
            raise ValueError(f"{path}: the rule float has no devices")
        values = to_dict(config.rule.device)
    else:
        values = to_dict(device_named(name or "soft-bounds"))
    for key in fields:
        if _FIELDS[key].path[-1] not in values:
            raise ValueError(f"--{_FIELDS[key].name} is not a setting of {values['kind']} devices")
    given = {_FIELDS[key].path[-1]: value for key, value in fields.items()}
    return from_dict(devices[values["kind"]], over(values, given))


def _line(text: str) -> tuple[str, float]:
    name, equals, loss = text.rpartition("=")
    try:
        if equals and name and 0 < float(loss) < math.inf:
            return name, float(loss)
    except ValueError:
        pass
    raise ValueError(f"--line must be NAME=LOSS with a loss above 0, not {shown(text)}")
