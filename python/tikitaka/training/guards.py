"""Checks before a training, and checks that stop a failed one before it is saved."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tikitaka._core import mean_device
from tikitaka._internal.validation import check_kind
from tikitaka.config import RuleConfig
from tikitaka.data import Dataset
from tikitaka.network import Network, losses
from tikitaka.nn import Layer
from tikitaka.training.metrics import Progress

__all__ = ["check_finite", "check_saturation", "check_start", "check_trainable"]

F32 = NDArray[np.float32]

_DEVICES = 32  # in a smaller array all weights may legitimately be at their bounds
_COARSE = 0.25  # of the range: devices that cross it in a few pulses are often at a bound


def check_finite(
    network: Network, *, train: float, test: float = 0.0, validation: float = 0.0, epoch: int, examples: int
) -> None:
    """Raise FloatingPointError if a loss is not finite, `examples` into `epoch`, naming the array that caused it.

    That is the first array whose weights are not finite or, if all are, the one with the largest |weight|.
    """
    for name, loss in (("training", train), ("validation", validation), ("test", test)):
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"the {name} loss is {loss} in epoch {epoch} after {examples:,} examples: "
                f"the learning rate is too high for this network; {_blame(network)}"
            )


def check_saturation(network: Network, *, epoch: int) -> None:
    """Raise ArithmeticError if all devices of an array are at their bounds after `epoch`.

    The check skips rules written in Python, arrays of fewer than 32 devices, and arrays whose median device crosses a
    quarter of its range in one pulse, cycle-to-cycle noise included. A device is at a bound if its state, weight +
    reference, equals the bound to the precision of float32.
    """
    arrays = [layer for layer in network.layers if layer.shape is not None]
    for k, layer in enumerate(arrays):
        rule = network.rules[k] if isinstance(network.rules, Sequence) else network.rules
        if not isinstance(rule, RuleConfig):  # its cycle noise is unknown
            continue
        devices = network.device_parameters(k)
        state = network.layer_state(k) if devices else {}
        for letter in sorted({name.partition(".")[0] for name in devices}):
            constants = {
                name.removeprefix(f"{letter}."): values
                for name, values in devices.items()
                if name.startswith(f"{letter}.")
            }
            states = state[letter] + state.get(f"{letter}.reference", np.float32(0))
            if (
                states.size >= _DEVICES
                and _all_at_bounds(states, constants)
                and not _coarse(constants, _cycle_noise(rule, letter))
            ):
                raise ArithmeticError(
                    f"all devices of array {k}, {letter.upper()} ({_size(layer)}), are at their bounds after "
                    f"epoch {epoch}: the learning rate is too high for this network, or the bounds too narrow"
                )


def check_trainable(network: Network, dataset: Dataset, *, batch: int = 1) -> None:
    """Raise ValueError, with the reason, if `network` cannot be trained on `dataset` in mini-batches of `batch`."""
    check_kind("network", network, Network)
    check_kind("dataset", dataset, Dataset)
    for part, examples in (("training", len(dataset.train_y)), ("test", len(dataset.test_y))):
        if examples == 0:
            raise ValueError(f"the {part} part of {dataset.name} must contain at least one example, and is empty")
    if network.loss != (required := losses[dataset.task]):
        holds = "classes" if dataset.task == "classification" else "the values of a regression"
        raise ValueError(
            f'loss must be "{required}" for {dataset.name}, whose targets are {holds}, not "{network.loss}"'
        )
    if network.recurrent != dataset.sequences:
        kinds = {False: "single examples", True: "sequences"}
        lstm = "an LSTM" if network.recurrent else "no LSTM"
        takes, holds = kinds[network.recurrent], kinds[dataset.sequences]
        raise ValueError(f"{dataset.name} must hold {takes} for a network with {lstm}, not {holds}")
    if network.carries and batch > len(dataset.train_y):
        raise ValueError(
            f"batch must be at most {len(dataset.train_y):,}, the training sequences of {dataset.name}, not {batch:,}: "
            "a network that carries state needs at least one sequence for each place of a mini-batch"
        )


def check_start(start: Progress, epochs: int, examples: int, batch: int) -> None:
    """Raise ValueError if a training of `epochs` × `examples` cannot be at `start`."""
    if start.epoch > epochs:
        raise ValueError(f"start must be within the {epochs} epochs, not after epoch {start.epoch}")
    if start.position > examples or (start.position % batch and start.position != examples):
        raise ValueError(
            f"start must be between two mini-batches of {batch:,}, "
            f"not {start.position:,} examples into an epoch of {examples:,}"
        )
    if start.position and start.epoch == epochs:
        raise ValueError(f"start must be within the {epochs} epochs, not {start.position:,} examples after the last")


def _blame(network: Network) -> str:
    arrays = [layer for layer in network.layers if layer.shape is not None]
    largest = [float(np.abs(w).max()) for w in network.weights]
    for k, value in enumerate(largest):
        if not math.isfinite(value):
            return f"the weights of array {k} ({_size(arrays[k])}) are not finite"
    k = int(np.argmax(largest))
    return f"all weights are finite, the largest |weight| {largest[k]:.3g} is in array {k} ({_size(arrays[k])})"


def _size(layer: Layer) -> str:
    rows, cols = layer.shape or (0, 0)
    return f"{rows} × {cols}"


def _all_at_bounds(at: F32, devices: Mapping[str, F32]) -> bool:
    lower, upper = devices["lower_bound"], devices["upper_bound"]
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
