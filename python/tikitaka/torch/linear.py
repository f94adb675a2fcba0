"""Linear layers on a crossbar."""

import torch

from tikitaka.torch.module import Analog, Part
from tikitaka.torch.product import eager

__all__ = ["Conv1D", "Linear"]


class Linear(Analog, torch.nn.Linear):
    """`torch.nn.Linear` on one array of (out_features, in_features), as in a `tikitaka.Network`.

    x is (…, in_features), y (…, out_features). A `bias` of "analog" is one more column, fed with 1. `rule`, `seed`,
    `number` and `scale` are those of `convert`; everything else is as in PyTorch.
    """

    digital = torch.nn.Linear

    def layout(self) -> list[Part]:
        """The weight, and the bias if it is analog."""
        return [Part("weight", bias=self.bias_name("bias"))]

    @eager
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """As `torch.nn.Linear`, through the periphery."""
        (source,) = self.sources()
        y, bias = self.product(0, x, source), self.digital_bias("bias")
        return y if bias is None else y + bias.to(y)


class Conv1D(Analog):
    """The transposed linear layer of GPT-2 in Hugging Face's transformers, on one array: a weight (inputs, outputs)."""

    weight: torch.nn.Parameter

    def layout(self) -> list[Part]:
        """The weight, and the bias if it is analog."""
        return [Part("weight", bias=self.bias_name("bias"), transposed=True)]

    @eager
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x (…, inputs) to y (…, outputs)."""
        (source,) = self.sources()
        y, bias = self.product(0, x, source), self.digital_bias("bias")
        return y if bias is None else y + bias.to(y)
