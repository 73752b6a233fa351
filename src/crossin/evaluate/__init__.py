"""Asking a model the same question in many languages."""

from crossin.bench.asking import Form
from crossin.evaluate.engine import Engine, Reply, Request, Scores
from crossin.evaluate.hf import HfEngine
from crossin.evaluate.prepare import Choice, prepare
from crossin.evaluate.run import ANSWERS, evaluate

__all__ = [
    "ANSWERS",
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
