"""The check that stops a training whose devices are all at their bounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tikitaka._core import mean_device
from tikitaka.config import RuleConfig
from tikitaka.network import Network

__all__ = ["SaturationCheck"]

F32 = NDArray[np.float32]

_DEVICES = 32  # in a smaller array all weights may legitimately be at their bounds
_COARSE = 0.25  # of the range: devices that cross it in a few pulses are often at a bound


@dataclass(frozen=True)
class _First:
    """The first devices of an array: as long as one of them is between its bounds, the others need no look."""

    array: int
    """number of the layer's array"""
    letter: str
    """the array of its rule: a or c"""
    lower: F32
    """their lower bounds (_DEVICES,)"""
    upper: F32
    """their upper bounds (_DEVICES,)"""


class SaturationCheck:
    """Raises ArithmeticError when it is called after an epoch with all devices of an array at their bounds.

    It skips rules written in Python, arrays of fewer than 32 devices, and arrays whose median device crosses a quarter
    of its range in one pulse, cycle-to-cycle noise included. A device is at a bound if its state, weight + reference,
    equals the bound to the precision of float32. Constants of devices never change, so they are fetched once for the
    calls of a training, and all of them only where the first devices are at their bounds.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._first: list[_First] | None = None

    def __call__(self, *, epoch: int) -> None:
        """Check after `epoch`."""
        if self._first is None:
            self._first = self._firsts()
        state, held = {}, -1
        for first in list(self._first):
            if first.array != held:
                state, held = self._network.layer_state(first.array), first.array
            states = state[first.letter] + state.get(f"{first.letter}.reference", np.float32(0))
            if not _all_at_bounds(states.reshape(-1)[:_DEVICES], first.lower, first.upper):
                continue
            constants = self._constants(first.array)[first.letter]
            if not _all_at_bounds(states, constants["lower_bound"], constants["upper_bound"]):
                continue
            rule = self._rule(first.array)
            assert isinstance(rule, RuleConfig)
            if _coarse(constants, _cycle_noise(rule, first.letter)):
                self._first.remove(first)
                continue
            rows, cols = states.shape
            raise ArithmeticError(
                f"all devices of array {first.array}, {first.letter.upper()} ({rows} × {cols}), are at their bounds "
                f"after epoch {epoch}: the learning rate is too high for this network, or the bounds too narrow"
            )

    def _rule(self, array: int) -> object:
        rules = self._network.rules
        return rules[array] if isinstance(rules, Sequence) else rules

    def _constants(self, array: int) -> dict[str, dict[str, F32]]:
        """Constants of the devices of each array of the rule, by its letter and their name."""
        found: dict[str, dict[str, F32]] = {}
        for name, values in sorted(self._network.device_parameters(array).items()):
            letter, _, constant = name.partition(".")
            found.setdefault(letter, {})[constant] = values
        return found

    def _firsts(self) -> list[_First]:
        found = []
        for k in range(sum(layer.shape is not None for layer in self._network.layers)):
            if not isinstance(self._rule(k), RuleConfig):  # its cycle noise is unknown
                continue
            for letter, constants in self._constants(k).items():
                lower, upper = constants["lower_bound"], constants["upper_bound"]
                if lower.size >= _DEVICES:
                    ends = [each.reshape(-1)[:_DEVICES].copy() for each in (lower, upper)]
                    found.append(_First(k, letter, *ends))
        return found


def _all_at_bounds(at: F32, lower: F32, upper: F32) -> bool:
    near = 1e-6 * (upper - lower)
    return bool(np.all((at <= lower + near) | (at >= upper - near)))


def _coarse(devices: Mapping[str, F32], noise: float) -> bool:
    step = np.maximum(devices["up_step"], devices["down_step"]) * (1 + noise)
    return bool(np.median(step / (devices["upper_bound"] - devices["lower_bound"])) >= _COARSE)


def _cycle_noise(rule: RuleConfig, letter: str) -> float:
    """The standard deviation of a pulse of the devices of A or C, in steps."""
    device = getattr(rule, "slow_device", None) if letter == "c" else None
    mean = mean_device(device or rule.device)  # type: ignore[attr-defined]
    return mean["noise_at_symmetry_point"] / mean["step_at_symmetry_point"]
