"""Concurrent trainings on shared pools, with any number of threads each, give the bits of a single one."""

import itertools
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import product
from multiprocessing.connection import Connection
from threading import Barrier, Event

import numpy as np
import pytest

import tikitaka as tt

RULES: dict[str, tt.RuleConfig] = {
    "few pulses": tt.Ttv2(fast_lr=0.1, transfer_lr=5.0, periphery=tt.Periphery.full()),
    "many pulses": tt.Ttv2(fast_lr=1.0, transfer_lr=30.0, device=tt.SoftBounds(states=1200)),
    "one array": tt.AnalogSgd(lr=0.02, device=tt.SoftBounds(states=1200)),
    "float": tt.DigitalSgd(lr=0.1),
}


def trained(rule: str, batch: int, threads: int) -> bytes:
    rng = np.random.default_rng(1)
    x = np.where(rng.random((150, 300)) < 0.3, rng.random((150, 300)), 0).astype(np.float32)
    network = tt.Network(
        [tt.nn.Linear(300, 90), tt.nn.Sigmoid(), tt.nn.Tanh(), tt.nn.Linear(90, 10)], RULES[rule], seed=2
    )
    for _ in range(2):
        network.train(x, x[:, :10].argmax(1), batch=batch, threads=threads)
    return b"".join(np.ascontiguousarray(weights).tobytes() for weights in network.weights)


def test_trainings_at_once_give_the_bits_of_trainings_alone() -> None:
    alone = {(rule, batch): trained(rule, batch, 1) for rule, batch in product(RULES, (1, 40))}
    cases = [(rule, batch, threads) for (rule, batch), threads in product(alone, (1, 2, 3, 4))]
    with ThreadPoolExecutor(len(cases)) as pool:
        results = list(pool.map(lambda case: trained(*case), cases))
    assert len(set(alone.values())) == len(alone)
    for (rule, batch, threads), result in zip(cases, results, strict=True):
        assert result == alone[rule, batch], f"{rule}, batch {batch}, {threads} threads"


DIGITS = tt.data.load("digits").first(200)
LAYERS = [tt.nn.Linear(DIGITS.inputs, 300), tt.nn.Tanh(), tt.nn.Linear(300, DIGITS.classes)]
LONG = 60  # seconds until a test counts as hanging
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def network(seed: int) -> tt.Network:
    return tt.Network(LAYERS, tt.Ttv2(fast_lr=0.1, periphery=tt.Periphery.full()), seed=seed)


def fitted(seed: int, threads: int, together: Barrier | None = None) -> str:
    made, wait = network(seed), None if together is None else (lambda _: together.wait(LONG))
    tt.fit(made, DIGITS, epochs=2, batch=20, threads=threads, progress=False, on_epoch=wait)
    return made.digest()


def test_fits_that_wait_for_each_other_give_the_digests_of_fits_alone() -> None:
    alone = [fitted(seed, 2) for seed in (1, 2)]
    together = Barrier(2)  # neither goes on to its second epoch before the other has had its first
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda seed: fitted(seed, 2, together), (1, 2))) == alone


class BusyNetwork:
    """Trains a network in numbered calls."""

    def __init__(self, seed: int) -> None:
        self.network, self.call = network(seed), 0

    def until(self, stop: Event) -> None:
        for self.call in itertools.count(1):
            self.network.train(DIGITS.train_x, DIGITS.train_y, batch=20)
            if stop.is_set():
                return

    def inside(self) -> bool:
        """Whether the core is training in another thread without the interpreter lock."""
        try:
            return not self.network.inputs
        except RuntimeError:
            return True


@contextmanager
def training(*of: BusyNetwork) -> Iterator[None]:
    """A context in which the networks are trained, a thread each."""
    stop = Event()
    with ThreadPoolExecutor(len(of)) as pool:
        running = [pool.submit(each.until, stop) for each in of]
        try:
            yield
        finally:
            stop.set()
        for each in running:
            each.result()


def test_two_trainings_are_inside_the_core_at_once() -> None:
    one, other, end = BusyNetwork(1), BusyNetwork(2), time.monotonic() + LONG
    with training(one, other):
        while time.monotonic() < end:
            call = one.call
            if one.inside() and other.inside() and one.inside() and one.call == call:
                return  # the first was in the same call before and after the second was seen inside
    pytest.fail("they take turns")


def child(own: tt.Network, theirs: tt.Network, end: Connection) -> None:
    own.train(DIGITS.train_x, DIGITS.train_y, batch=20, threads=2)
    try:
        end.send((own.digest(), fitted(3, 2), theirs.inputs))
    except RuntimeError as error:
        end.send((own.digest(), fitted(3, 2), str(error)))


@needs_fork
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_forked_amid_trainings_works_on() -> None:
    fork = multiprocessing.get_context("fork")
    own, busy, alone = network(1), BusyNetwork(2), fitted(3, 2)
    own.train(DIGITS.train_x, DIGITS.train_y, batch=20, threads=2)  # the pool has threads, which no child has
    with training(busy):
        while not busy.inside():
            time.sleep(0)
        ours, theirs = fork.Pipe()
        process = fork.Process(target=child, args=(own, busy.network, theirs))
        process.start()
        theirs.close()
        try:
            assert ours.poll(LONG), "the child hangs"
            digest, other, said = ours.recv()
        finally:
            process.kill()
            process.join()
    own.train(DIGITS.train_x, DIGITS.train_y, batch=20, threads=2)
    assert (digest, other) == (own.digest(), alone)
    assert said == own.inputs or "another thread" in said  # where the fork came amid a call, which ended there


DIGEST = """
import sys
sys.path.insert(0, sys.argv[1])
from test_threads import fitted
print(fitted(1, 1), fitted(1, 2), fitted(1, 5))
"""


def test_the_threads_of_others_make_no_difference() -> None:
    alone = fitted(1, 1)
    environment = {name: value for name, value in os.environ.items() if name != "RAYON_NUM_THREADS"}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", DIGEST, os.path.dirname(__file__)],
            env={**environment, **({"RAYON_NUM_THREADS": number} if number else {})},
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in ("1", "3", "")
    ]
    for process in started:
        assert process.communicate(timeout=LONG)[0].split() == [alone] * 3
