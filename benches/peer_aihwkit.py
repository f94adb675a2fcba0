"""The other side of `peers.py`: trains with aihwkit, or with plain PyTorch, and says how long an epoch took.

    ENV/bin/python benches/peer_aihwkit.py DATA.npz --threads 2

Runs in the environment of the peer, so it imports nothing of ours. Reads one JSON object a line: {"side": "aihwkit" or
"torch", and the settings of `common.Work.settings`}. For each it trains one more epoch of that network on the images x
and classes y of DATA.npz, in order, and answers with a line of JSON: {"seconds": …, "loss": …}. Building a network, at
the first request for it, is not timed.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import aihwkit
import numpy as np
import torch
from aihwkit.nn import AnalogLinear, AnalogSequential
from aihwkit.optim import AnalogSGD
from aihwkit.simulator.configs import (
    BufferedTransferCompound,
    IOParameters,
    MappingParameter,
    SingleRPUConfig,
    SoftBoundsReferenceDevice,
    TransferCompound,
    UnitCellRPUConfig,
    UpdateParameters,
)
from torch import nn

Settings = dict[str, Any]


def device(s: Settings, reference: bool) -> SoftBoundsReferenceDevice:
    """Soft bounds with additive cycle noise; with `reference`, read against the exact symmetry point."""
    return SoftBoundsReferenceDevice(
        **{"dw_min": 2 * s["bound"] / s["states"], "dw_min_dtod": s["step_spread"], "dw_min_std": s["cycle_noise"]},
        **{"up_down": 0.0, "up_down_dtod": s["asymmetry"], "mult_noise": False},
        **{"w_max": s["bound"], "w_max_dtod": s["bound_spread"]},
        **{"w_min": -s["bound"], "w_min_dtod": s["bound_spread"]},
        **{"subtract_symmetry_point": reference, "reference_mean": 0.0, "reference_std": 0.0},
    )


def config(s: Settings) -> SingleRPUConfig | UnitCellRPUConfig:
    """The rule on its devices, with our periphery and pulse trains."""
    update = UpdateParameters(desired_bl=s["max_train"])  # its update and train management are on by default, as ours
    if s["rule"] == "sgd":
        made = SingleRPUConfig(device=device(s, False), update=update)
    else:
        transfer = {
            **{"unit_cell_devices": [device(s, True), device(s, False)], "gamma": 0.0, "fast_lr": s["fast_lr"]},
            **{"transfer_every": s["transfer_every"], "units_in_mbatch": False, "n_reads_per_transfer": 1},
            **{"scale_transfer_lr": False, "transfer_forward": IOParameters(is_perfect=True)},
        }
        if s["rule"] == "ttv1":
            compound = TransferCompound(**transfer, transfer_lr=s["transfer_lr"])
        else:
            # its buffer is in units of weight: one step is the threshold, and it is emptied after a pulse
            step = 2 * s["bound"] / s["states"]
            compound = BufferedTransferCompound(
                **transfer, transfer_lr=s["transfer_lr"] * step, thres_scale=1.0, momentum=0.0, forget_buffer=True
            )
        made = UnitCellRPUConfig(device=compound, update=update)
    # its defaults are our full periphery: DAC 7 bit, ADC 9 bit, noise 0.06, noise and bound management
    made.forward = made.backward = IOParameters(is_perfect=s["mvm"] == "ideal")
    made.mapping = MappingParameter(max_input_size=0, max_output_size=0, digital_bias=True)
    return made


def fcn(linear: Callable[[int, int], nn.Module]) -> list[nn.Module]:
    """784-256-128-10 with sigmoids."""
    return [linear(784, 256), nn.Sigmoid(), linear(256, 128), nn.Sigmoid(), linear(128, 10), nn.LogSoftmax(1)]


NETS = {"fcn": fcn}
"""Networks by name: lists of modules, made with the linear layer of either side."""


class Training:
    """A network that is trained epoch after epoch."""

    def __init__(self, side: str, s: Settings, x: torch.Tensor, y: torch.Tensor) -> None:
        torch.manual_seed(1)
        self.x, self.y, self.batch, self.loss = x, y, s["batch"], nn.NLLLoss()
        self.optimizer: torch.optim.Optimizer
        if side == "torch":
            self.net = nn.Sequential(*NETS[s["net"]](nn.Linear))
            self.optimizer = torch.optim.SGD(self.net.parameters(), lr=s["lr"])
        else:
            self.net = AnalogSequential(*NETS[s["net"]](lambda n, m: AnalogLinear(n, m, rpu_config=config(s))))
            self.optimizer = AnalogSGD(self.net.parameters(), lr=s["lr"])
            self.optimizer.regroup_param_groups(self.net)

    def epoch(self) -> dict[str, float]:
        """One epoch, timed."""
        total = 0.0
        start = time.perf_counter()
        for i in range(0, len(self.x), self.batch):
            x, y = self.x[i : i + self.batch], self.y[i : i + self.batch]
            self.optimizer.zero_grad()
            value = self.loss(self.net(x), y)
            value.backward()
            self.optimizer.step()
            total += value.item() * len(x)
        return {"seconds": time.perf_counter() - start, "loss": total / len(self.x)}


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("data", help=".npz with x (examples, inputs) and y (examples,)")
    p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    with np.load(a.data) as data:
        x, y = torch.tensor(data["x"]), torch.tensor(data["y"])
    print(json.dumps({"aihwkit": aihwkit.__version__, "torch": torch.__version__, "threads": a.threads}), flush=True)
    trainings: dict[str, Training] = {}
    for line in sys.stdin:
        request = json.loads(line)
        if line not in trainings:
            trainings[line] = Training(request.pop("side"), request, x, y)
        print(json.dumps(trainings[line].epoch()), flush=True)


if __name__ == "__main__":
    main()
