"""What holds for every table: ranges, full agreement, no order, and chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.metrics.bootstrap import differences, intervals
from crossin.metrics.choices import answer_family
from crossin.metrics.families import Family, observed
from crossin.metrics.pairwise import agreement_family, pivot_family
from crossin.metrics.pivot_transfer import transfer_family
from crossin.metrics.rankings import rankc_family
from crossin.metrics.table import AnswerTable, Floats
from crossin.metrics.wordings import wording_family
from tests.helpers.answer_tables import ranked_tables, table

World = tuple[AnswerTable, Floats]


def families(whole: AnswerTable, logprobs: Floats) -> list[Family]:
    return [
        answer_family(whole),
        agreement_family(whole),
        pivot_family(whole, "en"),
        transfer_family(whole, "en"),
        rankc_family(whole, logprobs),
        wording_family(
            [whole, replace(whole, answers=np.roll(whole.answers, 1, axis=0) % whole.options[:, None])]
        ),
    ]


def all_figures(whole: AnswerTable, logprobs: Floats) -> dict[str, float]:
    return {name: x for family in families(whole, logprobs) for name, x in observed(family).items()}


@given(ranked_tables())
def test_every_figure_lies_in_its_range(world: World) -> None:
    for name, value in all_figures(*world).items():
        if name.startswith(("kappa", "transfer", "rankc", "kept", "gained")) and isnan(value):
            continue
        if not name.startswith("transfer"):
            assert value <= 1 + 1e-12, name
        if not name.startswith(("transfer", "kappa")):
            assert value >= 0, name


@given(st.lists(st.integers(0, 3), min_size=2, max_size=8), st.integers(2, 5))
def test_full_agreement_is_1_in_every_measure_of_agreement(answers: list[int], languages: int) -> None:
    whole = table(np.repeat(np.array(answers)[:, None], languages, axis=1), gold=answers)
    logprobs = np.zeros((len(answers), languages, 4))
    logprobs[np.arange(len(answers)), :, answers] = 1
    found = all_figures(whole, logprobs)
    for name, value in found.items():
        if name.startswith(("agreement", "consistency", "pivot", "rankc", "right", "kept")):
            assert value == pytest.approx(1), name
        if name.startswith("kappa"):
            assert value == pytest.approx(1) if len(set(answers)) > 1 else isnan(value), name


@given(ranked_tables(), st.integers(0, 2**32))
def test_the_order_of_items_and_languages_changes_nothing(world: World, seed: int) -> None:
    whole, logprobs = world
    items = np.random.default_rng(seed).permutation(len(whole.items))
    turned = replace(
        whole,
        items=tuple(whole.items[i] for i in items),
        groups=tuple(whole.groups[i] for i in items),
        languages=whole.languages[::-1],
        answers=whole.answers[items][:, ::-1],
        gold=whole.gold[items],
        options=whole.options[items],
    )
    assert by_pair(all_figures(turned, logprobs[items][:, ::-1])) == pytest.approx(
        by_pair(all_figures(whole, logprobs)), rel=0, abs=1e-12, nan_ok=True
    )


def by_pair(found: Mapping[str, float]) -> dict[str, float]:
    """The same figures, but `x+y` and `y+x` under one name."""
    return {
        "/".join("+".join(sorted(part.split("+"))) for part in name.split("/")): value
        for name, value in found.items()
        if not name.startswith("wording")
    }


@pytest.mark.slow
def test_the_interval_of_kappa_holds_0_for_answers_at_random_in_95_of_100_worlds() -> None:
    values: dict[str, list[float]] = {"kappa_2": [], "kappa_3": []}
    held = dict.fromkeys(values, 0)
    for seed in range(1000):
        guesses = table(np.random.default_rng(seed).integers(0, 4, (200, 4)))
        found = intervals(guesses, draws=1000, seed=seed)
        for name in values:
            values[name].append(found[name].value)
            held[name] += found[name].low <= 0 <= found[name].high
    for name, drawn in values.items():
        # Four standard errors of the mean.
        assert abs(np.mean(drawn)) < 4 * np.std(drawn) / np.sqrt(1000), name
        assert 930 <= held[name] <= 970, name


@pytest.mark.slow
def test_the_interval_of_a_difference_holds_0_for_equal_models_in_95_of_100_worlds() -> None:
    held = dict.fromkeys(("accuracy", "consistency_2", "kappa_2", "ac3_3"), 0)
    for seed in range(1000):
        generator = np.random.default_rng(seed)
        # Items known to both models, hard ones to none: what is shared is what pairing takes out.
        known = generator.random((200, 1)) < 0.4
        one, other = (table(np.where(known, 0, generator.integers(0, 4, (200, 3)))) for _ in range(2))
        found = differences(one, other, draws=500, seed=seed)
        for name in held:
            held[name] += found[name].low <= 0 <= found[name].high
    # AC3 of three languages is skewed, and its percentile interval a little short with 200 items.
    for name, count in held.items():
        assert (920 if name == "ac3_3" else 930) <= count <= 970, name
