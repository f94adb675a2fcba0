"""What the tests of the bridge share: small models, and the activations and the loss with the bits of the core."""

from typing import Any

import numpy as np
import torch

import tikitaka as tt
import tikitaka.torch as analog

DEVICE = tt.SoftBounds(states=20)
FULL = tt.Periphery.full()
RULES = {
    "sgd": tt.AnalogSgd(lr=0.02, device=DEVICE, periphery=FULL),
    "ttv1": tt.Ttv1(device=DEVICE, periphery=FULL),
    "ttv2": tt.Ttv2(device=DEVICE, periphery=FULL),
    "agad": tt.Agad(device=DEVICE),
    "programmed": analog.Programmed(DEVICE, FULL),
}


def small(rule: Any = None, *, seed: int = 1, **settings: Any) -> torch.nn.Module:
    """12-8-5 with ReLU and batch normalisation, on crossbars where there is a rule."""
    torch.manual_seed(4)
    layers = [torch.nn.Linear(12, 8), torch.nn.BatchNorm1d(8), torch.nn.ReLU(), torch.nn.Linear(8, 5)]
    model = torch.nn.Sequential(*layers)
    if rule is not None:
        analog.convert(model, rule, seed=seed, **settings)
    return model


def attached(model: torch.nn.Module, lr: float = 1e-2) -> torch.optim.Optimizer:
    """AdamW for a model."""
    return analog.attach(torch.optim.AdamW(model.parameters(), lr), model)


def batches(count: int, size: int = 6, seed: int = 5) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Random inputs and classes for `small`."""
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(count, size, 12, generator=draw)
    return list(zip(x, torch.randint(5, (count, size), generator=draw), strict=True))


def train(model: torch.nn.Module, optimizer: torch.optim.Optimizer, data: list, schedule: Any = None) -> None:
    """A step for each batch."""
    model.train()
    for x, y in data:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
        if schedule is not None:
            schedule.step()


def state_of(model: torch.nn.Module) -> dict[str, np.ndarray]:
    """Everything that a model is saved with."""
    return {name: value.numpy().copy() for name, value in model.state_dict().items()}


def assert_same(mine: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> None:
    """The same bits."""
    assert mine.keys() == theirs.keys()
    different = [name for name in mine if not np.array_equal(mine[name], theirs[name], equal_nan=True)]
    assert not different


class Captured(tt.Rule):
    """An identity that keeps what it is to learn from."""

    def build(self, weights: Any, seed: int, layer: int) -> None:
        self.array = tt.AnalogLayer(tt.DigitalSgd(), np.eye(len(weights)))

    def update(self, x: Any, delta: Any, lr_scale: float) -> None:
        CAUGHT.append(delta.copy())


CAUGHT: list[np.ndarray] = []


class Sigmoid(torch.autograd.Function):
    """The sigmoid of the core."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        network = tt.Network([tt.nn.Linear(x.shape[1], x.shape[1], bias=False), tt.nn.Sigmoid()], tt.DigitalSgd())
        network.weights = [np.eye(x.shape[1])]
        y = torch.from_numpy(network.forward(x.numpy()))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, dy: torch.Tensor) -> torch.Tensor:
        (y,) = ctx.saved_tensors
        return dy * (y * (1 - y))


class CrossEntropy(torch.autograd.Function):
    """The loss of the core, of which only the gradient is used: the mean over a batch of `examples`."""

    @staticmethod
    def forward(ctx: Any, y: torch.Tensor, classes: torch.Tensor, examples: int) -> torch.Tensor:
        network = tt.Network([tt.nn.Linear(y.shape[1], y.shape[1], bias=False)], Captured())
        CAUGHT.clear()
        network.train(y.numpy(), classes.numpy(), batch=1)
        ctx.delta = torch.from_numpy(np.concatenate(CAUGHT)) * np.float32(1 / examples)
        return y.new_zeros(())

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        return ctx.delta, None, None
