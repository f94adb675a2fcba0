"""Claims about the training rules as runnable studies, and sweeps over settings of one's own."""

from tikitaka.experiments.grid import cells
from tikitaka.experiments.sweep import sweep, trained

__all__ = ["cells", "sweep", "trained"]
