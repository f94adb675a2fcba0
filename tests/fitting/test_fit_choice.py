"""Which form is chosen, and how often intervals cover the truth: some chips of each shape; `benches/fit_roundtrips.py`
is the full study."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import tikitaka as tt
from tikitaka.fitting.form import SHAPES

BENCH = Path(__file__).parents[2] / "benches" / "fit_roundtrips.py"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fit_roundtrips", BENCH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fit_roundtrips"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("shape", SHAPES)
def test_intervals_cover_the_truth_and_no_shape_beyond_it_is_chosen(bench: ModuleType, shape: str) -> None:
    """Three chips, 24 to 30 intervals of 95 %, which are correlated within a chip: fewer than 70 % covered is less
    likely than 1 in 10,000 for 24 independent ones."""
    covered, simple = [], []
    for seed in range(3):
        chip = bench.one((shape, False, 4, seed + 100))
        covered += [low <= true <= high for _, true, _, low, high in chip["rows"]]
        simple.append(SHAPES.index(chip["chosen"]) <= SHAPES.index(shape))
    assert np.mean(covered) > 0.7
    assert sum(simple) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("multiplicative", [False, True])
def test_twenty_chips(bench: ModuleType, shape: str, multiplicative: bool) -> None:
    chips = [bench.one((shape, multiplicative, 5, seed)) for seed in range(20)]
    covered = [low <= true <= high for chip in chips for _, true, _, low, high in chip["rows"]]
    assert 0.88 <= np.mean(covered) <= 1.0
    assert np.mean([SHAPES.index(chip["chosen"]) <= SHAPES.index(shape) for chip in chips]) >= 0.85


def test_a_clear_curve_is_told_from_a_line(bench: ModuleType) -> None:
    """Reads of 0.2 % of the range show a power of 2 that reads of 4 % hide."""
    rng = np.random.default_rng(5)
    p = np.array([0.02, 0.02, 0.55, -0.55, 2.0, 2.0])
    sharp = bench.simulate("power", p, False, 4, rng, 0.001)
    fit = tt.fit_device(sharp, noise="additive", replicates=0)
    assert fit.form.shape == "power"
    assert fit.members[0].curves.p[0, 4] == pytest.approx(2.0, abs=0.4)


def test_multiplicative_noise_is_told_from_additive(bench: ModuleType) -> None:
    rng = np.random.default_rng(6)
    p = np.array([0.02, 0.02, -1.6, 1.6])
    for multiplicative in (False, True):
        measured = bench.simulate("linear", p, multiplicative, 6, rng, 0.001)
        fit = tt.fit_device(measured, models="linear", replicates=0)
        assert fit.form.multiplicative == multiplicative
