"""The other side of `peers.py`: trains with aihwkit, PyTorch or `tikitaka.torch`, and reports the time of an epoch.

    ENV/bin/python benches/peer_aihwkit.py FOLDER --threads 2

Runs in the environment of the peer, and imports ours only for the bridge. Reads one JSON object a line: {"side":
"aihwkit", "torch" or "bridge", and the settings of `common.Work.settings`}. For each it trains one more epoch of that
network on the examples x and targets y of FOLDER/NET-BATCH.npz, in order, and answers with a line of JSON: {"seconds":
…, "loss": …}. Building a network, at the first request for it, is not timed.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aihwkit
import numpy as np
import torch
from aihwkit.nn import AnalogConv2d, AnalogLinear, AnalogLSTMCellCombinedWeight, AnalogRNN, AnalogSequential
from aihwkit.optim import AnalogSGD
from aihwkit.simulator.configs import (
    BufferedTransferCompound,
    ChoppedTransferCompound,
    DigitalRankUpdateRPUConfig,
    DynamicTransferCompound,
    ExpStepDevice,
    FloatingPointDevice,
    FloatingPointRPUConfig,
    IOParameters,
    LinearStepDevice,
    MappingParameter,
    MixedPrecisionCompound,
    SingleRPUConfig,
    SoftBoundsReferenceDevice,
    TransferCompound,
    UnitCellRPUConfig,
    UpdateParameters,
)
from torch import nn

Settings = dict[str, Any]


def device(s: Settings, reference: bool) -> SoftBoundsReferenceDevice | LinearStepDevice | ExpStepDevice:
    """Devices with additive cycle noise; with `reference`, soft bounds are read relative to the exact symmetry point.

    Its other devices have no such reference; the time of a pulse does not depend on it.
    """
    common = {
        **{"dw_min": 2 * s["bound"] / s["states"], "dw_min_dtod": s["step_spread"], "dw_min_std": s["cycle_noise"]},
        **{"up_down": 0.0, "up_down_dtod": s["asymmetry"], "mult_noise": False},
        **{"w_max": s["bound"], "w_max_dtod": s["bound_spread"]},
        **{"w_min": -s["bound"], "w_min_dtod": s["bound_spread"]},
    }
    if s.get("device") == "linear-step":
        return LinearStepDevice(**common, gamma_up=s["up_slope"], gamma_down=s["down_slope"])
    if s.get("device") == "exponential-step":
        del common["mult_noise"]
        common["dw_min"] /= 1 - s["up_amplitude"]  # its step is that of no exponential, ours that at weight 0
        return ExpStepDevice(
            **common,
            **{"A_up": s["up_amplitude"], "A_down": s["down_amplitude"], "a": s["scale"], "b": s["offset"]},
            **{"gamma_up": s["up_rate"], "gamma_down": s["down_rate"]},
        )
    return SoftBoundsReferenceDevice(
        **common,
        **{"subtract_symmetry_point": reference, "reference_mean": 0.0, "reference_std": 0.0},
    )


def config(s: Settings) -> FloatingPointRPUConfig | SingleRPUConfig | UnitCellRPUConfig | DigitalRankUpdateRPUConfig:
    """The rule on its devices, with our periphery and pulse trains."""
    mapping = MappingParameter(max_input_size=0, max_output_size=0, digital_bias=True)
    if s["rule"] == "float":
        return FloatingPointRPUConfig(device=FloatingPointDevice(), mapping=mapping)
    update = UpdateParameters(desired_bl=s["max_length"])  # its update and train management are on by default, as ours
    if s["rule"] == "sgd":
        made = SingleRPUConfig(device=device(s, False), update=update)
    elif s["rule"] == "mp":
        made = DigitalRankUpdateRPUConfig(device=MixedPrecisionCompound(device=device(s, False)), update=update)
    else:
        transfer = {
            **{"unit_cell_devices": [device(s, True), device(s, False)], "gamma": 0.0, "fast_lr": s["fast_lr"]},
            **{"transfer_every": s["transfer_every"], "units_in_mbatch": False, "n_reads_per_transfer": 1},
            **{"scale_transfer_lr": False, "transfer_forward": IOParameters(is_perfect=True)},
        }
        compound: Any
        if s["rule"] == "ttv1":
            compound = TransferCompound(**transfer, transfer_lr=s["transfer_lr"])
        elif s["rule"] in ("cttv2", "agad"):
            # signs flip at the same rate; its thresholds and the rates of AGAD follow from averages of its own
            kind = ChoppedTransferCompound if s["rule"] == "cttv2" else DynamicTransferCompound
            chopped = {"in_chop_prob": 0.1, "in_chop_random": False, "momentum": 0.0, "forget_buffer": True}
            compound = kind(**transfer, **chopped, transfer_lr=s["transfer_lr"])
        else:
            # its buffer is in units of weight: one step is the threshold, and it is emptied after a pulse
            step = 2 * s["bound"] / s["states"]
            compound = BufferedTransferCompound(
                **transfer, transfer_lr=s["transfer_lr"] * step, thres_scale=1.0, momentum=0.0, forget_buffer=True
            )
        made = UnitCellRPUConfig(device=compound, update=update)
    # its defaults are our full periphery: DAC 7 bit, ADC 9 bit, noise 0.06, noise and bound management
    made.forward = made.backward = IOParameters(is_perfect=s["mvm"] == "ideal")
    made.mapping = mapping
    return made


class Digital:
    """Makes layers of PyTorch."""

    def linear(self, inputs: int, outputs: int) -> nn.Module:
        """A fully connected layer."""
        return nn.Linear(inputs, outputs)

    def conv(self, channels: int, filters: int, kernel: int = 5, padding: int = 0) -> nn.Module:
        """A convolution."""
        return nn.Conv2d(channels, filters, kernel, padding=padding)

    def lstms(self, inputs: int, hidden: int) -> nn.Module:
        """Two layers of LSTM; takes (steps, examples, inputs), gives outputs and states."""
        return nn.LSTM(inputs, hidden, num_layers=2)


class Analog:
    """Makes layers of aihwkit."""

    def __init__(self, s: Settings) -> None:
        self.settings = s

    def linear(self, inputs: int, outputs: int) -> nn.Module:
        """A fully connected layer."""
        return AnalogLinear(inputs, outputs, rpu_config=config(self.settings))

    def conv(self, channels: int, filters: int, kernel: int = 5, padding: int = 0) -> nn.Module:
        """A convolution."""
        return AnalogConv2d(channels, filters, kernel, padding=padding, rpu_config=config(self.settings))

    def lstms(self, inputs: int, hidden: int) -> nn.Module:
        """Two layers of LSTM, the gates of each on one array; takes (steps, examples, inputs)."""
        cell, c = AnalogLSTMCellCombinedWeight, config(self.settings)
        return AnalogRNN(cell, inputs, hidden, bias=True, rpu_config=c, num_layers=2)


class Images(nn.Module):  # type: ignore[misc]
    """Rows of pixels as square images of one channel."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        side = int(x.shape[1] ** 0.5)
        return x.reshape(-1, 1, side, side)


