"""Figures of devices: responses to pulses, histograms, traces of crosspoints during training."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from support.figures import axes_of
from tikitaka import cli, plot
from tikitaka.training import Run, TrainConfig
from tikitaka.training.order import shuffled

DIGITS = tt.data.load("digits").first(60)
LAYERS = [tt.nn.Linear(64, 12), tt.nn.Sigmoid(), tt.nn.Linear(12, 10)]
RULE = tt.Ttv2(fast_lr=0.5, transfer_lr=20.0, reference=tt.Reference("ideal", spread=0.1))


@pytest.mark.parametrize("device", [tt.SoftBounds(states=20), tt.presets["gv16"]], ids=["soft-bounds", "gv16"])
def test_responses_are_trains_up_and_down(monkeypatch: pytest.MonkeyPatch, device: Any) -> None:
    (panel,) = axes_of(monkeypatch, lambda: plot.responses(device, "never.png", devices=3, pulses=7, seed=5))
    real, quiet = ([line for line in panel.lines if len(line.get_xdata()) == 15][k::2] for k in (0, 1))
    assert [len(real), len(quiet)] == [3, 3]
    array = tt.Crossbar(1, 3, device, seed=5)
    for line, lowest in zip(real, array.device_parameters["lower_bound"][0], strict=True):
        assert line.get_ydata()[0] == lowest
    array.weights = array.device_parameters["lower_bound"]
    for pulse in range(1, 15):
        array.pulse_row(0, np.full(3, 1 if pulse <= 7 else -1))
        np.testing.assert_array_equal([line.get_ydata()[pulse] for line in real], array.weights[0])
    noiseless = replace(device, cycle_noise=0.0)
    p = tt.Crossbar(1, 3, noiseless, seed=5).device_parameters
    for k, line in enumerate(quiet):
        up, down, upper, lower = (p[n][0, k] for n in ("up_step", "down_step", "upper_bound", "lower_bound"))
        soft, w = isinstance(device, tt.SoftBounds), lower
        for pulse, drawn in enumerate(line.get_ydata()):
            assert drawn == pytest.approx(w, abs=1e-5)
            w += up * (1 - w / upper if soft else 1) if pulse < 7 else -down * (1 - w / lower if soft else 1)
            w = min(max(w, lower), upper)
    points = [float(line.get_ydata()[0]) for line in panel.lines if len(line.get_xdata()) == 1]
    np.testing.assert_array_equal(points, array.symmetry_point[0])


def test_what_has_no_response(tmp_path: Path) -> None:
    for error, device, settings in (
        (TypeError, "r24", {}),
        (ValueError, tt.SoftBounds(), {"devices": 0}),
        (ValueError, tt.SoftBounds(), {"pulses": 0}),
    ):
        with pytest.raises(error, match="must be"):
            plot.responses(device, tmp_path / "c.png", **settings)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"must end in \.png, \.svg or \.pdf"):
        plot.responses(tt.SoftBounds(), tmp_path / "c.jpeg")
    assert not list(tmp_path.iterdir())


def counts(panel: Any, k: int) -> int:
    """Values in the histogram number `k` of a panel."""
    return round(sum(patch.get_height() for patch in panel.containers[k]))


def test_histograms_hold_every_crosspoint(monkeypatch: pytest.MonkeyPatch) -> None:
    network = tt.Network(LAYERS, RULE, seed=1)
    network.train(DIGITS.train_x, DIGITS.train_y)
    panels = axes_of(monkeypatch, lambda: plot.histograms(network, "never.png"))
    assert len(panels) == 4
    for array, (weights, points) in enumerate((panels[:2], panels[2:])):
        state, drawn = network.layer_state(array), network.device_parameters(array)
        height, width = state["c"].shape
        assert weights.get_title(loc="left").startswith(f"{array}: Linear, {height} × {width}, ")
        edges = np.array([[p.get_x(), p.get_x() + p.get_width()] for p in weights.containers[0]])
        assert (edges[0, 0], edges[-1, 1]) == pytest.approx((state["c"].min(), state["c"].max()))
        heights = [p.get_height() for p in weights.containers[0]]
        np.testing.assert_array_equal(heights, np.histogram(state["c"], 60)[0])
        assert counts(points, 0) == height * width
        for panel, name in ((weights, "c"), (points, "a")):
            bounds = [line.get_xdata()[0] for line in panel.lines]
            means = [drawn[f"{name}.{side}_bound"].mean() for side in ("lower", "upper")]
            assert bounds == pytest.approx(means, rel=1e-5)
    assert counts(panels[1], 0) == 12 * 65


def test_histograms_of_rules_without_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    network = tt.Network(LAYERS, [RULE, tt.DigitalSgd()], seed=1)
    _, _, floats, beside = axes_of(monkeypatch, lambda: plot.histograms(network, "never.png"))
    assert floats.get_title(loc="left") == "1: Linear, 10 × 13"
    assert not floats.lines
    assert not beside.axison
    with pytest.raises(TypeError, match="source must be a Run or a Network"):
        plot.histograms("run", "never.png")  # type: ignore[arg-type]


@pytest.mark.parametrize(("batch", "every"), [(1, 7), (4, 8)])
def test_recording_changes_no_bit(batch: int, every: int) -> None:
    plain, read = (tt.Network(LAYERS, RULE, seed=3) for _ in range(2))
    order = np.concatenate([shuffled(60, seed=3, epoch=epoch) for epoch in (1, 2)])
    plain.train(DIGITS.train_x, DIGITS.train_y, order=order, batch=batch, lr_scale=0.7)
    at = [(0, 3), (9, 12)]
    settings: dict[str, Any] = {"order": order, "batch": batch, "lr_scale": 0.7}
    trace = plot.record(read, DIGITS.train_x, DIGITS.train_y, array=1, crosspoints=at, every=every, **settings)
    for name, values in plain.state().items():
        np.testing.assert_array_equal(read.state()[name], values, err_msg=name)
    assert list(trace.examples) == [*range(0, 120, every), 120]
    state, begin = plain.layer_state(1), tt.Network(LAYERS, RULE, seed=3).layer_state(1)
    for k, crosspoint in enumerate(at):
        for values, name in ((trace.h, "h"), (trace.c, "c")):
            assert (values[0, k], values[-1, k]) == (begin[name][crosspoint], state[name][crosspoint])
        assert trace.reference[k] == state["a.reference"][crosspoint]
        assert trace.a[-1, k] == state["a"][crosspoint] + state["a.reference"][crosspoint]
    assert np.ptp(trace.h) > 0


def test_traces_show_what_was_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    network = tt.Network(LAYERS, RULE, seed=3)
    trace = plot.record(network, DIGITS.train_x, DIGITS.train_y, crosspoints=[(0, 20), (3, 5)], every=10, array=0)
    panels = axes_of(monkeypatch, lambda: plot.traces(trace, "never.png"))
    for panel, values in zip(panels, (trace.a, trace.h, trace.c), strict=True):
        lines = [line for line in panel.lines if len(line.get_xdata()) == len(trace.examples)]
        np.testing.assert_array_equal(np.transpose([line.get_ydata() for line in lines]), values)
    references = [line.get_ydata()[0] for line in panels[0].lines if len(line.get_xdata()) == 2]
    np.testing.assert_array_equal(references, trace.reference)
    assert [line.get_ydata()[0] for line in panels[1].lines if list(line.get_xdata()) == [0, 1]] == [-1, 1, 0]
    assert [panel.get_ylabel().split()[0] for panel in panels] == ["A", "H", "C"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"crosspoints": [(12, 0)]}, r"within 12 × 65, not \(12, 0\)"),
        ({"crosspoints": [(0, -1)]}, "within 12 × 65"),
        ({"crosspoints": []}, "must contain"),
        ({"array": 2}, "array must be from 0 to 1, not 2"),
        ({"array": 1}, "one whose rule has a filter, as ttv2, not"),
        ({"every": 3, "batch": 2}, "multiple of batch = 2"),
    ],
)
def test_what_cannot_be_recorded(settings: dict[str, Any], words: str) -> None:
    network = tt.Network(LAYERS, [RULE, tt.AnalogSgd()], seed=3)
    digest = network.digest()
    with pytest.raises(ValueError, match=words):
        plot.record(network, DIGITS.train_x, DIGITS.train_y, **{"crosspoints": [(0, 0)], **settings})
    assert network.digest() == digest


def test_the_command_draws_devices_and_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = TrainConfig(data="digits", rule=replace(RULE, device=tt.SoftBounds(states=9)))
    run = Run.create(tmp_path / "run", config)
    run.checkpoint(config.network(DIGITS), epoch=0)
    (tmp_path / "c.toml").write_text(config.to_toml())
    drawn: list[Any] = []
    monkeypatch.setattr(plot, "responses", lambda device, path, **given: drawn.append((device, given)))
    usual = {"devices": 5, "pulses": None, "seed": 0}
    for args, device, given in (
        (["--device", "r24", "--states", "40"], replace(tt.presets["r24"], states=40.0), {}),
        (["--weight-step", "0.1", "--pulses", "9"], tt.SoftBounds(weight_step=0.1), {"pulses": 9}),
        (["--device", "gv16", "--states", "500"], replace(tt.presets["gv16"], weight_step=None, states=500.0), {}),
        ([tmp_path / "run", "--kind", "responses", "--seed", "3"], tt.SoftBounds(states=9), {"seed": 3}),
        ([tmp_path / "c.toml", "--cycle-noise", "0"], tt.SoftBounds(states=9, cycle_noise=0), {}),
    ):
        with pytest.raises(SystemExit) as left:
            cli.main(["plot", *map(str, args), "--out", str(tmp_path / "never.png")])
        assert left.value.code == 0
        assert drawn.pop() == (device, {**usual, **given})
    picture = tmp_path / "h.png"
    for _ in range(2):
        with pytest.raises(SystemExit) as left:
            cli.main(["plot", str(tmp_path / "run"), "--kind", "histograms", "--out", str(picture)])
        assert left.value.code == 0
    assert picture.read_bytes()[:4] == b"\x89PNG"
    assert not list(tmp_path.glob("*.part"))
