"""A model behind any OpenAI-compatible server: vLLM, SGLang, llama.cpp, OpenAI."""

from crossin.evaluation.openai.engine import OpenAIEngine

__all__ = ["OpenAIEngine"]
