"""Whether answers follow where an option stands, or how short it is, rather than what is right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crossin.metrics.families import Family, Flags, mean_family
from crossin.metrics.table import Integers

UNKNOWN = -1


@dataclass(frozen=True, eq=False)
class OptionTraits:
    """Of each answer and of each right answer, [I, L]: its place in the list that the prompt showed, from 0,
    and whether it is (1) or is not (0) the shortest option, or one of those; UNKNOWN where there is no
    answer, no list, or no text.
    """

    languages: tuple[str, ...]  # [L]
    place: Integers
    gold_place: Integers
    shortest: Integers
    gold_shortest: Integers

    @property
    def traits(self) -> list[str]:
        """What is known of some answer: `shortest`, and `place_1`, `place_2` and so on."""
        places = range(1, int(self.place.max(initial=UNKNOWN)) + 2)
        last = int(self.gold_place[self.place != UNKNOWN].max(initial=UNKNOWN)) + 1
        known = ["shortest"] * bool((self.shortest != UNKNOWN).any())
        return known + [f"place_{place}" for place in range(1, max(len(places), last) + 1)]


def bias_families(traits: OptionTraits) -> list[Family]:
    """For each trait (`shortest`, `place_<k>`): `<trait>/<x>`, the share of answers in language x that have
    it, `<trait>_gold/<x>`, the share of the right answers to the same questions, and `<trait>_excess/<x>`,
    the first less the second; and the means over languages.

    Only questions with an answer count, so that both shares are over the same ones. nan where none is known.
    The shares of right answers are what a model without a preference would come near. This project's own.
    """
    found: list[Family] = []
    for trait in traits.traits:
        if trait == "shortest":
            ours, golds, counted = _flags(traits.shortest, traits.gold_shortest, 1)
        else:
            ours, golds, counted = _flags(traits.place, traits.gold_place, int(trait.partition("_")[2]) - 1)
        excess = ours.astype(np.float64) - golds
        for name, values in ((trait, ours), (f"{trait}_gold", golds), (f"{trait}_excess", excess)):
            found.append(mean_family(name, traits.languages, values, counted))
    return found


def _flags(ours: Integers, golds: Integers, value: int) -> tuple[Flags, Flags, Flags]:
    return np.asarray(ours == value), np.asarray(golds == value), np.asarray(ours != UNKNOWN)
