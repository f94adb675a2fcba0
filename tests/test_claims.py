"""The studies of what each rule tolerates: axes, the search for rates, crossings, intervals, and a small one whole."""

import inspect
import json
import math
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from tikitaka import cli, plot
from tikitaka.config import Periphery, SoftBounds
from tikitaka.experiments import draw, learning_rates, measure, studies, tolerance_study
from tikitaka.experiments.axis import Panel
from tikitaka.experiments.grid import leaves
from tikitaka.experiments.measure import trained
from tikitaka.experiments.studies import find, networks, registry
from tikitaka.experiments.tolerance import Tolerance, crossing, missing, ratio, tolerance
from tikitaka.experiments.tolerance_study import ToleranceStudy
from tikitaka.nn import nets
from tikitaka.training import Metrics, TrainConfig

STUDIES = {name: study for name, study in registry.items() if isinstance(study, ToleranceStudy)}
NOISE = (0.1, 1.0, 10.0, 100.0)


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
        assert list(values) == sorted(values, reverse=claim == "states")
        assert len(set(values)) == len(values) <= 7


def test_panels_choose_devices_and_the_form_of_their_noise() -> None:
    axis = STUDIES["update-noise"].axis
    rule: Any = axis.rule(learning_rates.candidates("ttv2", 200)[0], Panel(200, "multiplicative"), 3)
    assert rule.device == SoftBounds(states=200, cycle_noise=3, noise="multiplicative")
    assert rule.slow_device is None


@pytest.mark.parametrize("states", [10, 20, 1000, 4000])
def test_every_rule_gets_a_small_search(states: float) -> None:
    for kind in ("float", "sgd", "ttv1", "ttv2"):
        tried = learning_rates.candidates(kind, states)
        assert len(set(tried)) == len(tried) == (4 if kind == "float" else 8)
    # The step of C that a gradient leads to is the same for all: transfer_lr · δ, with δ = 2·bound / states.
    steps = sorted({rule.transfer_lr / max(states, 20) for rule in learning_rates.candidates("ttv2", states)})
    assert steps == pytest.approx([c / 20 for c in (0.3, 1, 3, 10)])
    with pytest.raises(ValueError, match="rule must be one of float, sgd, ttv1, ttv2, not 'adam'"):
        learning_rates.candidates("adam", states)


def test_candidates_of_another_network_are_those_times_its_recipe() -> None:
    sgd, usual = learning_rates.candidates("sgd", 20), learning_rates.candidates("sgd", 20, "lenet")
    assert [rule.lr for rule in usual] == pytest.approx([rule.lr / 10 for rule in sgd])
    tt: Any = learning_rates.candidates("ttv2", 200, "lenet")[-1]
    assert (tt.fast_lr, tt.transfer_unit, tt.transfer_every, tt.max_pulses) == (pytest.approx(0.3), "batch", 1, 10)


@pytest.mark.usefixtures("small")
def test_nothing_is_compared_where_float_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tolerance_study, "HARD", 5.0)
    with pytest.raises(ValueError, match=r"float has .* % of errors: digits is too small or too hard to compare rules"):
        find("states").run(data="digits", scale="quick", out=tmp_path, progress=False)


