"""The facts suite: knowledge, reasoning, reading and free answers, built from CLDR and GeoNames in every
language that has a template file.
"""

from crossin.facts.suite.build import build_suite
from crossin.facts.suite.material import SKILLS

__all__ = ["SKILLS", "build_suite"]
