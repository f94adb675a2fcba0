"""What an array makes of the inputs of a module: the inputs are vectors here, patches of images in a convolution.

`VECTORS` and `tikitaka._core.Convolution` have the same methods.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tikitaka._core import Convolution

__all__ = ["VECTORS", "Operation", "Vectors"]

F32 = NDArray[np.float32]


class Vectors:
    """Products with vectors x (vectors, columns), and updates from them."""

    patches = 1
    """vectors of the array for each of x"""

    def forward(self, core: Any, x: F32, *, draw: int | None = None, threads: int = 1) -> F32:
        """W x (vectors, rows) with the noise of training, or with that of evaluation vector `draw` and the next."""
        if draw is None:
            y: F32 = core.forward(x, threads=threads)
        else:
            y = core.evaluate(x, draw=draw, threads=threads)
        return y

    def backward(self, core: Any, delta: F32, *, exact: bool = False, threads: int = 1) -> F32:
        """Wᵀ δ (vectors, columns) for delta (vectors, rows); `exact` without any periphery."""
        if exact:
            z: F32 = (torch.from_numpy(delta) @ torch.tensor(core.weights)).numpy()
        else:
            z = core.backward(delta, threads=threads)
        return z

    def update(
        self, core: Any, x: F32, delta: F32, *, lr_scale: float = 1.0, last: bool = True, threads: int = 1
    ) -> None:
        """Learn from every x and its δ in turn; they are always a whole mini-batch."""
        core.update(x, delta, lr_scale=lr_scale, threads=threads)

    def gather(self, x: F32) -> F32:
        """The input vectors of the array (vectors, columns)."""
        return x


VECTORS = Vectors()
Operation = Vectors | Convolution
