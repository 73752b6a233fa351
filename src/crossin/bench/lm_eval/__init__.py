"""Benchmarks as tasks of lm-evaluation-harness."""

from crossin.bench.lm_eval.export import export_lm_eval

__all__ = ["export_lm_eval"]
