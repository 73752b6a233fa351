from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crossin.metrics.choices import accuracy
from crossin.metrics.table import by_task, select
from tests.helpers.answer_tables import table
from tests.helpers.errors import refused


def test_select_keeps_the_tasks_and_languages_that_were_asked_for() -> None:
    whole = table([[0, 1, 2], [1, 1, 1], [2, 0, 2]], gold=[0, 1, 2], tasks=["capital", "currency", "capital"])
    part = select(whole, tasks=["capital"], languages=["vi", "en"])
    assert part.items == ("item-0", "item-2")
    assert part.groups == ("group-0", "group-2")
    assert part.languages == ("vi", "en")
    assert part.answers.tolist() == [[2, 0], [2, 2]]
    assert part.gold.tolist() == [0, 2]
    assert part.options.tolist() == [4, 4]


def test_select_of_nothing_in_particular_is_the_whole_table() -> None:
    whole = table([[0, 1]])
    part = select(whole)
    assert (part.items, part.languages) == (whole.items, whole.languages)


@pytest.mark.parametrize(
    ("tasks", "languages", "word", "hint"),
    [
        (["spelling"], None, "task 'spelling'", "capital"),
        (None, ["fr"], "language 'fr'", "en, zh"),
        (None, [], "no language", "at least one"),
    ],
)
def test_select_of_what_is_not_there_is_an_error(
    tasks: list[str] | None, languages: list[str] | None, word: str, hint: str
) -> None:
    with refused(word, hint=hint):
        select(table([[0, 1]]), tasks=tasks, languages=languages)


def test_each_task_has_its_own_figures() -> None:
    whole = table([[0, 1, 2], [1, 1, 1], [2, 0, 2]], gold=[0, 1, 2], tasks=["capital", "currency", "capital"])
    by = by_task(whole, lambda part: accuracy(part).tolist())
    assert by == {"capital": [1, 0, 1 / 2], "currency": [1, 1, 1]}
    assert list(by_task(whole, lambda part: part.items).values()) == [("item-0", "item-2"), ("item-1",)]


def test_a_part_of_a_table_still_names_what_was_kept_out() -> None:
    whole = replace(table([[0, 1], [1, 1]]), incomplete={"item-9": "zh"})
    assert select(whole, languages=["en"]).incomplete == {"item-9": "zh"}


def test_a_table_whose_arrays_do_not_fit_is_refused() -> None:
    good = table([[0, 1], [2, 3]])
    with pytest.raises(ValueError, match="shapes"):
        replace(good, gold=np.array([0]))
    with pytest.raises(ValueError, match="position of an option, or -1"):
        replace(good, answers=np.array([[0, 4], [0, 0]]))
    with pytest.raises(ValueError, match="gold"):
        replace(good, gold=np.array([0, -1]))
    with pytest.raises(ValueError, match="unique"):
        replace(good, items=("same", "same"))
    with pytest.raises(ValueError, match="at least one item"):
        replace(good, items=())
