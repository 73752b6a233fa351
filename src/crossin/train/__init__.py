"""One-stage tuning of a model on a mixture."""

from crossin.train.settings import TrainSettings
from crossin.train.trainer import train

__all__ = ["TrainSettings", "train"]
