"""Long calls of `Network.train` answer Ctrl-C, and are otherwise the same as one call into the core."""

import signal
import threading
import time
from typing import Any

import numpy as np
import pytest

import tikitaka as tt
from support.runs import DIGITS, TEXT, carrying, child, dense
from tikitaka._internal import parts

LONG = """
import signal
import numpy as np
import tikitaka as tt
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job starts with Ctrl-C ignored
network = tt.Network([tt.nn.Linear(500, 500), tt.nn.Tanh(), tt.nn.Linear(500, 10)], tt.AnalogSgd(), seed=1)
x, y = np.ones((100, 500), np.float32), np.zeros(100, np.int64)
print(flush=True)
network.train(x, y, order=np.zeros(50_000_000, np.int64))  # hours
"""


def test_ctrl_c_ends_a_long_call() -> None:
    process = child(LONG)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    try:
        assert process.communicate(timeout=60)[1].splitlines()[-1] == "KeyboardInterrupt"
    finally:
        process.kill()


@pytest.mark.parametrize("order", [None, np.arange(59, -1, -1)], ids=["all", "order"])
def test_parts_give_the_bits_of_one_call(monkeypatch: pytest.MonkeyPatch, order: Any) -> None:
    made = []
    for work in (1e18, 5e3):
        monkeypatch.setattr(parts, "_WORK", work)
        network = tt.Network(dense(64, 10), tt.Ttv2(periphery=tt.Periphery.full()), seed=1)
        score = network.train(DIGITS.train_x, DIGITS.train_y, order=order, batch=4)
        text = tt.Network(carrying(TEXT.inputs, TEXT.inputs), tt.DigitalSgd(), seed=1)
        text_score = text.train(TEXT.train_x, TEXT.train_y, batch=4)
        made.append((network.digest(), text.digest(), *np.round([*score, *text_score], 9)))
    assert made[0] == made[1]


def test_a_long_call_that_is_refused_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_WORK", 1.0)
    network = tt.Network(dense(64, 10), tt.DigitalSgd(), seed=1)
    before = network.digest()
    x, y = DIGITS.train_x.copy(), DIGITS.train_y.copy()
    x[-1, 3], y[-1] = np.nan, 99
    for given, targets, order in ((x, DIGITS.train_y, None), (DIGITS.train_x, y, None), (x, y, np.array([0, 60]))):
        with pytest.raises(ValueError, match=r"x|targets|order"):
            network.train(given, targets, order=order)
        assert network.digest() == before


def test_a_network_that_another_thread_uses_says_so_in_words() -> None:
    network = tt.Network([tt.nn.Linear(300, 300), tt.nn.Linear(300, 10)], tt.AnalogSgd(), seed=1)
    x, y = np.ones((10, 300), np.float32), np.zeros(10, np.int64)
    thread = threading.Thread(target=lambda: network.train(x, y, order=np.zeros(3000, np.int64)))
    thread.start()
    words: set[str] = set()
    while not words and thread.is_alive():
        time.sleep(0.01)
        try:
            network.evaluate(x, y)
        except RuntimeError as error:
            words.add(str(error))
    thread.join()
    assert words == {
        "a Network is for one thread at a time, and another thread uses this one: give each thread its own"
    }
