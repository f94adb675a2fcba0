"""Convolutions on crossbars: every patch of the image is an input vector (im2col)."""

import math
from collections.abc import Sequence
from itertools import product

import torch
from torch.nn import functional

from tikitaka.torch.module import Analog, Part
from tikitaka.torch.product import eager

__all__ = ["Conv1d", "Conv2d", "Conv3d"]


class _Conv(Analog):
    """One array for each group: (filters of the group, channels of the group × kernel)."""

    groups: int
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding_mode: str
    out_channels: int
    in_channels: int
    _reversed_padding_repeated_twice: list[int]

    def layout(self) -> list[Part]:
        """The filters of each group, and their bias if it is analog."""
        filters = self.out_channels // self.groups
        groups = ((g * filters, (g + 1) * filters) for g in range(self.groups))
        return [Part("weight", rows, self.bias_name("bias")) for rows in groups]

    @eager
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x (images, channels, *size) or one image (channels, *size); y the same with filters for channels."""
        dimensions = len(self.kernel_size)
        if x.dim() not in (dimensions + 1, dimensions + 2):
            raise ValueError(f"x must have {dimensions + 1} or {dimensions + 2} dimensions, not shape {tuple(x.shape)}")
        if x.dim() == dimensions + 1:
            return self.forward(x[None])[0]
        if x.shape[1] != self.in_channels:
            raise ValueError(f"x must have {self.in_channels} channels, not shape {tuple(x.shape)}")
        mode = "constant" if self.padding_mode == "zeros" else self.padding_mode
        if any(self._reversed_padding_repeated_twice):
            x = functional.pad(x, self._reversed_padding_repeated_twice, mode=mode)
        sources, groups = self.sources(), x.chunk(self.groups, dim=1)
        patched = [_patches(group, self.kernel_size, self.stride, self.dilation) for group in groups]
        sizes = patched[0][1]
        products = [self.product(g, patches, sources[g]) for g, (patches, _) in enumerate(patched)]
        y = products[0] if len(products) == 1 else torch.cat(products, dim=-1)
        bias = self.digital_bias("bias")
        y = y if bias is None else y + bias.to(y)
        return y.transpose(1, 2).reshape(len(x), self.out_channels, *sizes)


def _patches(
    x: torch.Tensor, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> tuple[torch.Tensor, list[int]]:
    """The patches (images, places, channels × kernel) of x (images, channels, *size), and the size of the output."""
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    sizes = [(n - span) // s + 1 for n, span, s in zip(x.shape[2:], spans, stride, strict=True)]
    if min(sizes) < 1:
        raise ValueError(f"x must be at least as large as the kernel {tuple(spans)}, not shape {tuple(x.shape)}")
    if len(kernel) == 3:
        return _slices(x, kernel, stride, dilation, sizes), sizes
    if len(kernel) == 1:
        x, kernel, dilation, stride = x[:, :, None], (1, *kernel), (1, *dilation), (1, *stride)
    if math.prod(kernel) == 1 and set(stride) == {1}:
        return x.flatten(2).transpose(1, 2), sizes
    columns = functional.unfold(x, tuple(kernel), dilation=tuple(dilation), stride=tuple(stride))
    return columns.transpose(1, 2), sizes


def _slices(
    x: torch.Tensor, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int], sizes: Sequence[int]
) -> torch.Tensor:
    """The same for any number of dimensions: one slice of x for each place of the kernel."""
    slices = []
    for place in product(*map(range, kernel)):
        firsts = [k * d for k, d in zip(place, dilation, strict=True)]
        steps = zip(firsts, stride, sizes, strict=True)
        slices.append(x[(..., *(slice(first, first + (n - 1) * s + 1, s) for first, s, n in steps))])
    patches = torch.stack(slices, dim=2).flatten(3)  # images, channels, places of the kernel, places of the image
    return patches.flatten(1, 2).transpose(1, 2)


class Conv1d(_Conv, torch.nn.Conv1d):
    """`torch.nn.Conv1d` on one array for each group; see `Linear` for what is added to the arguments of PyTorch."""

    digital = torch.nn.Conv1d


class Conv2d(_Conv, torch.nn.Conv2d):
    """`torch.nn.Conv2d` on one array for each group; see `Linear` for what is added to the arguments of PyTorch."""

    digital = torch.nn.Conv2d


class Conv3d(_Conv, torch.nn.Conv3d):
    """`torch.nn.Conv3d` on one array for each group; see `Linear` for what is added to the arguments of PyTorch."""

    digital = torch.nn.Conv3d
