"""Which rule is studied, and the order of what limits it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import tikitaka as tt
from support.assessments import assessed, small
from tikitaka.assessment import words
from tikitaka.assessment.first import helped_most
from tikitaka.assessment.hardware import Hardware
from tikitaka.assessment.plain import plain
from tikitaka.assessment.plan import Size
from tikitaka.assessment.report import _limits
from tikitaka.assessment.trainings import Trainings
from tikitaka.experiments.learning_rates import Search


def level(name: str, gain: float, each: list[float]) -> dict[str, Any]:
    return {"level": name, "gain": {"mean": gain, "significant": True}, "error": {"each": each}}


def prop(name: str, *levels: dict[str, Any]) -> dict[str, Any]:
    return {"property": name, "levels": list(levels)}


@pytest.mark.parametrize(("short", "long", "other"), [(0.2, 0.0, "sgd"), (0.05, 0.095, "sgd"), (0.05, 0.05, "ttv2")])
def test_the_rule_that_better_hardware_makes_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short: float, long: float, other: str
) -> None:
    base = tt.TrainConfig(data="digits")
    hardware = Hardware(tt.SoftBounds(), tt.Reference("ideal"))
    best = {"sgd": hardware.under(tt.AnalogSgd(lr=0.1)), "ttv2": hardware.under(tt.Ttv2())}
    trainings = Trainings(tmp_path, None, 1, None, False)
    known = {
        kind: {"config": replace(base, rule=rule, examples=500, epochs=5).to_dict()} for kind, rule in best.items()
    }
    trainings.done.extend(
        {"config": plain(row["config"]), "test_error": error}
        for row, error in zip(known.values(), (0.2, 0.4), strict=True)
    )
    size = Size(1_000, 5, 3, Search(300, 100, 5, 2, 900, 6), 1)
    seen = []

    def rows(_: Any, name: str, grid: Any) -> list[dict[str, Any]]:
        configs = list(grid)
        seen.append(len(configs))
        error = short if configs[0].examples == 300 else long
        return [{"test_error": 0.1 if each.rule.kind == "sgd" else error} for each in configs]

    monkeypatch.setattr(Trainings, "rows", rows)
    ideal = [Hardware(tt.SoftBounds(cycle_noise=0.0)), Hardware(tt.SoftBounds(states=160))]
    assert helped_most(trainings, base, best, ideal, size) == ("sgd", other)
    assert seen == ([4] if short > 0.1 else [4, 4])


def test_devices_on_which_trainings_diverge(tmp_path: Path) -> None:
    found = tt.assess(
        tt.ConstantStep(states=20, up_down=1.0), data="digits", minutes=0.02, threads=1, out=tmp_path, progress=False
    )
    assert not found.result["trains"] or found.result["best"] in ("sgd", "ttv1", "ttv2")


def test_limits_are_ordered_by_what_half_as_bad_gains() -> None:
    found = _limits(
        [
            prop("a", level("ideal", 9.0, [1.0, 1.2, 1.1])),
            prop("b", level("half", 2.0, [8.0, 8.1, 8.2]), level("ideal", 3.0, [7.0, 7.1, 7.2])),
            prop("c", level("half", 4.0, [6.0, 6.1, 6.2])),
            prop("d", {**level("half", 9.0, [1.0, 1.0, 1.0]), "gain": {"mean": 9.0, "significant": False}}),
        ],
        1000,
    )
    assert [each["property"] for each in found] == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("of_circuit", "first"), [([6.3, 6.0, 6.4], "reference error"), ([7.0, 7.1, 7.2], "nonlinearity")]
)
def test_circuits_come_first_where_gains_do_not_differ(of_circuit: list[float], first: str) -> None:
    gain = 10.1 - sum(of_circuit) / 3
    found = _limits(
        [
            prop("nonlinearity", level("half", 4.0, [6.0, 6.1, 6.2])),
            prop("reference error", level("half", gain, of_circuit)),
        ],
        1000,
    )
    assert found[0]["property"] == first
    assert len(found) == 2


def test_the_words_say_that_another_rule_is_studied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch, ("float", "sgd", "ttv2"))
    result = {**assessed(tmp_path, seeds=2).result, "comparable": True}
    said = "all this is for TTv2: SGD is better on the device as it is, but gains less from a better one"
    assert said in words.limits({**result, "best": "sgd", "studied": "ttv2"})
    assert said not in words.limits({**result, "best": "ttv2", "studied": "ttv2"})
