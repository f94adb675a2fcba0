"""The studies of tolerances: axes, a small complete study, and trainings that are given up."""

import inspect
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from tikitaka import cli, plot
from tikitaka.config import SoftBounds, rules
from tikitaka.experiments import draw, learning_rates, measure, studies, tolerance_study
from tikitaka.experiments.axis import Panel
from tikitaka.experiments.grid import leaves
from tikitaka.experiments.measure import trained
from tikitaka.experiments.studies import find, registry
from tikitaka.experiments.tolerance_study import ToleranceStudy
from tikitaka.training import Metrics, TrainConfig

STUDIES = {name: study for name, study in registry.items() if isinstance(study, ToleranceStudy)}

ANALOG = ", ".join(kind for kind in rules if kind != "float")


FALLING = {"states", "adc-bits", "retention", "tile-size", "wires"}  # less is harder


@pytest.mark.parametrize("claim", STUDIES)
@pytest.mark.parametrize("scale", tolerance_study.scales)
def test_an_axis_sets_its_field_and_nothing_else_differs_between_rules(claim: str, scale: str) -> None:
    axis = STUDIES[claim].axis
    assert set(axis.values) == set(axis.panels) == set(tolerance_study.scales)
    for panel in axis.panels[scale]:
        for value in axis.values[scale]:
            devices = set()
            for kind in axis.rules:
                for rule in learning_rates.candidates(kind, panel.states):
                    config = TrainConfig(rule=axis.rule(rule, panel, value))
                    assert dict(leaves(config.to_dict()))[axis.field] == value
                    devices.add(json.dumps(asdict(config.rule)["device"]))
            assert len(devices) == 1, "all rules get the same devices"


@pytest.mark.parametrize("claim", STUDIES)
def test_values_go_from_easy_to_hard(claim: str) -> None:
    for values in STUDIES[claim].axis.values.values():
        assert list(values) == sorted(values, reverse=claim in FALLING)
        assert len(set(values)) == len(values) <= 7


def test_panels_choose_devices_and_the_form_of_their_noise() -> None:
    axis = STUDIES["update-noise"].axis
    rule: Any = axis.rule(learning_rates.candidates("ttv2", 200)[0], Panel(200, "multiplicative"), 3)
    assert rule.device == SoftBounds(states=200, cycle_noise=3, noise="multiplicative")
    assert rule.slow_device is None


@pytest.mark.usefixtures("small")
def test_nothing_is_compared_where_float_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tolerance_study, "HARD", 5.0)
    with pytest.raises(ValueError, match=r"float has .* % of errors: digits is too small or too hard to compare rules"):
        find("states").run(data="digits", scale="quick", out=tmp_path, progress=False)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A study that takes seconds: two values, on the bundled digits."""
    tiny = tolerance_study.Scale(
        300, 2, 2, learning_rates.Search(100, 200, 1, finalists=2, final_examples=150, final_epochs=2)
    )
    monkeypatch.setitem(tolerance_study.scales, "quick", tiny)
    monkeypatch.setattr(tolerance_study, "HARD", 100.0)
    axis = STUDIES["states"].axis
    monkeypatch.setattr(STUDIES["states"], "axis", replace(axis, values={**axis.values, "quick": (100, 10)}))


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_a_study_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = find("states").run(data="digits", scale="quick", out=tmp_path, progress=False)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert [(row["rule"], row["value"]) for row in result["rows"]] == [
        (rule, states) for rule in ("sgd", "ttv1", "ttv2") for states in (100, 10)
    ]
    lines = [json.loads(line) for line in (tmp_path / "cells.jsonl").read_text().splitlines()]
    for row in result["rows"]:
        of_row = [
            100 * line["test_error"]
            for line in lines
            if line["config"]["rule"]["kind"] == row["rule"]
            and line["config"]["rule"]["device"]["states"] == row["value"]
        ]
        assert sorted(of_row) == sorted(row["errors_percent"])
        assert len(of_row) == row["seeds"]
    searched = [json.loads(line)["config"] for line in (tmp_path / "search.jsonl").read_text().splitlines()]
    assert len(searched) == 4 + 2 * 3 * 8 + 2 * 7
    assert {(config["seed"], config["holdout"]) for config in searched} == {(learning_rates.SEED, 200)}
    assert {config["holdout"] for config in (line["config"] for line in lines)} == {None}
    plot.claim(result, tmp_path / "states.png")

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("trained again")

    monkeypatch.setattr("tikitaka.experiments.measure.trained", never)
    assert find("states").run(data="digits", scale="quick", out=tmp_path, progress=False) == result


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = ["reproduce", "states", "--scale", "quick", "--data", "digits", "--rules", "ttv1,ttv2", "--seeds", "1"]
    for extra in ([], ["--json"]):
        with pytest.raises(SystemExit) as left:
            cli.main([*args, "--out", str(tmp_path), *extra])
        assert left.value.code in (0, None)
    said = capsys.readouterr().out
    words, result = said.split("\n{")[0], json.loads(said.splitlines()[-1])
    assert result == json.loads((tmp_path / "states.json").read_text())
    assert words.count("ttv2") >= 2
    assert "sgd" not in words
    assert (tmp_path / "states.png").stat().st_size > 1_000


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"scale": "huge"}, "scale must be one of quick, full, not 'huge'"),
        ({"rules": ["adam"]}, f"rules must be among {ANALOG}, not adam"),
        ({"rules": []}, f"rules must be among {ANALOG}, not none"),
        ({"rules": ["ttv2", "ttv2"]}, "rules must not contain a name twice, as in ttv2, ttv2"),
        ({"net": "lstm"}, "net must be a network for images, not 'lstm'"),
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
    assert measure.hopeless(Metrics(epoch, 1.0, 1.0, error, 1.0, error, 1.0, 0.0, 1.0)) is end


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
