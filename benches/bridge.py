"""What the bridge to PyTorch costs: a step of one layer under the float rule, over a step of `torch.nn.Linear`.

    python benches/bridge.py --size 512 --batch 64

Both take forward products, the gradient and a step of SGD, in turns; needs PyTorch.
"""

import argparse
import time
from collections.abc import Callable

import common
import numpy as np
import torch

import tikitaka as tt
import tikitaka.torch as analog


def stepper(size: int, batch: int, bridged: bool) -> Callable[[], None]:
    """A function that trains one layer for a step."""
    torch.manual_seed(1)
    layer = torch.nn.Linear(size, size)
    if bridged:
        analog.convert(layer, tt.DigitalSgd(lr=0.01), seed=1)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.01)
    if bridged:
        analog.attach(optimizer, layer)
    x = torch.randn(batch, size, requires_grad=True)
    y = torch.randint(size, (batch,))

    def step() -> None:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(layer(x), y).backward()
        optimizer.step()

    return step


def main() -> None:
    """The command."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    p.add_argument("--size", type=int, default=512)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--rounds", type=int, default=15)
    p.add_argument("--steps", type=int, default=40, help="of a round")
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    sides = {name: stepper(a.size, a.batch, name == "bridge") for name in ("torch", "bridge")}
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(a.rounds + 1):
        for name, step in sides.items():
            start = time.perf_counter()
            for _ in range(a.steps):
                step()
            seconds[name].append((time.perf_counter() - start) / a.steps)
    own, theirs = (1e6 * np.array(seconds[name][1:]) for name in ("bridge", "torch"))
    print(f"{a.size} × {a.size}, batch {a.batch}, {a.threads} thread(s), µs/step, medians [quartiles]")
    for name, values in (("bridge", own), ("torch", theirs)):
        print(f"{name:8} {common.spread(common.quartiles(values))}")
    print(f"ratio    {common.spread(common.quartiles(own / theirs), 2)}")


if __name__ == "__main__":
    main()
