"""Convolutions on crossbars: every patch of the image is an input vector (im2col)."""

import functools
from itertools import product

import torch
from torch.nn import functional

from tikitaka._core import Convolution
from tikitaka.torch.module import Analog, Part
from tikitaka.torch.product import Source, eager

__all__ = ["Conv1d", "Conv2d", "Conv3d"]


class _Conv(Analog):
    """One array for each group: (filters of the group, kernel × channels of the group), pixel by pixel."""

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
        return [Part("weight", rows, self.bias_name("bias"), pixelwise=True) for rows in groups]

    @eager
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x (images, channels, *size) or one image (channels, *size); y the same with filters for channels."""
        dimensions = len(self.kernel_size)
        if x.dim() not in (dimensions + 1, dimensions + 2):
            raise ValueError(f"x must have {dimensions + 1} or {dimensions + 2} dimensions, not shape {tuple(x.shape)}")
        if x.dim() == dimensions + 1:
            return _Conv.forward(self, x[None])[0]
        if x.shape[1] != self.in_channels:
            raise ValueError(f"x must have {self.in_channels} channels, not shape {tuple(x.shape)}")
        padding = list(self._reversed_padding_repeated_twice)
        if any(padding) and (dimensions == 3 or self.padding_mode != "zeros"):
            mode = "constant" if self.padding_mode == "zeros" else self.padding_mode
            x, padding = functional.pad(x, padding, mode=mode), [0] * len(padding)
        self._check_size(x, padding)
        sources = self.sources()
        convolve = self._by_slices if dimensions == 3 else self._as_images
        products = [convolve(g, group, sources[g], padding) for g, group in enumerate(x.chunk(self.groups, dim=1))]
        y = products[0] if len(products) == 1 else torch.cat(products, dim=-1)
        bias = self.digital_bias("bias")
        y = (y if bias is None else y + bias.to(y)).movedim(-1, 1)
        return y if self._channels_last(x) else y.contiguous()

    def _check_size(self, x: torch.Tensor, padding: list[int]) -> None:
        """Require images with their padding that are at least as large as the kernel."""
        spans = [d * (k - 1) + 1 for k, d in zip(self.kernel_size, self.dilation, strict=True)]
        padded = [n + sum(zeros) for n, zeros in zip(x.shape[2:], _pairs(padding), strict=True)]
        if any(n < span for n, span in zip(padded, spans, strict=True)):
            raise ValueError(f"x must be at least as large as the kernel {tuple(spans)}, not shape {tuple(x.shape)}")

    def _channels_last(self, x: torch.Tensor) -> bool:
        """Whether the outputs lie pixel by pixel in memory, as PyTorch's would: where inputs or weights do."""
        if x.dim() != 4:
            return False
        return any(_pixel_by_pixel(each) for each in (x, self.weight))

    def _as_images(self, place: int, x: torch.Tensor, source: Source, padding: list[int]) -> torch.Tensor:
        """The products (images, *size, rows) of an array with all patches of x (images, channels, *size)."""
        flat = x.dim() == 3  # one row of pixels
        images = (x[:, :, None] if flat else x).permute(0, 2, 3, 1)
        geometry = _geometry(
            tuple(images.shape[1:]),
            *((1, *pair) if flat else pair for pair in (self.kernel_size, self.stride, self.dilation)),
            padding=tuple(n for pair in ([(0, 0)] if flat else []) + _pairs(padding) for n in pair),
            bias=self.parts[place].bias is not None,
        )
        y = self.arrays[place].apply(images, source, geometry)
        return y[:, 0] if flat else y

    def _by_slices(self, place: int, x: torch.Tensor, source: Source, _padding: list[int]) -> torch.Tensor:
        """The same for any number of dimensions, with a slice of x for each place of the kernel; padded already."""
        sizes = [
            (n - d * (k - 1) - 1) // s + 1
            for n, k, s, d in zip(x.shape[2:], self.kernel_size, self.stride, self.dilation, strict=True)
        ]
        slices = []
        for pixel in product(*map(range, self.kernel_size)):
            firsts = [k * d for k, d in zip(pixel, self.dilation, strict=True)]
            steps = zip(firsts, self.stride, sizes, strict=True)
            slices.append(x[(..., *(slice(first, first + (n - 1) * s + 1, s) for first, s, n in steps))])
        patches = torch.stack(slices, dim=1).flatten(1, 2).movedim(1, -1)  # images, *size, kernel × channels
        return self.product(place, patches, source)


@functools.lru_cache(maxsize=1024)
def _geometry(
    image: tuple[int, int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    *,
    padding: tuple[int, int, int, int],
    bias: bool,
) -> Convolution:
    height, width, channels = image
    return Convolution((height, width), channels, kernel, stride=stride, dilation=dilation, padding=padding, bias=bias)


def _pixel_by_pixel(x: torch.Tensor) -> bool:
    """Whether x (images, channels, height, width) has the strides of `channels_last`, not such as fit both orders."""
    one_channel = x.stride(1) == 1 and x.shape[2] * x.shape[3] > 1
    return x.is_contiguous(memory_format=torch.channels_last) and (one_channel or not x.is_contiguous())


def _pairs(padding: list[int]) -> list[tuple[int, int]]:
    """The padding (before, after) of each dimension from PyTorch's list, which begins with the last one."""
    return list(zip(padding[::2], padding[1::2], strict=True))[::-1]


class Conv1d(_Conv, torch.nn.Conv1d):
    """`torch.nn.Conv1d` on one array for each group; see `Linear` for what is added to the arguments of PyTorch."""

    digital = torch.nn.Conv1d


class Conv2d(_Conv, torch.nn.Conv2d):
    """`torch.nn.Conv2d` on one array for each group; see `Linear` for what is added to the arguments of PyTorch."""

    digital = torch.nn.Conv2d


class Conv3d(_Conv, torch.nn.Conv3d):
    """`torch.nn.Conv3d` on one array for each group; see `Linear` for what is added to the arguments of PyTorch."""

    digital = torch.nn.Conv3d
