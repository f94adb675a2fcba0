"""Training through the bridge: the pulses of tikitaka, and the habits of PyTorch."""

import copy
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from bridge import (
    RULES,
    CrossEntropy,
    Sigmoid,
    assert_same,
    attached,
    batches,
    small,
    state_of,
    train,
)

import tikitaka as tt
import tikitaka.torch as analog


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("rule", ["sgd", "ttv1", "ttv2"])
def test_fcn_ends_at_the_bits_of_network(rule: str, batch: int) -> None:
    digits = tt.data.load("digits").first(80)
    x, y = digits.train_x, digits.train_y
    network = tt.Network(tt.nn.fcn(digits.inputs, digits.classes), RULES[rule], seed=7)
    sizes = [(w.shape[1] - 1, w.shape[0]) for w in network.weights]
    layers = [analog.Linear(n, m, bias="analog", rule=RULES[rule], seed=7, number=k) for k, (n, m) in enumerate(sizes)]
    for layer, weights in zip(layers, network.weights, strict=True):
        # The devices clip weights only once, so the array starts from what the network sees.
        layer.program({"weight": torch.tensor(weights[:, :-1]), "bias": torch.tensor(weights[:, -1])})
    model = torch.nn.ModuleList(layers)
    optimizer = analog.attach(torch.optim.SGD(model.parameters(), lr=0.1), model)
    for first in range(0, len(x), batch):
        values = torch.from_numpy(x[first : first + batch])
        for layer in layers[:-1]:
            values = Sigmoid.apply(layer(values))
        optimizer.zero_grad()
        CrossEntropy.apply(layers[-1](values), torch.from_numpy(y[first : first + batch]), batch).backward()
        optimizer.step()
    network.train(x, y, batch=batch)
    for layer, weights in zip(layers, network.weights, strict=True):
        np.testing.assert_array_equal(layer.arrays[0].weights, weights)
        np.testing.assert_array_equal(layer.weight.detach().numpy(), weights[:, :-1])
    pulses = sum(sum(part["pulses"] for part in (each["fast"], each["slow"]))
                 for name, each in analog.ledger(model).items() if name != "total")  # fmt: skip
    assert pulses == network.pulses > 0


@pytest.mark.parametrize("rule", RULES)
def test_micro_batches_that_accumulate_equal_one_batch(rule: str) -> None:
    """With normalisation left out, whose statistics are those of a batch."""
    ends = []
    for parts in (1, 4):
        model = small(RULES[rule])
        model[1] = torch.nn.Identity()
        optimizer = attached(model)
        for x, y in batches(10, 8):
            optimizer.zero_grad()
            for xs, ys in zip(x.chunk(parts), y.chunk(parts), strict=True):
                (torch.nn.functional.cross_entropy(model(xs), ys) / parts).backward()
            optimizer.step()
        ends.append(state_of(model))
    if rule == "programmed":  # the optimiser adds gradients up in another order
        for name, mine in ends[0].items():
            np.testing.assert_allclose(mine, ends[1][name], atol=0.2)
        return
    digital = [name for name in ends[0] if name.endswith("bias")]
    for name in digital:
        np.testing.assert_allclose(ends[0].pop(name), ends[1].pop(name), atol=1e-5)
    if rule != "programmed":
        assert_same(*ends)


def test_pairs_reach_the_rule_in_the_order_of_their_products() -> None:
    x = torch.randn(3, 12)
    ends = []
    for together in (True, False):
        layer = analog.Linear(12, 5, bias=False, rule=RULES["ttv2"], seed=1)
        torch.nn.init.zeros_(layer._parameters["weight"])
        layer.program({"weight": torch.zeros(5, 12)})
        optimizer = attached(layer)
        outputs = layer(x) if together else torch.cat([layer(each) for each in x])
        outputs.reshape(3, 5).sum().backward()
        optimizer.step()
        ends.append(state_of(layer))
    assert_same(*ends)


