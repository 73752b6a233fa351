"""Every figure of free text at once."""

from __future__ import annotations

from crossin.metrics.families import Family
from crossin.metrics.generation import bleu_family, chrf_family
from crossin.metrics.language_fidelity import fidelity_family
from crossin.metrics.texts import (
    TextTable,
    containment_family,
    exact_match_family,
    f1_family,
    missing_family,
)


def text_families(table: TextTable) -> list[Family]:
    """Every family of figures of free text: exact match, containment, F1, missing, chrF, BLEU and language
    fidelity.


    The last three need the extra `text`; raises CrossinError where it is not installed.
    """
    makers = (
        exact_match_family,
        containment_family,
        f1_family,
        missing_family,
        chrf_family,
        bleu_family,
        fidelity_family,
    )
    return [make(table) for make in makers]
