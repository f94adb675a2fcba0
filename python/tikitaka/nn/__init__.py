"""Descriptions of layers, and networks from the literature by name."""

from tikitaka.nn.arrays import array_names, per_array
from tikitaka.nn.layers import *  # noqa: F403  # a new layer is named there alone
from tikitaka.nn.layers import __all__ as _layers
from tikitaka.nn.recipes import Recipe, Sizes, char_lstm, fcn, lenet, nets

__all__ = ["Recipe", "Sizes", "array_names", "char_lstm", "fcn", "lenet", "nets", "per_array"]
__all__ += _layers
