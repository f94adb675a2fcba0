"""Layers that are called directly."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

import tikitaka as tt

F32 = NDArray[np.float32]


def normal(*shape: int, seed: int, scale: float = 1.0) -> F32:
    return (scale * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def set_state(layer: tt.AnalogLayer, **values: Any) -> None:
    layer.restore(layer.state() | {name: np.asarray(value, np.float32) for name, value in values.items()})
