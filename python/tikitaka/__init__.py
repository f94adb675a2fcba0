"""tikitaka: train neural networks on simulated noisy analog hardware.

>>> import tikitaka as tt
>>> digits = tt.data.load("digits")
>>> network = tt.Network([tt.nn.Linear(digits.inputs, digits.classes)], tt.Ttv2(), seed=1)
>>> history = tt.fit(network, digits, epochs=3)
>>> print(f"{100 * history[-1].test_error:.1f} % of errors")
9.3 % of errors
"""

from tikitaka import data, experiments, export, nn, plot
from tikitaka._core import AnalogLayer, Crossbar, __version__
from tikitaka.assessment import Assessment, assess
from tikitaka.config import IoSettings, Periphery, PulseTrains, Reference, Reliability, presets, reliabilities
from tikitaka.config.device import *  # noqa: F403  # a new device is named there alone
from tikitaka.config.device import __all__ as _devices
from tikitaka.config.rule import *  # noqa: F403  # a new rule is named there alone
from tikitaka.config.rule import __all__ as _rules
from tikitaka.costs import Costs, wear
from tikitaka.deployment import Chip, Drift, program
from tikitaka.experiments.tuned import Tuned
from tikitaka.experiments.tuning import tune
from tikitaka.fitting import DeviceFit, fit_device
from tikitaka.measurement import Measured, Sweep, measured, read_jump_table, read_measured
from tikitaka.model import Model, extract
from tikitaka.network import Network
from tikitaka.rule import Rule
from tikitaka.score import Score
from tikitaka.training import EarlyStopping, Metrics, Progress, Run, Stopped, TrainConfig, fit

__all__ = [
    "AnalogLayer",
    "Assessment",
    "Chip",
    "Costs",
    "Crossbar",
    "DeviceFit",
    "Drift",
    "EarlyStopping",
    "IoSettings",
    "Measured",
    "Metrics",
    "Model",
    "Network",
    "Periphery",
    "Progress",
    "PulseTrains",
    "Reference",
    "Reliability",
    "Rule",
    "Run",
    "Score",
    "Stopped",
    "Sweep",
    "TrainConfig",
    "Tuned",
    "__version__",
    "assess",
    "data",
    "experiments",
    "export",
    "extract",
    "fit",
    "fit_device",
    "measured",
    "nn",
    "plot",
    "presets",
    "program",
    "read_jump_table",
    "read_measured",
    "reliabilities",
    "tune",
    "wear",
]
__all__ += _devices + _rules
