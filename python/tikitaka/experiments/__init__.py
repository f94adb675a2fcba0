"""Studies of the literature's claims about training rules, and sweeps over your own settings."""

from tikitaka.experiments import studies
from tikitaka.experiments.grid import cells
from tikitaka.experiments.measure import trained
from tikitaka.experiments.studies import draw
from tikitaka.experiments.study import Option, Study
from tikitaka.experiments.sweep import sweep

__all__ = ["Option", "Study", "cells", "draw", "studies", "sweep", "trained"]
