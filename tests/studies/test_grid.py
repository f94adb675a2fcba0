"""Grids: the cells of a sweep."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from support.sweeps import BASE
from tikitaka.experiments import cells

AXES = ["net", "rule", "rule.device", "rule.device.states", "rule.periphery.forward", "rule.slow_device"]


def test_cells_are_the_product_with_the_seed_fastest() -> None:
    axes = {"epochs": [3, 4], "rule.device.states": np.array([10, 20])}
    grid = cells(BASE, axes, range(2))
    assert [(c.epochs, c.rule.device.states, c.seed) for c in grid] == [  # type: ignore[attr-defined]
        (epochs, states, seed) for epochs in (3, 4) for states in (10, 20) for seed in (0, 1)
    ]
    assert grid[0] == replace(BASE, epochs=3, rule=tt.Ttv2(device=tt.SoftBounds(states=10)))
    assert type(grid[0].rule.device.states) is int  # type: ignore[attr-defined]
    noise = cells(BASE, {"rule.periphery.forward.output_noise": [0.1]}, [5])[0].rule
    assert noise == tt.Ttv2(periphery=tt.Periphery(forward=tt.IoSettings(output_noise=0.1)))


def test_wider_axes_come_first() -> None:
    grid = cells(BASE, {"rule.device.states": [10], "rule": ["sgd", tt.Ttv1(gamma=0.5)]}, [0])
    assert [config.rule for config in grid] == [
        tt.AnalogSgd(device=tt.SoftBounds(states=10)),
        tt.Ttv1(gamma=0.5, device=tt.SoftBounds(states=10)),
    ]
    assert cells(BASE, {"rule": ["ttv2"], "net": ["lenet"]}, [0])[0].rule == tt.nn.nets["lenet"].rule("ttv2")
    slow = cells(BASE, {"rule.slow_device.states": [100], "rule.device.bound": [1.0]}, [0])[0].rule
    assert slow == tt.Ttv2(device=tt.SoftBounds(bound=1.0), slow_device=tt.SoftBounds(states=100, bound=1.0))
    assert cells(replace(BASE, epochs=30, average_from=25), {"epochs": [3], "average_from": [2]}, [0])[0].epochs == 3


@pytest.mark.parametrize(
    ("axes", "seeds", "words"),
    [
        ({"epoch": [1]}, [0], "unknown axis 'epoch'; did you mean 'epochs'; allowed: average_from, batch"),
        ({"rule.device.sates": [1]}, [0], "did you mean 'rule.device.states'"),
        ({"rule": ["sgd"], "rule.transfer_lr": [1]}, [0], "unknown axis 'rule.transfer_lr'"),
        ({"rule.kind": ["sgd"]}, [0], "unknown axis 'rule.kind'"),
        ({"epochs.more": [1]}, [0], "unknown axis 'epochs.more'"),
        ({"seed": [1]}, [0], "'seed' must not be an axis"),
        ({"epochs": []}, [0], "axis 'epochs' must contain at least one value"),
        ({}, [], "seeds must contain at least one value"),
        ({"rule.device.states": [-1]}, [3], "states=-1, seed=3: rule.device.states must be from 1 to"),
        ({"rule": ["adam"]}, [0], f"rule must be one of {', '.join(tt.config.rules)}, not 'adam'"),
    ],
)
def test_grids_that_cannot_be(axes: dict[str, Any], seeds: list[int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        cells(BASE, axes, seeds)


@pytest.mark.parametrize(
    ("axes", "seeds", "words"),
    [
        ({"schedule": "decay"}, [0], "axis 'schedule' must be a list of values, not 'decay'"),
        ({"epochs": 3}, [0], "axis 'epochs' must be a list of values, not 3"),
        ({}, 3, "seeds must be a list of values, not 3"),
        ({"epochs": [1.5]}, [0], "epochs must be a whole number"),
        ({"rule": [tt.Ttv2]}, [0], "rule must be a table of fields"),
    ],
)
def test_grids_of_wrong_types(axes: dict[str, Any], seeds: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        cells(BASE, axes, seeds)


def test_every_axis_named_as_allowed_is_one() -> None:
    allowed = []
    for table in ("", "rule.", "rule.device.", "rule.periphery.", "rule.periphery.forward."):
        with pytest.raises(ValueError, match="unknown axis") as refused:
            cells(BASE, {f"{table}nothing": [1]}, [0])
        allowed += str(refused.value).partition("allowed: ")[2].split(", ")
    assert set(AXES) < set(allowed)
    for path in allowed:
        value: Any = BASE
        for name in path.split("."):
            value = getattr(value, name)
        assert cells(BASE, {path: [value]}, [0]) == [BASE]
