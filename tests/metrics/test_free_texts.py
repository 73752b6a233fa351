from __future__ import annotations

from dataclasses import replace
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.languages.normalisation import tokens
from crossin.metrics.bootstrap import resample_difference
from crossin.metrics.families import Family, mean_family, observed
from crossin.metrics.free_text import text_families
from crossin.metrics.texts import (
    TextTable,
    containment,
    exact_match,
    exact_match_family,
    f1,
    f1_family,
    missing_family,
    missing_replies,
    text_table_of,
)
from tests.helpers.errors import refused
from tests.helpers.text_tables import reordered, text_tables, texts

FILE = Path("answers.parquet")

# Three items in English and Chinese: right but for what does not count, partly right, and not answered.
WORKED = texts(
    ["en", "zh"],
    [["the river Nile!", "尼罗河"], ["Mount Fuji in Japan", "山"], [None, " \n"]],
    [["River Nile", "尼罗河。"], ["Fuji", "富士山"], ["Rome", "罗马"]],
)


def test_a_worked_example() -> None:
    assert exact_match(WORKED).tolist() == pytest.approx([1 / 3, 1 / 3])
    # One of four words is the one word wanted: precision 1/4, recall 1. One of three characters: 1 and 1/3.
    assert f1(WORKED).tolist() == pytest.approx([(1 + 0.4) / 3, (1 + 0.5) / 3])
    assert missing_replies(WORKED).tolist() == pytest.approx([1 / 3, 1 / 3])


def test_containment_looks_for_the_words_of_a_reference_in_their_order() -> None:
    cells = [
        ("The capital is New York, I think", "New York", 1),
        ("York is new", "New York", 0),
        ("Romania", "Oman", 0),
        ("a river", "The River", 1),
        (None, "Rome", 0),
        (" ", "Rome", 0),
    ]
    table = texts(["en"], [[reply] for reply, *_ in cells], [[reference] for _, reference, _ in cells])
    assert containment(table)[0] == pytest.approx(np.mean([right for *_, right in cells]))
    assert containment(texts(["zh"], [["首都是北京市"], ["北方的京都"]], [["北京"], ["北京"]]))[0] == 1 / 2


def test_containment_takes_an_alias_for_the_reference_and_compares_numbers_by_value() -> None:
    table = texts(["en", "de"], [["It is NYC.", "in 1.000 Teilen"]], [["New York", "1000"]])
    aliased = replace(table, aliases=((("NYC",), ()),))
    assert containment(table).tolist() == [0, 0]
    assert containment(aliased).tolist() == [1, 0]
    assert containment(replace(aliased, numbers=frozenset([0])))[1] == 1


@given(text_tables())
def test_what_matches_exactly_is_contained(table: TextTable) -> None:
    assert (exact_match(table) <= containment(table) + 1e-12).all()
    assert (containment(table) + missing_replies(table) <= 1 + 1e-12).all()


@given(text_tables())
def test_f1_is_the_harmonic_mean_of_precision_and_recall(table: TextTable) -> None:
    for i, language in enumerate(table.languages):
        scores = []
        for replies, references in zip(table.replies, table.references, strict=True):
            said = list(tokens(replies[i] or "", language))
            left = list(tokens(references[i], language))
            size, common = len(left), 0
            for word in said:
                if word in left:
                    left.remove(word)
                    common += 1
            precision, recall = common / len(said) if said else 0, common / size
            scores.append(2 * precision * recall / (precision + recall) if common else 0)
        assert f1(table)[i] == pytest.approx(np.mean(scores))


@given(text_tables())
def test_every_figure_is_a_share_and_an_exact_match_has_f1_one(table: TextTable) -> None:
    assert (exact_match(table) >= 0).all()
    assert (exact_match(table) <= f1(table) + 1e-12).all()
    assert (f1(table) <= 1).all()
    assert (f1(table) + missing_replies(table) <= 1 + 1e-12).all()


@given(text_tables(), st.randoms())
def test_the_order_of_items_changes_nothing(table: TextTable, random: Any) -> None:
    order = list(range(len(table.items)))
    random.shuffle(order)
    for figure in (exact_match, f1, missing_replies):
        assert figure(reordered(table, order)) == pytest.approx(figure(table))


@given(text_tables())
def test_repeating_the_reference_is_perfect(table: TextTable) -> None:
    echo = texts(table.languages, table.references, table.references)
    assert exact_match(echo).tolist() == f1(echo).tolist() == [1] * 4
    assert missing_replies(echo).tolist() == [0] * 4


