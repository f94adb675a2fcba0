"""The search for learning rates."""

from collections.abc import Iterable
from typing import Any

import pytest

from tikitaka.config import rules
from tikitaka.experiments import learning_rates
from tikitaka.nn import nets
from tikitaka.training import TrainConfig


@pytest.mark.parametrize("states", [10, 20, 1000, 4000])
def test_every_rule_gets_a_small_search(states: float) -> None:
    for kind in ("float", "sgd", "ttv1", "ttv2"):
        tried = learning_rates.candidates(kind, states)
        assert len(set(tried)) == len(tried) == (4 if kind == "float" else 8)
    # The step of C that a gradient leads to is the same for all: transfer_lr · δ, with δ = 2·bound / states.
    steps = sorted({rule.transfer_lr / max(states, 20) for rule in learning_rates.candidates("ttv2", states)})
    assert steps == pytest.approx([c / 20 for c in (0.3, 1, 3, 10)])
    with pytest.raises(ValueError, match=f"rule must be one of {', '.join(rules)}, not 'adam'"):
        learning_rates.candidates("adam", states)


def test_a_rule_without_a_grid_is_searched_around_its_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(learning_rates._GRIDS, "ttv1")
    tried = learning_rates.candidates("ttv1", 20)
    assert [rule.lr for rule in tried] == pytest.approx([0.2, 0.2 / 3, 0.6])
    tiles = learning_rates.candidates("tiles", 20)
    assert len(set(tiles)) == 3


def test_candidates_of_another_network_are_those_times_its_recipe() -> None:
    sgd, usual = learning_rates.candidates("sgd", 20), learning_rates.candidates("sgd", 20, "lenet")
    assert [rule.lr for rule in usual] == pytest.approx([rule.lr / 10 for rule in sgd])
    recipe, tried = nets["lenet"].rule("ttv2"), learning_rates.candidates("ttv2", 200, "lenet")
    assert [rule.lr for rule in tried] == pytest.approx([f * recipe.lr for f in (1, 1 / 3, 3)])  # type: ignore[attr-defined]
    assert {rule.transfer_every for rule in tried} == {recipe.transfer_every}  # type: ignore[attr-defined]


def test_rates_are_searched_on_held_out_training_images_by_a_seed_of_their_own() -> None:
    base = TrainConfig(examples=50_000, epochs=9, average_from=2)
    tried = {"a": learning_rates.candidates("sgd", 20), "b": learning_rates.candidates("float", 20)}
    rounds: list[list[TrainConfig]] = []

    def run(grid: Iterable[TrainConfig]) -> list[dict[str, float]]:
        rounds.append(list(grid))
        long = len(rounds) == 2  # where lower rates do better among the remaining ones
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
    # SGD's three best in the first round: twice 0.1, with and without a reference, and the first of 0.03.
    assert (found["a"], found["b"].lr) == (tried["a"][4], 0.05)
    alone = learning_rates.searched(run, base, tried, learning_rates.Search(100, 1_000, 4))
    assert (len(rounds), alone["a"].lr, alone["b"].lr) == (3, 0.1, 0.2)
