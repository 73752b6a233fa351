"""Which items are drawn, of all tasks together and of each."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from crossin.items.item import Item
from crossin.items.selection import NotAsked, select
from tests.helpers.asked_items import numbered
from tests.helpers.errors import refused

FILE = Path("items.parquet")
# Twelve items of one task, five of another and one of a third, in two languages.
ITEMS = [
    one
    for language in ("en", "zh")
    for task, count in (("rivers", 12), ("lakes", 5), ("seas", 1))
    for one in numbered(task, count, language, task=task)
]


def drawn(items: list[Item], per_task: int, **how: int) -> dict[str, set[str]]:
    """By task, the items drawn."""
    found, _ = select(items, FILE, per_task=per_task, **how)  # type: ignore[arg-type]
    return {task: {one.item for one in found if one.task == task} for task in {one.task for one in found}}


def test_so_many_items_are_drawn_of_each_task_or_all_where_there_are_fewer() -> None:
    assert {task: len(names) for task, names in drawn(ITEMS, 4).items()} == {
        "rivers": 4,
        "lakes": 4,
        "seas": 1,
    }


def test_they_are_the_same_in_every_language() -> None:
    found, skipped = select(ITEMS, FILE, per_task=4)
    names = [{one.item for one in found if one.language == language} for language in ("en", "zh")]
    assert names[0] == names[1]
    assert skipped == {NotAsked.LIMIT: 2 * 9}


@pytest.mark.parametrize("seed", range(5))
def test_a_larger_number_holds_the_items_of_a_smaller_one(seed: int) -> None:
    sizes = [drawn(ITEMS, number, seed=seed) for number in (1, 3, 7, 12)]
    for smaller, larger in pairwise(sizes):
        assert all(names <= larger[task] for task, names in smaller.items())


def test_the_draw_of_a_task_does_not_depend_on_the_others() -> None:
    alone = [one for one in ITEMS if one.task == "rivers"]
    assert drawn(alone, 4)["rivers"] == drawn(ITEMS, 4)["rivers"]


def test_groups_are_drawn_whole() -> None:
    items = [one for place in "abc" for one in numbered(place, 3, group=place)]
    [names] = drawn(items, 4).values()
    assert {name[0] for name in names} < set("abc")
    assert len(names) == 6


def test_a_number_of_all_items_and_one_of_each_task_exclude_each_other() -> None:
    with refused("from all tasks together", field="per_task", hint="--per-task"):
        select(ITEMS, FILE, limit=3, per_task=3)