@given(text_tables())
def test_case_spaces_and_punctuation_leave_the_figures_alone(table: TextTable) -> None:
    louder = [
        [None if reply is None else f"  «{reply.upper().replace(' ', '  ')}» ?!\n" for reply in replies]
        for replies in table.replies
    ]
    # What was blank, or punctuation alone, is another text with punctuation about it: words are compared.
    kept = [
        i
        for i, replies in enumerate(table.replies)
        if all(reply is None or any(map(str.isalnum, reply)) for reply in replies)
    ]
    if kept:
        same = reordered(table, kept)
        other = texts(table.languages, [louder[i] for i in kept], same.references)
        assert exact_match(other).tolist() == exact_match(same).tolist()
        assert f1(other) == pytest.approx(f1(same))


@given(text_tables())
def test_a_family_observes_the_figures_and_their_mean(table: TextTable) -> None:
    for name, figure, family in (
        ("exact_match", exact_match, exact_match_family),
        ("f1", f1, f1_family),
        ("missing", missing_replies, missing_family),
    ):
        named = observed(family(table))
        assert [named.pop(f"{name}/{language}") for language in table.languages] == pytest.approx(
            figure(table).tolist()
        )
        assert named == {name: pytest.approx(figure(table).mean())}


def test_weights_of_a_family_are_repeated_items() -> None:
    family = f1_family(WORKED)
    drawn = family.estimate(np.array([[2.0, 0, 1], [1, 1, 1]]) @ family.columns)
    for number, rows in enumerate(([0, 0, 2], [0, 1, 2])):
        repeated = [f1(reordered(WORKED, rows))[i] for i in range(2)]
        assert [drawn["f1/en"][number], drawn["f1/zh"][number]] == pytest.approx(repeated)
        assert drawn["f1"][number] == pytest.approx(np.mean(repeated))


def test_a_mean_over_counted_items_is_undefined_where_a_language_has_none() -> None:
    values = np.array([[1.0, 1], [0, 1]])
    some = mean_family("share", ("en", "zh"), values, np.array([[True, False], [False, False]]))
    named = observed(some)
    assert named["share/en"] == 1
    assert isnan(named["share/zh"])
    assert isnan(named["share"])
    # A draw without the one item that counts has no figure.
    assert np.isnan(some.estimate(np.zeros((1, 4)))["share/en"]).all()


def test_means_over_different_languages_are_not_subtracted() -> None:
    # Both models are the same in English; only one of them has anything to count in Chinese.
    values = np.array([[1.0, 0], [1, 0]])
    ours = mean_family("share", ("en", "zh"), values, np.array([[True, False]] * 2))
    theirs = mean_family("share", ("en", "zh"), values)
    found = resample_difference([ours], [theirs], ["a", "b"], draws=10)
    assert found["share/en"].value == 0
    assert isnan(found["share"].value)


def test_all_families_have_figures_of_their_own() -> None:
    pytest.importorskip("sacrebleu")
    pytest.importorskip("lingua")
    names = [name for family in text_families(WORKED) for name in observed(family)]
    assert len(set(names)) == len(names)
    bare = {name for name in names if "/" not in name}
    words = {"exact_match", "containment", "f1", "missing", "chrf", "bleu"}
    assert bare == words | {"fidelity", "undecided", "in_language"}
    assert all(isinstance(family, Family) for family in text_families(WORKED))


def line(item: str, language: str, **changed: Any) -> dict[str, Any]:
    return {
        "item": item, "group": "g", "task": "open", "language": language, "option_ids": [], "answer": None,
        "gold": "Rome", "reply": "It is Rome.", **changed,
    }  # fmt: skip


def test_a_table_is_read_from_the_lines_without_options() -> None:
    table = text_table_of(
        [
            line("a", "en"),
            line("b", "en", reply=None),
            line("choice", "en", option_ids=["x", "y"], gold="x", reply="A"),
            line("a", "zh", gold="罗马", reply="罗马。"),
            line("c", "zh"),
            line("b", "zh", group="g", gold="河"),
        ],
        FILE,
    )
    assert table is not None
    assert (table.items, table.languages) == (("a", "b"), ("en", "zh"))
    assert table.replies == (("It is Rome.", "罗马。"), (None, "It is Rome."))
    assert table.references == (("Rome", "罗马"), ("Rome", "河"))
    assert (table.groups, table.tasks) == (("g", "g"), ("open", "open"))
    assert table.incomplete == {"c": "en"}