def test_rates_are_searched_on_held_out_training_images_by_a_seed_of_their_own() -> None:
    base = TrainConfig(examples=50_000, epochs=9, average_from=2)
    tried = {"a": learning_rates.candidates("sgd", 20), "b": learning_rates.candidates("float", 20)}
    rounds: list[list[TrainConfig]] = []

    def run(grid: Iterable[TrainConfig]) -> list[dict[str, float]]:
        rounds.append(list(grid))
        long = len(rounds) == 2  # where lower rates do better, of those that are left
        rules: list[Any] = [config.rule for config in rounds[-1]]
        return [{"test_error": (1 if long else -1) * rule.lr} for rule in rules]

    search = learning_rates.Search(100, 1_000, 4, finalists=3, final_examples=700, final_epochs=6)
    found = learning_rates.searched(run, base, tried, search)
    assert [config.rule for config in rounds[0]] == [*tried["a"], *tried["b"]]
    assert [len(grid) for grid in rounds] == [12, 6]
    for grid, examples, epochs in zip(rounds, (100, 700), (4, 6), strict=True):
        assert {(c.examples, c.holdout, c.epochs, c.seed, c.average_from) for c in grid} == {
            (examples, 1_000, epochs, learning_rates.SEED, None)
        }
    # SGD's three best at first: twice 0.1, with and without a reference, and the first of 0.03.
    assert (found["a"], found["b"].lr) == (tried["a"][4], 0.05)
    alone = learning_rates.searched(run, base, tried, learning_rates.Search(100, 1_000, 4))
    assert (len(rounds), alone["a"].lr, alone["b"].lr) == (3, 0.1, 0.2)


def test_crossings_by_hand() -> None:
    errors = {0.1: 2.0, 1.0: 2.5, 10.0: 4.5, 100.0: 50.0}
    assert crossing(errors, NOISE, 3.0, 1) == pytest.approx(10**0.25)
    assert crossing(errors, NOISE, 3.0, 1, logarithmic=False) == pytest.approx(1 + 9 * 0.25)
    assert crossing(errors, NOISE, 1.0, 1) == "easy"
    assert crossing(errors, NOISE, 60.0, 1) == "hard"
    falling = {1000.0: 2.0, 100.0: 2.0, 10.0: 6.0}
    assert crossing(falling, (1000.0, 100.0, 10.0), 4.0, 0) == pytest.approx(math.sqrt(1000))
    with pytest.raises(ValueError, match=r"the error at 10\.0 is needed"):
        crossing({0.1: 2.0, 1.0: 2.5}, NOISE, 3.0, 1)


def test_seeds_are_asked_for_beside_the_crossing_and_follow_it() -> None:
    first = {0.1: 2.0, 1.0: 2.5, 10.0: 4.5, 100.0: 50.0}
    second: dict[float, float] = {}
    truth = {0.1: 2.0, 1.0: 2.6, 10.0: 2.9, 100.0: 40.0}
    asked = []
    while missing([first, second], NOISE, 3.0)[1]:
        (value,) = missing([first, second], NOISE, 3.0)[1]
        asked.append(value)
        second[value] = truth[value]
    assert asked == [1.0, 10.0, 100.0]  # it crosses one further
    found = tolerance([first, second], NOISE, 3.0)
    each = [10**0.25, 10 ** (1 + 0.1 / 37.1)]
    assert found.each == pytest.approx(each)
    assert found.tolerance == pytest.approx(math.sqrt(each[0] * each[1]))
    # 95 %: t = 12.706 for two seeds, whose logarithms have the standard error |a − b| / 2.
    half = 12.706 * abs(math.log(each[0] / each[1])) / 2
    assert found.low == pytest.approx(found.tolerance / math.exp(half))
    assert found.high == pytest.approx(found.tolerance * math.exp(half))


def test_seeds_that_leave_the_sweep_leave_a_bound() -> None:
    inside, easy = {0.1: 2.0, 1.0: 4.0, 10.0: 9.0, 100.0: 9.0}, {0.1: 5.0, 1.0: 6.0, 10.0: 7.0, 100.0: 8.0}
    at = math.sqrt(0.1)  # where `inside` crosses
    found = tolerance([inside, easy], NOISE, 3.0)
    assert found == Tolerance(pytest.approx(math.sqrt(at * 0.1)), None, None, "easy", [pytest.approx(at), None])
    flat = dict.fromkeys(NOISE, 2.0)
    assert tolerance([flat], NOISE, 3.0) == Tolerance(pytest.approx(100.0), None, None, "hard", [None])
    assert tolerance([flat, easy], NOISE, 3.0) == Tolerance(None, None, None, "both", [None, None])
    alone = tolerance([inside], NOISE, 3.0)
    assert (alone.tolerance, alone.low) == (pytest.approx(at), None)


