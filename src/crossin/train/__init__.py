"""One-stage tuning of a model on a mixture: batches, objectives, trainer."""

from crossin.train.config import TrainConfig
from crossin.train.run import train

__all__ = ["TrainConfig", "train"]
