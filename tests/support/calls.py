"""A valid call of every public function and constructor, for tests that corrupt its arguments."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from tikitaka import config, experiments, nn, plot
from tikitaka.data.text import text_dataset
from tikitaka.nn.state_dict import named_weights
from tikitaka.training import checkpoint

LAYERS = [nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)]
CHARACTERS = [nn.LSTM(3, 4, carry=True), nn.Linear(4, 3)]
RNG = np.random.default_rng(1)
X, Y = RNG.random((6, 3)).astype("f4"), RNG.integers(0, 2, 6)
CODES = RNG.integers(0, 3, (2, 5))
IMAGES = tt.data.Dataset("mine", X, Y, X, Y, 2)
FULL = tt.Periphery.full()
RISING = np.linspace(1, 2, 30) + 0.01 * RNG.random(30)
SMALL = {"data": "digits", "examples": 4, "epochs": 1}


def network(layers: list[nn.Layer] = LAYERS) -> tt.Network:
    return tt.Network(layers, tt.Ttv2(periphery=FULL), seed=1)


def trained() -> tt.Network:
    made = network()
    tt.fit(made, IMAGES, epochs=3, progress=False)
    return made


def model(layers: list[nn.Layer] = LAYERS) -> tt.Model:
    return network(layers).extract("read")


def array() -> tt.Crossbar:
    return tt.Crossbar(2, 3, periphery=FULL, seed=1)


def layer() -> tt.AnalogLayer:
    return tt.AnalogLayer(tt.Ttv2(periphery=FULL), np.zeros((2, 3)), seed=1)


def run(folder: Path) -> tt.Run:
    made = tt.Run.create(folder / "run", tt.TrainConfig(**SMALL))
    with pytest.raises(tt.Stopped):
        made.train(progress=False, stop=lambda: True)
    return made


def progress() -> tt.Metrics:
    return tt.Metrics(1, 1.0, 1.0, 0.5, 1.0, 0.5, 1.0, 1.0, 1.0)


def pulses() -> tt.Measured:
    return tt.measured(up=RISING, down=RISING[::-1])


@cache
def fitted() -> tt.DeviceFit:
    return tt.fit_device(pulses(), models=["constant"], noise=["additive"], replicates=2, threads=1)


def device_file(folder: Path) -> Path:
    config.write_device(folder / "device.toml", tt.SoftBounds(states=30), fit={"passed": True})
    return folder / "device.toml"


def measured_file(folder: Path) -> Path:
    rows = (f"{up},{down}\n" for up, down in zip(RISING, RISING[::-1], strict=True))
    (folder / "pulses.csv").write_text("".join(rows), encoding="utf-8")
    return folder / "pulses.csv"


def jump_table(folder: Path, sign: int) -> Path:
    path = folder / f"table {sign}.txt"
    path.write_text("1,2,3\n0,0.5,1\n" + 3 * f"{sign},{sign},{sign}\n", encoding="utf-8")
    return path


def traces() -> plot.Trace:
    return plot.record(network(), X, Y, crosspoints=[(0, 0)])


def text(folder: Path, content: str = "the cat sat") -> Path:
    (folder / "text.txt").write_text(content, encoding="utf-8")
    return folder / "text.txt"


def idx(folder: Path) -> Path:
    (folder / "idx").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 2, 5, 6]))
    return folder / "idx"


def saved(folder: Path) -> Path:
    model().save(folder / "model.npz")
    return folder / "model.npz"


def settings_file(folder: Path) -> Path:
    (folder / "config.toml").write_text("epochs = 3\n[rule]\nkind = 'sgd'\n", encoding="utf-8")
    return folder / "config.toml"


def costs_file(folder: Path) -> Path:
    (folder / "costs.toml").write_text("mvm_ns = 20\nadc_pj = [0.5, 1.0, 3.0]\n", encoding="utf-8")
    return folder / "costs.toml"


def state() -> checkpoint.Checkpoint:
    return checkpoint.Checkpoint(network().state(), 3, 2, tt.TrainConfig(**SMALL).to_dict(), tt.Progress())


Call = tuple[Callable[..., Any], dict[str, Any]]
# A valid call of each, in a fresh folder; omitted arguments have their defaults.
CALLS: dict[str, Callable[[Path], Call]] = {
    "Chip": lambda f: (tt.Chip, {"network": network(), "pulses": (1,), "residuals": (X,), "steps": (0.1,)}),
    "Metrics": lambda f: (tt.Metrics, {**vars(progress())}),
    "Progress": lambda f: (tt.Progress, {}),
    "Score": lambda f: (tt.Score, {"loss": 1.0, "error": 0.5}),
    "Stopped": lambda f: (tt.Stopped, {"progress": tt.Progress()}),
    "Periphery.full": lambda f: (tt.Periphery.full, {}),
    "Periphery.ideal": lambda f: (tt.Periphery.ideal, {}),
    **{
        name: lambda f, name=name: (getattr(tt, name), {})
        for name in [
            *(kind.__name__ for kind in (config.devices | config.rules).values()),
            "IoSettings",
            "Periphery",
            "Reliability",
            "PulseTrains",
            "Reference",
            "TrainConfig",
        ]
    },
    "Ttv2.describe": lambda f: (tt.Ttv2().describe, {"rows": 2, "cols": 3}),
    "Ttv2.warnings": lambda f: (tt.Ttv2().warnings, {"rows": 2, "cols": 3}),
    # arrays and layers
    "Crossbar": lambda f: (tt.Crossbar, {"rows": 2, "cols": 3}),
    "Crossbar.weights": lambda f: (lambda value: setattr(array(), "weights", value), {"value": X[:2]}),
    "Crossbar.reference": lambda f: (lambda value: setattr(array(), "reference", value), {"value": X[:2]}),
    "Crossbar.read_weights": lambda f: (array().read_weights, {}),
    "Crossbar.restore": lambda f: ((made := array()).restore, {"state": made.state()}),
    "Crossbar.forward": lambda f: (array().forward, {"x": X}),
    "Crossbar.backward": lambda f: (array().backward, {"delta": X[:, :2]}),
    "Crossbar.evaluate": lambda f: (array().evaluate, {"x": X}),
    "Crossbar.update": lambda f: (array().update, {"x": X[0], "delta": X[0, :2], "lr": 0.1}),
    "Crossbar.next_pulse_trains": lambda f: (array().next_pulse_trains, {"x": X[0], "delta": X[0, :2], "lr": 0.1}),
    "Crossbar.read": lambda f: (array().read, {"u": X[0]}),
    "Crossbar.read_column": lambda f: (array().read_column, {"k": 1}),
    "Crossbar.read_row": lambda f: (array().read_row, {"k": 1}),
    "Crossbar.pulse_column": lambda f: (array().pulse_column, {"k": 1, "counts": [1, -2]}),
    "Crossbar.pulse_row": lambda f: (array().pulse_row, {"k": 1, "counts": [1, -2, 3]}),
    "Crossbar.program": lambda f: (array().program, {"target": X[:2]}),
    "Crossbar.zero_shift": lambda f: (array().zero_shift, {"pulses": 4}),
    "AnalogLayer": lambda f: (tt.AnalogLayer, {"rule": tt.Ttv1(), "weights": X}),
    "Crossbar.pulse": lambda f: (array().pulse, {"counts": np.ones((2, 3), int)}),
    "Crossbar.elapse": lambda f: (array().elapse, {"updates": 3}),
    "Crossbar.copy_weights": lambda f: (array().copy_weights, {"out": np.zeros((2, 3), np.float32)}),
    "AnalogLayer.copy_weights": lambda f: (layer().copy_weights, {"out": np.zeros((2, 3), np.float32)}),
    "AnalogLayer.averaging": lambda f: (lambda on: setattr(layer(), "averaging", on), {"on": True}),
    "AnalogLayer.forward": lambda f: (layer().forward, {"x": X}),
    "AnalogLayer.backward": lambda f: (layer().backward, {"delta": X[:, :2]}),
    "AnalogLayer.evaluate": lambda f: (layer().evaluate, {"x": X}),
    "AnalogLayer.update": lambda f: (layer().update, {"x": X, "delta": X[:, :2]}),
    "AnalogLayer.read_weights": lambda f: (layer().read_weights, {}),
    "AnalogLayer.program": lambda f: (layer().program, {"target": X[:2]}),
    "AnalogLayer.restore": lambda f: ((made := layer()).restore, {"state": made.state()}),
    # networks
    "Network": lambda f: (tt.Network, {"layers": LAYERS, "rules": tt.AnalogSgd()}),
    "Network.weights": lambda f: (lambda value: setattr(network(), "weights", value), {"value": network().weights}),
    "Network.averaging": lambda f: (lambda on: setattr(network(), "averaging", on), {"on": True}),
    "Network.train": lambda f: (network().train, {"x": X, "targets": Y}),
    "Network.train of text": lambda f: (network(CHARACTERS).train, {"x": CODES, "targets": CODES}),
    "Network.evaluate": lambda f: (network().evaluate, {"x": X, "targets": Y}),
    "Network.evaluate of text": lambda f: (network(CHARACTERS).evaluate, {"x": CODES, "targets": CODES}),
    "Network.forward": lambda f: (network().forward, {"x": X}),
    "Network.predict": lambda f: (network().predict, {"x": X}),
    "Network.probabilities": lambda f: (network().probabilities, {"x": X}),
    "Network.sample": lambda f: (network(CHARACTERS).sample, {"prime": [0, 1], "count": 3}),
    "Network.program": lambda f: ((made := network()).program, {"targets": made.weights}),
    "Network.describe": lambda f: (network().describe, {}),
    "Network.digital": lambda f: ((made := network()).digital, {"weights": made.weights}),
    "Network.start_from": lambda f: (network().start_from, {"weights": model()}),
    "Network.extract": lambda f: (trained().extract, {}),
    "Network.read_weights": lambda f: (network().read_weights, {}),
    "Network.restore": lambda f: ((made := network()).restore, {"state": made.state()}),
    "Network.layer_state": lambda f: (network().layer_state, {"array": 0}),
    "Network.device_parameters": lambda f: (network().device_parameters, {"array": 0}),
    "EarlyStopping": lambda f: (tt.EarlyStopping, {}),
    "fit": lambda f: (tt.fit, {"network": network(), "dataset": IMAGES, "epochs": 1, "progress": False}),
    "model.extract.average": lambda f: (tt.extract.average, {"network": trained()}),
    "model.extract.last_read": lambda f: (tt.extract.last_read, {"network": network()}),
    "model.extract.mean_read": lambda f: (tt.extract.mean_read, {"network": network(), "reads": 2}),
    # models
    "Model": lambda f: (tt.Model, {"layers": LAYERS, "weights": model().weights}),
    "Model.from_weights": lambda f: (
        tt.Model.from_weights,
        {"layers": LAYERS, "weights": named_weights(LAYERS, model().weights)},
    ),
    "Model.forward": lambda f: (model().forward, {"x": X}),
    "Model.evaluate": lambda f: (model().evaluate, {"x": X, "targets": Y}),
    "Model.predict": lambda f: (model().predict, {"x": X}),
    "Model.probabilities": lambda f: (model().probabilities, {"x": X}),
    "Model.sample": lambda f: (model(CHARACTERS).sample, {"prime": [0, 1], "count": 3}),
    "program": lambda f: (tt.program, {"model": model()}),
    "Model.quantised": lambda f: (model().quantised, {}),
    "Model.noted": lambda f: (lambda note: model().noted(note=note), {"note": 1}),
    "Model.save": lambda f: (model().save, {"path": f / "model.safetensors"}),
    "Model.load": lambda f: (tt.Model.load, {"path": saved(f)}),
    "export.onnx": lambda f: (tt.export.onnx, {"model": model(), "path": f / "model.onnx"}),
    # layers
    "nn.Linear": lambda f: (nn.Linear, {"inputs": 3, "outputs": 2}),
    "nn.Conv2d": lambda f: (nn.Conv2d, {"channels": 1, "height": 4, "width": 5, "filters": 2, "kernel": 3}),
    "nn.MaxPool2d": lambda f: (nn.MaxPool2d, {"channels": 1, "height": 4, "width": 5}),
    "nn.Flatten": lambda f: (nn.Flatten, {"channels": 1, "height": 4, "width": 5}),
    "nn.LSTM": lambda f: (nn.LSTM, {"inputs": 3, "hidden": 2}),
    "nn.ReLU": lambda f: (nn.ReLU, {}),
    "nn.Sigmoid": lambda f: (nn.Sigmoid, {}),
    "nn.Tanh": lambda f: (nn.Tanh, {}),
    "nn.fcn": lambda f: (tt.nn.fcn, {}),
    "nn.lenet": lambda f: (tt.nn.lenet, {}),
    "nn.char_lstm": lambda f: (tt.nn.char_lstm, {}),
    "nn.array_names": lambda f: (tt.nn.array_names, {"layers": LAYERS}),
    "nn.per_array": lambda f: (
        tt.nn.per_array,
        {"what": "rules", "values": {"default": 1}, "names": ["linear1"]},
    ),
    "nn.Recipe": lambda f: (
        tt.nn.Recipe,
        {"build": lambda data: tt.nn.fcn(), "data": "digits", "epochs": 1, "batch": 1},
    ),
    "nn.Recipe.rule": lambda f: (tt.nn.nets["fcn"].rule, {"kind": "ttv2"}),
    # data
    "data.Dataset": lambda f: (tt.data.Dataset, {**vars(IMAGES)}),
    "data.Dataset.from_arrays": lambda f: (tt.data.Dataset.from_arrays, {"x": X, "y": Y, "test_share": 0.4}),
    "data.Dataset.first": lambda f: (IMAGES.first, {"examples": 2}),
    "data.Dataset.holdout": lambda f: (IMAGES.holdout, {"examples": 2}),
    "data.Vocabulary": lambda f: (tt.data.Vocabulary, {"characters": "abc"}),
    "data.Vocabulary.of": lambda f: (tt.data.Vocabulary.of, {"text": "the cat"}),
    "data.Vocabulary.encode": lambda f: (tt.data.Vocabulary("abc").encode, {"text": "cab"}),
    "data.Vocabulary.decode": lambda f: (tt.data.Vocabulary("abc").decode, {"codes": [2, 0]}),
    "data.data_folder": lambda f: (tt.data.data_folder, {}),
    "data.download": lambda f: (lambda name: tt.data.download(name, f), {"name": "no-such"}),
    "data.load": lambda f: (
        tt.data.load,
        {"name": "text", "data_dir": text(f, "the cat sat " * 9).parent, "sequence": 2},
    ),
    "data.read_idx": lambda f: (tt.data.read_idx, {"path": idx(f)}),
    "data.read_text": lambda f: (tt.data.read_text, {"path": text(f)}),
    "data.text_dataset": lambda f: (text_dataset, {"content": "the cat sat " * 9, "name": "mine", "sequence": 3}),
    # measured pulses
    "Sweep": lambda f: (tt.Sweep, {"device": "A", "cycle": 1, "signs": [0, 1, -1], "values": [1.0, 2.0, 1.5]}),
    "Measured": lambda f: (tt.Measured, {**vars(pulses())}),
    "Measured.of": lambda f: (pulses().of, {"device": "device"}),
    "measured": lambda f: (tt.measured, {"up": RISING, "down": RISING[::-1], "unit": "uS"}),
    "measured of reads in a row": lambda f: (
        tt.measured,
        {"values": np.concatenate([RISING, RISING[::-1]]), "pulses": np.repeat([1, -1], 30), "window": (0, 90)},
    ),
    "read_measured": lambda f: (tt.read_measured, {"path": measured_file(f)}),
    "read_measured with options": lambda f: (
        tt.read_measured,
        {"path": measured_file(f), "up": 1, "down": 2, "unit": "uS", "skip": 0, "decimal": "."},
    ),
    "read_jump_table": lambda f: (
        tt.read_jump_table,
        {"up": jump_table(f, 1), "down": jump_table(f, -1), "bound": 0.6},
    ),
    # fitted devices
    "Spread": lambda f: (
        tt.Spread,
        {"up_step": 0.1, "down_step": 0.1, "upper_bound": 0.1, "lower_bound": 0.1, "up_slope": 0.1, "down_slope": 0.1}
        | {"distribution": "normal", "correlation": np.eye(6)},
    ),
    "OneSidedPair": lambda f: (
        tt.OneSidedPair,
        {"refresh_every": 10, "upper_threshold": 0.7, "lower_threshold": 0.3, "reset_spread": 0.02},
    ),
    "fit_device": lambda f: (
        tt.fit_device,
        {"measured": pulses(), "models": ["constant"], "noise": ["additive"], "replicates": 2, "threads": 1},
    ),
    "DeviceFit.write": lambda f: (fitted().write, {"path": f / "device.toml"}),
    "DeviceFit.plot": lambda f: (fitted().plot, {"path": f / "fit.png"}),
    "config.read_device": lambda f: (config.read_device, {"path": device_file(f)}),
    "config.write_device": lambda f: (
        config.write_device,
        {"path": f / "device.toml", "device": tt.SoftBounds(), "physical": {"unit": "S"}, "replicates": []},
    ),
    # costs
    "Chip.after": lambda f: (tt.program(model()).after, {"seconds": 100.0}),
    "Drift": lambda f: (tt.Drift, {"exponent": 0.1, "spread": 0.01, "start_s": 1.0}),
    "wear": lambda f: (tt.wear, {"network": tt.Network([tt.nn.Linear(3, 2)], tt.Ttv2(count_pulses=True))}),
    "Costs": lambda f: (tt.Costs, {"mvm_ns": 20, "adc_pj": (0.5, 1.0, 3.0), "dac_pj": {"usual": 1.0}}),
    "Costs.from_toml": lambda f: (tt.Costs.from_toml, {"path": costs_file(f)}),
    "Costs.of": lambda f: (tt.Costs().of, {"network": network()}),
    "Costs.of_ledger": lambda f: (
        tt.Costs().of_ledger,
        {"ledger": layer().ledger, "shape": (2, 3), "rule": tt.Ttv2()},
    ),
    # runs, checkpoints, settings
    "Run": lambda f: (tt.Run, {"path": f, "config": tt.TrainConfig(**SMALL)}),
    "Run.create": lambda f: (tt.Run.create, {"path": f / "new", "config": tt.TrainConfig(**SMALL)}),
    "Run.open": lambda f: (tt.Run.open, {"path": run(f).path}),
    "Run.train": lambda f: (run(f).train, {"progress": False, "stop": lambda: True}),
    "Run.prepare": lambda f: (run(f).prepare, {"dataset": IMAGES}),
    "Run.extend": lambda f: (run(f).extend, {"epochs": 2}),
    "Run.log": lambda f: (run(f).log, {"metrics": progress()}),
    "Run.checkpoint": lambda f: (run(f).checkpoint, {"network": network()}),
    "Run.last": lambda f: (run(f).last, {}),
    "Run.finish": lambda f: (run(f).finish, {"summary": {"a": 1}}),
    "Run.network": lambda f: (run(f).network, {}),
    "Run.epochs_averaged": lambda f: (run(f).epochs_averaged, {}),
    "Run.extract": lambda f: (run(f).extract, {"what": "read"}),
    "TrainConfig.from_dict": lambda f: (tt.TrainConfig.from_dict, {"values": dict(SMALL)}),
    "TrainConfig.from_dict, a field": lambda f: (
        lambda rule: tt.TrainConfig.from_dict({"rule": rule}),
        {"rule": "sgd"},
    ),
    "TrainConfig.dataset": lambda f: (tt.TrainConfig(**SMALL).dataset, {}),
    "TrainConfig.fit": lambda f: (
        tt.TrainConfig(**{**SMALL, "epochs": 2}).fit,
        {"network": network(), "dataset": IMAGES, "progress": False},
    ),
    "TrainConfig.network": lambda f: (tt.TrainConfig().network, {"data": IMAGES}),
    "TrainConfig.check": lambda f: (tt.TrainConfig().check, {"data": IMAGES}),
    "training.checkpoint.Checkpoint": lambda f: (checkpoint.Checkpoint, {**vars(state())}),
    "training.checkpoint.save": lambda f: (checkpoint.save, {"folder": f, "checkpoint": state()}),
    "training.checkpoint.load": lambda f: (checkpoint.load, {"folder": run(f).path}),
    "training.checkpoint.mend": lambda f: (checkpoint.mend, {"folder": run(f).path}),
    "training.checkpoint.load_previous": lambda f: (checkpoint.load_previous, {"folder": run(f).path}),
    "config.to_dict": lambda f: (config.to_dict, {"config": tt.Ttv2()}),
    "config.from_dict": lambda f: (config.from_dict, {"cls": tt.Ttv2, "values": {"device": {"states": 30}}}),
    "config.over": lambda f: (config.over, {"table": {"a": 1}, "changes": {"states": 2}}),
    "config.kinds_of": lambda f: (config.kinds_of, {"hint": tt.Device}),
    "config.named": lambda f: (config.named, {"hint": tt.Periphery}),
    "config.doc_of": lambda f: (config.doc_of, {"cls": tt.Ttv2}),
    "config.read_toml": lambda f: (config.read_toml, {"path": settings_file(f)}),
    "config.to_toml": lambda f: (config.to_toml, {"config": tt.Ttv2(), "names": {}}),
    # experiments
    "experiments.cells": lambda f: (
        experiments.cells,
        {"base": tt.TrainConfig(), "axes": {"rule.device.states": [10, 20]}, "seeds": [1, 2]},
    ),
    "experiments.draw": lambda f: (experiments.draw, {"result": {}, "path": f / "a.png"}),
    "experiments.sweep": lambda f: (
        experiments.sweep,
        {"grid": [tt.TrainConfig(**SMALL)], "out": f / "out", "measure": lambda c: {"seed": c.seed}, "progress": False},
    ),
    "tune": lambda f: (
        tt.tune,
        {"config": tt.TrainConfig(**SMALL), "out": f / "out", "held_out": 9, "finalists": 1, "threads": 1}
        | {"progress": False},
    ),
    "experiments.trained": lambda f: (experiments.trained, {"config": tt.TrainConfig(**SMALL), "stop": lambda: True}),
    # pictures
    "plot.Trace": lambda f: (plot.Trace, {**vars(traces())}),
    "plot.check_picture": lambda f: (plot.check_picture, {"path": f / "a.png"}),
    "plot.claim": lambda f: (plot.claim, {"result": {}, "path": f / "a.png"}),
    "plot.costs": lambda f: (plot.costs, {"bill": tt.Costs().of(trained()), "path": f / "a.svg"}),
    "plot.curves": lambda f: (plot.curves, {"runs": {"one": [progress()]}, "path": f / "a.svg"}),
    "plot.energy": lambda f: (plot.energy, {"result": {}, "path": f / "a.png"}),
    "plot.extraction": lambda f: (plot.extraction, {"rows": [], "path": f / "a.png"}),
    "plot.histograms": lambda f: (plot.histograms, {"source": network(), "path": f / "a.svg"}),
    "plot.record": lambda f: (plot.record, {"network": network(), "x": X, "targets": Y, "crosspoints": [(0, 1)]}),
    "plot.responses": lambda f: (plot.responses, {"device": tt.SoftBounds(), "path": f / "a.svg", "pulses": 4}),
    "plot.traces": lambda f: (plot.traces, {"trace": traces(), "path": f / "a.svg"}),
    "plot.weight_programming": lambda f: (plot.weight_programming, {"rows": [], "path": f / "a.png"}),
}
