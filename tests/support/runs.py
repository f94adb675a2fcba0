"""Small runs for tests of interrupted trainings."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import tikitaka as tt
from tikitaka.data.text import text_dataset
from tikitaka.nn import Recipe, Sizes

DIGITS = tt.data.load("digits").first(60)
TEXT = text_dataset("the cat sat on the mat and the rat sat on the cat " * 20, name="mine", sequence=10)
TIMES = {"seconds", "samples_per_second", "threads"}


def dense(inputs: int, classes: int) -> list[tt.nn.Layer]:
    return [tt.nn.Linear(inputs, 16), tt.nn.Tanh(), tt.nn.Linear(16, classes)]


def conv(inputs: int, classes: int) -> list[tt.nn.Layer]:
    first = tt.nn.Conv2d(1, 8, 8, filters=3, kernel=3)
    pool = tt.nn.MaxPool2d(*first.image)
    return [first, tt.nn.Tanh(), pool, tt.nn.Flatten(*pool.image), tt.nn.Linear(27, classes)]


def carrying(inputs: int, classes: int) -> list[tt.nn.Layer]:
    return [tt.nn.LSTM(inputs, 6, carry=True, scale=2.0), tt.nn.Linear(6, classes)]


def sized(layers: Callable[[int, int], list[tt.nn.Layer]]) -> Callable[[Sizes], list[tt.nn.Layer]]:
    return lambda data: layers(data.inputs, data.outputs)


SMALL = {
    "dense": Recipe(sized(dense), "digits", 3, 4),
    "conv": Recipe(sized(conv), "digits", 3, 4),
    "carrying": Recipe(sized(carrying), "digits", 3, 4, text=True),
}
FULL = tt.Periphery.full()
RULES = {
    "float": tt.DigitalSgd(),
    "sgd": tt.AnalogSgd(periphery=FULL, count_pulses=True),
    "ttv1": tt.Ttv1(gamma=0.2, slow_device=tt.ConstantStep(states=50), reference=tt.Reference("zero-shift", pulses=50)),
    "ttv1 hadamard": tt.Ttv1(read_vectors="hadamard", periphery=FULL),
    "ttv2": tt.Ttv2(periphery=FULL, slow_reference=tt.Reference("ideal", spread=0.05), count_pulses=True),
    "ttv2 r24": tt.Ttv2(
        rates="r24", average="exponential", transfer_line="row", transfer_unit="batch", transfer_every=1
    ),
}


def config(net: str = "dense", rule: str = "ttv2", **more: Any) -> tt.TrainConfig:
    return tt.TrainConfig(net=net, data="digits", rule=RULES[rule], average_from=2, seed=5, **more)


def at_call(number: int) -> Callable[[], bool]:
    """A `stop` that returns True at its n-th call."""
    calls: list[int] = []
    return lambda: calls.append(1) or len(calls) == number  # type: ignore[func-returns-value]


def timeless(of: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in of.items() if name not in TIMES}


def outcome(run: tt.Run) -> tuple[dict[str, Any] | None, list[dict[str, Any]], dict[str, bytes]]:
    """The contents of a finished run except times: summary, metrics, and the state of its network."""
    summary = run.summary()
    state = {name: array.tobytes() for name, array in run.network().state().items()}
    return summary and timeless(summary), [timeless(asdict(metrics)) for metrics in run.metrics()], state


def child(code: str, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
