"""Descriptions of the layers that a `tikitaka.Network` is built from."""

from dataclasses import dataclass, field
from typing import Literal

from tikitaka.config.base import Config

__all__ = ["LSTM", "Conv2d", "Flatten", "Layer", "Linear", "MaxPool2d", "ReLU", "Sigmoid", "Tanh", "kinds"]


class Layer(Config):
    """Any layer description; TypeError for a value of another type than its field has."""

    kind: str
    """its kind, as in files"""

    @property
    def shape(self) -> tuple[int, int] | None:
        """Rows and columns of the layer's array; None for a layer without an array."""
        return None

    @property
    def vectors(self) -> int:
        """Input vectors of the array per sample."""
        return 1


@dataclass(frozen=True, repr=False)
class Linear(Layer):
    """A fully connected layer on one array of `outputs` × (`inputs` + 1 with a bias) devices.

    The bias is one more column of the array, fed with 1. `scale` multiplies the output, so that weights of the
    network up to scale·bound fit devices of a given bound. Raises ValueError for sizes below 1 or a scale ≤ 0.
    """

    inputs: int
    """values of one input vector"""
    outputs: int
    """values of one output vector"""
    bias: bool = True
    """whether a column fed with 1 is added"""
    scale: float = 1.0
    """factor of the output"""
    kind: Literal["linear"] = field(default="linear", init=False, repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the array: (outputs, inputs with the bias column)."""
        return self.outputs, self.inputs + self.bias


@dataclass(frozen=True, repr=False)
class Conv2d(Layer):
    """A two-dimensional convolution of images on one array; every patch of an image is one input vector.

    Images are row-major vectors, channels last; `padding` zeros surround
    them. The array is `filters` × (`kernel` · `kernel` · `channels` + 1 with a bias), its columns in the order (row of
    the patch, column of the patch, channel), the bias last. `scale` multiplies the output. Raises ValueError for
    sizes below 1, a kernel larger than the padded image, or a scale ≤ 0.
    """

    channels: int
    """channels of an image"""
    height: int
    """rows of an image (pixels)"""
    width: int
    """columns of an image (pixels)"""
    filters: int
    """channels of the output image"""
    kernel: int
    """side of a patch (pixels)"""
    stride: int = 1
    """distance of patches (pixels)"""
    padding: int = 0
    """zeros on every side of an image (pixels)"""
    bias: bool = True
    """whether a column fed with 1 is added"""
    scale: float = 1.0
    """factor of the output"""
    kind: Literal["conv2d"] = field(default="conv2d", init=False, repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the array: (filters, values of a patch with the bias column)."""
        return self.filters, self.kernel * self.kernel * self.channels + self.bias

    @property
    def vectors(self) -> int:
        """Input vectors of the array per sample: the patches of an image."""
        _, height, width = self.image
        return height * width

    @property
    def image(self) -> tuple[int, int, int]:
        """Channels, height and width of the output images."""
        height, width = (
            (side + 2 * self.padding - self.kernel) // self.stride + 1 for side in (self.height, self.width)
        )
        return self.filters, height, width


@dataclass(frozen=True, repr=False)
class MaxPool2d(Layer):
    """The largest value of each `kernel` × `kernel` patch of a channel, patches `stride` apart (None: `kernel`).

    Images are laid out as for `Conv2d`; rows and columns that do not fill a patch are ignored. Raises ValueError for
    sizes below 1 and a kernel larger than the image.
    """

    channels: int
    """channels of an image"""
    height: int
    """rows of an image (pixels)"""
    width: int
    """columns of an image (pixels)"""
    kernel: int = 2
    """side of a patch (pixels)"""
    stride: int | None = None
    """distance of patches (pixels; None: `kernel`)"""
    kind: Literal["max-pool2d"] = field(default="max-pool2d", init=False, repr=False)

    @property
    def image(self) -> tuple[int, int, int]:
        """Channels, height and width of the output images."""
        stride = self.kernel if self.stride is None else self.stride
        height, width = ((side - self.kernel) // stride + 1 for side in (self.height, self.width))
        return self.channels, height, width


@dataclass(frozen=True, repr=False)
class Flatten(Layer):
    """Images as vectors in PyTorch's order (channels, height, width), for a `Linear` layer to follow.

    Raises ValueError for sizes below 1.
    """

    channels: int
    """channels of an image"""
    height: int
    """rows of an image (pixels)"""
    width: int
    """columns of an image (pixels)"""
    kind: Literal["flatten"] = field(default="flatten", init=False, repr=False)


@dataclass(frozen=True, repr=False)
class LSTM(Layer):
    """A layer of long short-term memory over sequences, all four gates on one array; every step is one input vector.

    The array is 4·`hidden` × (`inputs` + `hidden` + 1 with a bias): rows of the gates i, f, g, o, `hidden` each;
    columns x of the step, h of the step before, then the bias. With a = `scale`·W[x; h; 1]: c = σ(a_f) c +
    σ(a_i) tanh(a_g) and h = σ(a_o) tanh(c). Gradients of a, those of the mean over the
    sequences of a mini-batch, are clamped to ±`clip` (0: unlimited). With `carry` a
    sequence starts from the final h and c of the sequence at the same place of the previous mini-batch, until the
    network's `reset`; gradients end at the start of a sequence. Raises ValueError for sizes below 1, a scale ≤ 0 or a
    clip < 0.
    """

    inputs: int
    """values of the input vector of one step"""
    hidden: int
    """values of h and of c"""
    bias: bool = True
    """whether a column fed with 1 is added"""
    scale: float = 1.0
    """factor of the array's output"""
    clip: float = 0.0
    """bound of the gradients of a (0: none)"""
    carry: bool = False
    """whether h and c carry over from one sequence to the next"""
    kind: Literal["lstm"] = field(default="lstm", init=False, repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the array: (4·hidden, inputs + hidden with the bias column)."""
        return 4 * self.hidden, self.inputs + self.hidden + self.bias


@dataclass(frozen=True, repr=False)
class Sigmoid(Layer):
    """y = 1 / (1 + exp(−x)), element by element."""

    kind: Literal["sigmoid"] = field(default="sigmoid", init=False, repr=False)


@dataclass(frozen=True, repr=False)
class Tanh(Layer):
    """y = tanh(x), element by element."""

    kind: Literal["tanh"] = field(default="tanh", init=False, repr=False)


@dataclass(frozen=True, repr=False)
class ReLU(Layer):
    """y = max(x, 0), element by element."""

    kind: Literal["relu"] = field(default="relu", init=False, repr=False)


kinds: dict[str, type[Layer]] = {layer.kind: layer for layer in Layer.__subclasses__()}
"""Layer descriptions by kind."""
