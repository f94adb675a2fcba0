"""Networks by name: their layers, and the settings that suit them."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from numbers import Integral
from typing import Any, Protocol, cast, runtime_checkable

from tikitaka._internal.validation import check_kind, one_of
from tikitaka.config import AnalogSgd, DigitalSgd, MixedPrecision, RuleConfig, Tiles, TransferRule, rules
from tikitaka.data.targets import Task
from tikitaka.nn.layers import LSTM, Conv2d, Flatten, Layer, Linear, MaxPool2d, Sigmoid, Tanh

__all__ = ["Recipe", "Sizes", "char_lstm", "fcn", "lenet", "nets"]


def fcn(inputs: int = 784, classes: int = 10) -> list[Layer]:
    """The fully connected network of GV16 and R24: inputs-256-128-classes with sigmoids.

    235,146 weights with biases at 784 inputs and 10 classes; train it with softmax cross-entropy.
    """
    return [
        Linear(inputs, 256),
        Sigmoid(),
        Linear(256, 128),
        Sigmoid(),
        Linear(128, classes),
    ]


def lenet(inputs: int | tuple[int, int, int] = 784, classes: int = 10) -> list[Layer]:
    """The convolutional network of R24: two convolutions 5 × 5, of 16 and 32 filters, each with tanh and max-pooling
    over 2 × 2, then two fully connected layers with tanh between them.

    `inputs` are the rows, columns and channels of an image (`Dataset.shape`), or the number of pixels of a square grey
    one, 16 × 16 or larger: 80,202 weights with biases at 784 inputs and 10 classes. Raises ValueError for other images,
    TypeError unless the sizes are whole numbers.
    """
    rows, columns, channels = inputs if isinstance(inputs, tuple) and len(inputs) == 3 else _square(inputs)
    for size in (rows, columns, channels):
        check_kind("inputs", size, Integral)
    if min(rows, columns) < 16:
        raise ValueError(f"images must be of 16 × 16 pixels or more for lenet, not {rows} × {columns}")
    first = Conv2d(channels, rows, columns, filters=16, kernel=5)
    first_pool = MaxPool2d(*first.image)
    second = Conv2d(*first_pool.image, filters=32, kernel=5)
    second_pool = MaxPool2d(*second.image)
    return [
        first,
        Tanh(),
        first_pool,
        second,
        Tanh(),
        second_pool,
        Flatten(*second_pool.image),
        Linear(math.prod(second_pool.image), 128),
        Tanh(),
        Linear(128, classes),
    ]


def _square(inputs: Any) -> tuple[int, int, int]:
    """Rows, columns and channels of a square grey image of `inputs` pixels."""
    check_kind("inputs", inputs, Integral)
    side = math.isqrt(max(inputs, 0))
    if side * side != inputs:
        raise ValueError(f"inputs must be the pixels of a square image for lenet, not {inputs}")
    return side, side, 1


def char_lstm(inputs: int = 87, classes: int | None = None) -> list[Layer]:
    """The recurrent network of GH20 and R24 for the next character of a text: two LSTM of 64, and one output for each
    of `classes` characters (by default as many as `inputs`).

    77,591 weights with biases at 87 characters. h and c carry over from one sequence to the next. Output scales map
    a weight of ±0.6, which devices can hold, to ±2.
    """
    scale = 2 / 0.6
    return [
        LSTM(inputs, 64, scale=scale, carry=True),
        LSTM(64, 64, scale=scale, carry=True),
        Linear(64, inputs if classes is None else classes, scale=scale),
    ]


@runtime_checkable
class Sizes(Protocol):
    """What a network must know about its data; `tikitaka.data.Dataset` and checkpoints provide it."""

    @property
    def inputs(self) -> int:
        """Values per example, or characters of a vocabulary."""

    @property
    def outputs(self) -> int:
        """Outputs of the network: classes, or values of a regression."""

    @property
    def shape(self) -> tuple[int, int, int] | None:
        """Rows, columns and channels of images; None for other data."""

    @property
    def task(self) -> Task:
        """What the targets are for."""


_MOST_MIXED_PRECISION = 0.4  # rate to which larger mini-batches raise that of mixed precision


@dataclass(frozen=True)
class Recipe:
    """A network, and the default settings that it trains well with."""

    build: Callable[[Sizes], list[Layer]] = field(repr=False)
    """makes the layers for a data set"""
    data: str
    """name of the data set"""
    epochs: int
    """passes over the training data"""
    batch: int
    """examples per mini-batch"""
    rules: Mapping[str, RuleConfig] = field(default_factory=dict)
    """training rules by kind, if the defaults of the kind do not suit the network; none of them sets a field whose
    default is None, because a config file could not unset it again"""
    lr: float | None = None
    """the rate of rules with a fast array and of mixed precision, if their default does not suit the network"""
    text: bool = False
    """whether it reads sequences of characters, not images"""
    growth: float = 32.0
    """the most by which rates grow for larger mini-batches; 1 for a network that bears no higher ones"""

    def rule(self, kind: str, batch: int | None = None) -> RuleConfig:
        """The rule of this kind with the settings for this network; ValueError for another kind.

        Rates grow with the examples of a mini-batch, by default those of the recipe: gradients are means over it, so
        that higher rates make up for fewer updates (Goyal et al., arXiv 1706.02677). Those of mixed precision end at
        0.4, where one mini-batch may take weights to the bounds of their devices.
        """
        one_of("kind", kind, rules)
        rule: Any = self.rules.get(kind) or rules[kind]()
        if not hasattr(rule, "lr"):  # multi-tile, whose rate of gradients follows from the mini-batches
            return cast(RuleConfig, rule)
        if self.lr is not None and isinstance(rule, TransferRule | MixedPrecision):
            rule = replace(cast(Any, rule), lr=self.lr)
        lr = self._factor(batch) * rule.lr
        if isinstance(rule, MixedPrecision):
            lr = max(min(lr, _MOST_MIXED_PRECISION), rule.lr)
        found: RuleConfig = rule if lr == rule.lr else replace(rule, lr=lr)
        return found

    def _factor(self, batch: int | None) -> float:
        """By how much rates are higher for mini-batches of so many examples; 1 for what is no such number."""
        return min(max(batch / self.batch, 1.0), self.growth) if isinstance(batch, Integral) else 1.0


nets: dict[str, Recipe] = {
    "fcn": Recipe(lambda data: fcn(data.inputs, data.outputs), "mnist", epochs=30, batch=1),
    "lenet": Recipe(
        lambda data: lenet(data.shape or data.inputs, data.outputs),
        "mnist",
        epochs=30,
        batch=1,
        rules={"float": DigitalSgd(lr=0.01), "sgd": AnalogSgd(lr=0.0003), "tiles": Tiles(fast_tiles=6)},
        lr=0.02,
    ),
    # Lower than for other networks: output scales multiply weights and errors, and the errors of 100 steps add up.
    "lstm": Recipe(
        lambda data: char_lstm(data.inputs, data.outputs),
        "war-and-peace",
        epochs=10,
        batch=1,
        rules={"float": DigitalSgd(lr=0.003), "sgd": AnalogSgd(lr=0.0003)},
        lr=0.003,
        text=True,
        growth=1.0,  # float diverges at eight times its rate with batch 8
    ),
}
"""Networks by name."""