def test_two_uses_add_up() -> None:
    layer = analog.Linear(6, 6, bias=False, rule=tt.DigitalSgd(lr=0.5), seed=1)
    twin = torch.nn.Linear(6, 6, bias=False)
    twin.load_state_dict({"weight": layer.weight.detach().clone()})
    optimizer, x = attached(layer), torch.randn(4, 6)
    other = torch.optim.SGD(twin.parameters(), lr=0.5)
    for model in (layer, twin):
        model(torch.tanh(model(x))).square().mean().backward()
    optimizer.step()
    other.step()
    torch.testing.assert_close(layer.weight, twin.weight, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rule", RULES)
def test_what_does_not_learn_changes_no_state(rule: str) -> None:
    model = small(RULES[rule])
    optimizer, x = attached(model), batches(1)[0][0]
    train(model, optimizer, batches(3))
    model[1].eval()
    before = state_of(model)
    model.eval()
    model(x).sum()
    model(x.requires_grad_()).sum().backward()
    optimizer.zero_grad()
    assert x.grad is not None
    model.train()
    model[1].eval()
    with torch.no_grad():
        model(x)
    for layer in (model[0], model[3]):
        layer.weight.requires_grad_(False)
    model(x).sum().backward()
    optimizer.param_groups[0]["lr"] = 0.0
    optimizer.step()
    assert_same(before, state_of(model))


@pytest.mark.parametrize("rule", ["ttv2", "programmed"])
def test_gradients_of_inputs_alone_teach_nothing(rule: str) -> None:
    model = small(RULES[rule])
    optimizer, (x, y) = attached(model), batches(1)[0]
    weights = {name: value for name, value in state_of(model).items() if name.endswith((".c", "weight", ".a", ".h"))}
    (gradient,) = torch.autograd.grad(torch.nn.functional.cross_entropy(model(x.requires_grad_()), y), x)
    assert gradient.abs().sum() > 0
    assert not any(array.waiting for _, module in [("", model[0]), ("", model[3])] for array in module.arrays)
    optimizer.step()
    after = state_of(model)
    assert_same(weights, {name: after[name] for name in weights})


def moved(before: torch.Tensor, model: torch.nn.Module) -> float:
    return float((model[0].weight.detach() - before).norm())


def test_a_pass_that_asks_for_inputs_adds_nothing_to_one_that_learns() -> None:
    """`torch.autograd.grad` with a kept graph, then `backward`, under the float rule and under PyTorch."""
    distances = []
    for rule in (None, tt.DigitalSgd(lr=0.1)):
        model, (x, y) = small(rule), batches(1)[0]
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        if rule is not None:
            analog.attach(optimizer, model)
        before, x = model[0].weight.detach().clone(), x.requires_grad_()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        torch.autograd.grad(loss, x, retain_graph=True)
        torch.autograd.grad(loss, list(model.parameters()), retain_graph=True, allow_unused=True)
        loss.backward()
        optimizer.step()
        distances.append(moved(before, model))
    assert distances[0] == pytest.approx(distances[1], rel=1e-4)


def test_gradients_that_are_only_returned_teach_nothing() -> None:
    model, (x, y) = small(RULES["ttv2"]), batches(1)[0]
    attached(model)
    loss = torch.nn.functional.cross_entropy(model(x), y)
    torch.autograd.grad(loss, list(model.parameters()), allow_unused=True)
    assert model[0].arrays[0].waiting == 0


def test_zero_grad_of_the_model_drops_what_waits() -> None:
    model, (x, y) = small(RULES["ttv2"]), batches(1)[0]
    attached(model)
    torch.nn.functional.cross_entropy(model(x), y).backward()
    model.zero_grad()
    assert model[0].arrays[0].waiting == 0
    assert model[1].weight.grad is None
    twin = pickle.loads(pickle.dumps(copy.deepcopy(model)))
    twin.zero_grad()
    assert_same(state_of(model), state_of(twin))


def test_two_optimizers_teach_their_own_layers() -> None:
    model = small(tt.DigitalSgd(lr=0.1))
    first = analog.attach(torch.optim.SGD([*model[0].parameters(), *model[1].parameters()], 0.1), model)
    second = analog.attach(torch.optim.SGD(model[3].parameters(), 0.1), model)
    kept = model[3].weight.detach().clone()
    for x, y in batches(4):
        second.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        first.step()
    assert torch.equal(kept, model[3].weight)
    second.step()
    assert not torch.equal(kept, model[3].weight)


def test_groups_of_the_optimizer_stay_apart() -> None:
    model = small(RULES["ttv2"])
    groups = [
        {"params": model[0].parameters(), "lr": 0.0},
        {"params": model[3].parameters()},
        {"params": model[1].parameters()},
    ]
    optimizer = analog.attach(torch.optim.AdamW(groups, lr=1e-3), model)
    assert [group["lr"] for group in optimizer.param_groups] == [0.0, 1e-3, 1e-3, 0.0, 1.0]
    before = model[0].weight.detach().clone()
    train(model, optimizer, batches(40))
    assert torch.equal(before, model[0].weight)
    model = small(RULES["ttv2"])
    named = analog.attach(torch.optim.AdamW(model.named_parameters(), 1e-3), model)
    assert [len(group["params"]) for group in named.param_groups] == [4, 2]


def test_programmed_mode_at_rate_zero_moves_nothing() -> None:
    model = small(RULES["programmed"])
    pulses = analog.ledger(model)["total"]["pulses"]
    for dtype in (torch.float32, torch.bfloat16, torch.float64, torch.bfloat16, torch.float32):
        model.to(dtype)
        optimizer = attached(model, lr=0.0)
        for x, y in batches(30):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x.to(dtype)), y).backward()
            optimizer.step()
    assert analog.ledger(model)["total"]["pulses"] == pulses


