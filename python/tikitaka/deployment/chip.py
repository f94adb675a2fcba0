"""Digital models programmed onto simulated analog chips."""

import copy
import hashlib
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from tikitaka._core import Crossbar
from tikitaka._internal.copies import Versioned
from tikitaka._internal.display import table
from tikitaka._internal.shown import listed, shown
from tikitaka._internal.validation import check_int, check_kind, one_of
from tikitaka.config import AnalogSgd, Device, Periphery, Reliability, RuleConfig, SoftBounds
from tikitaka.config.size import range_of
from tikitaka.deployment.drift import Drift
from tikitaka.model import Model
from tikitaka.network import Network
from tikitaka.nn import array_names
from tikitaka.nn.arrays import PerArray, each_of

__all__ = ["Chip", "Method", "program"]

F32 = NDArray[np.float32]
Method = Literal["exact", "error", "closed-loop", "open-loop"]
"""Ways to write weights onto devices; see `program`."""


@dataclass(frozen=True, eq=False)
class _Aged:
    """The weights of a chip that has aged, array by array (outputs, inputs)."""

    targets: tuple[F32, ...]
    """those of the model"""
    written: tuple[F32, ...]
    """those that were written last"""
    since: tuple[float, ...]
    """age of the chip at which they were written (s)"""
    left: tuple[F32, ...]
    """what has become of them"""


@dataclass(frozen=True, eq=False, repr=False)
class Chip(Versioned):
    """A chip that a model was programmed onto, with the programming errors of each array.

    The report compares the devices with the model, which is possible in a simulation but not on hardware.
    `copy.deepcopy` and `pickle` give a chip of its own, with the same bits.
    """

    network: Network
    """the programmed network, evaluated through its own periphery; it can be trained further if its rule trains"""
    pulses: tuple[int, ...]
    """pulses sent to the devices of each array; 0 for methods that only model the result"""
    residuals: tuple[F32, ...] = field(repr=False)
    """weight on the chip − weight of the model, (outputs, inputs + bias) of each array"""
    steps: tuple[float, ...]
    """mean step of the devices of each array (weight units)"""
    age_s: float = 0.0
    """seconds since it was programmed"""
    aged: "_Aged | None" = field(default=None, repr=False)
    """what `after` must remember of a chip that it made"""

    def after(self, seconds: float, drift: Drift | None = None) -> "Chip":
        """This chip `seconds` later, its weights as they have drifted since they were written.

        Every device has its own exponent, which stays: later from later is the same as at once. Weights of arrays that
        were trained or set since drift anew, from now on. Stuck devices do not drift. Raises ValueError for seconds not
        from 0 to 1e15, TypeError for anything but a `Drift`.
        """
        check_kind("drift", drift := Drift() if drift is None else drift, Drift)
        check_kind("seconds", seconds, Real)
        if not 0 <= seconds <= 1e15:
            raise ValueError(f"seconds must be from 0 to 1e15, not {shown(seconds)}")
        network, age = copy.deepcopy(self.network), self.age_s + float(seconds)
        now = network.weights
        before = self.aged or _Aged(
            tuple(w - r for w, r in zip(now, self.residuals, strict=True)), tuple(now), (0.0,) * len(now), tuple(now)
        )
        same = [np.array_equal(w, left) for w, left in zip(now, before.left, strict=True)]
        written = tuple(old if kept else w for kept, old, w in zip(same, before.written, now, strict=True))
        since = tuple(at if kept else self.age_s for kept, at in zip(same, before.since, strict=True))
        seeds = [(network.seed + array) % 2**64 for array in range(len(written))]
        network.weights = [
            drift._weights(w, drift._exponents(seed, w.shape), age - at)
            for w, seed, at in zip(written, seeds, since, strict=True)
        ]
        left = tuple(network.weights)
        residuals = tuple(w - target for w, target in zip(left, before.targets, strict=True))
        aged = _Aged(before.targets, written, since, left)
        return replace(self, network=network, residuals=residuals, age_s=age, aged=aged)

    @property
    def rms_error(self) -> tuple[float, ...]:
        """Root mean square of the residuals of each array (weight units)."""
        return tuple(float(np.sqrt(np.mean(np.square(r, dtype=np.float64)))) for r in self.residuals)

    @property
    def missed(self) -> tuple[NDArray[np.int64], ...]:
        """(row, column) of the devices of each array that are more than one mean step from their target: (n, 2)."""
        pairs = zip(self.residuals, self.steps, strict=True)
        return tuple(np.argwhere(np.abs(r) > step).astype(np.int64) for r, step in pairs)

    @property
    def missed_share(self) -> float:
        """Share of all devices that are more than one mean step from their target, 0 to 1."""
        return sum(len(m) for m in self.missed) / sum(r.size for r in self.residuals)

    def __repr__(self) -> str:
        return f"Chip({self._summary()})\n{self.network!r}"

    def _repr_html_(self) -> str:
        columns = ("array", "pulses", "rms error", "step", "more than a step off")
        numbers = zip(self.network.names, self.pulses, self.rms_error, self.steps, self.missed, strict=True)
        rows = ((name, f"{n:,}", f"{rms:.3g}", f"{step:.3g}", f"{len(m):,}") for name, n, rms, step, m in numbers)
        return table(f"Chip({self._summary()})", columns, rows) + self.network._repr_html_()

    def _summary(self) -> str:
        return f"{sum(self.pulses):,} pulses, {100 * self.missed_share:.2f} % of devices more than a step off"


