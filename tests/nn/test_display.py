"""What objects show of themselves, as text and in notebooks."""

import re
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from tikitaka.experiments.studies import registry

LAYERS = [tt.nn.Linear(4, 5), tt.nn.Tanh(), tt.nn.Linear(5, 3, bias=False)]
NETWORK = tt.Network(LAYERS, [tt.Ttv2(fast_lr=0.5), tt.DigitalSgd()], seed=7)
CONFIGS = [
    tt.SoftBounds(),
    tt.SoftBounds(states=50, noise="multiplicative"),
    tt.ConstantStep(weight_step=0.1),
    tt.DigitalSgd(),
    tt.AnalogSgd(device=tt.presets["gv16"], periphery=tt.Periphery.full()),
    tt.Ttv1(read_vectors="hadamard"),
    tt.Ttv2(fast_lr=0.5, slow_device=tt.ConstantStep(), reference=tt.Reference("zero-shift")),
    tt.PulseTrains(max_length=7),
    tt.IoSettings(dac_bits=7),
    tt.nn.Linear(4, 5),
    tt.nn.Conv2d(1, 8, 8, 4, 3, padding=1),
    tt.nn.LSTM(5, 4, carry=True),
    tt.nn.Tanh(),
]


class Own(tt.Rule):
    def __init__(self) -> None:
        self.lr, self.device, self.buffer = 0.5, tt.SoftBounds(states=9), np.zeros(3)


class Long(Own):
    def __init__(self) -> None:
        self.note = "x" * 100_000

    def build(self, weights: Any, seed: int, layer: int) -> None:
        self.array = tt.Crossbar(*weights.shape)


@pytest.mark.parametrize("config", CONFIGS, ids=repr)
def test_a_config_shows_the_call_that_makes_it(config: Any) -> None:
    assert eval(repr(config), {**vars(tt), **vars(tt.nn)}) == config
    assert len(repr(config)) < 500


def test_defaults_are_not_repeated() -> None:
    assert repr(tt.Ttv2()) == "Ttv2()"
    assert (
        repr(tt.Ttv2(fast_lr=0.5, device=tt.SoftBounds(states=50.0)))
        == "Ttv2(fast_lr=0.5, device=SoftBounds(states=50.0))"
    )
    assert repr(tt.nn.Linear(4, 5)) == "Linear(inputs=4, outputs=5)"
    assert repr(Own()) == "Own(lr=0.5, device=SoftBounds(states=9))"


def test_a_network_shows_layers_arrays_and_rules() -> None:
    assert repr(NETWORK).splitlines() == [
        "Network(4 inputs, 3 outputs, 40 weights, loss cross-entropy, seed 7)",
        "  0: Linear(inputs=4, outputs=5)  linear1  5 × 5  Ttv2(fast_lr=0.5)",
        "  1: Tanh()",
        "  2: Linear(inputs=5, outputs=3, bias=False)  linear2  3 × 5  DigitalSgd()",
    ]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (NETWORK, "Network(4 inputs, 3 outputs, 40 weights"),
        (NETWORK.extract("read"), "Model(4 inputs, 3 outputs, 40 weights, loss cross-entropy, read)"),
        (tt.program(NETWORK.extract("read")), "Chip(0 pulses, "),
        (tt.Crossbar(2, 3, tt.ConstantStep(), seed=4), "Crossbar(2 × 3, constant-step, step 0.001, seed 4, array 0)"),
        (tt.AnalogLayer(tt.Ttv2(), np.zeros((2, 3)), layer=1), "AnalogLayer(2 × 3, Ttv2(), seed 0, layer 1)"),
        (tt.data.load("digits"), "Dataset('digits', "),
        (tt.EarlyStopping(3), "EarlyStopping(patience=3, metric='validation_loss', min_delta=0)"),
        (tt.TrainConfig(), "TrainConfig(net='fcn', data='mnist', "),
        (tt.Score(0.5, 0.1), "Score(loss=0.5, error=0.1)"),
        (tt.Network([tt.nn.Linear(8, 8)] * 5000, tt.DigitalSgd()), "Network(8 inputs, 8 outputs, 360,000 weights"),
        (tt.AnalogLayer(Long(), np.zeros((2, 3))), "AnalogLayer(2 × 3, Long(note='xxxxxxxx"),
        (tt.plot.record(NETWORK, [[0.5] * 4], [1], crosspoints=[(0, 0)]), "Trace(array=0, crosspoints=((0, 0),))"),
        (tt.nn.nets["fcn"], "Recipe(data='mnist', epochs="),
        (registry["networks"], "Networks('networks')"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_nothing_shows_its_address(value: Any, words: str) -> None:
    assert repr(value).startswith(words)
    assert "0x" not in repr(value)
    assert len(repr(value)) < 1500


def test_a_run_shows_its_folder(tmp_path: Any) -> None:
    run = tt.Run.create(tmp_path, tt.TrainConfig())
    assert repr(run) == f"Run({str(tmp_path)!r})"
    run.checkpoint(tt.Network([tt.nn.Linear(4, 5)], tt.Ttv2()))
    assert repr(run.last()).startswith("Checkpoint(inputs=4, outputs=5, config={")


def test_a_deep_network_shows_its_first_and_last_layers() -> None:
    deep = tt.Network([tt.nn.Linear(8, 8)] * 60, tt.DigitalSgd())
    lines = repr(deep).splitlines()
    assert (lines[15][:5], lines[16], lines[-1][:5]) == ("  14:", "  …: 40 more layers", "  59:")
    assert deep._repr_html_().count("<tr>") == 1 + 15 + 1 + 5
    assert len(tt.Network(LAYERS, Long())._repr_html_()) < 8000


@pytest.mark.parametrize(
    "value",
    [NETWORK, NETWORK.extract("read"), tt.program(NETWORK.extract("read")), *CONFIGS],
    ids=lambda value: repr(value).split("(")[0],
)
def test_notebooks_get_a_table(value: Any) -> None:
    html = value._repr_html_()
    for tag in ("table", "caption", "thead", "tbody", "tr", "th", "td"):
        assert len(re.findall(f"<{tag}[ >]", html)) == html.count(f"</{tag}>")
    assert html.startswith("<table>")


def test_text_in_a_table_is_escaped() -> None:
    model = NETWORK.extract("read").noted(data="<script>")
    assert "<script>" not in model._repr_html_()
    assert "&lt;script&gt;" in model._repr_html_()