def test_layers_converted_in_turn_have_devices_of_their_own() -> None:
    model = small()
    analog.convert(model, {"0": RULES["ttv2"]}, seed=1)
    analog.convert(model, {"3": RULES["ttv2"]}, seed=1)
    assert [module.arrays[0].number for module in (model[0], model[3])] == [0, 1]
    twins = torch.nn.ModuleList([model[0], copy.deepcopy(model[0])])
    with pytest.warns(UserWarning, match="the same seed and number"):
        analog.attach(torch.optim.SGD(twins.parameters(), 0.1), twins)


def test_a_scheduler_that_sets_the_factor_of_crossbars_is_reported() -> None:
    model = small(RULES["ttv2"])
    optimizer = attached(model)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-3, total_steps=100, cycle_momentum=False)
    with pytest.warns(UserWarning, match="give it a list of rates"):
        train(model, optimizer, batches(3), schedule)


def test_zero_grad_drops_what_waits() -> None:
    model = small(RULES["ttv2"])
    optimizer, (x, y) = attached(model), batches(1)[0]
    torch.nn.functional.cross_entropy(model(x), y).backward()
    assert model[0].arrays[0].waiting == 1
    with pytest.raises(RuntimeError, match="save after a step"):
        model.state_dict()
    optimizer.zero_grad()
    assert model[0].arrays[0].waiting == 0
    a = model.state_dict()["0.tikitaka.0.a"].clone()
    optimizer.step()
    assert torch.equal(a, model.state_dict()["0.tikitaka.0.a"])


def test_evaluation_starts_again_and_has_noise() -> None:
    model, x = small(RULES["ttv2"]), batches(1)[0][0]
    first, second = model.eval()(x), model(x)
    again = model.eval()(x)
    assert not torch.equal(first, second)
    assert torch.equal(first, again)


def test_gradients_in_evaluation_are_reported_at_the_step() -> None:
    model = small(RULES["ttv2"])
    optimizer, (x, y) = attached(model), batches(1)[0]
    model.eval()
    torch.nn.functional.cross_entropy(model(x), y).backward()
    with pytest.warns(UserWarning, match="not learned: call model.train"):
        optimizer.step()


