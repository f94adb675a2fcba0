"""The module of PyTorch for each kind of layer; importing this needs PyTorch.

The modules exchange vectors as layers do, so that every stack of layers has a counterpart: an image is one row-major
vector, channels last, which for PyTorch is a batch in the memory format `channels_last`.
"""

import math
from functools import singledispatch

import torch

from tikitaka import nn
from tikitaka._internal.shown import shown

__all__ = ["module"]


@singledispatch
def module(layer: nn.Layer) -> torch.nn.Module:
    """The counterpart of `layer`, untrained; ValueError if there is none."""
    raise ValueError(f"export to PyTorch does not support {shown(layer)}")


@module.register
def _(layer: nn.Linear) -> torch.nn.Module:
    return torch.nn.Linear(layer.inputs, layer.outputs, bias=layer.bias)


@module.register
def _(layer: nn.Conv2d) -> torch.nn.Module:
    return Conv2d(layer)


@module.register
def _(layer: nn.MaxPool2d) -> torch.nn.Module:
    return MaxPool2d(layer)


@module.register
def _(layer: nn.Flatten) -> torch.nn.Module:
    return Flatten(layer)


@module.register
def _(layer: nn.LSTM) -> torch.nn.Module:
    return LSTM(layer)


@module.register
def _(_layer: nn.Sigmoid) -> torch.nn.Module:
    return torch.nn.Sigmoid()


@module.register
def _(_layer: nn.Tanh) -> torch.nn.Module:
    return torch.nn.Tanh()


@module.register
def _(_layer: nn.ReLU) -> torch.nn.Module:
    return torch.nn.ReLU()


class Conv2d(torch.nn.Conv2d):
    """A convolution from vectors, or images as PyTorch has them, to vectors."""

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__(
            layer.channels, layer.filters, layer.kernel, stride=layer.stride, padding=layer.padding, bias=layer.bias
        )
        self.image = layer.channels, layer.height, layer.width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return _vectors(super().forward(_images(x, self.image)).permute(0, 2, 3, 1), x)


class MaxPool2d(torch.nn.MaxPool2d):
    """Max-pooling from vectors, or images as PyTorch has them, to vectors."""

    def __init__(self, layer: nn.MaxPool2d) -> None:
        super().__init__(layer.kernel, layer.stride)
        self.image = layer.channels, layer.height, layer.width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return _vectors(super().forward(_images(x, self.image)).permute(0, 2, 3, 1), x)


class Flatten(torch.nn.Module):
    """The values of images in PyTorch's order (channels, height, width)."""

    def __init__(self, layer: nn.Flatten) -> None:
        super().__init__()
        self.image = layer.channels, layer.height, layer.width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return _vectors(_images(x, self.image), x)


class LSTM(torch.nn.LSTM):
    """A layer of long short-term memory that returns only the outputs of all steps, starting from h = c = 0."""

    def __init__(self, layer: nn.LSTM) -> None:
        super().__init__(layer.inputs, layer.hidden, bias=layer.bias, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x)[0]


def _images(x: torch.Tensor, image: tuple[int, int, int]) -> torch.Tensor:
    """(any number, channels, height, width) from vectors; images are returned unchanged."""
    if x.dim() == 4:
        return x
    channels, height, width = image
    return x.unflatten(-1, (height, width, channels)).flatten(0, -4).permute(0, 3, 1, 2)


def _vectors(values: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """One vector for each of `values`, stacked as `x` is."""
    stacked = x.shape[:1] if x.dim() == 4 else x.shape[:-1]
    return values.reshape(*stacked, math.prod(values.shape[1:]))
