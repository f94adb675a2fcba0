"""Convolutions and LSTM of the bridge are those of the core, and keep PyTorch's habits of memory."""

import copy
import pickle

import numpy as np
import pytest
import torch
from bridge import RULES, CrossEntropy

import tikitaka as tt
import tikitaka.torch as analog

CONVOLUTIONS = [
    tt.nn.Conv2d(1, 8, 8, filters=4, kernel=3, padding=1),
    tt.nn.ReLU(),
    tt.nn.MaxPool2d(4, 8, 8, kernel=2),
    tt.nn.Conv2d(4, 4, 4, filters=3, kernel=2, stride=2),
    tt.nn.ReLU(),
    tt.nn.Flatten(3, 2, 2),
    tt.nn.Linear(12, 10),
]


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("rule", ["sgd", "ttv1", "ttv2", "agad"])
def test_counterparts_end_at_the_bits_of_network(rule: str, batch: int) -> None:
    digits = tt.data.load("digits").first(40)
    x, y = digits.train_x, digits.train_y
    network = tt.Network(CONVOLUTIONS, RULES[rule], seed=7)
    model = tt.export.torch_module(CONVOLUTIONS)
    table = analog.convert(model, RULES[rule], seed=7, bias="analog")
    assert table.analog == ["0", "3", "6"]
    assert [row[1] for row in table.rows] == ["Conv2d", "Conv2d", "Linear"]
    # The devices clip weights only once, so the arrays start from what the network sees.
    start = tt.export.torch_state_dict(tt.Model(CONVOLUTIONS, network.weights))
    for name in table.analog:
        model[int(name)].program({each: start[f"{name}.{each}"] for each in ("weight", "bias")})
    optimizer = analog.attach(torch.optim.SGD(model.parameters(), lr=0.1), model)
    for first in range(0, len(x), batch):
        optimizer.zero_grad()
        outputs = model(torch.from_numpy(x[first : first + batch]))
        CrossEntropy.apply(outputs, torch.from_numpy(y[first : first + batch]), batch).backward()
        optimizer.step()
    network.train(x, y, batch=batch)
    for name, weights in zip(table.analog, network.weights, strict=True):
        np.testing.assert_array_equal(model[int(name)].arrays[0].weights, weights)