@pytest.mark.parametrize("scale", [2.0, 0.5, "fit"])
def test_scale_changes_devices_not_the_model_nor_its_descent(scale: float | str) -> None:
    """Under the float rule, of which devices hold any weight."""
    models = [small(tt.DigitalSgd(lr=0.1)), small(tt.DigitalSgd(lr=0.1), scale=scale)]
    for model in models:
        train(model, attached(model), batches(20))
    for mine, theirs in zip(*(model.parameters() for model in models), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)


def test_fitted_weights_reach_the_bounds_of_the_devices() -> None:
    weight = torch.randn(5, 4) * 7
    layer = torch.nn.Linear(4, 5)
    with torch.no_grad():
        layer.weight.copy_(weight)
    device = tt.SoftBounds(states=50, bound=0.6, step_spread=0, bound_spread=0)
    analog.convert(layer, tt.Ttv2(device=device), scale="fit", seed=1)
    array = layer.arrays[0]
    assert np.abs(array.core.weights).max() == pytest.approx(0.6, rel=1e-4)
    torch.testing.assert_close(layer.weight.detach(), weight, rtol=1e-4, atol=1e-4)


def test_schedulers_vary_the_rate_of_the_rule() -> None:
    ends = []
    for factor in (1.0, 0.5):
        rule = tt.DigitalSgd(lr=0.1 * factor)
        model = small(rule)
        optimizer = attached(model)
        if factor == 1.0:
            torch.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=100)
        else:
            optimizer.param_groups[0]["lr"] *= 0.5
        train(model, optimizer, batches(5))
        ends.append(model[0].weight.detach().clone())
    torch.testing.assert_close(*ends, rtol=1e-6, atol=1e-7)


def test_onecycle_and_cosine_work() -> None:
    model = small(RULES["ttv2"])
    optimizer = attached(model)
    train(model, optimizer, batches(5), torch.optim.lr_scheduler.OneCycleLR(optimizer, [1e-2, 1.0], total_steps=10))
    model = small(RULES["ttv2"])
    optimizer = attached(model)
    train(model, optimizer, batches(5), torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 5))
    assert optimizer.param_groups[-1]["lr"] == pytest.approx(0.0, abs=1e-6)


def test_attach_leaves_the_optimizer_what_it_is() -> None:
    model = small(RULES["ttv2"])
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0.01)
    assert analog.attach(optimizer, model) is optimizer
    assert [len(group["params"]) for group in optimizer.param_groups] == [4, 2]
    everything = torch.optim.AdamW([model[0].weight, model[3].weight])
    analog.attach(everything, model)
    assert [group["lr"] for group in everything.param_groups] == [1.0]
    before = model[0].weight.detach().clone()
    everything.step()
    assert torch.equal(before, model[0].weight)


def test_other_optimizers() -> None:
    for make in (
        lambda p: torch.optim.SGD(p, 0.01),
        lambda p: torch.optim.RMSprop(p, 0.01),
        lambda p: torch.optim.Adam(p, 0.01, foreach=True),
        lambda p: torch.optim.Adam(p, 0.01, fused=True),
        lambda p: torch.optim.NAdam(p, 0.01),
    ):
        model = small(RULES["ttv2"])
        before = model[0].weight.detach().clone()
        train(model, analog.attach(make(model.parameters()), model), batches(60))
        assert not torch.equal(before, model[0].weight)


def test_clipping_sees_the_digital_part_only() -> None:
    model = small(RULES["ttv2"])
    optimizer, (x, y) = attached(model), batches(1)[0]
    torch.nn.functional.cross_entropy(model(x), y).backward()
    assert torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0) > 0
    optimizer.step()


def test_frozen_module_in_a_learning_model() -> None:
    model = small(RULES["ttv2"])
    model[0].weight.requires_grad_(False)
    optimizer = attached(model)
    before, after = model[0].weight.detach().clone(), model[3].weight.detach().clone()
    train(model, optimizer, batches(60))
    assert torch.equal(before, model[0].weight)
    assert not torch.equal(after, model[3].weight)


