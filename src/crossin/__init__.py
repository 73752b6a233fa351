"""crossin: mix, tune and measure, so that what a model knows in English it knows in Thai.

Each stage is one function: `crossin.corpus.build_facts`, `crossin.compose` (or `crossin.compose.compose`),
`crossin.train.train`, `crossin.bench.build_named`, `crossin.evaluate.evaluate`, `crossin.score.score`,
`crossin.report.report`. Importing this package loads none of them.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

__version__ = "0.1.0"

_STAGES = ("bench", "compose", "corpus", "evaluate", "metrics", "models", "report", "score", "train")


def __getattr__(name: str) -> ModuleType:
    """The stages, loaded at first use."""
    if name not in _STAGES:
        raise AttributeError(f"module 'crossin' has no attribute {name!r}")
    return import_module(f"crossin.{name}")
