"""Rates of recipes grow with the mini-batch."""

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from support.commands import Command
from tikitaka.config import rules
from tikitaka.experiments.learning_rates import candidates
from tikitaka.nn import nets


@pytest.mark.parametrize("kind", rules)
def test_rates_grow_in_proportion_up_to_the_most(kind: str) -> None:
    recipe = nets["lenet"]
    one: Any = recipe.rule(kind)
    assert recipe.rule(kind, 1) == recipe.rule(kind, recipe.batch) == one
    if kind == "tiles":  # it has no rate that follows from that of float
        assert recipe.rule(kind, 8) == one
        return
    for batch, factor in ((8, 8), (32, 32), (500, 32)):
        grown: Any = recipe.rule(kind, batch)
        assert grown == replace(one, lr=min(factor * one.lr, 0.4 if kind == "mp" else math.inf))


@pytest.mark.parametrize("batch", [1, 8])
def test_a_recipes_own_rate_of_mixed_precision_is_kept(batch: int) -> None:
    recipe = replace(nets["fcn"], lr=0.5)
    assert recipe.rule("mp", batch) == tt.MixedPrecision(lr=0.5)


def test_numbers_of_numpy_count() -> None:
    assert nets["fcn"].rule("ttv2", np.int64(8)) == nets["fcn"].rule("ttv2", 8)  # type: ignore[arg-type]


def test_parameters_of_an_estimators_rule_keep_the_rate_for_its_batch() -> None:
    sklearn = pytest.importorskip("tikitaka.sklearn")
    found = sklearn.TikitakaClassifier().set_params(batch=8, rule__device__states=50)
    assert found.rule == tt.Ttv2(lr=1.6, device=tt.SoftBounds(states=50))


def test_recurrent_networks_keep_their_rates() -> None:
    assert nets["lstm"].rule("ttv2", 16) == nets["lstm"].rule("ttv2")


def test_configs_have_rates_for_their_batch() -> None:
    for config in (
        tt.TrainConfig(batch=8),
        tt.TrainConfig.from_dict({"batch": 8}),
        tt.TrainConfig.from_dict({"batch": 8, "rule": "ttv2"}),
        tt.TrainConfig.from_dict({"batch": 8, "rule": {"transfer_every": 2}}),
        tt.TrainConfig.from_dict(tt.TrainConfig(batch=8).to_dict()),
    ):
        assert config.rule == tt.Ttv2(lr=1.6)
    assert tt.TrainConfig.from_dict({"batch": 8, "rule": {"lr": 0.3}}).rule == tt.Ttv2(lr=0.3)
    assert tt.TrainConfig(batch=8, rule=tt.Ttv2()).rule == tt.Ttv2()


def test_candidates_of_a_search_do_too() -> None:
    for one, more in zip(candidates("ttv2", 20), candidates("ttv2", 20, "fcn", 8), strict=True):
        assert more == replace(one, fast_lr=8 * one.fast_lr)
    for one, more in zip(candidates("float", 20), candidates("float", 20, "fcn", 8), strict=True):
        assert more == replace(one, lr=8 * one.lr)


def test_the_command_line_does_too(command: Command) -> None:
    for flags, lr in ((["--batch", "8"], 1.6), (["--batch", "8", "--rule", "agad"], 1.6), ([], 0.2)):
        status, out, _ = command("train", "--data", "digits", "--epochs", "1", "--examples", "16", "--json", *flags)
        assert (status, json.loads(out)["config"]["rule"]["lr"]) == (0, lr)


@pytest.mark.slow
@pytest.mark.parametrize("batch", [8, 32])
def test_mini_batches_train_as_well_as_single_examples(batch: int) -> None:
    errors = []
    for size in (1, batch):
        config = tt.TrainConfig(data="digits", epochs=30, batch=size)
        data = config.dataset()
        network = config.network(data)
        errors.append(config.fit(network, data, progress=False)[-1].test_error)
    assert errors[1] < errors[0] + 0.015