def test_a_model_of_two_rules_and_digital_parts() -> None:
    model = small()
    table = analog.convert(model, {"0": RULES["ttv2"], "3": RULES["programmed"]}, seed=1)
    assert table.analog == ["0", "3"]
    assert "BatchNorm1d" in repr(table)
    optimizer = attached(model)
    assert [len(group["params"]) for group in optimizer.param_groups] == [5, 1]
    train(model, optimizer, batches(40))


def test_programmed_mode_follows_its_equations() -> None:
    """ΔW + H in whole steps to the devices, the rest kept: step by step against NumPy, on devices without noise."""
    device = tt.ConstantStep(weight_step=0.01, bound=1.0)
    layer = analog.Linear(4, 3, bias=False, rule=analog.Programmed(device), seed=1)
    optimizer = analog.attach(torch.optim.Adam(layer.parameters(), 0.004), layer)
    weights, residual = layer.weight.detach().numpy().astype(np.float64).copy(), np.zeros((3, 4))
    twin = torch.nn.Linear(4, 3, bias=False)
    other = torch.optim.Adam(twin.parameters(), 0.004)
    for x, y in [(torch.randn(5, 4), torch.randn(5, 3)) for _ in range(30)]:
        with torch.no_grad():
            twin.weight.copy_(torch.from_numpy(weights))
        for model, step in ((layer, optimizer), (twin, other)):
            step.zero_grad()
            (model(x) - y).square().mean().backward()
            step.step()
        due = twin.weight.detach().numpy().astype(np.float64) - weights + residual
        pulses = np.trunc(due / 0.01)
        residual = due - pulses * 0.01
        weights = np.clip(weights + pulses * 0.01, -1, 1)
        np.testing.assert_allclose(layer.weight.detach().numpy(), weights, atol=1e-5)
        np.testing.assert_allclose(layer.arrays[0].state()["residual"].numpy(), residual, atol=1e-5)
    assert layer.arrays[0].ledger()["pulses"] > 0


def test_programmed_mode_has_faults_and_drift() -> None:
    """Stuck devices stay; the others relax to rest as exp(−t/τ), t being vectors that passed forward in training."""
    device = tt.ConstantStep(weight_step=0.01, bound=1.0)
    faults = tt.Reliability(stuck=0.3, retention=100.0, relax_every=1)
    layer = analog.Linear(40, 30, bias=False, rule=analog.Programmed(device, reliability=faults), seed=1)
    optimizer = analog.attach(torch.optim.SGD(layer.parameters(), lr=0.0), layer)
    start = layer.weight.detach().numpy().copy()
    for x in (torch.randn(7, 40), torch.randn(13, 40)):
        layer.eval()(x)  # which takes no time
        layer.train()(x).sum().backward()
        optimizer.step()
    now = layer.weight.detach().numpy()
    free = now != start
    assert free.mean() == pytest.approx(0.7, abs=4 * np.sqrt(0.21 / 1200))
    np.testing.assert_allclose(now[free], start[free] * np.exp(-20 / 100), rtol=1e-4, atol=1e-6)
    again = analog.Linear(40, 30, bias=False, rule=analog.Programmed(device, reliability=faults), seed=1)
    again.load_state_dict(layer.state_dict())
    np.testing.assert_array_equal(again.weight.detach().numpy(), now)


def test_programmed_mode_moves_noisy_devices_as_the_optimizer_asks_on_average() -> None:
    """n pulses of noise σ_c move a weight by n·δ ± √n·σ_c·δ: the mean of 4,000 devices within four standard errors."""
    device = tt.ConstantStep(weight_step=0.01, bound=1.0, cycle_noise=0.5, step_spread=0.0)
    layer = analog.Linear(80, 50, bias=False, rule=analog.Programmed(device), seed=3)
    layer.program({"weight": torch.zeros(50, 80)})
    optimizer = analog.attach(torch.optim.SGD(layer.parameters(), lr=1.0), layer)
    steps, each = 20, 0.0137
    for _ in range(steps):
        optimizer.zero_grad()
        (each * layer(torch.ones(1, 80)).sum()).backward()  # a gradient of `each` for every weight
        optimizer.step()
    pulses = layer.arrays[0].ledger()["pulses"] / 4000
    assert pulses == int(steps * each / 0.01)  # the residual has kept the rest
    moved = layer.weight.detach().numpy()
    error = np.sqrt(pulses) * 0.5 * 0.01
    assert abs(moved.mean() + pulses * 0.01) < 4 * error / np.sqrt(4000)
    assert moved.std() == pytest.approx(error, rel=4 / np.sqrt(8000))


