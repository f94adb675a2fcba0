"""Digital models taken from trained analog networks, by reads that their hardware can do.

Nothing here looks at the true weights of an analog array: only at its reads through the noisy periphery, and at the
running averages of such reads that were gathered while training.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tikitaka._core import __version__
from tikitaka.checked import check_kind, check_whole
from tikitaka.config import RuleConfig, to_dict
from tikitaka.model import Model
from tikitaka.rule import Rule

if TYPE_CHECKING:
    from tikitaka.network import Network

__all__ = ["average", "last_read", "mean_read"]

F32 = NDArray[np.float32]


def average(network: "Network") -> Model | None:
    """The model of the running averages gathered while training; None if the rule gathered none.

    Its metadata holds, as `reads`, the fewest and the most reads that a line of each array was averaged over.
    """
    _check_network(network)
    averages = network.averages
    if averages is None:
        return None
    return _model(network, averages, kind="average", reads=_reads_averaged(network, len(averages)))


def last_read(network: "Network", *, draw: int = 0) -> Model:
    """The model of one noisy read of every column of the last iterate, with the noise of `draw`."""
    _check_network(network)
    return _model(network, network.read_weights(draw=draw), kind="read", reads=1, draw=draw)


def mean_read(network: "Network", *, reads: int, draw: int = 0) -> Model:
    """The model of the mean of `reads` reads of every column of the last iterate, of draws `draw`, `draw` + 1, …

    It averages the noise of reading away but not the noise of training, which the average over iterates does: the
    difference between the two is what averaging iterates gives. ValueError for fewer than one read.
    """
    _check_network(network)
    reads, draw = check_whole("reads", reads, 1), check_whole("draw", draw, 0, 2**64 - 1)
    sums = [w.astype(np.float64) for w in network.read_weights(draw=draw)]
    for each in range(draw + 1, draw + reads):
        for total, w in zip(sums, network.read_weights(draw=each), strict=True):
            total += w
    means = [np.asarray(total / reads, dtype=np.float32) for total in sums]
    return _model(network, means, kind="reads", reads=reads, draw=draw)


def _model(network: "Network", weights: list[F32], **metadata: Any) -> Model:
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
    from tikitaka.network import Network  # not above: networks extract themselves by what is here

    check_kind("network", network, Network)


def _device(rule: RuleConfig | Rule) -> dict[str, Any] | None:
    """The devices of the array that the network sees; None where there are none or nobody knows."""
    device = getattr(rule, "slow_device", None) or getattr(rule, "device", None)
    return None if device is None or isinstance(rule, Rule) else to_dict(device)


def _reads_averaged(network: "Network", arrays: int) -> list[list[int]]:
    counts = [network.layer_state(k)["average_reads"] for k in range(arrays)]
    return [[int(n.min()), int(n.max())] for n in counts]
