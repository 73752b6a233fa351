"""A model that likes the first place and short options, in one language of two."""

from __future__ import annotations

import numpy as np
import pytest

from crossin.metrics.families import observed
from crossin.metrics.option_bias import OptionTraits, bias_families


def flags(*rows: list[int]) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.array(rows, dtype=np.int64)


def found(traits: OptionTraits) -> dict[str, float]:
    return {name: value for one in bias_families(traits) for name, value in observed(one).items()}


# Of four questions in English and Chinese; the last has no answer in Chinese.
TRAITS = OptionTraits(
    languages=("en", "zh"),
    place=flags([0, 0], [1, 0], [2, 0], [0, -1]),
    gold_place=flags([0, 0], [1, 1], [2, 2], [1, 1]),
    shortest=flags([1, 1], [0, 1], [0, 0], [1, -1]),
    gold_shortest=flags([1, 1], [0, 0], [0, 0], [0, 0]),
)


def test_the_share_of_answers_at_a_place_stands_beside_that_of_the_right_answers() -> None:
    values = found(TRAITS)
    assert values["place_1/en"] == 2 / 4 and values["place_1_gold/en"] == 1 / 4
    # Of the three questions that have an answer.
    assert values["place_1/zh"] == 1 and values["place_1_gold/zh"] == pytest.approx(1 / 3)
    assert values["place_1_excess/zh"] == pytest.approx(2 / 3)
    assert values["place_1"] == pytest.approx((2 / 4 + 1) / 2)
    assert values["place_2/zh"] == 0 and values["place_2_gold/zh"] == pytest.approx(1 / 3)
    assert {name for name in values if name.startswith("place_4")} == set()


def test_so_does_the_share_of_the_shortest_options() -> None:
    values = found(TRAITS)
    assert [values[f"shortest{kind}/zh"] for kind in ("", "_gold", "_excess")] == pytest.approx(
        [2 / 3, 1 / 3, 1 / 3]
    )


def test_what_is_not_known_has_no_figures() -> None:
    unknown = np.full((4, 2), -1)
    only_shortest = OptionTraits(TRAITS.languages, unknown, unknown, TRAITS.shortest, TRAITS.gold_shortest)
    assert only_shortest.traits == ["shortest"]
    assert OptionTraits(TRAITS.languages, *[unknown] * 4).traits == []
