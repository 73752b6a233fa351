"""Facts about countries from CLDR and GeoNames: the corpus, the benchmark and the suite made of them."""

from crossin.facts.bench import build_bench
from crossin.facts.corpus import build_facts
from crossin.facts.counterfactual import build_counterfactual

__all__ = ["build_bench", "build_counterfactual", "build_facts"]
