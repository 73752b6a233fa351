"""Asking a model the same question in many languages."""

from crossin.evaluate.run import evaluate

__all__ = ["evaluate"]
