"""When two items, or an item and a text, are the same item, the same fact, or of the same subject."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crossin.bench.matching import TextIndex, shared_items
from crossin.items.item import Item


def fact(
    name: str,
    subject: str,
    question: str,
    answer: str,
    *,
    language: str = "en",
    task: str = "mayor",
    source: str = "towns",
) -> Item:
    return Item(name, subject, task, language, "", question, [], [], answer, source, "CC0-1.0")


def choice(name: str, question: str, *options: str, language: str = "en", context: str = "") -> Item:
    """A question of its own group; its first option is right."""
    ids = [str(place) for place in range(len(options))]
    return Item(name, name, "quiz", language, context, question, list(options), ids, "0", "quiz", "CC0-1.0")


def levels(ours: list[Item], theirs: list[Item], ngram: int = 13) -> list[tuple[str, str, str, str]]:
    """Item, language, evidence and the other item."""
    return [
        (one.item, one.language, str(one.evidence), one.other) for one in shared_items(ours, theirs, ngram)
    ]


QUESTION = choice("q1", "Which bird can't fly?", "the kiwi", "the crow")


@pytest.mark.parametrize(
    ("other", "evidence"),
    [
        (QUESTION, "same_id"),
        (replace(QUESTION, question="Which bird cannot fly?"), "same_id"),
        (replace(QUESTION, item="x", question="  WHICH bird can’t fly "), "same_item"),
        (replace(QUESTION, item="x", question="Ｗｈｉｃｈ bird can't fly?"), "same_item"),
        (replace(QUESTION, item="x", options=["the crow", "the Kiwi"]), "same_item"),
        (replace(QUESTION, item="x", options=["the kiwi", "the owl"]), "other_options"),
        (replace(QUESTION, item="x", options=[], option_ids=[], answer="the kiwi"), "other_options"),
        (replace(QUESTION, item="x", language="de"), ""),
        (replace(QUESTION, source="another", question="Which tree has needles?"), ""),
        (replace(QUESTION, item="x", context="Of a text."), ""),
    ],
)
def test_an_item_is_known_by_id_or_by_text(other: Item, evidence: str) -> None:
    assert [found[2] for found in levels([QUESTION], [other])] == ([evidence] if evidence else [])


def test_rows_of_two_splits_with_the_same_numbers_are_not_the_same_items() -> None:
    other = replace(QUESTION, question="What do owls eat at night?", options=["mice", "bark"])
    assert levels([QUESTION], [other]) == []
    # In languages of their own, the source must say something.
    assert levels([QUESTION], [replace(QUESTION, language="de")]) == [("q1", "en", "same_id", "q1")]
    local = replace(QUESTION, source="local files")
    assert levels([local], [replace(local, language="de")]) == []


def test_the_context_belongs_to_the_question() -> None:
    ours = choice("a", "What happened next?", "it rained", "it froze", context="The sky was dark.")
    split = choice("b", "The sky was dark. What happened next?", "it rained", "it froze")
    apart = choice("c", "What happened next?", "it rained", "it froze", context="The road was empty.")
    assert levels([ours], [split, apart]) == [("a", "en", "same_item", "b")]


def test_a_question_that_many_items_ask_is_a_form() -> None:
    form = "Which of these is true?"
    theirs = [
        choice("b", form, "snow is white", "snow is red"),
        choice("c", form, "ice is cold", "ice is hot"),
    ]
    assert levels([choice("a", form, "fire is hot", "fire is wet")], theirs) == []
    assert levels([choice("a", form, "ice is hot", "ice is cold")], theirs) == [("a", "en", "same_item", "c")]


def test_long_questions_may_differ_in_a_word_at_either_end() -> None:
    middle = "baker sold forty loaves on Monday and half as many again on the next day"
    ours, theirs = (
        choice("a", f"One {middle}; how many?", "60", "20"),
        choice("b", f"The {middle}.", "80", "40"),
    )
    assert levels([ours], [theirs]) == [("a", "en", "same_words", "b")]
    assert levels([ours], [theirs], ngram=20) == []


def test_words_that_two_contexts_share_show_a_subject() -> None:
    text = "The lighthouse was built of grey stone in the years after the great storm of that century."
    ours = choice("a", "Who built it?", "the town", "a monk", context=text)
    theirs = choice("b", "When was it lit?", "at dusk", "at noon", context=f"{text} It still stands.")
    assert levels([ours], [theirs]) == [("a", "en", "same_context", "b")]


OURS = [
    fact("1", "Ulmstadt", "Who is the mayor of Ulmstadt?", "Ida Berg"),
    fact("1", "Ulmstadt", "Wer regiert Ulmstedt?", "Ida Berg", language="de"),
]


@pytest.mark.parametrize(
    ("other", "evidence"),
    [
        (fact("x", "Ulmstadt", "Ulmstadt is governed by ____.", "ida berg", source="y"), "same_fact"),
        (fact("x", "Ulmstadt", "Ulmstadt elected ____.", "Ida Berg", task="facts"), "same_names"),
        (fact("x", "x", "Whom did Ulmstadt elect?", "Ida Berg", source="y"), "same_names"),
        (fact("x", "Ulmstadt", "Who founded Ulmstadt?", "Karl Roth", source="y"), "same_subject"),
        (fact("x", "x", "When was Ulmstadt founded?", "in 1200", source="y"), "same_subject"),
        (fact("x", "Ulmstadt", "Who founded it?", "Karl Roth"), "same_group"),
        (fact("x", "Ulmstadt-Nord", "Who is the mayor of Ulmstadt-Nord?", "Ida Berg"), ""),
        (fact("x", "x", "Whom did they elect?", "Ida Berg", source="y"), ""),
    ],
)
def test_a_fact_is_known_by_the_names_of_subject_and_answer(other: Item, evidence: str) -> None:
    assert [found[2] for found in levels(OURS[:1], [other])] == ([evidence] if evidence else [])
    assert [found[2] for found in levels([other], OURS[:1])] == ([evidence] if evidence else [])


def test_an_answer_counts_in_any_language_that_both_have() -> None:
    theirs = [
        fact("x", "Ulmstadt", "Ulmstadt elected ____.", "I. Berg", task="facts", source="y"),
        fact("x", "Ulmstadt", "Ulmstedt wählte ____.", "Ida Berg", language="de", source="y"),
    ]
    assert [found[1:3] for found in levels(OURS, theirs)] == [("en", "same_subject"), ("de", "same_fact")]


def test_an_alias_is_an_answer() -> None:
    other = fact("x", "Ulmstadt", "Ulmstadt elected ____.", "Mrs Berg", task="facts")
    assert levels(OURS[:1], [replace(other, aliases=["Ida Berg"])])[0][2] == "same_names"


def test_a_name_is_one_in_the_language_in_which_questions_have_it() -> None:
    """In the other language the same name is another place."""
    theirs = [
        fact("x", "Ulmstadt", "Quand Ulmstadt fut-elle fondée ?", "Ida Berg", language="fr", source="y")
    ]
    ours = [*OURS, fact("1", "Ulmstadt", "Qui gouverne Oulme ?", "Ida Berg", language="fr")]
    assert levels(ours, theirs) == []


def test_a_code_is_no_name_even_where_it_is_a_word() -> None:
    ours = [fact("1", "DE", "¿Quién es el alcalde de Olmos?", "Ida", language="es", source="a")]
    theirs = [fact("2", "2", "¿Cómo se llama el canciller de Alemania?", "Ida", language="es", source="b")]
    assert levels(ours, theirs) == []


def test_a_name_is_spelt_as_such() -> None:
    ours = [fact("1", "Which", "Who edits Which?", "Ida Berg")]
    assert levels(ours, [choice("b", "Of all, which is it?", "Ida Berg", "Karl Roth")]) == []
    assert levels(ours, [choice("b", "Who runs Which?", "Ida Berg", "Karl Roth")])[0][2] == "same_names"


INDEX = [
    *OURS,
    choice("why", "Why?", "so", "no"),
    choice("bird", "Which bird can't fly?", "the kiwi", "the crow"),
    choice("near", "What is next to it?", "a barn", "a mill", context="A house by the lake."),
    *(choice(f"form{n}", "Which of these is true?", f"fact {n}", f"lie {n}") for n in range(2)),
    replace(choice("gap", "The ____ is a bird.", "ostrich", "whale"), gap="____"),
]


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["Answer: WHICH bird can’t fly?", "It is the kiwi."], ("bird", "question_in_text")),
        (["Which birds can't fly?"], None),
        (["Say why? Or not."], None),
        (["Why?", "So."], ("why", "question_in_text")),
        (["What is next to it?"], None),
        (["A house by the lake. What is next to it?"], ("near", "question_in_text")),
        (["Which of these is true?", "None."], None),
        (["Which of these is true?", "fact 1"], ("form1", "question_in_text")),
        (["The ostrich is a bird."], ("gap", "question_in_text")),
        (["The mayor of Ulmstadt is Ida Berg."], ("1", "same_names")),
        (["Who leads Ulmstadt?", "Ida Berg"], ("1", "same_names")),
        (["Who leads ulmstadt?", "Ida Berg"], None),
        (["Who leads Ulmstadt?", "Karl Roth"], None),
        (["Ulmstadt lies by a lake. " + "It is old and quiet. " * 6, "Ida Berg lives there."], None),
    ],
)
def test_what_a_row_shares(texts: list[str], found: tuple[str, str] | None) -> None:
    first = next(TextIndex(INDEX).matches(texts), None)
    assert (first and (first.item, str(first.evidence))) == found


def test_the_same_words_in_a_script_without_spaces() -> None:
    ours = [choice("a", "哪一种鸟不会飞？", "几维鸟", "乌鸦", language="zh")]
    assert levels(ours, [choice("b", "哪一种鸟不会飞", "几维鸟", "乌鸦", language="zh")])[0][2] == "same_item"
    [found] = TextIndex(ours).matches(["问题：哪一种鸟不会飞？答案：几维鸟"])
    assert str(found.evidence) == "question_in_text"
