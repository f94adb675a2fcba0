"""`tikitaka evaluate` and `tikitaka predict`: what a trained network or an extracted model does."""

from collections.abc import Callable
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, TypeVar, get_args

import click

from tikitaka import extract
from tikitaka.cli.output import common_options, percent, print_json
from tikitaka.config import Periphery, from_dict, to_dict
from tikitaka.data import Dataset, load
from tikitaka.deploy import Chip, Method, origin
from tikitaka.model import Model
from tikitaka.network import Network
from tikitaka.run import Run

__all__ = ["evaluate", "predict"]

F = TypeVar("F", bound=Callable[..., Any])


def _open(path: Path, data: str | None, data_dir: str | None) -> tuple[Network | Model, Dataset]:
    """The network of a RUN folder or the model of a file, with the data set named or else that of its training."""
    used: Network | Model
    trained_on: str | None
    if path.is_dir():
        run = Run.open(path)
        used, trained_on = run.network(), run.config.data
    elif path.exists():
        used = Model.load(path)
        trained_on = used.metadata.get("data")
    else:
        raise FileNotFoundError(f"{path}: no such RUN folder or model file")
    name = trained_on if data is None else data
    if name is None:
        raise ValueError(f"{path} does not say what data it was trained on: give --data")
    dataset = load(name, data_dir)
    if used.inputs != dataset.inputs:
        raise ValueError(f"{dataset.name} has {dataset.inputs} pixels per image, the network {used.inputs} inputs")
    return used, dataset


_path = click.argument("path", metavar="RUN_OR_FILE", type=click.Path(path_type=Path))
_data = click.option("--data", metavar="NAME", help="Data set (default: the one it was trained on).")
_data_dir = click.option(
    "--data-dir", metavar="DIR", envvar="TIKITAKA_DATA", help="Folder of data sets (TIKITAKA_DATA)."
)
_examples = click.option("--examples", type=click.IntRange(min=1), metavar="N", help="The first N test examples only.")


def _target_options(command: F) -> F:
    for option in reversed(
        (
            click.option("--bits", type=click.IntRange(2, 24), multiple=True, help="Also quantised to so many bits."),
            click.option(
                "--target-error",
                type=click.FloatRange(0, 1),
                metavar="E",
                help="Also on chips, programmed with this error (0.05: 5 %).",
            ),
            click.option("--target-method", type=click.Choice(get_args(Method)), help="How chips are programmed."),
            click.option("--target-max-pulses", type=click.IntRange(1, 10**6), default=1000, help="Per device."),
            click.option("--target-states", type=float, help="States of the devices (default: as trained on)."),
            click.option("--target-periphery", type=click.Choice(["ideal", "full"]), help="(default: as trained on)"),
            click.option("--target-chips", type=click.IntRange(min=1), default=3, help="Number of chips (3)."),
            click.option("--target-seed", type=click.IntRange(0, 2**62), default=0, help="Number of the first chip."),
        )
    ):
        command = option(command)
    return command


@click.command()
@_path
@_data
@_data_dir
@_examples
@_target_options
@common_options
def evaluate(
    path: Path,
    data: str | None,
    data_dir: str | None,
    examples: int | None,
    bits: tuple[int, ...],
    threads: int,
    as_json: bool,
    **target: Any,
) -> None:
    """Test error of a RUN or of a model FILE: as it is, quantised, and on analog chips.

    Of a RUN: the hardware as it stands, its last weights read once, and their average. With --target-error or
    --target-method also on chips of new devices; the error is a fraction of the range of the devices.
    """
    used, dataset = _open(path, data, data_dir)
    if dataset.classes > used.outputs:
        raise ValueError(f"{dataset.name} has {dataset.classes} classes, the network {used.outputs} outputs")
    x, y = dataset.test_x[:examples], dataset.test_y[:examples]

    def error(of: Network | Model) -> float:
        return of.evaluate(x, y, threads=threads).error

    if isinstance(used, Network):  # of a finished RUN: the noise of its last epoch, so that its own number comes out
        test = used.evaluate(x, y, draw=Run.open(path).config.epochs, threads=threads)
    else:
        test = used.evaluate(x, y, threads=threads)
    models: dict[str, Model | None] = {"": used} if isinstance(used, Model) else {}
    if isinstance(used, Network):
        models = {"last_read_": extract.last_read(used), "average_": extract.average(used)}
    result: dict[str, Any] = {
        "test_error": test.error,
        **{f"{name}test_error": model and error(model) for name, model in models.items()},
        "test_loss": test.loss,
        "examples": len(y),
        "data": dataset.name,
    }
    if bits:
        result["quantised"] = [
            {"bits": b, **{f"{name}test_error": m and error(m.quantised(b)) for name, m in models.items()}}
            for b in bits
        ]
    programming = _programming(**target)
    if programming is not None:
        made = {name: model and _chips(model, **programming) for name, model in models.items()}
        on_chips = {name: [error(chip.network) for chip in chips] for name, chips in made.items() if chips}
        result["target"] = {
            "method": programming["method"],
            "error": programming["error"],
            "chips": len(programming["seeds"]),
            **{f"{name}test_error": fmean(on_chips[name]) if name in on_chips else None for name in models},
            **{f"{name}spread": stdev(all_) if len(all_) > 1 else 0.0 for name, all_ in on_chips.items()},
            **{f"{name}missed": fmean(c.missed_share for c in chips) for name, chips in made.items() if chips},
        }
    if as_json:
        print_json(result)
    else:
        click.echo("\n".join(_lines(result, isinstance(used, Network))))


