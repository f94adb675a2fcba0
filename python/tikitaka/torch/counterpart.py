"""The layers with weights of `tikitaka.export.torch_module`, on crossbars: they exchange vectors as ours do."""

from tikitaka.export import torch_modules
from tikitaka.torch import conv, recurrent

__all__ = ["LSTM", "Conv2d"]


class Conv2d(torch_modules.Conv2d, conv.Conv2d):
    """A convolution from vectors, or images as PyTorch has them, to vectors."""

    digital = torch_modules.Conv2d


class LSTM(torch_modules.LSTM, recurrent.LSTM):
    """A layer of long short-term memory that returns only the outputs of all steps."""

    digital = torch_modules.LSTM
