"""Digital models from trained analog networks, by reads that the hardware can perform.

The true weights of an analog array are never used, only reads through the noisy periphery and the running averages
of such reads that were gathered during training.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tikitaka._core import __version__
from tikitaka._internal.shown import shown
from tikitaka._internal.validation import check_int
from tikitaka.config import RuleConfig, to_dict
from tikitaka.model.model import Model
from tikitaka.nn import Layer
from tikitaka.rule import Rule

__all__ = ["Hardware", "average", "last_read", "mean_read"]

F32 = NDArray[np.float32]


class Hardware(Protocol):
    """The readable parts of a trained network, such as a `tikitaka.Network`."""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Descriptions of the layers."""

    @property
    def rules(self) -> RuleConfig | Rule | Sequence[RuleConfig | Rule]:
        """One rule for all arrays, or one for each."""

    @property
    def loss(self) -> str:
        """Name of the loss."""

    @property
    def seed(self) -> int:
        """Seed of all randomness."""

    @property
    def averages(self) -> Sequence[F32] | None:
        """Running averages of reads of the weights, one of each array; None if there are none yet."""

    def read_weights(self, *, draw: int = 0) -> list[F32]:
        """One noisy read of every array, with the noise of `draw`."""

    def layer_state(self, array: int) -> dict[str, NDArray[Any]]:
        """The state of one array by name."""


def average(network: Hardware) -> Model | None:
    """The model of the running averages gathered while training; None if the rule gathered none.

    Its metadata holds, as `reads`, the fewest and the most reads that a line of each array was averaged over.
    """
    _check_network(network)
    averages = network.averages
    if averages is None:
        return None
    return _model(network, averages, kind="average", reads=_reads_averaged(network, len(averages)))


def last_read(network: Hardware, *, draw: int = 0) -> Model:
    """The model of one noisy read of every column of the last iterate, with the noise of `draw`."""
    _check_network(network)
    return _model(network, network.read_weights(draw=draw), kind="read", reads=1, draw=draw)


def mean_read(network: Hardware, *, reads: int, draw: int = 0) -> Model:
    """The model of the mean of `reads` reads of every column of the last iterate, of draws `draw`, `draw` + 1, …

    It averages out the noise of reading but not the noise of training, which the average over iterates also reduces;
    the difference between the two is the benefit of averaging iterates. ValueError for fewer than one read.
    """
    _check_network(network)
    reads, draw = check_int("reads", reads, 1), check_int("draw", draw, 0, 2**64 - 1)
    sums = [w.astype(np.float64) for w in network.read_weights(draw=draw)]
    for each in range(draw + 1, draw + reads):
        for total, w in zip(sums, network.read_weights(draw=each), strict=True):
            total += w
    means = [np.asarray(total / reads, dtype=np.float32) for total in sums]
    return _model(network, means, kind="reads", reads=reads, draw=draw)


def _model(network: Hardware, weights: Sequence[F32], **metadata: Any) -> Model:
    rules = network.rules if isinstance(network.rules, Sequence) else [network.rules]
    of_rules: dict[str, list[Any]] = {
        "rule": [to_dict(rule)["kind"] if isinstance(rule, RuleConfig) else type(rule).__name__ for rule in rules],
        "device": [_device(rule) for rule in rules],
        "settings": [to_dict(rule) if isinstance(rule, RuleConfig) else None for rule in rules],
    }
    if not isinstance(network.rules, Sequence):
        of_rules = {name: values[0] for name, values in of_rules.items()}
    metadata |= {**of_rules, "seed": network.seed, "version": __version__}
    return Model(network.layers, tuple(weights), network.loss, metadata)


def _check_network(network: Any) -> None:
    if not all(callable(getattr(network, name, None)) for name in ("read_weights", "layer_state")):
        raise TypeError(f"network must be a Network, not {shown(network)}")


def _device(rule: RuleConfig | Rule) -> dict[str, Any] | None:
    """The devices of the array that the network sees; None if there are none or they are unknown."""
    device = getattr(rule, "slow_device", None) or getattr(rule, "device", None)
    return None if device is None or isinstance(rule, Rule) else to_dict(device)


def _reads_averaged(network: Hardware, arrays: int) -> list[list[int] | None]:
    """The fewest and the most reads per line of each array; None for a rule written in Python, which need not count."""
    reads = []
    for array in range(arrays):
        state = network.layer_state(array)  # where an array is cut into tiles, each has its own
        counts = [count for name, count in state.items() if name.rpartition(".")[2] == "average_reads"]
        reads.append([int(min(map(np.min, counts))), int(max(map(np.max, counts)))] if counts else None)
    return reads