def _programming(
    *,
    target_error: float | None,
    target_method: str | None,
    target_max_pulses: int,
    target_states: float | None,
    target_periphery: str | None,
    target_chips: int,
    target_seed: int,
) -> dict[str, Any] | None:
    """How chips are to be programmed; None when no chip is asked for."""
    method = target_method or ("exact" if target_error is None else "error")
    if target_error is None and target_method is None:
        if target_states is not None or target_periphery is not None:
            raise ValueError("the other --target options need --target-error or --target-method")
        return None
    if method == "error" and target_error is None:
        raise ValueError("--target-method error needs --target-error")
    return {
        "method": method,
        "error": target_error or 0.0,
        "max_pulses": target_max_pulses,
        "states": target_states,
        "periphery": target_periphery,
        "seeds": range(target_seed, target_seed + target_chips),
    }


def _chips(model: Model, *, states: float | None, periphery: str | None, seeds: range, **method: Any) -> list[Chip]:
    device, circuits = origin(model)
    if states is not None:
        device = from_dict(type(device), to_dict(device) | {"states": states, "step": None})
    if periphery is not None:
        circuits = Periphery.full() if periphery == "full" else Periphery.ideal()
    return [model.program(device=device, periphery=circuits, seed=seed, **method) for seed in seeds]


def _lines(result: dict[str, Any], of_run: bool) -> list[str]:
    rows = {"last_read_": "of one read", "average_": "of the average"} if of_run else {"": "of the model"}
    first = f"{percent(result['test_error'])} of {result['examples']:,} examples"
    lines = [f"{'test error':<17}{first} ({'the hardware as it stands' if of_run else 'exact arithmetic'})"]
    for name, words in rows.items():
        if of_run:
            lines.append(f"{words:<17}{percent(result[f'{name}test_error'])} (exact arithmetic)")
        for each in result.get("quantised", ()):
            lines.append(f"{words:<17}{percent(each[f'{name}test_error'])} ({each['bits']} bits)")
        on = result.get("target")
        if on is not None and f"{name}spread" in on:
            how = on["method"] + (f" {100 * on['error']:g} %" if on["method"] == "error" else "")
            lines.append(
                f"{words:<17}{percent(on[f'{name}test_error'])} ± {percent(on[f'{name}spread'])} "
                f"({on['chips']} chips, programmed: {how}; {percent(on[f'{name}missed'])} off by over a step)"
            )
    return lines


@click.command()
@_path
@_data
@_data_dir
@_examples
@click.option("--distribution", is_flag=True, help="Probability of every class instead of the most likely class.")
@common_options
def predict(
    path: Path,
    data: str | None,
    data_dir: str | None,
    examples: int | None,
    distribution: bool,
    threads: int,
    as_json: bool,
) -> None:
    """Class of each test example, one per line, as the hardware of a RUN or the model in a FILE gives it."""
    used, dataset = _open(path, data, data_dir)
    x = dataset.test_x[:examples]
    if distribution:
        rows = used.probabilities(x, threads=threads).astype(float).round(6).tolist()
        lines = [" ".join(f"{p:.6f}" for p in row) for row in rows]
    else:
        rows = used.predict(x, threads=threads).tolist()
        lines = [str(c) for c in rows]
    if as_json:
        print_json({"probabilities" if distribution else "classes": rows, "data": dataset.name})
    else:
        click.echo("\n".join(lines))