def test_lines_with_options_only_are_no_table_of_texts() -> None:
    assert text_table_of([line("a", "en", option_ids=["x"], gold="x")], FILE) is None
    assert text_table_of([], FILE) is None


@pytest.mark.parametrize(
    ("lines", "row", "field", "words"),
    [
        ([line("a", "en"), line("a", "en")], 2, "language", ["'a'", "second time"]),
        ([line("a", "en", gold=" ")], 1, "gold", ["'a'", "no reference"]),
        ([line("a", "en", gold=None)], 1, "gold", []),
        ([line("a", "en"), line("a", "zh", task="x")], 2, "task", ["'x'", "'open'"]),
        ([line("a", "en"), line("a", "zh", group="h")], 2, "group", []),
        ([line("a", "")], 1, "language", ["empty"]),
        ([line("a", "en", reply=5)], 1, "reply", ["text"]),
        ([line("a", "en"), line("a", "zh"), line("b", "th")], 1, "language", ["all languages"]),
    ],
)
def test_a_bad_line_is_named(lines: list[dict[str, Any]], row: int, field: str, words: list[str]) -> None:
    with refused(*words, file=FILE, row=row, field=field):
        text_table_of(lines, FILE)


def test_a_file_without_replies_is_refused() -> None:
    bare = line("a", "en")
    del bare["reply"]
    with refused("'a'", file=FILE, row=1, field="reply"):
        text_table_of([bare], FILE)


def test_a_table_of_unequal_parts_is_refused() -> None:
    for replies, references, message in (
        ([["x"]], [["x"], ["y"]], "not all parts"),
        ([["x", "y"]], [["x"]], "not every item has 1"),
        ([], [], "at least one item"),
    ):
        with pytest.raises(ValueError, match=message):
            texts(["en"], replies, references)
    with pytest.raises(ValueError, match="unique"):
        texts(["en", "en"], [["x", "y"]], [["x", "y"]])


def free_line(item: str, language: str, reply: str | None, gold: str, **more: Any) -> dict[str, Any]:
    named = {"item": item, "group": item, "task": "t", "language": language}
    return {**named, "option_ids": [], "answer": None, "gold": gold, "reply": reply, **more}


def table_of(*lines: dict[str, Any]) -> TextTable:
    table = text_table_of(lines, FILE)
    assert table is not None
    return table


def test_the_best_of_the_references_counts() -> None:
    aliases = ["United States", "the USA"]
    table = table_of(
        free_line("a", "en", "The United States", "United States of America", aliases=aliases),
        free_line("b", "en", "USA and Canada", "United States of America", aliases=aliases),
        free_line("c", "en", "Peru", "Peru"),
        free_line("d", "en", None, "Peru", aliases=["Pirú"]),
    )
    assert exact_match(table).tolist() == [2 / 4]
    # One of three words, and one of one.
    assert f1(table).tolist() == pytest.approx([(1 + 0.5 + 1) / 4])
    assert missing_replies(table).tolist() == [1 / 4]
    with refused("list of texts", field="aliases"):
        table_of(free_line("a", "en", "x", "y", aliases=[3]))


def test_a_number_is_compared_by_its_value() -> None:
    number: dict[str, Any] = {"answer_type": "number"}
    table = table_of(
        free_line("a", "en", "6 * 520 = 3120. The answer is 3120.", "3,120", **number),
        free_line("a", "de", "Es sind 3.120 Tassen.", "3,120", **number),
        free_line("b", "en", "3121", "3,120", **number),
        free_line("b", "de", "3.121", "3,120", **number),
        free_line("c", "en", "31.20", "3,120", **number),
        free_line("c", "de", "31,20", "3,120", **number),
        free_line("d", "en", "I do not know.", "7", **number),
        free_line("d", "de", " ", "7", **number),
        free_line("e", "en", "14", "7", aliases=["14"], **number),
        free_line("e", "de", "7", "7", **number),
        # As words these would be the same.
        free_line("f", "en", "1 2", "1-2"),
        free_line("f", "de", "1 2", "1-2"),
    )
    assert exact_match(table).tolist() == f1(table).tolist() == [3 / 6, 3 / 6]
    assert missing_replies(table).tolist() == [0, 1 / 6]


def test_a_number_without_a_number_as_reference_is_an_error() -> None:
    with refused("item 'a'", "number", file=FILE, row=1, field="gold"):
        table_of(free_line("a", "en", "7", "seven", answer_type="number"))
    with refused("row 1", file=FILE, row=2, field="answer_type"):
        table_of(free_line("a", "en", "7", "7", answer_type="number"), free_line("a", "de", "7", "7"))