class Channels(nn.Module):  # type: ignore[misc]
    """Rows of values, channels last, as images of 3 × 32 × 32."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(-1, 32, 32, 3).permute(0, 3, 1, 2).contiguous()


class OneHot(nn.Module):  # type: ignore[misc]
    """Codes (examples, steps) as vectors (steps, examples, codes)."""

    def __init__(self, codes: int) -> None:
        super().__init__()
        self.codes = codes

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.one_hot(x.T, self.codes).float()


class EveryStep(nn.Module):  # type: ignore[misc]
    """The outputs of LSTMs (steps, examples, hidden) as one vector per step, example after example."""

    def forward(self, given: tuple[torch.Tensor, Any]) -> torch.Tensor:
        return given[0].transpose(0, 1).flatten(0, 1)


Layers = Digital | Analog


def fcn(make: Layers, inputs: int) -> list[nn.Module]:
    """784-256-128-10 with sigmoids."""
    first, second, third = make.linear(inputs, 256), make.linear(256, 128), make.linear(128, 10)
    return [first, nn.Sigmoid(), second, nn.Sigmoid(), third, nn.LogSoftmax(1)]


def lenet(make: Layers, inputs: int) -> list[nn.Module]:
    """Convolutions of 16 and 32 filters with tanh and max-pooling, 128 with tanh, 10; images of 28 × 28."""
    first = [Images(), make.conv(1, 16), nn.Tanh(), nn.MaxPool2d(2)]
    second = [make.conv(16, 32), nn.Tanh(), nn.MaxPool2d(2), nn.Flatten()]
    return [*first, *second, make.linear(512, 128), nn.Tanh(), make.linear(128, 10), nn.LogSoftmax(1)]


def lstm(make: Layers, inputs: int) -> list[nn.Module]:
    """Two LSTM of 64, and the next character of each step."""
    return [OneHot(inputs), make.lstms(inputs, 64), EveryStep(), make.linear(64, inputs), nn.LogSoftmax(1)]


def wide(make: Layers, inputs: int) -> list[nn.Module]:
    """3072-1024-1024-10 with ReLU."""
    first, second, third = make.linear(inputs, 1024), make.linear(1024, 1024), make.linear(1024, 10)
    return [first, nn.ReLU(), second, nn.ReLU(), third, nn.LogSoftmax(1)]


def cifar(make: Layers, _inputs: int) -> list[nn.Module]:
    """Convolutions 3 × 3 of 32 and 64 filters with ReLU, max-pooling, 128 with ReLU, 10; images of 3 × 32 × 32."""
    first = [Channels(), make.conv(3, 32, 3, 1), nn.ReLU()]
    second = [make.conv(32, 64, 3, 1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    return [*first, *second, make.linear(64 * 16 * 16, 128), nn.ReLU(), make.linear(128, 10), nn.LogSoftmax(1)]


NETS: dict[str, Callable[[Layers, int], list[nn.Module]]] = {
    **{"fcn": fcn, "lenet": lenet, "lstm": lstm},
    **{"wide": wide, "cifar": cifar},
}
"""Networks by name: lists of modules, made with the layers of either side for a number of pixels or of characters."""


class Training:
    """A network that is trained epoch after epoch."""

    def __init__(self, side: str, s: Settings, folder: Path) -> None:
        torch.manual_seed(1)
        with np.load(folder / f"{s['net']}-{s['batch']}.npz") as data:
            self.x, self.y, inputs = torch.tensor(data["x"]), torch.tensor(data["y"]), int(data["inputs"])
        self.evaluate = s.get("evaluate", False)
        self.batch, self.loss = s["batch"], nn.NLLLoss()  # the mean over the mini-batch, and over its steps
        self.optimizer: torch.optim.Optimizer
        if side == "bridge":
            import common  # needs tikitaka, whose place PYTHONPATH says

            import tikitaka.torch as analog

            self.net = nn.Sequential(*NETS[s["net"]](Digital(), inputs))
            faster = round(s["lr"] / 0.01)  # rates for a mean over steps, as those of fcn
            work = common.Work(s["rule"], s["states"], s["mvm"], s["batch"], faster=faster)
            analog.convert(self.net, work.config(), seed=1)
            self.optimizer = analog.attach(torch.optim.SGD(self.net.parameters(), lr=s["lr"]), self.net)
        elif side == "torch":
            self.net = nn.Sequential(*NETS[s["net"]](Digital(), inputs))
            self.optimizer = torch.optim.SGD(self.net.parameters(), lr=s["lr"])
        else:
            self.net = AnalogSequential(*NETS[s["net"]](Analog(s), inputs))
            self.optimizer = AnalogSGD(self.net.parameters(), lr=s["lr"])
            self.optimizer.regroup_param_groups(self.net)

    def epoch(self) -> dict[str, float]:
        """One epoch, or one evaluation of all examples, timed."""
        total = 0.0
        start = time.perf_counter()
        for i in range(0, len(self.x), self.batch):
            x, y = self.x[i : i + self.batch], self.y[i : i + self.batch]
            if self.evaluate:
                with torch.no_grad():
                    total += self.loss(self.net(x), y.flatten()).item() * len(x)
                continue
            self.optimizer.zero_grad()
            value = self.loss(self.net(x), y.flatten())
            value.backward()
            self.optimizer.step()
            total += value.item() * len(x)
        return {"seconds": time.perf_counter() - start, "loss": total / len(self.x)}


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path, help="folder of NET-BATCH.npz: x, y (examples first) and the number of inputs")
    p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    print(json.dumps({"aihwkit": aihwkit.__version__, "torch": torch.__version__, "threads": a.threads}), flush=True)
    trainings: dict[str, Training] = {}
    for line in sys.stdin:
        request = json.loads(line)
        if line not in trainings:
            trainings[line] = Training(request.pop("side"), request, a.folder)
        print(json.dumps(trainings[line].epoch()), flush=True)


if __name__ == "__main__":
    main()
