"""crossin: mix, tune and measure, so that a language model knows in Thai what it knows in English.

Each stage is one function, loaded at first use: `import crossin` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crossin.evaluation.run import evaluate
    from crossin.experiments.run import experiment
    from crossin.mixture.run import compose
    from crossin.probing.run import probe
    from crossin.reports.make import report
    from crossin.scoring.comparison import compare
    from crossin.scoring.scores import score
    from crossin.teaching.preferring import prefer
    from crossin.teaching.run import teach
    from crossin.training.run import train
    from crossin.translation.run import translate

__version__ = "0.1.0"
__all__ = [
    "compare",
    "compose",
    "evaluate",
    "experiment",
    "prefer",
    "probe",
    "report",
    "score",
    "teach",
    "train",
    "translate",
]

_MODULES = {
    "compare": "scoring.comparison",
    "compose": "mixture.run",
    "evaluate": "evaluation.run",
    "experiment": "experiments.run",
    "prefer": "teaching.preferring",
    "probe": "probing.run",
    "report": "reports.make",
    "score": "scoring.scores",
    "teach": "teaching.run",
    "train": "training.run",
    "translate": "translation.run",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'crossin' has no attribute {name!r}")
    # First: an error on a system without file locks, before anything else fails there.
    import_module("crossin.core.locks")
    return getattr(import_module(f"crossin.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