def test_what_comes_after_a_failure_does_not_count() -> None:
    again = {0.1: 2.0, 1.0: 4.0, 10.0: 2.0, 100.0: 2.0}
    assert tolerance([again], NOISE, 3.0).tolerance == pytest.approx(math.sqrt(0.1))
    never = {0.1: 4.0, 1.0: 2.0, 10.0: 2.0, 100.0: 2.0}
    assert tolerance([never], NOISE, 3.0).beyond == "easy"


def test_an_interval_of_a_linear_axis_ends_at_zero() -> None:
    values = (0.0, 0.1, 0.3)
    first, second = {0.0: 2.0, 0.1: 2.6, 0.3: 4.0}, {0.0: 2.0, 0.1: 6.0}
    found = tolerance([first, second], values, 3.0, logarithmic=False)
    assert found.each == pytest.approx([0.1 + 0.2 * 0.4 / 1.4, 0.025])
    assert (found.low, found.tolerance) == (0.0, pytest.approx(sum(found.each) / 2))  # type: ignore[arg-type]
    assert ratio(found, Tolerance(0.1, 0.09, 0.11, None, []), values)["low"] is None


def test_ratios_by_hand() -> None:
    a, b = Tolerance(8.0, 4.0, 16.0, None, []), Tolerance(2.0, 2.0, 2.0, None, [])
    found = ratio(a, b, NOISE)
    assert found == {"ratio": 4.0, "low": pytest.approx(2.0), "high": pytest.approx(8.0), "bound": None}
    assert ratio(b, a, (1000.0, 10.0, 1.0))["ratio"] == 4.0  # of states, fewer is better
    less, more = Tolerance(0.1, None, None, "easy", []), Tolerance(100.0, None, None, "hard", [])
    both = Tolerance(None, None, None, "both", [])
    assert ratio(a, less, NOISE) == {"ratio": pytest.approx(80.0), "low": None, "high": None, "bound": "at least"}
    for pair, factor, bound in (((more, b), 50, "at least"), ((more, less), 1000, "at least")):
        assert (ratio(*pair, NOISE)["ratio"], ratio(*pair, NOISE)["bound"]) == (pytest.approx(factor), bound)
    for pair, factor in (((less, b), 0.05), ((a, more), 0.08), ((less, more), 0.001)):
        assert (ratio(*pair, NOISE)["ratio"], ratio(*pair, NOISE)["bound"]) == (pytest.approx(factor), "at most")
    few, many = Tolerance(10.0, None, None, "hard", []), Tolerance(4000.0, None, None, "easy", [])
    assert ratio(few, many, (4000.0, 10.0)) == {"ratio": 400.0, "low": None, "high": None, "bound": "at least"}
    for pair in ((less, less), (more, more), (both, b), (a, Tolerance(0.0, None, None, "easy", []))):
        assert ratio(*pair, NOISE)["ratio"] is None


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A study of seconds: two values, the bundled digits."""
    tiny = tolerance_study.Scale(
        300, 2, 2, learning_rates.Search(100, 200, 1, finalists=2, final_examples=150, final_epochs=2)
    )
    monkeypatch.setitem(tolerance_study.scales, "quick", tiny)
    monkeypatch.setattr(tolerance_study, "HARD", 100.0)
    axis = STUDIES["states"].axis
    monkeypatch.setattr(STUDIES["states"], "axis", replace(axis, values={**axis.values, "quick": (100, 10)}))


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


def test_rates_are_searched_around_those_of_the_recipe() -> None:
    for net in networks.scales["full"]:
        for kind in networks.RULES:
            usual: Any = nets[net].rule(kind)
            tried: list[Any] = networks.candidates(net, kind)
            names = ["lr"] if kind in ("float", "sgd") else ["fast_lr", "transfer_lr"]
            assert len(set(tried)) == 3 ** len(names)
            assert [getattr(tried[0], name) for name in names] == [getattr(usual, name) for name in names]
            if kind != "float":
                assert {rule.periphery for rule in tried} == {Periphery.full()}
                assert {rule.device for rule in tried} == {SoftBounds()}


def test_networks_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(nets, "fcn", replace(nets["fcn"], data="digits"))
    monkeypatch.setitem(networks.scales["quick"], "fcn", networks.Size(200, 2, 2, learning_rates.Search(100, 200, 1)))
    args = [
        "reproduce",
        "networks",
        "--scale",
        "quick",
        "--nets",
        "fcn",
        "--rules",
        "float,ttv2",
        "--out",
        str(tmp_path),
    ]
    for extra in ([], ["--json"]):
        with pytest.raises(SystemExit) as left:
            cli.main([*args, *extra])
        assert left.value.code in (0, None)
    said = capsys.readouterr().out.splitlines()
    result = json.loads(said[-1])
    assert [(row["net"], row["data"], row["rule"]) for row in result["rows"]] == [
        ("fcn", "digits", "float"),
        ("fcn", "digits", "ttv2"),
    ]
    assert len(said) == 1 + 2 + 1
    cells = [json.loads(line) for line in (tmp_path / "cells.jsonl").read_text().splitlines()]
    for row in result["rows"]:
        errors = [100 * cell["test_error"] for cell in cells if cell["config"]["rule"]["kind"] == row["rule"]]
        assert sorted(errors) == sorted(row["errors_percent"])
        assert row["error_percent"] == pytest.approx(sum(errors) / 2)
    searched = [json.loads(line) for line in (tmp_path / "search.jsonl").read_text().splitlines()]
    of_float = [cell for cell in searched if cell["config"]["rule"]["kind"] == "float"]
    assert len(searched) == 3 + 9
    assert result["rows"][0]["lr"] == min(of_float, key=lambda cell: cell["test_error"])["config"]["rule"]["lr"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"nets": ["vgg"]}, "nets must be among fcn, lenet, lstm, not vgg"),
        ({"rules": []}, "rules must be among float, sgd, ttv1, ttv2, not none"),
        ({"scale": "huge"}, "scale must be one of quick, full, not 'huge'"),
        ({"seeds": 0}, "seeds must be at least 1, not 0"),
    ],
)
def test_studies_of_networks_that_cannot_be(tmp_path: Path, given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        find("networks").run(**{"out": tmp_path / "s", **given})
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"scale": "huge"}, "scale must be one of quick, full, not 'huge'"),
        ({"rules": ["adam"]}, "rules must be among sgd, ttv1, ttv2, not adam"),
        ({"rules": []}, "rules must be among sgd, ttv1, ttv2, not none"),
        ({"rules": ["ttv2", "ttv2"]}, "rules must not hold a name twice, as ttv2, ttv2 do"),
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
    assert "given_up" not in whole  # it had ended anyway


@pytest.mark.parametrize(
    ("epoch", "error", "end"), [(2, 0.9, False), (3, 0.31, True), (3, 0.3, False), (9, 0.31, True)]
)
def test_what_is_without_hope(epoch: int, error: float, end: bool) -> None:
    assert measure.hopeless(Metrics(epoch, 1.0, 1.0, error, 1.0, error, 1.0, 0.0, 1.0)) is end


def test_a_training_that_diverges_is_no_end_of_the_study(monkeypatch: pytest.MonkeyPatch) -> None:
    def diverges(*_: Any, **__: Any) -> Any:
        raise FloatingPointError("the loss is nan")

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
    """Modules of the folder and studies are the same."""
    folder = Path(studies.__file__).parent
    assert {path.stem.replace("_", "-") for path in folder.glob("*.py")} - {"--init--"} == set(registry)
