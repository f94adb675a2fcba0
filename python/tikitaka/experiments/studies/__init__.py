"""The studies by name; every module of this folder defines one as `study`."""

import importlib
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tikitaka import plot
from tikitaka._internal.validation import one_of
from tikitaka.experiments.study import Study
from tikitaka.plot.rows import rows_of

__all__ = ["draw", "find", "registry"]

registry: dict[str, Study] = {}
"""Every study by its name."""

for _found in pkgutil.iter_modules(__path__):
    _study: Study = importlib.import_module(f"{__name__}.{_found.name}").study
    registry[_study.name] = _study


def find(name: str) -> Study:
    """The study `name`; ValueError, with the nearest name, where there is none."""
    return registry[one_of("study", name, registry)]


def draw(result: Mapping[str, Any], path: str | Path) -> None:
    """The figure of a result of any study, as a picture in `path`; one of an unknown study is drawn as a sweep.

    Raises ModuleNotFoundError without matplotlib, ValueError, naming the part that is wrong, for anything but the
    result of a study with a figure, and OSError if the picture cannot be written.
    """
    rows_of(result)
    study = registry.get(result["claim"]) if isinstance(result["claim"], str) else None
    if study is None:
        plot.claim(result, path)
    else:
        study.plot(result, path)
