"""The studies of tolerances: axes, a small complete study, and trainings that are given up."""

import inspect
import json
import math
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from support.commands import Command, text_and_json
from tikitaka import plot
from tikitaka.config import ConstantStep, DigitalSgd, SoftBounds, rules
from tikitaka.experiments import axis as axis_module
from tikitaka.experiments import draw, follow, learning_rates, measure, quality, studies, tolerance_study
from tikitaka.experiments.axis import SYMMETRIC, Panel
from tikitaka.experiments.follow import Followed
from tikitaka.experiments.grid import leaves
from tikitaka.experiments.measure import trained
from tikitaka.experiments.quality import quality_of
from tikitaka.experiments.studies import find, registry
from tikitaka.experiments.tolerance_study import ToleranceStudy
from tikitaka.training import Metrics, TrainConfig

STUDIES = {name: study for name, study in registry.items() if isinstance(study, ToleranceStudy)}

ANALOG = ", ".join(kind for kind in rules if kind != "float")

RULES = ("sgd", SYMMETRIC, "ttv1", "ttv2")

KINDS, DEVICES = {SYMMETRIC: "sgd"}, {SYMMETRIC: "constant-step"}


FALLING = {"states", "adc-bits", "retention", "tile-size", "wires"}  # less is harder


@pytest.mark.parametrize("claim", STUDIES)
@pytest.mark.parametrize("scale", tolerance_study.scales)
def test_an_axis_sets_its_field_and_nothing_else_differs_between_rules(claim: str, scale: str) -> None:
    axis = STUDIES[claim].axis
    assert set(axis.values) == set(axis.panels) == set(tolerance_study.scales)
    for panel in axis.panels[scale]:
        for value in axis.values[scale]:
            devices = set()
            for name in axis.names:
                for rule in learning_rates.candidates(KINDS.get(name, name), panel.states):
                    config = TrainConfig(rule=axis.rule(name, rule, panel, value))
                    assert dict(leaves(config.to_dict()))[axis.field] == value
                    devices.add((name == SYMMETRIC, json.dumps(asdict(config.rule)["device"])))
            assert len(devices) == 1 + (SYMMETRIC in axis.names), (
                "all rules get the same devices, but for SGD on symmetric ones"
            )


@pytest.mark.parametrize("claim", STUDIES)
def test_values_go_from_easy_to_hard(claim: str) -> None:
    axis = STUDIES[claim].axis
    for values in (*axis.values.values(), axis.text_values):
        assert list(values) == sorted(values, reverse=claim in FALLING)
        assert len(set(values)) == len(values) <= 8


def test_panels_choose_devices_and_the_form_of_their_noise() -> None:
    axis = STUDIES["update-noise"].axis
    rule: Any = axis.rule("ttv2", learning_rates.candidates("ttv2", 200)[0], Panel(200, "multiplicative"), 3)
    assert rule.device == SoftBounds(states=200, cycle_noise=3, noise="multiplicative")
    assert rule.slow_device is None
    rule = axis.rule(SYMMETRIC, learning_rates.candidates("sgd", 200)[0], Panel(200, "multiplicative"), 3)
    assert rule.device == ConstantStep(
        states=200, cycle_noise=3, noise="additive", step_spread=0.3, bound_spread=0.3, asymmetry=0.0
    )


def test_devices_of_ones_own_have_no_symmetric_ones_beside_them() -> None:
    axis = STUDIES["states"].axis
    assert axis.kinds(None, alone=False) == axis_module.CLAIMED
    assert axis.kinds(None, alone=True) == ("sgd", "ttv1", "ttv2", "agad")
    with pytest.raises(ValueError, match=r"rules must be among .*, not sgd-symmetric"):
        axis.kinds([SYMMETRIC], alone=True)
    assert SYMMETRIC not in STUDIES["reference"].axis.names


