from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crossin.bench.catalogue import build_named
from crossin.items.item import Item, read_items
from tests.helpers.errors import refused
from tests.helpers.mapping_files import jsonl, own


def _build(folder: Path, rows: list[dict[str, Any]], **entries: Any) -> tuple[list[Item], dict[str, int]]:
    jsonl(folder / "en.jsonl", [{"key": place, "right": "A", **row} for place, row in enumerate(rows)])
    given = {"languages": ["en"], "question": "{q}", "options": ["oak", "elm"], "gap": "<blank>", **entries}
    stage = build_named(own(folder, **given), folder / "out", source=folder)
    return read_items(folder / "out"), stage.manifest["skipped"]


@pytest.mark.parametrize(
    ("text", "question", "gap"),
    [
        ("The <blank> is tall.", "The ____ is tall.", "____"),
        ("<blank>", "____", "____"),
        ("Bir<blank>ağacı", "Bir____ağacı", "____"),
        ("a_b ____ c <blank>", "a_b ____ c _____", "_____"),
        ("_______ <blank>", "_______ ________", "________"),
    ],
)
def test_the_mark_becomes_one_that_stands_nowhere_else(
    text: str, question: str, gap: str, tmp_path: Path
) -> None:
    [item], _ = _build(tmp_path, [{"q": text}])
    assert (item.question, item.gap) == (question, gap)
    assert item.question.count(item.gap) == 1


def test_no_gap_or_several_leave_the_item_out(tmp_path: Path) -> None:
    rows = [{"q": text} for text in ("The <blank>", "The oak", "<blank> or <blank>", "_<blank>", "<blank>__")]
    items, skipped = _build(tmp_path, rows)
    assert (len(items), skipped) == (1, {"several_gaps:en": 3, "no_gap:en": 1})


def test_a_mark_that_overlaps_with_itself_is_several_gaps(tmp_path: Path) -> None:
    _, skipped = _build(tmp_path, [{"q": "An __ tree"}, {"q": "An ___ tree"}], gap="__")
    assert skipped == {"several_gaps:en": 1}


def test_a_mark_that_no_row_has_is_an_error_with_an_example(tmp_path: Path) -> None:
    with refused("'<blank>' once", "The [M] is", field="question", hint="gap", file="en.jsonl", row=1):
        _build(tmp_path, [{"q": "The [M] is"}, {"q": "A [M]"}])


def test_the_mark_may_stand_in_the_mapping_and_the_answer_be_free(tmp_path: Path) -> None:
    [item], _ = _build(
        tmp_path,
        [{"q": "Name a tree:", "right": "oak"}],
        question="{q} <blank>!",
        options=None,
        answer={"column": "right", "form": "text"},
    )
    assert (item.question, item.gap, item.free_text) == ("Name a tree: ____!", "____", True)


class TestTokens:
    @pytest.mark.parametrize(
        ("text", "tokens", "span", "question"),
        [
            ("It is it, is it?", ["It", "is", "it", ",", "is", "it", "?"], [5, 6], "It is it, is ____?"),
            (
                "木が風に負けた。それは弱い。",
                ["木", "が", "風に負けた。", "それ", "は弱い。 "],
                [3, 4],
                "木が風に負けた。____は弱い。",
            ),
            ('He said "oak".', ["He", "said", "``", "oak", "''", "."], [0, 1], '____ said "oak".'),
            ("Both of them fell.", ["Both", "of", "them", "fell", "."], [0, 3], "____ fell."),
        ],
    )
    def test_a_span_of_tokens_becomes_the_gap(
        self, text: str, tokens: list[str], span: list[int], question: str, tmp_path: Path
    ) -> None:
        rows = [{"q": text, "tokens": tokens, "which": ["x", span]}]
        [item], _ = _build(tmp_path, rows, gap={"tokens": "tokens", "span": "which.1"})
        assert (item.question, item.gap) == (question, "____")

    @pytest.mark.parametrize(
        ("tokens", "span"),
        [
            (["An", "elm", "."], [0, 1]),
            (["An", "oak"], [0, 1]),
            (["An", "oak", "."], [1, 1]),
            (["An", "oak", "."], [2, 4]),
            (["An", "oak", "."], [-1, 1]),
            (["An", "oak", "."], ["0", "1"]),
            (["An", "oak", "."], [1]),
            (["An", "oak", "."], None),
            ("An oak.", [0, 1]),
        ],
    )
    def test_a_span_that_is_not_in_the_question_leaves_the_item_out(
        self, tokens: Any, span: Any, tmp_path: Path
    ) -> None:
        good = {"q": "An oak.", "tokens": '["An", "oak", "."]', "span": "[1, 2]"}
        rows = [good, {**good, "tokens": tokens, "span": span}]
        _, skipped = _build(tmp_path, rows, gap={"tokens": "tokens", "span": "span"})
        assert skipped == {"no_gap:en": 1}


def test_further_templates_are_paraphrases_with_the_same_gap(tmp_path: Path) -> None:
    row = {"q": ["The <x> is <blank>.", "Of which kind is the <x>? <blank>"], "x": "oak"}
    template = {"column": "q.0", "paraphrases": ["q.1"], "fill": {"<x>": "{x}"}}
    [item], _ = _build(tmp_path, [row], question="{template}", template=template)
    assert (item.question, item.paraphrases) == ("The oak is ____.", ["Of which kind is the oak? ____"])


def test_a_damaged_or_missing_paraphrase_does_not_leave_the_item_out(tmp_path: Path) -> None:
    rows = [{"q": ["<blank>", "A <blank>"]}, {"q": ["<blank>", "A gap"]}, {"q": ["<blank>"]}]
    template = {"column": "q.0", "paraphrases": ["q.1"]}
    items, skipped = _build(tmp_path, rows, question="{template}", template=template)
    assert skipped == {}
    assert [item.paraphrases for item in items] == [["A ____"], [], []]