def program(
    model: Model,
    *,
    device: PerArray[Device] | None = None,
    periphery: PerArray[Periphery] | None = None,
    reliability: PerArray[Reliability] | None = None,
    tile: int | tuple[int, int] | None = None,
    rule: PerArray[RuleConfig] | None = None,
    method: Method = "exact",
    error_share: float = 0.0,
    max_pulses: int = 1000,
    seed: int = 0,
) -> Chip:
    """`model` on analog chip number `seed`, with new devices, each with its own bounds and steps.

    The chip has `device`, `periphery` and `reliability` (20-state soft bounds, an ideal periphery and no faults by
    default) in arrays of at most `tile` rows and columns, and does not learn; or, for fine-tuning on it with
    `tikitaka.fit`, it has those of `rule`. Each of them is one for all arrays, a sequence of one for each array, or a
    mapping by name or index, as for `tikitaka.Network`; `origin` gives those that the model was trained on. Chip
    numbers are independent of the seeds of networks: chip 1 is not the chip that a network of seed 1 was trained on.
    From devices at weight 0, `method` writes

    - "exact": the weights of the model,
    - "error": the weights plus N(0, σ²), σ = `error_share` · 2·bound of the mean device (0.05: 5 % of the range),
    - "closed-loop": pulses until a device is within half a mean step, at most `max_pulses`,
    - "open-loop": as many pulses as the mean device needs, at most `max_pulses`, without verification;

    every device stays within its own bounds. Raises TypeError for anything but a model, devices, peripheries and rules,
    and ValueError for contradictory arguments, another number of them than of arrays, and values out of range.
    """
    check_kind("model", model, Model)
    one_of("method", method, get_args(Method))
    if error_share != 0.0 and method != "error":
        raise ValueError(
            f"error_share must be 0 for the method {shown(method)}, not {error_share:g}: it belongs to 'error'"
        )
    if not 0.0 <= error_share <= 10.0:  # which refuses NaN
        raise ValueError(f"error_share must be from 0 to 10 (of the range of the devices), not {error_share:g}")
    parts = {"device": device, "periphery": periphery, "reliability": reliability, "tile": tile}
    if rule is not None and (given := [name for name, part in parts.items() if part is not None]):
        raise ValueError(f"give either rule or {listed(given)}, not both: a rule has its own")
    names = array_names(model.layers)
    if rule is None:
        devices = each_of("device", SoftBounds() if device is None else device, names, Device)
        circuits = each_of("periphery", Periphery() if periphery is None else periphery, names, Periphery)
        faults = each_of("reliability", Reliability() if reliability is None else reliability, names, Reliability)
        each: list[RuleConfig] = [
            AnalogSgd(lr=0.0, device=of, periphery=circuit, reliability=reliable, tile=tile)
            for of, circuit, reliable in zip(devices, circuits, faults, strict=True)
        ]
    else:
        each = each_of("rule", rule, names, RuleConfig)
    targets = [_programmed(rule, name) for rule, name in zip(each, names, strict=True)]
    rules = each[0] if all(other == each[0] for other in each) else each
    network = Network(model.layers, rules, loss=model.loss, seed=_chip_seed(seed))
    network.weights = [np.zeros_like(w) for w in model.weights]
    errors = [range_of(target) * error_share for target in targets]
    pulses = network.program(model.weights, method, error=errors, max_pulses=max_pulses)
    residuals = tuple(on_chip - w for on_chip, w in zip(network.weights, model.weights, strict=True))
    return Chip(network, tuple(pulses), residuals, tuple(Crossbar(1, 1, target).weight_step for target in targets))


def _programmed(rule: RuleConfig, name: str) -> Device:
    """The devices that the network sees of the array called `name`."""
    device: Device | None = getattr(rule, "slow_device", None) or getattr(rule, "device", None)
    if device is None:
        raise ValueError(f"rule must be one with devices, not {type(rule).__name__}, which has no devices for {name}")
    return device


def _chip_seed(number: int) -> int:
    """The seed of the network on chip `number`, far from the small seeds that users choose."""
    number = check_int("seed", number, 0, 2**63 - 1)
    return int.from_bytes(hashlib.sha256(f"tikitaka chip {number}".encode()).digest()[:8], "little")
