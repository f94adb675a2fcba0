"""Training: the epoch loop and its schedules, the settings of a training, its RUN folder and its checkpoints."""

from tikitaka.training.early_stopping import EarlyStopping
from tikitaka.training.loop import fit
from tikitaka.training.metrics import Metrics, Progress, Stopped
from tikitaka.training.run import Run
from tikitaka.training.schedule import schedules
from tikitaka.training.train_config import TrainConfig

__all__ = ["EarlyStopping", "Metrics", "Progress", "Run", "Stopped", "TrainConfig", "fit", "schedules"]
