"""What the rules of a network say of their own settings before a training: that they cannot work as planned."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from tikitaka._internal.shown import listed
from tikitaka.config import RuleConfig
from tikitaka.network import Network

__all__ = ["rule_warnings", "silent", "warn_of_rules"]

_MOST = 2**63  # samples that the core can count

_silent: ContextVar[bool] = ContextVar("silent", default=False)


@contextmanager
def silent() -> Iterator[None]:
    """In this context, in this thread, no training warns of its rules: for one training of many, as in a sweep."""
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)


def warn_of_rules(
    network: Network, *, examples: int, time_steps: int, batch: int, lr_scale: float, stacklevel: int = 3
) -> None:
    """Issue each of the `rule_warnings`, unless `silent`."""
    if _silent.get():
        return
    for words in rule_warnings(network, examples=examples, time_steps=time_steps, batch=batch, lr_scale=lr_scale):
        warnings.warn(words, stacklevel=stacklevel)


def rule_warnings(
    network: Network, *, examples: int, time_steps: int = 1, batch: int = 1, lr_scale: float = 1.0
) -> tuple[str, ...]:
    """The warnings of `RuleConfig.describe` for a training, each with the names of the arrays that it concerns.

    `examples` is their number in all epochs, each of so many `time_steps`; `batch` is that of a mini-batch, and
    `lr_scale` the largest factor of the schedule. Rules in Python have no warnings.

    >>> import tikitaka as tt
    >>> layers = [tt.nn.Linear(64, 128), tt.nn.Sigmoid(), tt.nn.Linear(128, 10)]
    >>> network = tt.Network(layers, tt.Ttv2(fast_lr=50.0))
    >>> for words in rule_warnings(network, examples=30_000):
    ...     print(words[:70])
    rule of linear1, linear2: 69 % of the pulse trains of A saturate: thei
    """
    rules = network.rules if isinstance(network.rules, Sequence) else [network.rules] * len(network.names)
    arrays = [layer for layer in network.layers if layer.shape is not None]
    concerned: dict[str, list[str]] = {}
    for name, layer, rule in zip(network.names, arrays, rules, strict=True):
        if not isinstance(rule, RuleConfig) or layer.shape is None:
            continue
        if getattr(rule, "transfer_unit", "sample") == "batch":
            planned = -(-examples // batch)
        else:
            planned = examples * time_steps * layer.vectors
        for words in rule.warnings(*layer.shape, samples=min(planned, _MOST), lr_scale=lr_scale):
            concerned.setdefault(words, []).append(name)
    return tuple(f"rule of {listed(names)}: {words}" for words, names in concerned.items())
