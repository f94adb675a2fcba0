"""What training on each device model costs: seconds over those of soft bounds that get as many pulses, in turns.

    python benches/models.py --rounds 5

fcn on random images of which one pixel in five is not 0, TTv2, devices of 20 states. Pulses depend on the model and on
`fast_lr`, so soft bounds are trained at several rates, and lines between their times say what as many pulses take. The
last column is at the default, automatic rates.
"""

import argparse
import time
from typing import Any

import common
import numpy as np

import tikitaka as tt

RATES = (0.03, 0.1, 0.3, 1.0)
"""Values of `fast_lr`."""
AUTOMATIC = 0.0
"""Stands for automatic rates."""
SOFT = "soft-bounds"


def devices() -> dict[str, Any]:
    """A device of 20 states by model, and one-sided pairs of soft bounds."""
    models: Any = tt.config.devices
    made: dict[str, Any] = {name: models[name](states=20, **fields) for name, fields in common.DEVICES.items()}
    return made | {"neurosim": tt.NeuroSim(levels=20), "pairs": tt.SoftBounds(states=20, pair=tt.OneSidedPair())}


class Training:
    """A network after its first samples, which is trained from there again and again."""

    def __init__(self, device: Any, rate: float, x: common.F32, classes: common.I64) -> None:
        self.x, self.classes = x, classes
        rule = tt.Ttv2(device=device, fast_lr=rate, transfer_lr=1.0) if rate else tt.Ttv2(device=device)
        self.network = tt.Network(tt.nn.fcn(784, 10), rule, seed=1)
        self.network.train(x[:100], classes[:100])
        self.start, self.before = self.network.state(), self.network.pulses

    def seconds(self, threads: int) -> float:
        """Of all samples."""
        self.network.restore(self.start)
        start = time.perf_counter()
        self.network.train(self.x, self.classes, threads=threads)
        return time.perf_counter() - start

    @property
    def pulses(self) -> float:
        """Pulses per sample, once it was trained."""
        return (self.network.pulses - self.before) / len(self.x)


def main() -> None:
    """The command."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--samples", type=int, default=1000)
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args()
    x, classes = common.sparse_images(a.samples)
    models = devices()
    rates = (*RATES, AUTOMATIC)
    trainings = {(name, rate): Training(models[name], rate, x, classes) for rate in rates for name in models}
    for one in trainings.values():
        one.seconds(a.threads)  # warms up
    ratios: dict[tuple[str, float], list[float]] = {case: [] for case in trainings}
    for _ in range(a.rounds):
        seconds = {case: one.seconds(a.threads) for case, one in trainings.items()}
        soft = sorted((trainings[SOFT, rate].pulses, seconds[SOFT, rate]) for rate in RATES)
        places, times = np.array(soft).T
        slope = (times[-1] - times[0]) / (places[-1] - places[0])
        for case, one in trainings.items():
            beyond = max(one.pulses - places[-1], 0.0)
            ratios[case].append(seconds[case] / (np.interp(one.pulses, places, times) + beyond * slope))
    print(f"time over that of soft bounds at equal pulses, medians of {a.rounds} rounds [quartiles], pulses a sample")
    names = [*(f"fast_lr = {rate}" for rate in RATES), "automatic"]
    print(f"{'model':<18}" + "".join(f"{name:>28}" for name in names))
    for name in models:
        shown = []
        for rate in rates:
            low, median, high = np.quantile(ratios[name, rate], [0.25, 0.5, 0.75])
            shown.append(f"{median:.2f} [{low:.2f}, {high:.2f}] {trainings[name, rate].pulses:9,.0f}")
        print(f"{name:<18}" + "".join(f"{each:>28}" for each in shown), flush=True)


if __name__ == "__main__":
    main()