def test_counterparts_are_copied_and_pickled() -> None:
    layers = [tt.nn.Conv2d(1, 8, 8, filters=2, kernel=3), tt.nn.Flatten(2, 6, 6), tt.nn.LSTM(72, 5)]
    model = tt.export.torch_module(layers).eval()
    x = torch.randn(2, 3, 64)
    before = model(x)
    assert analog.convert(model, tt.DigitalSgd(), seed=1).analog == ["0", "2"]
    for each in (model, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        torch.testing.assert_close(each(x), before)
    digital = analog.extract(model)
    assert [type(each) for each in digital] == [type(each) for each in tt.export.torch_module(layers)]
    torch.testing.assert_close(digital(x), before)


@pytest.mark.parametrize("weights_last", [False, True])
@pytest.mark.parametrize("images_last", [False, True])
def test_outputs_lie_in_memory_as_in_pytorch(images_last: bool, weights_last: bool) -> None:
    for groups in (1, 3):
        module, x = torch.nn.Conv2d(3, 6, 3, padding=1, groups=groups), torch.randn(2, 3, 8, 9)
        if weights_last:
            module = module.to(memory_format=torch.channels_last)
        if images_last:
            x = x.contiguous(memory_format=torch.channels_last)
        wanted = module(x)
        analog.convert(module, tt.DigitalSgd(), seed=1)
        given = module(x)
        torch.testing.assert_close(given, wanted)
        assert given.stride() == wanted.stride()
        (gradient,) = torch.autograd.grad(given.sum(), module.bias)
        assert gradient.shape == (6,)


def test_images_with_channels_last_reach_the_core_without_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    module = torch.nn.Conv2d(3, 4, 3)
    analog.convert(module, tt.DigitalSgd(), seed=1)
    seen = []
    forward = type(module.arrays[0]).forward

    def watched(self: object, x: np.ndarray, operation: object) -> object:
        seen.append(x.ctypes.data)
        return forward(self, x, operation)

    monkeypatch.setattr(type(module.arrays[0]), "forward", watched)
    x = torch.randn(2, 3, 8, 9).contiguous(memory_format=torch.channels_last)
    module(x)
    assert seen == [x.data_ptr()]


@pytest.mark.parametrize("rule", ["sgd", "ttv2", "programmed"])
def test_images_of_several_sizes_learn_together(rule: str) -> None:
    """A step after images of two sizes; the weights move along both gradients."""
    module = torch.nn.Conv2d(2, 3, 3, padding=1)
    analog.convert(module, RULES[rule], seed=1)
    optimizer = analog.attach(torch.optim.SGD(module.parameters(), lr=0.1), module)
    before = module.weight.detach().clone()
    for size in ((4, 5), (6, 3), (4, 5)):
        (module(torch.randn(2, 2, *size)) ** 2).sum().backward()
    optimizer.step()
    assert not torch.equal(module.weight, before)


@pytest.mark.parametrize("sizes", [[(2, 8)], [(2, 8), (1, 6)], [(0, 6), (2, 8)], [(2, 8), (0, 6)]])
def test_a_step_ends_one_mini_batch(sizes: list[tuple[int, int]]) -> None:
    module = torch.nn.Conv2d(2, 3, 3)
    analog.convert(module, tt.MixedPrecision(), seed=1)
    optimizer = analog.attach(torch.optim.SGD(module.parameters(), lr=0.1), module)
    for images, size in sizes:
        module(torch.ones(images, 2, size, size)).sum().backward()
    optimizer.step()
    assert module.arrays[0].core.state()["batches"] == 1


def test_a_gradient_that_is_not_finite_changes_nothing() -> None:
    module = torch.nn.Conv2d(2, 3, 3)
    analog.convert(module, tt.DigitalSgd(lr=0.1), seed=1)
    optimizer = analog.attach(torch.optim.SGD(module.parameters(), lr=0.1), module)
    module(torch.ones(1, 2, 5, 5)).sum().backward()
    (module(torch.ones(1, 2, 6, 6)).sum() * torch.nan).backward()
    before = module.arrays[0].weights
    with pytest.raises(ValueError, match="delta must be finite"):
        optimizer.step()
    np.testing.assert_array_equal(module.arrays[0].weights, before)


@pytest.mark.parametrize("kind", ["groups", "lstm"])
def test_the_mirror_shows_every_array_where_one_refuses(kind: str) -> None:
    module = torch.nn.Conv2d(2, 4, 3, groups=2) if kind == "groups" else torch.nn.LSTM(3, 4)
    analog.convert(module, tt.DigitalSgd(lr=0.1), seed=1)
    optimizer = analog.attach(torch.optim.SGD(module.parameters(), lr=0.1), module)
    if kind == "groups":
        first, second = module(torch.ones(1, 2, 5, 5)).chunk(2, dim=1)
        (first.sum() + torch.nan * second.sum()).backward()
    else:
        module(torch.ones(2, 1, 3))[0].sum().backward()
        (order, operation, x, delta), *_ = module.arrays[1]._pairs
        module.arrays[1]._pairs = [(order, operation, x, delta * np.nan)]
    before = module.arrays[0].weights
    with pytest.raises(ValueError, match="delta must be finite"):
        optimizer.step()
    assert not np.array_equal(module.arrays[0].weights, before)
    for array, part in zip(module.arrays, module.parts, strict=True):
        np.testing.assert_array_equal(module._weights(part), array.weights)


def test_a_state_that_contradicts_its_weight_is_refused() -> None:
    """As one whose columns are in another order."""
    module = torch.nn.Conv2d(2, 3, 3)
    analog.convert(module, tt.DigitalSgd(lr=0.1), seed=1)
    state = module.state_dict()
    state["weight"] = state["weight"].flip(1)
    with pytest.raises(RuntimeError, match=r"tikitaka\.0 is not what weight shows"):
        module.load_state_dict(state)


def test_a_counterpart_takes_one_sequence() -> None:
    model = tt.export.torch_module([tt.nn.LSTM(4, 5)])
    x = torch.randn(6, 4)
    before = model(x)
    analog.convert(model, tt.DigitalSgd(), seed=1)
    torch.testing.assert_close(model(x), before)


def test_a_convolution_refuses_what_it_cannot_take() -> None:
    module = torch.nn.Conv2d(2, 3, 3, dilation=2)
    analog.convert(module, tt.DigitalSgd(), seed=1)
    with pytest.raises(ValueError, match=r"at least as large as the kernel \(5, 5\), not shape \(1, 2, 4, 9\)"):
        module(torch.zeros(1, 2, 4, 9))
    with pytest.raises(ValueError, match="images must be finite"):
        module(torch.full((1, 2, 9, 9), torch.nan))
    assert module(torch.zeros(0, 2, 9, 9)).shape == (0, 3, 5, 5)
