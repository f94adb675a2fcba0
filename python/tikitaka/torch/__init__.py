"""Networks of PyTorch on crossbars: `convert` a model, `attach` its optimiser, and train as always.

Needs PyTorch (the extra `torch`).
"""

try:
    import torch as _torch  # noqa: F401
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("tikitaka.torch needs PyTorch: pip install 'tikitaka[torch]'", name="torch") from error

from tikitaka.torch.attention import MultiheadAttention
from tikitaka.torch.chip import averaging, describe, extract, ledger
from tikitaka.torch.conv import Conv1d, Conv2d, Conv3d
from tikitaka.torch.convert import Conversion, convert
from tikitaka.torch.linear import Linear
from tikitaka.torch.module import Analog
from tikitaka.torch.optimizer import attach
from tikitaka.torch.programmed import Programmed
from tikitaka.torch.recurrent import GRU, LSTM, RNN

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Analog",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "Conversion",
    "Linear",
    "MultiheadAttention",
    "Programmed",
    "attach",
    "averaging",
    "convert",
    "describe",
    "extract",
    "ledger",
]
