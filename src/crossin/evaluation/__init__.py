"""The same questions in many languages, asked of local models and of models behind a server."""

from crossin.evaluation.bench_answers import ask_bench
from crossin.evaluation.config import EvaluateConfig
from crossin.evaluation.engine import Engine, EngineNote, Reply, Request, Scores
from crossin.evaluation.hf import HfEngine
from crossin.evaluation.openai import OpenAIEngine
from crossin.evaluation.preparation import prepare
from crossin.evaluation.run import Evaluation, evaluate, evaluation_outline
from crossin.items import Form
from crossin.items.scored_options import Choice

__all__ = [
    "Choice",
    "Engine",
    "EngineNote",
    "EvaluateConfig",
    "Evaluation",
    "Form",
    "HfEngine",
    "OpenAIEngine",
    "Reply",
    "Request",
    "Scores",
    "ask_bench",
    "evaluate",
    "evaluation_outline",
    "prepare",
]
