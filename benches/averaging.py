"""The cost of averaging: pairs of equal trainings with and without it, in turn.

python benches/averaging.py        (fcn, batch 1, 20 states, full periphery, inputs as sparse as MNIST's)
"""

import time

import numpy as np

import tikitaka as tt

PAIRS, SAMPLES = 21, 10_000


def seconds(network: tt.Network, x: np.ndarray, y: np.ndarray) -> float:
    start = time.perf_counter()
    network.train(x, y, lr_scale=0.3)
    return time.perf_counter() - start


def main() -> None:
    rng = np.random.default_rng(1)
    x = np.where(rng.random((SAMPLES, 784)) < 0.19, rng.random((SAMPLES, 784)), 0).astype(np.float32)
    y = (x[:, :10].argmax(1)).astype(np.int64)
    rule = tt.Ttv2(periphery=tt.Periphery.full())
    without, with_average = (tt.Network(tt.nn.fcn(784, 10), rule, seed=1) for _ in range(2))
    for network in (without, with_average):
        network.train(x, y)
    with_average.averaging = True
    pairs = [(seconds(without, x, y), seconds(with_average, x, y)) for _ in range(PAIRS)]
    ratios = np.array([b / a for a, b in pairs])
    low, high = np.percentile(ratios, [25, 75])
    print(f"time with averaging / without: median {np.median(ratios):.3f}, quartiles {low:.3f} to {high:.3f}")


if __name__ == "__main__":
    main()
