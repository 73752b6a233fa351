from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crossin.metrics.choices import accuracy, consistency, figures
from crossin.metrics.pairwise import agreement, pivot_consistency
from crossin.metrics.pivot_transfer import kept
from crossin.metrics.rankings import rankc
from crossin.metrics.table import MISSING, UNASKED, aligned, by_task, select
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


def test_a_table_of_languages_with_items_of_their_own_has_accuracy_alone() -> None:
    own = table([[0, UNASKED], [1, UNASKED], [UNASKED, 0], [UNASKED, MISSING]], tasks=["a", "b", "a", "a"])
    assert not own.parallel
    assert figures(own) == {
        "accuracy/en": 0.5,
        "accuracy/zh": 0.5,
        "accuracy": 0.5,
        "missing/en": 0,
        "missing/zh": 0.5,
        "missing": 0.25,
    }
    assert select(own, languages=["en"]).parallel
    assert select(own, languages=["en"]).items == ("item-0", "item-1")
    assert select(own, tasks=["b"]).languages == ("en",)
    for figure in (
        lambda: consistency(own, 2),
        lambda: agreement(own),
        lambda: pivot_consistency(own, "en"),
        lambda: kept(own, "en"),
        lambda: rankc(own, np.zeros((4, 2, 4))),
    ):
        with refused("one language only", hint="accuracy by language"):
            figure()


def test_two_tables_ask_an_item_in_the_same_language() -> None:
    own = table([[0, UNASKED], [UNASKED, 1]])
    assert aligned(own, own).answers.tolist() == own.answers.tolist()
    with refused("language"):
        aligned(table([[UNASKED, 0], [1, UNASKED]]), own)


def test_an_item_is_in_all_languages_or_each_in_one() -> None:
    for answers in ([[0, UNASKED, 1]], [[0, UNASKED], [0, 1]], [[UNASKED, UNASKED], [0, UNASKED]]):
        with pytest.raises(ValueError, match="or each item in one"):
            table(answers)
