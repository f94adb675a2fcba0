"""A slow twin of the simulator in plain NumPy and float64, written from the equations and not from the compiled core.

Noise and the trains of pulsed updates are arguments: comparisons take them from the core.
R24 is Rasch et al., Nature Communications 15:7133; GV16 is Gokmen & Vlasov, Front. Neurosci. 10:333; GH20 is Gokmen &
Haensch, Front. Neurosci. 14:103; PAT1 is US patent 11,562,249; W25 is arXiv 2502.06309; X26 is arXiv 2602.21321.
"""

from twin.arrays import Array, Plan, plan, pulsed_update
from twin.devices import F64, MAX_HALVINGS, Bools, Devices, Fires, Ties, mean_step
from twin.family import Filtered, MixedPrecision, Rider
from twin.layers import Activation, Conv2d, Layer, Linear, Lstm, activation, fed, rows, sigmoid
from twin.network import Mlp, Network
from twin.products import Product, level, mvm, quantise
from twin.rules import AnalogSgd, Float, Rule, Ttv1, Ttv2, hadamard
from twin.tiles import Tiles, tile_names

__all__ = [
    "F64",
    "MAX_HALVINGS",
    "Activation",
    "AnalogSgd",
    "Array",
    "Bools",
    "Conv2d",
    "Devices",
    "Filtered",
    "Fires",
    "Float",
    "Layer",
    "Linear",
    "Lstm",
    "MixedPrecision",
    "Mlp",
    "Network",
    "Plan",
    "Product",
    "Rider",
    "Rule",
    "Ties",
    "Tiles",
    "Ttv1",
    "Ttv2",
    "activation",
    "fed",
    "hadamard",
    "level",
    "mean_step",
    "mvm",
    "plan",
    "pulsed_update",
    "quantise",
    "rows",
    "sigmoid",
    "tile_names",
]
