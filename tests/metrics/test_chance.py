from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.metrics.bootstrap import intervals, resample
from crossin.metrics.chance import chance_blocks
from crossin.metrics.choices import expected_consistency, figures, kappa
from crossin.metrics.families import observed
from crossin.metrics.pairwise import agreement_family, pair_kappa
from crossin.metrics.table import AnswerTable, select
from tests.helpers.answer_tables import random_table, table, tables

# Two items of one pool and two of another; position 0 of the first is not that of the second.
TWO_POOLS = replace(
    table([[0, 0], [1, 0], [0, 1], [1, -1]], gold=[0, 1, 0, 1]), pools=("city", "city", "river", "river")
)


def test_shares_are_of_the_items_of_a_pool() -> None:
    # city: en 1/2 1/2, zh 1 0: 1/2. river: en 1/2 1/2, zh 0 1/2: 1/4. Half of the items each.
    assert expected_consistency(TWO_POOLS, 2) == pytest.approx(1 / 2 * 1 / 2 + 1 / 2 * 1 / 4)
    assert kappa(TWO_POOLS, 2) == pytest.approx((1 / 4 - 3 / 8) / (1 - 3 / 8))
    [pair] = [x for name, x in observed(agreement_family(TWO_POOLS)).items() if name.startswith("kappa/")]
    assert pair == pytest.approx((1 / 4 - 3 / 8) / (1 - 3 / 8))
    assert pair_kappa(TWO_POOLS)[0, 1] == pytest.approx(pair)


def test_a_pool_counts_by_its_items() -> None:
    uneven = replace(TWO_POOLS, pools=("city", "city", "city", "river"))
    # city: en 2/3 1/3, zh 2/3 1/3: 5/9. river: nobody agrees with a missing answer.
    assert expected_consistency(uneven, 2) == pytest.approx(3 / 4 * 5 / 9)


@given(tables(), st.sampled_from([2, 3]))
def test_one_pool_is_no_pools(small: AnswerTable, draws: int) -> None:
    pooled = replace(small, pools=("all",) * len(small.items))
    of_one = {x: one for x, one in intervals(pooled, draws=draws).items() if not x.startswith("answered")}
    assert repr(of_one) == repr(intervals(small, draws=draws))
    assert repr(resample([agreement_family(pooled)], small.groups, draws=draws)) == repr(
        resample([agreement_family(small)], small.groups, draws=draws)
    )


@given(tables(), st.data())
def test_the_chance_of_pools_is_the_mean_over_them(small: AnswerTable, data: st.DataObject) -> None:
    names = st.lists(st.sampled_from("xy"), min_size=len(small.items), max_size=len(small.items))
    pools = tuple(data.draw(names))
    pooled = replace(small, pools=pools, tasks=pools)
    parts = {pool: select(pooled, tasks=[pool]) for pool in set(pools)}
    for size in range(2, len(small.languages) + 1):
        mean = sum(pools.count(pool) * expected_consistency(part, size) for pool, part in parts.items())
        assert expected_consistency(pooled, size) == pytest.approx(mean / len(pools))


@given(tables())
def test_positions_of_one_language_alone_need_no_column(small: AnswerTable) -> None:
    chosen = [set(column[column >= 0].tolist()) for column in small.answers.T]
    shared = {position for one, other in combinations(chosen, 2) for position in one & other}
    [block] = chance_blocks(small)
    assert block.columns.shape == (len(small.items), 1 + len(small.languages) * len(shared))


def test_independent_answers_have_a_kappa_near_0_in_pools_of_any_bias() -> None:
    generator = np.random.default_rng(5)
    items = 20_000
    pools = generator.integers(0, 2, items)
    # In each pool, every language prefers one entity, another one in each pool.
    favourite = np.where(pools == 0, 0, 3)[:, None]
    answers = np.where(generator.random((items, 3)) < 0.6, favourite, generator.integers(0, 5, (items, 3)))
    blind = replace(table(answers, gold=[0] * items, options=5))
    pooled = replace(blind, pools=tuple(map(str, pools)))
    for size in (2, 3):
        assert abs(kappa(pooled, size)) < 0.01
        assert kappa(blind, size) > 0.1


def test_what_is_answered_is_what_is_not_missing() -> None:
    found = figures(TWO_POOLS)
    assert [found[f"answered{end}"] for end in ("", "/en", "/zh")] == [7 / 8, 1, 3 / 4]
    assert "answered" not in figures(replace(TWO_POOLS, pools=()))


def test_a_pool_that_a_draw_lacks_adds_nothing() -> None:
    drawn = intervals(TWO_POOLS, draws=200)["kappa_2"]
    assert drawn.value == figures(TWO_POOLS)["kappa_2"]
    assert not np.isnan([drawn.low, drawn.high]).any()


def test_a_pooled_draw_is_the_figure_of_a_table_with_its_groups_repeated() -> None:
    whole = replace(random_table(5, items=12), groups=tuple("abbcccdddddd"), pools=tuple("xyxyxyzzxyzz"))
    takes = [np.bincount(taken, minlength=4) for taken in np.random.default_rng(8).integers(4, size=(50, 4))]
    resampled = []
    for weights in takes:
        rows = [row for row in range(12) for _ in range(weights["abcd".index(whole.groups[row])])]
        part = table(whole.answers[rows], gold=whole.gold[rows])
        part = replace(part, pools=tuple(whole.pools[row] for row in rows))
        resampled.append(figures(part)["kappa_3"])
    drawn = intervals(whole, draws=50, seed=8)["kappa_3"]
    assert [drawn.low, drawn.high] == pytest.approx(np.quantile(resampled, [0.025, 0.975]).tolist())
