"""Networks by name, their default settings, and overriding them."""

import tomllib
from pathlib import Path

import pytest

import tikitaka as tt
from tikitaka.cli.flags import apply_flags
from tikitaka.config import rules
from tikitaka.nn import Recipe, char_lstm, fcn, lenet, nets

CONSTANT = tt.ConstantStep(states=50)
TUNED = Recipe(
    lambda data: fcn(data.inputs, data.outputs),
    "digits",
    epochs=7,
    batch=3,
    rules={"sgd": tt.AnalogSgd(lr=0.1, device=CONSTANT), "ttv2": tt.Ttv2(fast_lr=0.3)},
)


@pytest.fixture
def _tuned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(nets, "fcn", TUNED)


def weights(layers: list[tt.nn.Layer]) -> int:
    return sum(layer.shape[0] * layer.shape[1] for layer in layers if layer.shape is not None)


def test_networks_have_the_published_sizes() -> None:
    assert weights(fcn()) == 235_146
    assert weights(lenet()) == 80_202
    assert weights(char_lstm(87)) == 77_591
    assert sum(w.size for w in tt.Network(lenet(), tt.DigitalSgd()).weights) == 80_202
    assert sum(w.size for w in tt.Network(char_lstm(87), tt.DigitalSgd()).weights) == 77_591


@pytest.mark.parametrize(
    ("inputs", "classes", "flat"), [(784, 10, 512), (256, 3, 32), (17 * 17, 10, 32), (1024, 10, 800)]
)
def test_lenet_follows_the_image(inputs: int, classes: int, flat: int) -> None:
    network = tt.Network(lenet(inputs, classes), tt.DigitalSgd())
    assert (network.inputs, network.outputs) == (inputs, classes)
    assert network.weights[2].shape == (128, flat + 1)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        (783, "inputs must be the pixels of a square image for lenet, not 783"),
        (-4, "must be the pixels of a square image"),
        (64, "16 × 16 pixels or more for lenet, not 8 × 8"),
        (15 * 15, "not 15 × 15"),
    ],
)
def test_lenet_refuses_other_images(inputs: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        lenet(inputs, 10)


def test_char_lstm_follows_the_vocabulary() -> None:
    network = tt.Network(char_lstm(20), tt.Ttv2())
    assert (network.inputs, network.outputs) == (20, 20)
    assert network.recurrent
    assert network.carries
    assert [w.shape for w in network.weights] == [(256, 85), (256, 129), (20, 65)]


@pytest.mark.parametrize("net", nets)
def test_a_config_has_what_the_network_is_for(net: str) -> None:
    config = tt.TrainConfig(net=net)
    recipe = nets[net]
    assert (config.data, config.epochs, config.batch) == (recipe.data, recipe.epochs, recipe.batch)
    assert config.rule == recipe.rule("ttv2")
    given = tt.TrainConfig(net=net, data="mine", epochs=2, batch=5, rule=tt.AnalogSgd())
    assert (given.data, given.epochs, given.batch, given.rule) == ("mine", 2, 5, tt.AnalogSgd())


@pytest.mark.parametrize("net", nets)
@pytest.mark.parametrize("kind", rules)
def test_configs_come_back_from_their_toml(net: str, kind: str) -> None:
    config = tt.TrainConfig(net=net, rule=nets[net].rule(kind))
    assert tt.TrainConfig.from_dict(tomllib.loads(config.to_toml())) == config
    assert tt.TrainConfig.from_dict(config.to_dict()) == config
    assert tt.TrainConfig.from_dict({"net": net, "rule": {"kind": kind}}) == config


@pytest.mark.usefixtures("_tuned")
def test_settings_of_a_network_are_defaults_that_all_else_overrides() -> None:
    config = tt.TrainConfig()
    assert (config.data, config.epochs, config.batch, config.rule) == ("digits", 7, 3, tt.Ttv2(fast_lr=0.3))
    assert tt.TrainConfig(rule=tt.Ttv2()).rule == tt.Ttv2()
    made = tt.TrainConfig.from_dict({"batch": 1, "rule": {"kind": "sgd", "lr": 0.5}})
    assert (made.epochs, made.batch, made.rule) == (7, 1, tt.AnalogSgd(lr=0.5, device=CONSTANT))
    assert tt.TrainConfig.from_dict({"rule": {"kind": "ttv1"}}).rule == tt.Ttv1()
    switched = apply_flags(config, {"rule": "sgd", "epochs": 2})
    assert (switched.rule, switched.epochs) == (tt.AnalogSgd(lr=0.1, device=CONSTANT), 2)
    assert apply_flags(config, {"transfer_lr": 2.0}).rule == tt.Ttv2(fast_lr=0.3, transfer_lr=2.0)
    for each in (config, made, switched):
        assert tt.TrainConfig.from_dict(tomllib.loads(each.to_toml())) == each


def test_networks_and_data_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="digits must hold text for the network lstm, not images"):
        tt.TrainConfig(net="lstm", data="digits").dataset()
    (tmp_path / "book.txt").write_text("words " * 300, encoding="utf-8")
    for net in ("fcn", "lenet"):
        with pytest.raises(ValueError, match=f"book must hold images for the network {net}, not text"):
            tt.TrainConfig(net=net, data="book").dataset(tmp_path)
    text = tt.TrainConfig(net="lstm", data="book", sequence=20, examples=30, holdout=10).dataset(tmp_path)
    assert (text.train_x.shape, text.test_x.shape) == ((30, 20), (10, 20))


@pytest.mark.parametrize("bad", [{"sequence": 0}, {"sequence": 1.5}, {"sequence": None}, {"epochs": 0}, {"net": "rnn"}])
def test_bad_settings_are_refused_by_name(bad: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError), match=next(iter(bad))):
        tt.TrainConfig(**bad)  # type: ignore[arg-type]
