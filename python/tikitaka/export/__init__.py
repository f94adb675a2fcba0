"""Models for other frameworks: ONNX and PyTorch, which are imported only when used."""

from tikitaka.export.to_onnx import OPSET, onnx
from tikitaka.export.to_torch import torch_module, torch_state_dict

__all__ = ["OPSET", "onnx", "torch_module", "torch_state_dict"]
