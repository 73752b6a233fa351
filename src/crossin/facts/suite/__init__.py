"""The facts suite: knowledge, reasoning, reading and free answers, made from CLDR and GeoNames in every
language that has a template file.
"""

from crossin.facts.suite.build import SKILLS, build_suite
from crossin.languages.words import lacking

__all__ = ["SKILLS", "build_suite", "lacking"]
