"""Models of transformers: what questions share is computed once."""

from crossin.evaluation.hf.engine import HfEngine

__all__ = ["HfEngine"]
