"""Assessments of devices: the same report again, after an interruption, on any executor; and bad input."""

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import tikitaka as tt
from support.assessments import NAMES, assessed, small
from support.commands import Command
from tikitaka.config.device_file import write_device
from tikitaka.training import TrainConfig

FILES = ("report.txt", "report.json", "report.html")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of an assessment."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        small(monkeypatch)
        out = tmp_path_factory.mktemp("assessed")
        assessed(out, endurance=1e6)
        yield out


def result(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return found


def same(one: Path, other: Path) -> bool:
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in FILES)


def test_every_number_has_an_interval_and_the_config_that_made_it(folder: Path) -> None:
    found = result(folder)
    assert [row["rule"] for row in found["rules"]] == ["float", "ttv2"]
    assert [each["property"] for each in found["properties"]] == list(NAMES)
    levels = {each["property"]: [level["level"] for level in each["levels"]] for each in found["properties"]}
    assert levels["states"] == levels["pulse noise"] == ["ideal", "half"]  # there is no time for more
    assert levels["reference error"] == ["introduced"]
    numbers = found["rules"] + [level for each in found["properties"] for level in each["levels"]]
    for number in numbers:
        error = number["error"]
        assert 0 <= error["low"] <= error["mean"] <= error["high"]
        assert len(error["each"]) == len(found["size"]["seeds"]) == 3
        config = TrainConfig.from_dict(tt.config.read_toml(folder / "trainings" / f"{number['config']}.toml"))
        assert (config.examples, config.epochs) == (found["size"]["examples"], found["size"]["epochs"])
    assert found["endurance"] == 1e6
    most = max(each["most"] for each in found["rules"][1]["pulses"]["arrays"].values())
    assert found["rules"][1]["pulses"]["trainings"] == pytest.approx(1e6 / most)
    assert found["rules"][0]["pulses"] is None


def test_a_config_gives_the_number_again(folder: Path) -> None:
    found = result(folder)
    row = found["rules"][1]
    config = TrainConfig.from_dict(tt.config.read_toml(folder / "trainings" / "ttv2.toml"))
    dataset = config.dataset()
    network = config.network(dataset)
    history = config.fit(network, dataset, progress=False)
    assert 100 * history[-1].test_error == pytest.approx(row["error"]["each"][0])


def test_the_text_fits_a_screen(folder: Path) -> None:
    lines = (folder / "report.txt").read_text().splitlines()
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 110
    starts = [line.split("  ")[0] for line in lines if not line.startswith(" ")]
    assert starts == [
        *("device", "training", "verdict", "converged", "limited by", "to reach", "worse", "pulses", "costs", "made by")
    ]


@pytest.mark.parametrize("kept", [0, 7, 30])
def test_the_same_report_when_stopped_and_resumed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    """Where only the plan and the first trainings were kept, and on another executor."""
    small(monkeypatch)
    shutil.copy(folder / "plan.json", tmp_path)
    if kept:
        for name in ("search", "cells"):
            lines = (folder / f"{name}.jsonl").read_bytes().splitlines(keepends=True)
            (tmp_path / f"{name}.jsonl").write_bytes(b"".join(lines[:kept]))
    with ThreadPoolExecutor(2) as pool:
        assessed(tmp_path, endurance=1e6, executor=pool if kept else None)
    assert same(folder, tmp_path)


class Interrupts(Executor):
    """Trains at once, and is interrupted by Ctrl-C before the training number `last`."""

    def __init__(self, last: int) -> None:
        self.last = last

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.last -= 1
        if self.last == 0:
            raise KeyboardInterrupt
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@pytest.mark.parametrize("last", [3, 40])
def test_ctrl_c_keeps_what_was_trained(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: int
) -> None:
    small(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        assessed(tmp_path, endurance=1e6, executor=Interrupts(last))
    assert not (tmp_path / "report.json").exists()
    kept = [path.read_bytes().count(b"\n") for path in tmp_path.glob("*.jsonl")]
    assert sum(kept) == last - 1
    assessed(tmp_path, endurance=1e6, executor=Interrupts(-1))
    assert same(folder, tmp_path)


def test_the_uncertainty_of_a_fit_is_in_the_intervals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every seed is trained on a replicate of its own, with the property changed in it."""
    small(monkeypatch)
    noises = [0.2, 0.4, 0.8]
    file = tmp_path / "fitted.toml"
    write_device(
        file,
        tt.SoftBounds(cycle_noise=0.4),
        physical={"unit": "uS"},
        fit={"model": "soft-bounds"},
        replicates=[tt.SoftBounds(cycle_noise=noise) for noise in noises],
    )
    found = assessed(tmp_path / "out", file)
    assert (found.result["replicates"], found.result["fit"]) == (3, {"model": "soft-bounds"})
    assert "uncertainty of the fit (3 replicates)" in found.text
    rows = [json.loads(line) for line in (tmp_path / "out" / "cells.jsonl").read_bytes().splitlines()]
    analog = [row["config"] for row in rows if "device" in row["config"]["rule"]]  # in the order in which they finished
    devices = {(config["seed"], config["rule"]["device"]["cycle_noise"]) for config in analog}
    assert {(0, 0.2), (1, 0.4), (2, 0.8), (0, 0.1), (1, 0.2), (2, 0.4)} <= devices
    searched = [json.loads(line) for line in (tmp_path / "out" / "search.jsonl").read_bytes().splitlines()]
    noise = [row["config"]["rule"].get("device", {}).get("cycle_noise", 0.4) for row in searched]
    assert noise.count(0.4) >= 12


def test_a_file_of_measured_pulses_is_fitted_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the fit, for which a stand-in answers here."""
    small(monkeypatch)
    given: list[Any] = []

    class Fit:
        device, read_noise, replicates = tt.SoftBounds(states=30), 0.05, (tt.SoftBounds(states=29),)

        def to_dict(self) -> dict[str, Any]:
            return {"fit": {"model": "soft-bounds", "goodness": {"words": "the model fits"}}}

        def write(self, path: Path) -> None:
            write_device(path, self.device)

    def fit_device(measured: Any) -> Fit:
        given.append(measured)
        return Fit()

    monkeypatch.setattr("tikitaka.assessment.source.fit_device", fit_device)
    file = tmp_path / "pulses.csv"
    file.write_text("the reader has tests of its own")
    monkeypatch.setattr("tikitaka.assessment.source.read_measured", lambda path: path)
    found = assessed(tmp_path / "out", file)
    assert given == [file]
    assert found.result["device"]["states"] == 30
    assert found.result["periphery"]["read"]["output_noise"] == pytest.approx(0.05 * 1.2)
    assert (tmp_path / "out" / "device.toml").exists()
    assert "the model fits" in found.html


def test_nothing_is_trained_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch)
    monkeypatch.setattr("tikitaka.experiments.measure.trained", None)
    before = [(folder / name).read_bytes() for name in FILES]
    assessed(folder, endurance=1e6)
    assert before == [(folder / name).read_bytes() for name in FILES]


