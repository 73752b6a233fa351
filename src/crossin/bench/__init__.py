"""Parallel benchmarks: every item in every language."""

from crossin.bench.catalogue import build_named

__all__ = ["build_named"]
