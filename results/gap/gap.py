"""What keeps a network on devices of 20 states from float?

    python results/gap/gap.py lenet|lstm DATA OUT.jsonl [RATES] [SEEDS]

Each cause is removed alone. Trainings are short, at each of the RATES (such as 0.001,0.003), and tested on examples
held out of the training set. JOBS trainings run at a time. What is in OUT is not trained again.
"""

import os
import sys
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

import tikitaka as tt
from tikitaka.experiments import sweep
from tikitaka.model import extract

DEVICE = tt.SoftBounds()
"""20 states, the default of every rule"""
FINE = replace(DEVICE, states=1200)
STEADY = replace(DEVICE, cycle_noise=0.0)
EQUAL = replace(DEVICE, step_spread=0.0, bound_spread=0.0, asymmetry=0.0)
FREE = tt.ConstantStep(weight_step=0.001, bound=6.0, cycle_noise=0.0, step_spread=0.0, bound_spread=0.0, asymmetry=0.0)
"""fine and symmetric, and ten times as wide"""

LENGTHS = {
    "lenet": {"examples": 30_000, "holdout": 10_000, "epochs": 6},
    "lstm": {"examples": 6_200, "holdout": 1_000, "epochs": 3},
}
RATES = {"lenet": (0.01, 0.02, 0.04), "lstm": (0.003, 0.006, 0.012)}


def causes(lr: float) -> dict[str, tt.Rule]:
    """TTv2 at this rate with one cause removed, and rules without A, by name."""
    rule = tt.Ttv2(lr=lr)
    return {
        "TTv2": rule,
        "A of 1,200 states": replace(rule, device=FINE, slow_device=DEVICE),
        "A without cycle noise": replace(rule, device=STEADY, slow_device=DEVICE),
        "A of equal devices": replace(rule, device=EQUAL, slow_device=DEVICE),
        "twice the reads": replace(rule, transfer_every=1),
        "a fifth of the reads": replace(rule, transfer_every=10),
        "noisy reads": replace(rule, periphery=tt.Periphery(read=tt.Periphery.full().read)),
        "C of 1,200 states": replace(rule, slow_device=FINE),
        "mixed precision": tt.MixedPrecision(lr=lr),
        "mixed precision, C free": tt.MixedPrecision(lr=lr, device=FREE),
    }


def measured(config: tt.TrainConfig, data_dir: str) -> dict[str, Any]:
    """Test error and loss of the hardware and of the average after a training."""
    data = config.dataset(data_dir)
    network = config.network(data)
    history = config.fit(network, data, threads=1, progress=False)
    average = extract.average(network) if isinstance(config.rule, tt.TransferRule) else None
    mean = average and average.evaluate(data.test_x, data.test_y, threads=1)
    return {
        "test_error": history[-1].test_error,
        "test_loss": history[-1].test_loss,
        "average_error": mean and mean.error,
        "average_loss": mean and mean.loss,
        "pulses": network.pulses,
        "digest": network.digest(),
    }


def main(net: str, data_dir: str, out: str, rates: str = "", seeds: str = "1") -> None:
    named: dict[tuple[str, float], list[tt.TrainConfig]] = {}
    text = net == "lstm"
    for lr in [float(each) for each in rates.split(",") if each] or RATES[net]:
        for name, rule in {"float": tt.DigitalSgd(lr=lr), **causes(lr)}.items():
            named[name, lr] = [
                tt.TrainConfig(net=net, rule=rule, seed=seed, **LENGTHS[net]) for seed in range(1, int(seeds) + 1)
            ]
    configs = [config for each in named.values() for config in each]
    rows = iter(
        sweep(configs, out=out, measure=partial(measured, data_dir=data_dir), threads=int(os.environ.get("JOBS", 2)))
    )
    loss, factor = ("loss", 1) if text else ("error", 100)
    for (name, lr), each in named.items():
        found = [next(rows) for _ in each]
        means = [
            np.mean([row[f"{what}_{loss}"] for row in found]) * factor
            if found[0][f"{what}_{loss}"] is not None
            else None
            for what in ("test", "average")
        ]
        print(name, f"{lr:g}", *(f"{mean:.3f}" if mean is not None else "–" for mean in means), sep=" | ", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
