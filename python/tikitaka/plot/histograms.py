"""Histograms of trained weights and of the symmetry points of A."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tikitaka._internal.shown import shown
from tikitaka.network import Network
from tikitaka.plot.style import GREY, sheet, style
from tikitaka.training import Run

__all__ = ["histograms"]

F32 = NDArray[np.float32]
_BINS = 60


@dataclass(frozen=True)
class _Values:
    """The values of one histogram."""

    values: F32
    bounds: tuple[F32, F32] | None
    """lower and upper bounds of the devices, on the scale of the values"""
    reference: F32 | None = None
    """R, if it is drawn as an outline"""


def histograms(source: Run | Network, path: str | Path) -> None:
    """Weights of each array and symmetry points of its A, a row of panels per array, as a picture in `path`.

    `source` is a RUN, whose last checkpoint is read, or a network. Weights are those of the array C that the network
    computes with, relative to its reference if it has one; symmetry points (R24 eq. 8) are those of the devices of A,
    and the outline is the reference R of A. Grey lines are the mean bounds of the devices, with bands from the 5th to
    the 95th percentile; the title gives the share of weights at a bound. Raises
    ModuleNotFoundError without matplotlib, TypeError for another source, the exceptions of `Run.network`, and OSError
    if the picture cannot be written.
    """
    network = source.network() if isinstance(source, Run) else source
    if not isinstance(network, Network):
        raise TypeError(f"source must be a Run or a Network, not {shown(source)}")
    shaped = [layer for layer in network.layers if layer.shape is not None]
    rows = [_of_array(network, array) for array in range(len(shaped))]
    columns = max(len(row) for row in rows)
    with sheet(path, 0.75 + 1.85 * len(rows)) as figure:
        panels = figure.subplots(len(rows), columns, squeeze=False, sharex="col")
        for array, (layer, row) in enumerate(zip(shaped, rows, strict=True)):
            height, width = layer.shape or (0, 0)
            for column, panel in enumerate(panels[array]):
                if column == len(row):  # other arrays may have no A
                    panel.set_axis_off()
                    continue
                of = row[column]
                lowest, highest = _range(of)
                edges = np.linspace(lowest, highest, _BINS + 1)
                panel.hist(of.values.ravel(), edges, color=style(column)["color"], alpha=0.75)
                if of.reference is not None:
                    panel.hist(of.reference.ravel(), edges, histtype="step", color="black", label="reference R")
                for bound in of.bounds or ():
                    panel.axvspan(*np.percentile(bound, (5, 95)), color=GREY, alpha=0.12, linewidth=0)
                    panel.axvline(float(np.mean(bound)), color=GREY, linestyle="--", linewidth=1.2, label="bounds")
                title = f"{array}: {type(layer).__name__}, {height} × {width}"
                if column == 0 and of.bounds is not None:
                    low, high = of.bounds
                    title += f", {100 * np.mean((of.values <= low) | (of.values >= high)):.1f} % at a bound"
                panel.set_title(title if column == 0 else "", loc="left")
                panel.grid(axis="y")
            panels[array, 0].set_ylabel("crosspoints")
        names = ["weight (weight units)", "symmetry point of A (weight units)"]
        for panel, name in zip(panels[-1], names, strict=False):
            panel.set_xlabel(name)
        named = {
            label: handle
            for panel in panels.flat
            for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
        }
        if named:
            figure.legend(named.values(), named, loc="outside upper center", ncols=2)


def _of_array(network: Network, array: int) -> list[_Values]:
    """The weights of an array, and the symmetry points of its A if it has one."""
    state, drawn = network.layer_state(array), network.device_parameters(array)
    if "c" not in state or "c.lower_bound" not in drawn:  # float, or a rule written in Python
        return [_Values(network.weights[array], None)]
    zero = state.get("c.reference", np.float32(0))  # weight = state of the device − reference
    values = [_Values(state["c"], (drawn["c.lower_bound"] - zero, drawn["c.upper_bound"] - zero))]
    if "a.symmetry_point" in drawn:
        bounds = (drawn["a.lower_bound"], drawn["a.upper_bound"])
        values.append(_Values(drawn["a.symmetry_point"], bounds, state.get("a.reference")))
    return values


def _range(of: _Values) -> tuple[float, float]:
    """The lowest and the highest number that is drawn."""
    drawn = [of.values] if of.reference is None else [of.values, of.reference]
    ends = [float(np.min(each)) for each in drawn], [float(np.max(each)) for each in drawn]
    return min(ends[0]), max(max(ends[1]), min(ends[0]) + 1e-6)
