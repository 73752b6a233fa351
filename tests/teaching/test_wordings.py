"""The other wordings of a question about a fact."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crossin.items import Item
from crossin.languages import available, load_words
from crossin.languages.words import RELATIONS, WORDINGS
from crossin.teaching.wordings import worded
from tests.helpers import small_bench

SUBJECT = "Côte d’Ivoire (west)"
BLANK = small_bench.items()[0]


def asked(relation: str, wordings: dict[str, int]) -> dict[str, Item]:
    """A question about the subject by language, each in one of its wordings."""
    return {
        language: replace(
            BLANK,
            task=relation,
            language=language,
            question=load_words(language).fact_question(relation, wording, SUBJECT),
        )
        for language, wording in wordings.items()
    }


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize("wording", range(WORDINGS))
def test_a_wording_is_recognised_in_all_languages(relation: str, wording: int) -> None:
    found = worded(asked(relation, dict.fromkeys(available(), wording)))
    assert found is not None
    assert (found.wording, set(found.subjects.values())) == (wording, {SUBJECT})
    others = found.others(relation)
    assert set(others) == set(range(WORDINGS)) - {wording}
    for number, texts in others.items():
        assert texts["es"] == load_words("es").fact_question(relation, number, SUBJECT)


def test_languages_that_ask_in_different_wordings_have_no_others() -> None:
    assert worded(asked("capital", {"en": 0, "es": 1})) is None


def test_another_question_or_another_task_has_no_other_wordings() -> None:
    items = asked("capital", {"en": 0, "es": 0})
    assert worded({code: replace(item, task="colour") for code, item in items.items()}) is None
    assert worded({code: replace(item, question="Who knows?") for code, item in items.items()}) is None
    assert worded({"sw": replace(items["en"], language="sw")}) is None
