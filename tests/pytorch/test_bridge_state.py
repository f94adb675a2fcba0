"""Saving, resuming, copying and moving models on crossbars."""

import copy
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from bridge import RULES, assert_same, attached, batches, small, state_of, train

import tikitaka as tt
import tikitaka.torch as analog


@pytest.mark.parametrize("how", ["torch", "safetensors"])
@pytest.mark.parametrize("rule", RULES)
def test_saved_and_resumed_bits(rule: str, how: str, tmp_path: Path) -> None:
    if rule == "programmed" and tuple(map(int, torch.__version__.split(".")[:2])) < (2, 10):
        pytest.skip("to within rounding")
    model = small(RULES[rule])
    optimizer = attached(model)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 100)
    train(model, optimizer, batches(7), schedule)
    if how == "torch":
        torch.save(model.state_dict(), tmp_path / "model")
        saved = torch.load(tmp_path / "model")  # weights_only, the default
    else:
        files = pytest.importorskip("safetensors.torch")
        files.save_file(model.state_dict(), tmp_path / "model")
        saved = files.load_file(tmp_path / "model")
    rest = copy.deepcopy((optimizer.state_dict(), schedule.state_dict()))
    train(model, optimizer, batches(7, seed=8), schedule)

    resumed = small(RULES[rule], seed=99)  # other devices, until they are loaded
    again = attached(resumed)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(again, 100)
    resumed.load_state_dict(saved)
    again.load_state_dict(rest[0])
    schedule.load_state_dict(rest[1])
    train(resumed, again, batches(7, seed=8), schedule)
    assert_same(state_of(model), state_of(resumed))


