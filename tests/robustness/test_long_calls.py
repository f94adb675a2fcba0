"""Ctrl-C ends long calls into the core within a second or so, and leaves a network that can be used."""

import signal
import time

import pytest

from support.runs import child

LONG = """
import signal, sys, time
import numpy as np
import tikitaka as tt
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job starts with Ctrl-C ignored
class Own(tt.Rule):
    def build(self, weights, seed, layer):
        self.array = tt.Crossbar(*weights.shape, seed=seed, array=layer)
    def update(self, x, delta, lr_scale):
        pass
call, threads = sys.argv[1], int(sys.argv[2])
wide = [tt.nn.Linear(3000, 3000), tt.nn.Linear(3000, 10)]
network = (
    tt.Network([tt.nn.LSTM(20, 100, carry=True), tt.nn.Linear(100, 20)], tt.DigitalSgd(), seed=1)
    if call in ("text", "sample")
    else tt.Network([tt.nn.Linear(500, 10)], Own(), seed=1)
    if call == "own rule"
    else tt.Network(wide, tt.DigitalSgd(), seed=1)
)
count = {"text": 300_000, "sample": 1}.get(call, 20_000)
x = np.zeros((count, 20), np.int64) if call in ("text", "sample") else np.ones((count, network.inputs), np.float32)
y = x if call in ("text", "sample") else np.zeros(count, np.int64)
print(flush=True)
try:
    if call in ("train", "own rule"):
        network.train(x, y, order=np.zeros(50_000_000, np.int64), threads=threads)
    elif call == "forward":
        network.forward(x, threads=threads)
    elif call == "sample":
        network.sample([0], 50_000_000, threads=threads)
    elif call == "model":
        tt.Model(tuple(wide), network.weights).evaluate(x, y, threads=threads)
    else:
        network.evaluate(x, y, threads=threads)
    print("it was too short")
except KeyboardInterrupt:
    print(time.monotonic(), network.train(x[:1], y[:1]).loss >= 0)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "threads"),
    [
        *((call, 1) for call in ("train", "own rule", "evaluate", "model", "forward", "text", "sample")),
        *((call, 2) for call in ("train", "evaluate", "text")),
    ],
)
def test_ctrl_c_ends_a_long_call(call: str, threads: int) -> None:
    process = child(LONG, call, str(threads))
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.5)
    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    try:
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert not err
    ended, usable = out.split()
    assert usable == "True"
    assert float(ended) - sent < 2  # a second, and a busy machine