def test_threads_of_numpy_do_not_change_programmed_mode() -> None:
    """Its gradients are PyTorch's, on the threads that the user sets: those of NumPy's library play no part."""
    script = (
        "import torch, hashlib, tikitaka as tt, tikitaka.torch as analog\n"
        "torch.set_num_threads(1); torch.manual_seed(1)\n"
        "layer = analog.Linear(300, 200, rule=analog.Programmed(tt.SoftBounds(states=200)), seed=1)\n"
        "optimizer = analog.attach(torch.optim.SGD(layer.parameters(), 1.0), layer)\n"
        "x = torch.randn(256, 300)\n"
        "layer(x).square().mean().backward()\n"
        "print(hashlib.sha256(layer.weight.grad.numpy().tobytes()).hexdigest())\n"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"OPENBLAS_NUM_THREADS": threads, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    }
    assert len(digests) == 1


def test_programmed_mode_learns_what_single_steps_cannot() -> None:
    """With the residual, moves smaller than a pulse add up; without it they are lost."""
    moved = []
    for residual in (True, False):
        rule = analog.Programmed(tt.ConstantStep(weight_step=0.05, bound=1.0), residual=residual)
        model = small(rule)
        before = model[0].weight.detach().clone()
        train(model, attached(model, 1e-2), batches(80))
        moved.append(not torch.equal(before, model[0].weight))
    assert moved == [True, False]


def test_average_and_extraction() -> None:
    model = small(RULES["ttv2"])
    optimizer = attached(model)
    with pytest.raises(ValueError, match="an array keeps no average"):
        analog.extract(model, "average")
    analog.averaging(model)
    train(model, optimizer, batches(120))
    x = batches(1)[0][0]
    for which in ("read", "average", "exact"):
        digital = analog.extract(model, which)
        assert [type(module).__module__.split(".")[0] for module in digital] == ["torch"] * 4
        assert not any("tikitaka" in name for name in digital.state_dict())
        digital.eval()(x)
    exact = analog.extract(model, "exact")
    assert torch.equal(exact[0].weight, model[0].weight)
    assert not torch.equal(analog.extract(model, "average")[0].weight, model[0].weight)
    assert analog.ledger(model)["total"]["fast"]["pulses"] > 0
    assert "ttv2 on 8 × 12" in analog.describe(model, samples=1000)
    with pytest.raises(ValueError, match="which must be"):
        analog.extract(model, "mean")


def test_losses_fall_with_every_rule() -> None:
    digits = tt.data.load("digits")
    x, y = torch.from_numpy(digits.train_x), torch.from_numpy(digits.train_y)
    for name in ("ttv2", "ttv1", "programmed"):
        torch.manual_seed(1)
        model = torch.nn.Sequential(torch.nn.Linear(64, 10))
        analog.convert(model, RULES[name], seed=1)
        optimizer = attached(model)
        for rows in torch.randperm(len(x)).split(4):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
        wrong = model.eval()(torch.from_numpy(digits.test_x)).argmax(1).numpy() != digits.test_y
        assert wrong.mean() < 0.3, name


def test_copies_of_a_model_go_their_own_way() -> None:
    model = small(RULES["ttv2"])
    optimizer = attached(model)
    train(model, optimizer, batches(3))
    twin = copy.deepcopy(model)
    assert_same(state_of(model), state_of(twin))
    other = analog.attach(torch.optim.AdamW(twin.parameters(), 1e-2), twin)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for each, step in ((model, optimizer), (twin, other)):
        train(each, step, batches(4, seed=9))
    assert_same(state_of(model), state_of(twin))
