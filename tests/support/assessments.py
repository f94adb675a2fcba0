"""Small assessments for tests: two rules, some properties, few examples, which take seconds."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import tikitaka as tt
from tikitaka.assessment import properties
from tikitaka.nn import Layer, Linear, Sigmoid, nets

NAMES = ("states", "pulse noise", "reference error")


def small(monkeypatch: pytest.MonkeyPatch, kinds: tuple[str, ...] = ("float", "ttv2")) -> None:
    """Assess the rules `kinds` and the properties NAMES alone."""
    monkeypatch.setattr("tikitaka.assessment.run.USUAL", kinds)
    some = tuple(known for known in properties.PROPERTIES if known.name in NAMES)
    monkeypatch.setattr("tikitaka.assessment.properties.PROPERTIES", some)
    monkeypatch.setattr("tikitaka.assessment.run.speed_class", lambda *_: 0)
    monkeypatch.setattr("tikitaka.assessment.run.class_of", lambda *_: 0)
    monkeypatch.setattr("tikitaka.assessment.plan.LEAST", 100.0)
    monkeypatch.setitem(nets, "fcn", replace(nets["fcn"], build=fcn))


def fcn(data: Any) -> list[Layer]:
    """A network that is small, so that trainings take no time."""
    return [Linear(data.inputs, 12), Sigmoid(), Linear(12, data.outputs)]


def assessed(out: Path, device: Any = None, **given: Any) -> tt.Assessment:
    """An assessment on the bundled digits."""
    settings: dict[str, Any] = {"data": "digits", "minutes": 0.002, "threads": 2, "progress": False, **given}
    return tt.assess(tt.SoftBounds(states=20) if device is None else device, out=out, **settings)
