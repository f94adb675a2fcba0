"""Whatever rules a network can hold, extraction, deployment, description, plots and export handle them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from tikitaka import cli, deployment

DIGITS = tt.data.load("digits").first(60)
LAYERS = [tt.nn.Linear(64, 8), tt.nn.Tanh(), tt.nn.Linear(8, 10)]
RULE = tt.Ttv2(device=tt.SoftBounds(states=100), periphery=tt.Periphery.full())
SGD = tt.AnalogSgd(device=tt.ConstantStep(states=500, bound=0.9))


class Own(tt.Rule):
    def build(self, weights: Any, seed: int, layer: int) -> None:
        self.array = tt.Crossbar(*weights.shape, tt.ConstantStep(), seed=seed, array=2 * layer + 1)
        self.array.weights = weights

    def update(self, x: Any, delta: Any, lr_scale: float) -> None:
        pass


def command(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        cli.main([str(arg) for arg in args])
    assert isinstance(left.value.code, int)
    return left.value.code, *capsys.readouterr()


def extracted(rules: Any, **settings: Any) -> tt.Model:
    return tt.Network(LAYERS, rules, seed=1, **settings).extract("read")


def test_equal_rules_of_a_list_are_deployed_as_one_rule() -> None:
    one, each, named = (extracted(rules) for rules in (RULE, [RULE, RULE], {"default": RULE}))
    assert (
        deployment.origin(one) == deployment.origin(each) == deployment.origin(named) == (RULE.device, RULE.periphery)
    )
    chips = []
    for model in (one, each, named):
        device, periphery = deployment.origin(model)
        chips.append(tt.program(model, device=device, periphery=periphery, method="error", error_share=0.1, seed=3))
    assert len({chip.network.digest() for chip in chips}) == 1
    assert len({chip.network.forward(DIGITS.test_x).tobytes() for chip in chips}) == 1
    assert chips[0].steps == pytest.approx((0.012, 0.012))


@pytest.mark.parametrize("rules", [[RULE, SGD], (RULE, SGD), {"linear1": RULE, -1: SGD}])
def test_each_array_is_deployed_on_its_own_devices(rules: Any, tmp_path: Path) -> None:
    extracted(rules).save(tmp_path / "model.npz")
    model = tt.Model.load(tmp_path / "model.npz")
    device, periphery = deployment.origin(model)
    assert (device, periphery) == ((RULE.device, SGD.device), (RULE.periphery, SGD.periphery))
    chip = tt.program(model, device=device, periphery=periphery, method="error", error_share=0.1, seed=3)
    assert chip.steps == pytest.approx((0.012, 0.0036))
    assert chip.rms_error[1] == pytest.approx(0.1 * 2 * 0.9, rel=0.5)
    assert [rule.device for rule in chip.network.rules] == [RULE.device, SGD.device]  # type: ignore[union-attr]
    # the second array alone has no spread: its bounds are those of the mean device
    np.testing.assert_allclose(chip.network.device_parameters(1)["c.upper_bound"], 0.9, atol=1e-6)
    by_name = tt.program(model, device={"linear1": RULE.device, "linear2": SGD.device}, periphery=periphery, seed=3)
    assert by_name.network.rules == chip.network.rules


def test_a_chip_learns_by_a_rule_for_each_array() -> None:
    chip = tt.program(extracted(RULE), rule=[RULE, SGD], seed=1)
    chip.network.train(DIGITS.train_x, DIGITS.train_y)
    assert chip.network.extract("read").metadata["rule"] == ["ttv2", "sgd"]
    assert tt.program(extracted(RULE), rule=[RULE, RULE], seed=1).network.rules == RULE


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"rule": [RULE]}, ValueError, "rule must be one for all arrays or one for each of 2, not 1"),
        ({"device": [RULE.device] * 3}, ValueError, "device must be one for all arrays or one for each of 2, not 3"),
        ({"device": {"linear9": SGD.device}}, ValueError, "device must have arrays as keys"),
        ({"rule": [RULE, tt.DigitalSgd()]}, ValueError, "rule must be one with devices, not DigitalSgd.*linear2"),
        ({"device": [RULE.device, None]}, TypeError, "device must be a Device, not None"),
        ({"rule": [RULE, Own()]}, TypeError, "rule must be a RuleConfig, not Own"),
    ],
)
def test_other_lists_are_refused(arguments: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        tt.program(extracted(RULE), **arguments)


def test_unknown_devices_are_refused_not_replaced() -> None:
    for rules in (Own(), [RULE, Own()], [Own(), RULE]):
        with pytest.raises(
            ValueError, match=r"device must be given for this model: the rule Own trained linear[12], and"
        ):
            deployment.origin(extracted(rules))
    model = extracted(RULE)
    for changed, words in (
        ({"device": {"kind": "memristor"}}, "kind of the device of linear1 must be one of soft-bounds, constant-step"),
        ({"device": [None]}, "device in the metadata must be of 2 arrays, not of 1"),
    ):
        with pytest.raises(ValueError, match=words):
            deployment.origin(model.noted(**changed))


def test_digital_arrays_get_the_default_devices() -> None:
    mixed = extracted([RULE, tt.DigitalSgd()])
    assert deployment.origin(mixed) == ((RULE.device, tt.SoftBounds()), (RULE.periphery, tt.Periphery()))


def test_the_command_line_deploys_rules_of_a_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = []
    for name, rules in (("one", RULE), ("list", [RULE, RULE])):
        network = tt.Network(LAYERS, rules, seed=1)
        tt.fit(network, DIGITS, epochs=1, progress=False)
        path = tmp_path / f"{name}.npz"
        network.extract("read").noted(data="digits").save(path)
        for more in ((), ("--target-states", 10)):
            words = ("evaluate", path, "--target-method", "exact", "--target-periphery", "full", "--json", *more)
            code, out, err = command(capsys, *words)
            assert (code, err) == (0, "")
            results.append(json.loads(out)["target"])
    assert results[:2] == results[2:]
    assert results[0] != results[1]


def test_description_plots_and_export_of_rules_in_a_list(tmp_path: Path) -> None:
    rules = [RULE, Own()]
    network = tt.Network(LAYERS, rules, seed=1)
    assert "100 states" in network.describe()
    assert "Own (a custom rule)" in network.describe()
    assert "Own()" in repr(network)
    for made in (network, tt.Network(LAYERS, [RULE, SGD]), tt.Network(LAYERS, [tt.DigitalSgd(), RULE])):
        tt.plot.histograms(made, tmp_path / "figure.png")
        tt.export.onnx(made.extract("read"), tmp_path / "model.onnx")
        tt.fit(made, DIGITS, epochs=1, progress=False)
    with pytest.raises(ValueError, match=r"no average was gathered: .*; the rules of linear2 keep none"):
        tt.Network(LAYERS, [RULE, SGD]).extract()
