"""Figures of trainings, studies and devices; drawing them needs the extra `plot` (matplotlib)."""

from tikitaka.plot.claims import claim
from tikitaka.plot.costs import costs
from tikitaka.plot.curves import curves
from tikitaka.plot.device import responses
from tikitaka.plot.energy import energy
from tikitaka.plot.extraction import extraction
from tikitaka.plot.fitted import FittedPanels, fitted_device
from tikitaka.plot.histograms import histograms
from tikitaka.plot.style import check_picture
from tikitaka.plot.traces import Trace, record, traces
from tikitaka.plot.weight_programming import weight_programming

__all__ = [
    "FittedPanels",
    "Trace",
    "check_picture",
    "claim",
    "costs",
    "curves",
    "energy",
    "extraction",
    "fitted_device",
    "histograms",
    "record",
    "responses",
    "traces",
    "weight_programming",
]
