"""What another thread or a callback uses at the moment says so in words, and is as it was."""

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tikitaka as tt

X, Y = np.ones((2, 300), np.float32), np.zeros(2, np.int64)
WORDS = (
    r"this {} is in use by another thread, or by the call that called back: "
    "give each thread its own, and use it between calls"
)


class Waiting(tt.Rule):
    """Its update ends when the test says so."""

    inside, go = threading.Event(), threading.Event()

    def build(self, weights: Any, seed: int, layer: int) -> None:
        self.array = tt.Crossbar(*weights.shape, seed=seed)

    def update(self, x: Any, delta: Any, lr_scale: float) -> None:
        self.inside.set()
        assert self.go.wait(60)


def network() -> tuple[Any, Callable[[], Any]]:
    made = tt.Network([tt.nn.Linear(300, 10)], Waiting(), seed=1)
    return made, lambda: made.train(X, Y)


def layer() -> tuple[Any, Callable[[], Any]]:
    made = tt.AnalogLayer(Waiting(), np.zeros((10, 300)), seed=1)
    return made, lambda: made.update(X, np.ones((2, 10)))


def crossbar() -> tuple[Any, Callable[[], Any]]:
    made = tt.Crossbar(300, 300, seed=1)
    return made, lambda: Waiting.inside.set() or made.zero_shift(10_000)  # about a second


USES: dict[str, tuple[Callable[[], Any], dict[str, Callable[[Any], Any]]]] = {
    "Network": (
        network,
        {
            "weights": lambda n: n.weights,
            "inputs": lambda n: n.inputs,
            "averaging": lambda n: setattr(n, "averaging", False),
            "evaluate": lambda n: n.evaluate(X, Y),
            "train": lambda n: n.train(X, Y),
            "reset": lambda n: n.reset(),
            "copy": lambda n: n.__copy__(),
            "state": lambda n: n.state(),
            "layer_state": lambda n: n.layer_state(0),
        },
    ),
    "Crossbar": (
        crossbar,
        {
            "weights": lambda a: a.weights,
            "set weights": lambda a: setattr(a, "weights", np.zeros((300, 300))),
            "forward": lambda a: a.forward(X),
            "evaluate": lambda a: a.evaluate(X),
            "pulse": lambda a: a.pulse_row(0, np.zeros(300, int)),
            "copy": lambda a: a.__copy__(),
            "repr": repr,
            "state": lambda a: a.state(),
        },
    ),
    "AnalogLayer": (
        layer,
        {
            "weights": lambda a: a.weights,
            "ledger": lambda a: a.ledger,
            "averaging": lambda a: a.averaging,
            "forward": lambda a: a.forward(X),
            "copy": lambda a: a.__copy__(),
            "state": lambda a: a.state(),
        },
    ),
}


@pytest.mark.parametrize("name", USES)
def test_another_thread_is_refused_in_words(name: str) -> None:
    make, uses = USES[name]
    made, work = make()
    Waiting.inside.clear()
    Waiting.go.clear()
    thread = threading.Thread(target=work)
    thread.start()
    assert Waiting.inside.wait(60)
    time.sleep(0.05)
    for call in uses.values():
        with pytest.raises(RuntimeError, match=WORDS.format(name)):
            call(made)
    Waiting.go.set()
    thread.join()
    for call in uses.values():
        call(made)


def test_a_callback_is_refused_in_words() -> None:
    class Curious(tt.Rule):
        def build(self, weights: Any, seed: int, layer: int) -> None:
            self.array = tt.Crossbar(*weights.shape, seed=seed)

        def update(self, x: Any, delta: Any, lr_scale: float) -> None:
            seen.append(made[0].weights)

    made: list[Any] = [tt.Network([tt.nn.Linear(300, 10)], Curious())]
    seen: list[Any] = []
    with pytest.raises(RuntimeError, match=WORDS.format("Network")):
        made[0].train(X, Y)
    made[0] = tt.AnalogLayer(Curious(), np.zeros((2, 3)))
    with pytest.raises(RuntimeError, match=WORDS.format("AnalogLayer")):
        made[0].update([1, 2, 3], [1, 2])
    assert not seen
    assert made[0].weights.shape == (2, 3)


def test_several_threads_may_look_at_once() -> None:
    array = tt.Crossbar(300, 300, seed=1)
    x, outputs = np.ones((500, 300)), []
    threads = [threading.Thread(target=lambda: outputs.append(array.evaluate(x))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outputs) == 4
    for output in outputs[1:]:
        np.testing.assert_array_equal(output, outputs[0])
