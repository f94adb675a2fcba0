"""The response of devices to pulses: potentiation, then depression, as in measurements of real devices."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tikitaka._core import Crossbar
from tikitaka._internal.shown import shown
from tikitaka.config import Device, to_dict
from tikitaka.config.size import bounds_of, noise_field
from tikitaka.plot.style import GREY, sheet, style

__all__ = ["pulsed", "responses"]

F32 = NDArray[np.float32]


def responses(device: Device, path: str | Path, *, devices: int = 5, pulses: int | None = None, seed: int = 0) -> None:
    """Weights of several devices after each pulse of a train up and an equally long train down, as a picture in `path`.

    The devices are drawn from `seed` with the variation of `device`, like those of an array, and start at their lower
    bounds, one-sided pairs at weight 0. Solid lines include cycle noise, dashed lines show the same devices without it;
    marks at the right are symmetry points (R24 eq. 8), to which alternating pulses drive a device; 0 for a pair. A
    train has `pulses` pulses, by default one and a half times the number of states. Raises ModuleNotFoundError without
    matplotlib, TypeError for anything but a device, ValueError for numbers out of range and OSError if the picture
    cannot be written.
    """
    if not isinstance(device, Device):
        raise TypeError(f"device must be a device of tikitaka.config, not {shown(device)}")
    if not 1 <= devices <= 20:
        raise ValueError(f"devices must be from 1 to 20, not {devices}")
    if pulses is not None and not 1 <= pulses <= 1_000_000:
        raise ValueError(f"pulses must be from 1 to 1,000,000, not {pulses}")
    noisy = Crossbar(1, devices, device, seed=seed)
    bounds = bounds_of(device)
    states = (bounds[1] - (bounds[0] if noisy.pair is None else 0.0)) / noisy.weight_step
    train = max(1, round(1.5 * states)) if pulses is None else pulses
    real = pulsed(noisy, train)
    noiseless = Crossbar(1, devices, {**to_dict(device), noise_field(device): 0.0}, seed=seed)
    quiet, points = pulsed(noiseless, train), noiseless.symmetry_point[0]
    with sheet(path, 4.0) as figure:
        panel = figure.subplots()
        sent = range(2 * train + 1)
        for k in range(devices):
            colour, mark = style(k)["color"], style(k)["marker"]
            # sparse marks distinguish the devices in grey print
            every = max(1, train // 4)
            panel.plot(
                sent, real[:, k], color=colour, linewidth=1.3, marker=mark, markevery=(k * every // devices, every)
            )
            panel.plot(sent, quiet[:, k], color=colour, linewidth=1, linestyle="--")
            beside = train * (2.05 + 0.04 * k)  # one after the other, because they are close together
            panel.plot([beside], [points[k]], color=colour, marker=mark, markersize=8, markeredgecolor="black")
        panel.axvline(train, color=GREY, linewidth=1, linestyle=":")
        for at, words in ((0.5, "up"), (1.5, "down")):
            panel.annotate(
                f"{train:,} pulses {words}",
                (at * train, 1),
                (0, 3),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                ha="center",
            )
        panel.set_xlabel("pulses sent")
        panel.set_ylabel("weight (weight units)")
        panel.xaxis.set_major_formatter("{x:,.0f}")
        panel.margins(x=0.02)
        panel.grid()
        panel.plot([], [], color=GREY, label="with cycle noise")
        panel.plot([], [], color=GREY, linestyle="--", label="without it")
        edge: dict[str, Any] = {"markersize": 8, "markeredgecolor": "black"}
        panel.plot([], [], color=GREY, marker="o", linestyle="none", **edge, label="symmetry point")
        figure.legend(loc="outside lower center", ncols=3)


def pulsed(array: Crossbar, train: int) -> F32:
    """Weights (2·`train` + 1, devices) of a 1 × n array after each pulse up, then down, from its lower bounds on.

    One-sided pairs start at weight 0, with both devices reset.
    """
    if array.pair is None:
        array.weights = array.device_parameters["lower_bound"]
    return np.stack([array.weights[0], *_after_each(array, train)])


def _after_each(array: Crossbar, train: int) -> Iterator[F32]:
    one = np.ones(array.shape[1], dtype=np.int64)
    for sign in (1, -1):
        for _ in range(train):
            array.pulse_row(0, sign * one)
            yield array.weights[0]
