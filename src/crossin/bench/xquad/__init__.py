"""Cross-XQuAD: XQuAD's questions with four options each, the same in every language."""

from crossin.bench.xquad.build import build_xquad

__all__ = ["build_xquad"]
