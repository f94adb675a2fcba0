"""The weight-programming study, at a scale that takes seconds."""

import pytest

from tikitaka import DigitalSgd
from tikitaka.experiments.studies.weight_programming import (
    SGD_RATES,
    programming_error,
    r24_percent,
    weight_programming,
)


@pytest.mark.slow
def test_rows_cover_the_cells_and_ttv2_wins() -> None:
    done: list[int] = []
    rows = weight_programming(states=(20,), seeds=2, inputs=12_000, threads=2, progress=lambda: done.append(1))
    assert [(row["rule"], row["states"], row["seeds"]) for row in rows] == [("sgd", 20, 2), ("ttv2", 20, 2)]
    sgd, ttv2 = rows
    assert len(done) == len(SGD_RATES) + 4
    assert sgd["lr"] in SGD_RATES
    assert ttv2["lr"] is None
    assert ttv2["r24_percent"] == r24_percent("ttv2", 20) == 4.8
    assert 0 < ttv2["spread"] < ttv2["error_percent"] < 10
    assert sgd["error_percent"] > 2 * ttv2["error_percent"]


def test_one_seed_has_no_spread() -> None:
    (row,) = weight_programming(rules=["ttv2"], states=(10,), seeds=1, inputs=600)
    assert (row["seeds"], row["spread"]) == (1, None)


def test_results_do_not_depend_on_threads() -> None:
    assert weight_programming(rules=["ttv2"], states=(10,), seeds=2, inputs=600, threads=1) == weight_programming(
        rules=["ttv2"], states=(10,), seeds=2, inputs=600, threads=2
    )


@pytest.mark.parametrize(
    "bad",
    [
        {"rules": ["adam"]},
        {"rules": []},
        {"states": []},
        {"seeds": 0},
        {"inputs": 10},
        {"states": [0]},
        {"reference_errors": []},
    ],
)
def test_bad_arguments_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        weight_programming(**{"inputs": 600, "seeds": 1, "states": (10,), **bad})  # type: ignore[arg-type]


def test_exact_arithmetic_reaches_the_target() -> None:
    assert programming_error(DigitalSgd(lr=1.0), inputs=6_000, seed=0) < 1e-3


@pytest.mark.slow
def test_choppers_and_tracked_references_need_no_exact_one() -> None:
    """R24 Fig. 4 at 20 states: an error of 0.5 ruins TTv2, and AGAD does not notice it."""
    rows = weight_programming(
        rules=("ttv2", "cttv2", "agad"), states=(20,), reference_errors=(0.0, 0.5), seeds=1, inputs=30_000, threads=2
    )
    error = {(row["rule"], row["reference_error"]): row["error_percent"] for row in rows}
    assert error["ttv2", 0.5] > 60 > 20 > error["ttv2", 0.0]
    assert error["agad", 0.5] == pytest.approx(error["agad", 0.0], abs=1.0)
    assert error["agad", 0.5] < 12
    assert {row["r24_percent"] for row in rows} == {4.8, 77.7, 4.2, 4.1, 4.6, 4.5}
