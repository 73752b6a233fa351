"""A training run's settings from a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crossin.core.files import read_yaml
from crossin.core.settings import validated
from crossin.training.config import TrainConfig


def read_config(path: Path, given: Mapping[str, Any] | None = None) -> TrainConfig:
    """The settings in a YAML file, with those `given` (`model`, `mixture`, `seed`) in place of its own.

    Paths in the file start from its folder, paths given do not; `model` is a folder where there is one, else
    a name. Raises CrossinError with file, field and the nearest key for an entry that is wrong.
    """
    config = validated(TrainConfig, read_yaml(path), path, "see docs/train.md for the keys")
    base = path.parent
    change: dict[str, Any] = {}
    if config.model and (base / config.model).is_dir():
        change["model"] = str(base / config.model)
    if config.mixture:
        change["mixture"] = base / config.mixture
    if pairs := config.pairs:
        places = {
            "rows": pairs.rows and base / pairs.rows,
            "items": pairs.items and base / pairs.items,
            "apart_from": tuple(base / bench for bench in pairs.apart_from),
        }
        change["pairs"] = pairs.model_copy(update=places)
    return config.model_copy(update={**change, **(given or {})})
