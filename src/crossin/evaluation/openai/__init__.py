"""A model behind any OpenAI-compatible server: vLLM, SGLang, llama.cpp, OpenAI."""

from crossin.evaluation.openai.engine import OpenAIEngine
from crossin.evaluation.openai.estimates import estimate

__all__ = ["OpenAIEngine", "estimate"]
