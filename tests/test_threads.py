"""Trainings at the same time, with any number of threads each, on pools that they share: the bits of one alone."""

from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np

import tikitaka as tt

RULES: dict[str, tt.RuleConfig] = {
    "few pulses": tt.Ttv2(fast_lr=0.1, periphery=tt.Periphery.full()),
    "many pulses": tt.Ttv2(fast_lr=1.0, transfer_lr=30.0, device=tt.SoftBounds(states=1200)),
    "one array": tt.Sgd(lr=0.02, device=tt.SoftBounds(states=1200)),
    "float": tt.Float(lr=0.1),
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
