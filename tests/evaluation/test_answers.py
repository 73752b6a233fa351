"""What is written of what an engine answered, and which option counts as chosen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow.parquet
import pytest

from crossin.core.files import read_parquet
from crossin.evaluation.answers import replied_row, scored_row, write_answers
from crossin.evaluation.engine import Reply, Scores
from crossin.items import Form, Item, Question, questions
from crossin.items.scored_options import Choice, option_values

ITEM = Item("q", "g", "t", "en", "", "Which?", ["red", "dark blue", "тёмный"], ["r", "b", "d"], "b", "", "")
OPTIONAL = {"values", "aliases", "answer_type", "inventory", "entity"}
FREE = Item("f", "g", "t", "en", "", "Which city?", [], [], "Lima", "", "")


def question(item: Item = ITEM, kind: str = "text", order: str = "fixed", seed: int = 0) -> Question:
    form = Form.model_validate({"kind": kind, "order": order})
    return questions([item], form, seed=seed)[0]


@pytest.mark.parametrize(
    ("choice", "values", "answer"),
    [
        ("sum", [-6, -8, -8.1], "r"),
        ("token", [-6, -4, -2.7], "d"),
        # "red" is 3 bytes of UTF-8, "dark blue" 9, and "тёмный" 12: what separates them is none of theirs.
        ("byte", [-2, -8 / 9, -8.1 / 12], "d"),
        ("bare", [-1, 1, 0.9], "b"),
    ],
)
def test_an_option_is_chosen_as_asked(choice: Choice, values: list[float], answer: str) -> None:
    found = Scores([-6.0, -8.0, -8.1], [1, 2, 3])
    bare = Scores([-5.0, -9.0, -9.0], [1, 2, 3]) if choice == "bare" else None
    alone = bare.logprobs if bare else None
    made = option_values(question().options, found.logprobs, found.tokens, alone, choice)
    assert made == pytest.approx(values)
    row = scored_row(question(), found, bare, choice)
    assert row["answer"] == answer
    assert row["logprobs"] == [-6.0, -8.0, -8.1]
    assert row["bare_logprobs"] == (bare.logprobs if bare else None)


def test_of_equal_options_the_first_is_chosen() -> None:
    assert scored_row(question(), Scores([-2.0, -1.0, -1.0], [1, 1, 1]), None, "sum")["answer"] == "b"


def test_an_option_that_the_engine_does_not_know_is_not_chosen() -> None:
    row = scored_row(question(), Scores([None, -9.0, -8.0], [0, 1, 1]), None, "token")
    assert row["answer"] == "d"
    assert row["logprobs"] is None
    bare = Scores([-1.0, -1.0, None], [1, 1, 0])
    assert scored_row(question(), Scores([None, -9.0, -8.0], [0, 1, 1]), bare, "bare")["answer"] == "b"


def test_where_the_engine_knows_none_the_answer_is_missing() -> None:
    assert scored_row(question(), Scores([None] * 3, [0, 0, 0]), None, "byte")["answer"] is None


def test_a_reply_is_read_by_the_list_that_was_shown() -> None:
    rotated = next(
        asked
        for seed in range(20)
        if (asked := question(kind="generate", order="rotated", seed=seed)).shown == (1, 2, 0)
    )
    assert replied_row(rotated, Reply("The answer is A."))["answer"] == "b"
    assert replied_row(rotated, Reply("C"))["answer"] == "r"
    assert replied_row(rotated, Reply("red"))["answer"] == "r"
    assert replied_row(rotated, Reply("C"))["shown"] == ["b", "d", "r"]
    unread = replied_row(rotated, Reply("I cannot tell.", cut=True, computed=7))
    assert unread["answer"] is None
    assert (unread["reply"], unread["computed"]) == ("I cannot tell.", 7)


def test_free_text_has_a_reply_and_no_option() -> None:
    row = replied_row(question(FREE), Reply(" Lima"))
    assert (row["option_ids"], row["answer"], row["gold"], row["reply"]) == ([], None, "Lima", " Lima")
    assert row["shown"] is None


def test_half_a_character_of_a_reply_does_not_stop_the_writing(tmp_path: Path) -> None:
    write_answers(tmp_path / "answers.parquet", [replied_row(question(FREE), Reply("a\ud800b"))])
    [row] = read_parquet(tmp_path / "answers.parquet", ["reply", "logprobs"]).to_pylist()
    assert row == {"reply": "a?b", "logprobs": None}


def test_every_file_has_the_same_columns_and_types(tmp_path: Path) -> None:
    scored = scored_row(question(), Scores([-1.0, -2.0, -3.0], [1, 1, 1]), None, "sum")
    replied = replied_row(question(FREE), Reply("Lima"))
    schemas = []
    for name, rows in (("scored", [scored]), ("replied", [replied]), ("both", [scored, replied])):
        write_answers(tmp_path / name, rows)
        schemas.append(pyarrow.parquet.read_schema(tmp_path / name))
    assert schemas[0] == schemas[1] == schemas[2]
    assert set(schemas[0].names) == set(scored) - OPTIONAL == set(replied) - OPTIONAL


def test_optional_columns_are_written_only_where_a_row_uses_them(tmp_path: Path) -> None:
    found = Scores([-1.0, -2.0, -3.0], [1, 2, 2])
    number = replace(FREE, answer="12", aliases=["13"], answer_type="number")
    for rows, used in (
        ([scored_row(question(), found, None, "token")], {"values"}),
        ([replied_row(question(replace(FREE, aliases=["Bern"])), Reply("Bern"))], {"aliases"}),
        ([replied_row(question(number), Reply("13"))], {"aliases", "answer_type"}),
        (
            [replied_row(question(replace(FREE, inventory="cities", entity="Q2868")), Reply("Lima"))],
            {"inventory", "entity"},
        ),
    ):
        write_answers(tmp_path / "answers.parquet", rows)
        names = set(pyarrow.parquet.read_schema(tmp_path / "answers.parquet").names)
        assert names & OPTIONAL == used


def test_what_decided_between_the_options_is_kept(tmp_path: Path) -> None:
    row = scored_row(question(), Scores([-1.0, -4.0, None], [1, 2, 0]), None, "token")
    assert (row["values"], row["answer"]) == (None, "r")
    row = scored_row(question(), Scores([-1.0, -4.0, -1.5], [1, 2, 3]), None, "token")
    assert (row["values"], row["answer"]) == ([-1.0, -2.0, -0.5], "d")
    assert scored_row(question(), Scores([-1.0, -4.0, -1.5], [1, 2, 3]), None, "sum")["values"] is None