SCRIPT = """
import os, signal, sys, torch
from bridge import *
path, stop, end = sys.argv[1], int(sys.argv[2]), 30
model = small(RULES["ttv2"])
optimizer = attached(model)
first = 0
if os.path.exists(path):
    saved = torch.load(path)
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    first = saved["done"]
for k, batch in list(enumerate(batches(end)))[first:]:
    train(model, optimizer, [batch])
    if k % 5 == 4:
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "done": k + 1}, path + ".part")
        os.replace(path + ".part", path)
    if k == stop:
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_killed_and_resumed_bits(tmp_path: Path) -> None:
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}

    def run(path: Path, stop: int) -> int:
        return subprocess.run([sys.executable, "-c", textwrap.dedent(SCRIPT), path, str(stop)], env=env).returncode

    assert run(tmp_path / "whole", -1) == 0
    assert run(tmp_path / "killed", 17) == -signal.SIGKILL
    assert run(tmp_path / "killed", -1) == 0
    whole, killed = (torch.load(tmp_path / name)["model"] for name in ("whole", "killed"))
    assert whole.keys() == killed.keys()
    assert all(torch.equal(whole[name], killed[name]) for name in whole)


@pytest.mark.parametrize("rule", RULES)
def test_deepcopy_and_pickle(rule: str) -> None:
    model = small(RULES[rule])
    train(model, attached(model), batches(5))
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert_same(state_of(model), state_of(twin))
        train(twin, attached(twin), batches(2))
    recurrent = analog.LSTM(3, 4, rule=tt.Ttv2(), seed=1)
    twin = pickle.loads(pickle.dumps(copy.deepcopy(recurrent)))
    assert torch.equal(recurrent.eval()(torch.ones(2, 1, 3))[0], twin.eval()(torch.ones(2, 1, 3))[0])


def _outputs(model: torch.nn.Module) -> np.ndarray:
    return model.eval()(batches(1)[0][0]).detach().numpy()


def test_a_model_goes_to_a_spawned_process() -> None:
    model = small(RULES["ttv2"])
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        np.testing.assert_array_equal(pool.apply(_outputs, (model,)), _outputs(model))


def test_state_dict_has_tensors_alone() -> None:
    state = small(RULES["ttv2"]).state_dict()
    assert all(type(value) is torch.Tensor and value.is_contiguous() for value in state.values())
    assert not any(value.dtype in (torch.uint64, torch.uint32) for value in state.values())


def test_a_plain_state_dict_programs_the_devices() -> None:
    digital, model = small(), small(RULES["ttv2"])
    with torch.no_grad():
        digital[0].weight.fill_(0.02)
    train(model, attached(model), batches(30))
    missing, unexpected = model.load_state_dict(digital.state_dict(), strict=False)
    assert missing == ["0.tikitaka.0", "3.tikitaka.0"]
    assert unexpected == []
    with pytest.raises(RuntimeError, match=r"Missing key.*tikitaka"):
        model.load_state_dict(digital.state_dict())
    torch.testing.assert_close(model[0].weight.detach(), torch.full((8, 12), 0.02), atol=1e-6, rtol=0)
    state = model[0].arrays[0].state()
    assert float(state["h"].abs().max()) == 0
    assert int(state["a.counts.pulses"]) == 0


def test_states_of_other_models_are_refused() -> None:
    state = small(RULES["ttv2"]).state_dict()
    with pytest.raises(RuntimeError, match="rule must be"):
        small(RULES["ttv1"]).load_state_dict(state)
    with pytest.raises(RuntimeError, match=r"Unexpected key.*tikitaka"):
        small().load_state_dict(state)
    broken = {name: value for name, value in state.items() if not name.endswith("config")}
    with pytest.raises(RuntimeError, match="config must be JSON"):
        small(RULES["ttv2"]).load_state_dict(broken)
    part = {name: value for name, value in state.items() if not name.endswith(".h")}
    model = small(RULES["ttv2"])
    with pytest.raises(RuntimeError, match=r"0\.tikitaka\.0"):
        model.load_state_dict(part)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_other_types_stay_outside(dtype: torch.dtype) -> None:
    layer = analog.Linear(4, 3, bias=False, rule=tt.DigitalSgd(), seed=1)
    y = layer(torch.randn(2, 4, dtype=dtype))
    assert y.dtype is dtype
    double = small(RULES["ttv2"]).double()
    x = batches(1)[0][0].double()
    double(x).sum().backward()
    assert double[0].weight.dtype is torch.float64
    assert double[1].weight.grad.dtype is torch.float64


def test_autocast_to_bfloat16_learns() -> None:
    model = small(RULES["ttv2"])
    optimizer = attached(model)
    before = model[0].weight.detach().clone()
    for x, y in batches(60):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
    assert not torch.equal(before, model[0].weight)


def test_memory_that_is_not_contiguous() -> None:
    layer = analog.Linear(4, 3, rule=tt.DigitalSgd(), seed=1)
    x = torch.randn(4, 5)
    torch.testing.assert_close(layer(x.T), layer(x.T.contiguous()))
    torch.testing.assert_close(layer(x.T[::2]), layer(x.T[::2].contiguous()))


@pytest.mark.filterwarnings("ignore")
def test_compiled_equals_eager() -> None:
    eager, compiled = small(RULES["ttv2"]), small(RULES["ttv2"])
    optimizers = attached(eager), attached(compiled)
    try:
        wrapped = torch.compile(compiled, backend="eager")
        wrapped(batches(1)[0][0])
    except Exception as error:  # needs a compiler of its own on some platforms
        pytest.skip(f"torch.compile does not run here: {error}")
    eager(batches(1)[0][0])
    train(eager, optimizers[0], batches(10))
    train(wrapped, optimizers[1], batches(10))
    assert_same(state_of(eager), state_of(compiled))


def test_checkpointed_activations_learn() -> None:
    model = small(RULES["ttv2"])
    optimizer = attached(model)
    before = model[0].weight.detach().clone()
    for x, y in batches(60):
        optimizer.zero_grad()
        out = torch.utils.checkpoint.checkpoint(model, x, use_reentrant=False)
        torch.nn.functional.cross_entropy(out, y).backward()
        optimizer.step()
    assert not torch.equal(before, model[0].weight)