@pytest.mark.usefixtures("small")
def test_nothing_is_compared_where_float_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "_ERROR", replace(quality._ERROR, hard=5.0))
    with pytest.raises(
        ValueError, match=r"float has a test error of .* %: digits is too small or too hard to compare rules"
    ):
        find("states").run(data="digits", scale="quick", out=tmp_path, progress=False)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A study that takes seconds: two values, on the bundled digits."""
    tiny = tolerance_study.Scale(
        300, 2, 2, learning_rates.Search(100, 200, 1, finalists=2, final_examples=150, final_epochs=2)
    )
    monkeypatch.setitem(tolerance_study.scales, "quick", tiny)
    monkeypatch.setattr(quality, "_ERROR", replace(quality._ERROR, hard=100.0))
    axis = STUDIES["states"].axis
    monkeypatch.setattr(STUDIES["states"], "axis", replace(axis, values={**axis.values, "quick": (100, 10)}))


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_a_study_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = find("states").run(data="digits", scale="quick", out=tmp_path, rules=RULES, progress=False)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert [(row["rule"], row["value"]) for row in result["rows"]] == [
        (rule, states) for rule in RULES for states in (100, 10)
    ]
    lines = [json.loads(line) for line in (tmp_path / "cells.jsonl").read_text().splitlines()]
    for row in result["rows"]:
        of_row = [
            100 * line["test_error"]
            for line in lines
            if line["config"]["rule"]["kind"] == KINDS.get(row["rule"], row["rule"])
            and line["config"]["rule"].get("device", {}).get("kind") == DEVICES.get(row["rule"], "soft-bounds")
            and line["config"]["rule"]["device"]["states"] == row["value"]
        ]
        assert sorted(of_row) == sorted(row["each"])
        assert len(of_row) == row["seeds"]
    searched = [json.loads(line)["config"] for line in (tmp_path / "search.jsonl").read_text().splitlines()]
    assert len(searched) == 4 + 2 * (3 * 8 + 4) + 2 * 9
    assert {(config["seed"], config["holdout"]) for config in searched} == {(learning_rates.SEED, 200)}
    assert {config["holdout"] for config in (line["config"] for line in lines)} == {None}
    plot.claim(result, tmp_path / "states.png")

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("trained again")

    monkeypatch.setattr("tikitaka.experiments.measure.trained", never)
    assert find("states").run(data="digits", scale="quick", out=tmp_path, rules=RULES, progress=False) == result


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_the_command(tmp_path: Path, command: Command) -> None:
    args = ("reproduce", "states", "--scale", "quick", "--data", "digits", "--rules", "ttv1,ttv2", "--seeds", 1)
    words, result = text_and_json(command, *args, "--out", tmp_path)
    assert result == json.loads((tmp_path / "states.json").read_text())
    assert words.count("ttv2") >= 2
    assert "sgd" not in words
    assert (tmp_path / "states.png").stat().st_size > 1_000


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"scale": "huge"}, "scale must be one of quick, full, not 'huge'"),
        ({"rules": ["adam"]}, f"rules must be among {ANALOG}, sgd-symmetric, not adam"),
        ({"rules": []}, f"rules must be among {ANALOG}, sgd-symmetric, not none"),
        ({"rules": ["ttv2", "ttv2"]}, "rules must not contain a name twice, as in ttv2, ttv2"),
        ({"data": "digits", "scale": "quick"}, "examples must be from 1 to"),
        ({"seeds": 0}, "seeds must be at least 1, not 0"),
        ({"net": "vgg"}, "net must be one of"),
    ],
)
def test_studies_that_cannot_be(tmp_path: Path, given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        find("states").run(**{"out": tmp_path / "s", **given})
    assert not (tmp_path / "s").exists()


def test_a_training_without_hope_ends_early() -> None:
    config = TrainConfig(data="digits", examples=60, epochs=6, rule=learning_rates.candidates("sgd", 10)[0])
    measured = measure.scored(config)
    assert (measured["epochs"], measured["given_up"]) == (3, True)
    assert "given_up" not in trained(config)
    whole = measure.scored(replace(config, epochs=3))
    assert whole["epochs"] == 3
    assert "given_up" not in whole  # it was in its last epoch


@pytest.mark.parametrize(
    ("epoch", "error", "end"), [(2, 0.9, False), (3, 0.31, True), (3, 0.3, False), (9, 0.31, True)]
)
def test_what_is_without_hope(epoch: int, error: float, end: bool) -> None:
    assert quality_of("fcn").hopeless(Metrics(epoch, 1.0, 1.0, error, 1.0, error, 1.0, 0.0, 1.0)) is end


@pytest.mark.parametrize(("epoch", "loss", "end"), [(1, 4.0, False), (2, 2.71, True), (2, 2.7, False)])
def test_texts_are_without_hope_by_their_loss(epoch: int, loss: float, end: bool) -> None:
    assert quality_of("lstm").hopeless(Metrics(epoch, 1.0, loss, 0.9, 4.0, 0.9, 1.0, 0.0, 1.0)) is end


def test_texts_are_compared_by_their_loss() -> None:
    quality, row = quality_of("lstm"), {"test_error": 0.4, "test_loss": 1.5}
    assert (quality.key, quality.of(row), quality_of("lenet").of(row)) == ("loss", 1.5, 40.0)
    assert quality.of({"test_error": 1.0, "diverged": True}) == pytest.approx(math.log(90), abs=0.01)


def test_texts_choose_their_rates_by_the_loss() -> None:
    tried = {"a": learning_rates.candidates("float", 0, "lstm")}
    rows = [{"test_error": 0.5, "test_loss": loss} for loss in (2.0, 1.9, 2.1, 2.2)]
    found = learning_rates.searched(lambda _: rows, TrainConfig(net="lstm"), tried, learning_rates.Search(1, 1, 1))
    assert found["a"] == tried["a"][1]


def followed(errors: dict[float, list[float]], values: tuple[float, ...] = (1, 2, 3, 4, 5)) -> Followed:
    """A rule whose errors, by value and seed, are known."""

    def run(_: str, grid: Iterable[TrainConfig]) -> list[dict[str, Any]]:
        return [{"test_error": errors[config.rule.lr * 1000][config.seed] / 100} for config in grid]  # type: ignore[attr-defined]

    def tried(key: Any) -> list[Any]:
        return [DigitalSgd(lr=key[2] / 1000)]

    def searched(_run: Any, _base: Any, tried: dict[Any, list[Any]], _search: Any) -> dict[Any, Any]:
        return {key: rules[0] for key, rules in tried.items()}

    follow.learning_rates = SimpleNamespace(searched=searched)  # type: ignore[assignment]
    return Followed(run, TrainConfig(net="fcn"), learning_rates.Search(1, 1, 1), tried, quality_of("fcn"), values)


def test_a_rule_is_followed_until_it_fails_at_two_values_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "learning_rates", None)
    line = ("sgd", Panel())
    for errors, values in {
        (9, 9, 1, 1, 1): (1, 2),
        (1, 9, 1, 9, 9): (1, 2, 3, 4, 5),
        (1, 1, 9, 9, 1): (1, 2, 3, 4),
        (1, 1, 1, 1, 9): (1, 2, 3, 4, 5),
    }.items():
        each = followed({value: [error] for value, error in zip((1, 2, 3, 4, 5), errors, strict=True)})
        each.follow([line], 3.0)
        assert tuple(value for _, _, value in each.keys([line])) == values


def test_seeds_are_followed_beyond_where_the_first_one_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "learning_rates", None)
    line = ("sgd", Panel())
    each = followed({1: [1, 1], 2: [9, 1], 3: [9, 1], 4: [9, 9], 5: [9, 9]})
    each.follow([line], 3.0)
    each.decide([line], [3.0], 2)
    assert each.by_seed(line, 2) == [{1: 1, 2: 9, 3: 9}, {1: 1, 2: 1, 3: 1, 4: 9}]
    row = each.row(("sgd", Panel(), 2))
    assert (row["error_percent"], row["each"], row["seeds"]) == (5, [9, 1], 2)


@pytest.mark.slow
def test_a_study_of_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "text.txt").write_text("to be or not to be, that is\n" * 300)
    tiny = tolerance_study.Scale(20, 2, 2, learning_rates.Search(10, 10, 1))
    monkeypatch.setitem(tolerance_study.text_scales, "quick", tiny)
    monkeypatch.setattr(quality, "_LOSS", replace(quality._LOSS, hard=10.0))
    study = STUDIES["update-noise"]
    axis = replace(study.axis, values={"quick": (0.3, 3)}, panels={"quick": (Panel(20),)})
    result = ToleranceStudy(axis).run(
        net="lstm",
        scale="quick",
        data="text.txt",
        data_dir=tmp_path,
        rules=["sgd", "ttv2"],
        out=tmp_path / "out",
        progress=False,
    )
    assert result["measure"] == "loss"
    assert [(row["rule"], row["value"]) for row in result["rows"]] == [
        (rule, noise) for rule in ("sgd", "ttv2") for noise in (0.3, 3)
    ]
    assert all(0 < row["loss"] < 10 for row in result["rows"])
    assert {each["points"] for each in result["tolerances"]} == {0.3, 0.15}
    for each in result["tolerances"]:
        if each["tolerance"]:
            assert each["step_noise"] == pytest.approx(each["tolerance"] * 0.06)
    words = study.table(result)
    assert "nats per character" in words
    assert "step noise" in words
    plot.claim(result, tmp_path / "noise.png")


@pytest.mark.parametrize("error", [FloatingPointError("the loss is nan"), ArithmeticError("all at their bounds")])
def test_a_training_that_diverges_is_no_end_of_the_study(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def diverges(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr("tikitaka.experiments.measure.trained", diverges)
    assert measure.scored(TrainConfig(data="digits")) == {"test_error": 1.0, "diverged": True}


def test_an_unknown_study_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"study must be one of .*, not 'state': did you mean states"):
        find("state")


@pytest.mark.parametrize("name", registry)
def test_every_study_is_whole(name: str) -> None:
    study = registry[name]
    assert (study.name, find(name)) == (name, study)
    assert study.question
    assert {"quick", "full"} <= set(study.scales)
    arguments = inspect.signature(study.run).parameters
    assert {"out", "scale", "seeds", "threads", "progress"} | {option.name for option in study.options} <= set(
        arguments
    )
    for option in study.options:
        assert arguments[option.name].default in (option.default, None)
    if not study.has_figure:
        with pytest.raises(ValueError, match=f"the study {name} has no figure"):
            draw({"claim": name, "rows": [{}]}, "never.png")


def test_a_new_study_is_a_new_file() -> None:
    """Every module of the folder is a study."""
    folder = Path(studies.__file__).parent
    assert {path.stem.replace("_", "-") for path in folder.glob("*.py")} - {"--init--"} == set(registry)
