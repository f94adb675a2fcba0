"""Traces of single crosspoints while a rule with a filter learns: the fast array A, the filter H, the slow array C."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Integral
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tikitaka._internal.shown import shown
from tikitaka._internal.validation import check_int, check_kind
from tikitaka.network import Network
from tikitaka.plot.style import GREY, sheet, style

__all__ = ["Trace", "record", "traces"]

F32 = NDArray[np.float32]


@dataclass(frozen=True)
class Trace:
    """The states of n crosspoints of one array at t moments of a training."""

    array: int
    """number of the array in the network"""
    crosspoints: tuple[tuple[int, int], ...]
    """row (output) and column (input) of each crosspoint, the bias last of the columns"""
    examples: NDArray[np.int64] = field(repr=False)
    """examples seen, (t,), from 0 on"""
    a: F32 = field(repr=False)
    """states of the devices of A, (t, n), in weight units: reads give A − R"""
    h: F32 = field(repr=False)
    """the digital filter H, (t, n), in units of its threshold"""
    c: F32 = field(repr=False)
    """weights of C, (t, n), in weight units"""
    reference: F32 = field(repr=False)
    """the reference R of A, (n,), in weight units; 0 if A has none"""


def record(
    network: Network,
    x: ArrayLike,
    targets: ArrayLike,
    *,
    crosspoints: Sequence[tuple[int, int]] | NDArray[np.int64],
    array: int = 0,
    every: int = 1,
    order: ArrayLike | None = None,
    batch: int = 1,
    lr_scale: float = 1.0,
    threads: int = 1,
) -> Trace:
    """Train like `Network.train`, and record some crosspoints of one array initially and after each `every` examples.

    `every` is a multiple of `batch`; for several epochs, pass an `order` that contains each example several times.
    Recording has no noise and changes nothing: the network ends with the same bits as without it. Raises the exceptions
    of `Network.train`, and ValueError for a crosspoint or array that the network does not have, for an array whose rule
    has no filter H, and for an `every` that is not a multiple of `batch`.
    """
    check_kind("network", network, Network)
    every, batch = check_int("every", every, 1), check_int("batch", batch, 1)
    if every % batch:
        raise ValueError(f"every must be a multiple of batch = {batch}, 1 or more, not {every}")
    arrays = sum(layer.shape is not None for layer in network.layers)
    array = check_int("array", array, 0, arrays - 1)
    state = network.layer_state(array)
    if not {"a", "h", "c"} <= state.keys():
        raise ValueError(f"array must be one whose rule has a filter, as ttv2, not {array}: it has no A, H and C")
    if not len(crosspoints):
        raise ValueError("crosspoints must contain at least one (row, column)")
    rows, cols = state["c"].shape
    for pair in crosspoints:
        whole = np.shape(pair) == (2,) and all(isinstance(n, Integral) and not isinstance(n, bool) for n in pair)
        if not whole:
            raise TypeError(f"crosspoints must be pairs of whole numbers, not {shown(pair)}")
        i, k = pair
        if not (0 <= i < rows and 0 <= k < cols):
            raise ValueError(f"crosspoints must be within {rows} × {cols}, not {(i, k)}")
    all_examples = np.arange(len(np.asarray(x))) if order is None else np.asarray(order)
    position = tuple(np.array(crosspoints).T)
    states = {name: [state[name][position]] for name in ("a", "h", "c")}
    examples = [0]
    for first in range(0, len(all_examples), every):
        stretch = all_examples[first : first + every]
        network.train(x, targets, order=stretch, batch=batch, lr_scale=lr_scale, threads=threads)
        state = network.layer_state(array)
        examples.append(examples[-1] + len(stretch))
        for name, moments in states.items():
            moments.append(state[name][position])
    reference = state["a.reference"][position] if "a.reference" in state else np.zeros(len(crosspoints), np.float32)
    return Trace(
        array=array,
        crosspoints=tuple((int(i), int(k)) for i, k in crosspoints),
        examples=np.array(examples, np.int64),
        a=np.stack(states["a"]) + reference,
        h=np.stack(states["h"]),
        c=np.stack(states["c"]),
        reference=reference,
    )


def traces(trace: Trace, path: str | Path) -> None:
    """A, H and C of the crosspoints of a `trace` against the examples seen, one panel each, as a picture in `path`.

    A's panel shows the reference R of each crosspoint dotted, H's the threshold, ±1, dashed. Raises
    ModuleNotFoundError without matplotlib and OSError if the picture cannot be written.
    """
    check_kind("trace", trace, Trace)
    n, moments = len(trace.crosspoints), len(trace.examples)
    for name, shape in (("a", (moments, n)), ("h", (moments, n)), ("c", (moments, n)), ("reference", (n,))):
        if np.shape(getattr(trace, name)) != shape:
            raise ValueError(f"{name} of the trace must have shape {shape}, not {np.shape(getattr(trace, name))}")
    if not moments:
        raise ValueError("the trace must contain at least one moment")
    with sheet(path, 6.2) as figure:
        panels = figure.subplots(3, 1, sharex=True)
        for k, (row, column) in enumerate(trace.crosspoints):
            colour = style(k)["color"]
            # sparse marks distinguish the lines in grey print
            every = max(1, len(trace.examples) // 6)
            mark = {"marker": style(k)["marker"], "markevery": ((k + 1) * every // (len(trace.crosspoints) + 1), every)}
            for panel, values in zip(panels, (trace.a, trace.h, trace.c), strict=True):
                panel.plot(trace.examples, values[:, k], color=colour, linewidth=1.1, **mark)
            panels[2].lines[-1].set_label(f"row {row}, column {column}")
            ends, level = trace.examples[[0, -1]], [trace.reference[k]] * 2
            panels[0].plot(
                ends, level, color=colour, linestyle=":", **{**mark, "markevery": 1}, markerfacecolor="white"
            )
        for threshold in (-1, 1):
            panels[1].axhline(threshold, color=GREY, linestyle="--", linewidth=1.2)
        panels[1].axhline(0, color=GREY, linewidth=0.8)
        panels[0].set_ylabel("A\n(weight units)")
        panels[1].set_ylabel("H\n(thresholds)")
        panels[2].set_ylabel("C\n(weight units)")
        panels[2].set_xlabel("examples seen")
        panels[0].plot([], [], color=GREY, linestyle=":", label="reference R")
        panels[1].plot([], [], color=GREY, linestyle="--", label="threshold")
        for panel in panels:
            panel.grid()
        panels[2].xaxis.set_major_formatter("{x:,.0f}")
        figure.legend(loc="outside upper center", ncols=3)
