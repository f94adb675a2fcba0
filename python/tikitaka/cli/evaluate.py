"""`tikitaka evaluate`: test errors of a trained network or an extracted model."""

from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any, TypeVar, get_args

import click

from tikitaka._internal.statistics import plus_minus, standard_deviation
from tikitaka.cli.output import common_options, nats, percent, print_json
from tikitaka.cli.source import open_source, source_options
from tikitaka.config import from_dict, over, peripheries, to_dict
from tikitaka.deployment import Chip, Method, origin, program
from tikitaka.model import Model, extract
from tikitaka.network import Network
from tikitaka.score import Score

__all__ = ["evaluate"]

F = TypeVar("F", bound=Callable[..., Any])


def _target_options(command: F) -> F:
    for option in reversed(
        (
            click.option("--bits", type=click.IntRange(2, 24), multiple=True, metavar="N", help="Also quantised."),
            click.option(
                "--target-error",
                type=click.FloatRange(0, 1),
                metavar="E",
                help="Also on chips, programmed with this error (0.05: 5 % of the range).",
            ),
            click.option("--target-method", type=click.Choice(get_args(Method)), help="How chips are programmed."),
            click.option("--target-max-pulses", type=click.IntRange(1, 10**6), default=1000, help="Per device."),
            click.option("--target-states", type=float, help="States of the devices (default: as trained on)."),
            click.option("--target-periphery", type=click.Choice(list(peripheries)), help="(default: as trained on)"),
            click.option("--target-chips", type=click.IntRange(min=1), default=3, help="Number of chips (3)."),
            click.option("--target-seed", type=click.IntRange(0, 2**62), default=0, help="Number of the first chip."),
        )
    ):
        command = option(command)
    return command


@click.command()
@source_options
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

    Of a RUN: the hardware as it stands, its last weights read once, and their average. Of a text, the error is the
    share of wrong next characters, and losses are in nats per character. With --target-error or
    --target-method also on chips of new devices; the error is a fraction of the range of the devices.
    """
    programming = _programming(**target)
    source = open_source(path)
    predictor, dataset = source.predictor, source.dataset(data, data_dir)
    if dataset.classes > predictor.outputs:
        raise ValueError(
            f"{dataset.name} must have at most {predictor.outputs} classes for this network, not {dataset.classes}"
        )
    x, y = dataset.test_x[:examples], dataset.test_y[:examples]

    def error(candidate: Network | Model) -> float:
        return candidate.evaluate(x, y, threads=threads).error

    models: dict[str, Model | None]
    scores: dict[str, Score | None] = {}
    if isinstance(predictor, Network):
        models = {"last_read_": extract.last_read(predictor), "average_": extract.average(predictor)}
    else:
        models = {"": predictor}
    if programming is not None:  # before any evaluation
        targets = {name: model and _target(model, programming) for name, model in models.items()}
    if isinstance(predictor, Network):  # with the noise of the last epoch, which reproduces the RUN's own error
        scores[""] = predictor.evaluate(x, y, draw=source.epochs, threads=threads)
    for name, model in models.items():
        scores[name] = None if model is None else model.evaluate(x, y, threads=threads)
    result: dict[str, Any] = {
        **{f"{name}test_error": score and score.error for name, score in scores.items()},
        **{f"{name}test_loss": score and score.loss for name, score in scores.items()},
        "examples": len(y),
        "data": dataset.name,
    }
    if bits:
        result["quantised"] = [
            {"bits": b, **{f"{name}test_error": m and error(m.quantised(b)) for name, m in models.items()}}
            for b in bits
        ]
    if programming is not None:
        chips_by_model = {name: model and _chips(model, targets[name], **programming) for name, model in models.items()}
        on_chips = {name: [error(chip.network) for chip in chips] for name, chips in chips_by_model.items() if chips}
        result["target"] = {
            "method": programming["method"],
            "error": programming["error_share"],
            "chips": len(programming["seeds"]),
            **{f"{name}test_error": fmean(on_chips[name]) if name in on_chips else None for name in models},
            **{f"{name}spread": standard_deviation(errors) for name, errors in on_chips.items()},
            **{
                f"{name}missed": fmean(c.missed_share for c in chips) for name, chips in chips_by_model.items() if chips
            },
        }
    if as_json:
        print_json(result)
    else:
        samples = "examples" if dataset.vocabulary is None else "characters"
        click.echo("\n".join(_lines(result, isinstance(predictor, Network), f"{y.size:,} {samples}")))


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
    """The settings for programming chips; None if no chips are requested."""
    method = target_method or ("exact" if target_error is None else "error")
    if target_error is None and target_method is None:
        if target_states is not None or target_periphery is not None:
            raise ValueError("the other --target options need --target-error or --target-method")
        return None
    if method == "error" and target_error is None:
        raise ValueError("--target-method error needs --target-error")
    if method != "error" and target_error:
        raise ValueError(f"--target-error {target_error:g} belongs to --target-method error, not {method}")
    return {
        "method": method,
        "error_share": target_error or 0.0,
        "max_pulses": target_max_pulses,
        "states": target_states,
        "periphery": target_periphery,
        "seeds": range(target_seed, target_seed + target_chips),
    }


def _target(model: Model, programming: dict[str, Any]) -> dict[str, Any]:
    """The devices and periphery of the chips for `model`, as arguments of `program`."""
    device, circuits = origin(model)
    if programming["states"] is not None:
        states = {"states": programming["states"]}
        each = device if isinstance(device, tuple) else (device,)
        changed = [from_dict(type(one), over(to_dict(one), states)) for one in each]
        device = changed[0] if len(changed) == 1 else tuple(changed)
    if programming["periphery"] is not None:
        circuits = peripheries[programming["periphery"]]
    return {"device": device, "periphery": circuits}


def _chips(
    model: Model, target: Any, *, method: Method, error_share: float, max_pulses: int, seeds: range, **_: Any
) -> list[Chip]:
    how: Any = {"method": method, "error_share": error_share, "max_pulses": max_pulses}
    return [program(model, **target, seed=seed, **how) for seed in seeds]


def _lines(result: dict[str, Any], of_run: bool, samples: str) -> list[str]:
    rows = {"last_read_": "of one read", "average_": "of the average"} if of_run else {"": "of the model"}
    first = f"{percent(result['test_error'])} of {samples}, loss {nats(result['test_loss'])}"
    lines = [f"{'test error':<17}{first} ({'the hardware as it stands' if of_run else 'exact arithmetic'})"]
    for name, words in rows.items():
        if of_run:
            loss = nats(result[f"{name}test_loss"])
            lines.append(f"{words:<17}{percent(result[f'{name}test_error'])}, loss {loss} (exact arithmetic)")
        for entry in result.get("quantised", ()):
            lines.append(f"{words:<17}{percent(entry[f'{name}test_error'])} ({entry['bits']} bits)")
        target = result.get("target")
        if target is not None and f"{name}spread" in target:
            deviation = target[f"{name}spread"]
            how = target["method"] + (f" {100 * target['error']:g} %" if target["method"] == "error" else "")
            error = plus_minus(100 * target[f"{name}test_error"], deviation and 100 * deviation)
            lines.append(
                f"{words:<17}{error} % "
                f"({target['chips']} chips, programmed: {how}; {percent(target[f'{name}missed'])} off by over a step)"
            )
    return lines