def test_the_plan_of_another_machine_gives_the_same_report(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(monkeypatch)
    monkeypatch.setattr("tikitaka.assessment.run.speed_class", lambda *_: 5)
    for name in ("search", "cells"):
        shutil.copy(folder / f"{name}.jsonl", tmp_path)
    assessed(tmp_path, endurance=1e6, plan=folder / "plan.json", threads=1)
    assert same(folder, tmp_path)


def test_a_folder_holds_one_assessment(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"plan.json is the plan of another assessment: device differ; choose another"):
        assessed(folder, tt.SoftBounds(states=21))


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"device": "soft-bound"}, ValueError, "device must be one of .*, not 'soft-bound': did you mean soft-bounds"),
        ({"device": 3}, TypeError, "device must be a device, a name or a path, not 3"),
        ({"device": "missing.toml"}, FileNotFoundError, "missing.toml"),
        ({"net": "vgg"}, ValueError, "net must be one of"),
        ({"net": "lstm"}, ValueError, "net must be a network for images, not 'lstm'"),
        ({"minutes": 0}, ValueError, "minutes must be above 0 to 100,000, not 0"),
        ({"minutes": "ten"}, TypeError, "minutes must be"),
        ({"endurance": -1}, ValueError, "endurance must be above 0, not -1"),
        ({"seeds": 0}, ValueError, "seeds must be at least 1|from 1 to"),
        ({"seeds": [1, 1]}, ValueError, r"seeds must be different numbers, at least one, not \[1, 1\]"),
        ({"seeds": []}, ValueError, "seeds must be different numbers"),
        ({"reference": 0.1}, TypeError, "reference must be a Reference"),
        ({"periphery": "full"}, TypeError, "periphery must be a Periphery"),
        ({"data": "nowhere"}, FileNotFoundError, "nowhere"),
        ({"plan": "missing.json"}, FileNotFoundError, "missing.json"),
        ({"threads": 0}, ValueError, "threads must be at least 1, not 0"),
    ],
)
def test_bad_input_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], error: type[Exception], words: str
) -> None:
    monkeypatch.delenv("TIKITAKA_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=words):
        assessed(tmp_path / "out", **given)
    assert not (tmp_path / "out").exists()


def test_a_plan_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text('{"format": 3, "plan": {}}')
    with pytest.raises(ValueError, match=r"plan\.json is not the plan of an assessment"):
        assessed(tmp_path)
    (tmp_path / "plan.json").write_text('{"format": 9}')
    with pytest.raises(ValueError, match=r"plan\.json must be a plan of format 3, not 9"):
        assessed(tmp_path)


def test_the_command(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch)
    file = tmp_path / "mine.toml"
    file.write_text('[device]\nkind = "constant-step"\nstates = 100\n\n[physical]\nunit = "uS"\n')
    given = ["--data", "digits", "--minutes", 0.001, "--seeds", 2, "--threads", 2, "--out", tmp_path / "out"]
    status, out, _ = command("assess", file, *given, "--reference-spread", 0.1, "--mvm-noise", 0.02)
    assert status == 0
    assert out.startswith("device      mine.toml: constant-step, 100 states")
    status, printed, _ = command("assess", file, *given, "--reference-spread", 0.1, "--mvm-noise", 0.02, "--json")
    assert status == 0
    assert json.loads(printed) == result(tmp_path / "out")
    assert json.loads(printed)["periphery"]["forward"]["output_noise"] == 0.02
    assert command("assess", "r25", *given)[0] == 2
    assert command("assess", "r24", *given, "--seeds", "1,x")[0] == 2
