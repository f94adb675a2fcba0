"""What each effect of real arrays costs: seconds of a training with it over those of one without, in turns.

    python benches/effects.py --rounds 5

fcn on random images of which one pixel in five is not 0, TTv2 with rates by hand, so that all send as many pulses.
"""

import argparse
import time
from dataclasses import replace
from typing import Any

import common
import numpy as np

import tikitaka as tt

BASE = tt.Ttv2(fast_lr=0.05, transfer_lr=1.0)
FULL = replace(BASE, periphery=tt.Periphery.full())


def reliable(**fields: Any) -> tt.Ttv2:
    return replace(BASE, reliability=tt.Reliability(**fields))


def forward(**fields: Any) -> tt.Ttv2:
    """The full periphery with fields of all directions changed."""
    full = tt.Periphery.full()
    names = ("forward", "backward", "read") if "bit_serial" not in fields else ("forward", "backward")
    return replace(BASE, periphery=replace(full, **{name: replace(getattr(full, name), **fields) for name in names}))


EFFECTS: dict[str, tuple[tt.Ttv2, tt.Ttv2]] = {
    "tiles of 256": (BASE, replace(BASE, tile=256)),
    "tiles of 256, full periphery": (FULL, replace(FULL, tile=256)),
    "10 % of devices stuck": (BASE, reliable(stuck=0.1)),
    "endurance": (BASE, reliable(endurance=1e6)),
    "retention and diffusion, every 100 updates": (BASE, reliable(retention=1e6, diffusion=1e-5)),
    "write noise": (BASE, reliable(write_noise=0.01)),
    "wires": (BASE, replace(BASE, periphery=tt.Periphery(wire_ratio=1e6))),
    "gains and offsets, full periphery": (FULL, forward(adc_gain_error=0.01, adc_offset_error=0.01)),
    "noise of devices, full periphery": (FULL, forward(read_noise=0.05)),
    "inputs bit by bit, full periphery": (FULL, forward(bit_serial=True)),
}


def main() -> None:
    """The command."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--samples", type=int, default=1000)
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args()
    x, classes = common.sparse_images(a.samples)
    print(f"time with the effect over that without, medians of {a.rounds} rounds [quartiles], {a.threads} thread(s)")
    print(f"{'effect':<44}{'batch 1':>20}{'batch 32':>20}")
    for name, rules in EFFECTS.items():
        shown = []
        for batch in (1, 32):
            networks = [tt.Network(tt.nn.fcn(784, 10), rule, seed=1) for rule in rules]
            ratios = []
            for round_ in range(a.rounds + 1):
                seconds = []
                for network in networks:
                    start = time.perf_counter()
                    network.train(x, classes, batch=batch, threads=a.threads)
                    seconds.append(time.perf_counter() - start)
                if round_:  # the first warms up
                    ratios.append(seconds[1] / seconds[0])
            low, median, high = np.quantile(ratios, [0.25, 0.5, 0.75])
            shown.append(f"{median:.2f} [{low:.2f}, {high:.2f}]")
        print(f"{name:<44}{shown[0]:>20}{shown[1]:>20}", flush=True)


if __name__ == "__main__":
    main()
