"""What networks are made of: descriptions of layers, and the networks of the literature by name."""

from tikitaka.nn.arrays import array_names, per_array
from tikitaka.nn.layers import LSTM, Conv2d, Flatten, Layer, Linear, MaxPool2d, ReLU, Sigmoid, Tanh, kinds
from tikitaka.nn.recipes import Recipe, Sizes, char_lstm, fcn, lenet, nets

__all__ = [
    "LSTM",
    "Conv2d",
    "Flatten",
    "Layer",
    "Linear",
    "MaxPool2d",
    "ReLU",
    "Recipe",
    "Sigmoid",
    "Sizes",
    "Tanh",
    "array_names",
    "char_lstm",
    "fcn",
    "kinds",
    "lenet",
    "nets",
    "per_array",
]
