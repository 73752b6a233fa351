"""What parallel instruction data is, and the facts corpus that is made from CLDR and GeoNames."""

from crossin.corpus.facts import build_facts

__all__ = ["build_facts"]
