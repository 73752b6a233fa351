"""Asking a model the same question in many languages."""

from crossin.evaluation.engine import Engine, Reply, Request, Scores
from crossin.evaluation.hf import HfEngine
from crossin.evaluation.preparation import Choice, prepare
from crossin.evaluation.run import evaluate
from crossin.items import Form

__all__ = [
    "Choice",
    "Engine",
    "Form",
    "HfEngine",
    "Reply",
    "Request",
    "Scores",
    "evaluate",
    "prepare",
]
