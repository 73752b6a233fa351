"""One-stage tuning of a model on a mixture: batches, objectives, trainer."""

from crossin.training.config import TrainConfig, read_config
from crossin.training.run import train

__all__ = ["TrainConfig", "read_config", "train"]
