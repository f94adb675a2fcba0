"""An assessment names the weakness that was planted in a device; benches/planted.py asks ten times as often."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from support.assessments import assessed, small
from tikitaka.assessment.run import LEVELS
from tikitaka.nn import nets

BENCH = Path(__file__).parents[2] / "benches" / "planted.py"


def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("planted", BENCH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PLANTED = bench()
WEAK: dict[str, Any] = PLANTED.WEAK


@pytest.mark.parametrize(
    "weakness", [pytest.param(name, marks=pytest.mark.slow) for name in WEAK if name != "pulse noise"] + ["pulse noise"]
)
def test_the_planted_weakness_is_named_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weakness: str) -> None:
    small(monkeypatch)
    monkeypatch.setitem(nets, "fcn", replace(nets["fcn"], build=PLANTED.small))
    monkeypatch.setattr("tikitaka.assessment.run.LEVELS", LEVELS[:2])
    monkeypatch.setattr("tikitaka.assessment.plan.LEAST", 4_000.0)
    device, reference = WEAK[weakness]
    found = assessed(tmp_path, device, reference=reference, seeds=8)
    assert found.limited_by[:1] == [weakness], found.text
    line = next(line for line in found.text.splitlines() if line.startswith("limited by"))
    assert line.startswith(f"limited by  1. {weakness}")
