from __future__ import annotations

from pathlib import Path

import pytest

from crossin.logs.lines import complete, read_lines
from tests.helpers.errors import refused
from tests.helpers.small_bench import items, replies, write_replies

FILE = Path("replies.jsonl")


def test_a_reply_becomes_the_option_that_it_names() -> None:
    lines = replies({("sky", "de"): "Die Antwort ist (C).", ("coal", "en"): "who knows"})
    answers = {(line["item"], line["language"]): line["answer"] for line in complete(lines, items(), FILE)}
    assert answers["sky", "de"] == "blue"
    assert answers["grass", "th"] == "green"
    assert answers["coal", "en"] is None


def test_a_reply_that_was_cut_within_a_thought_of_its_template_names_none() -> None:
    whole = "It is red, or no: (B).\n</think>\n\n(C)"
    lines = replies(
        {("sky", "de"): "It is red, so (A), or rather", ("sky", "en"): whole, ("coal", "en"): whole}
    )
    answers = {(line["item"], line["language"]): line["answer"] for line in complete(lines, items(), FILE)}
    assert (answers["sky", "de"], answers["sky", "en"]) == (None, "blue")
    # An answer without a thought.
    assert answers["grass", "th"] == "green"


def test_a_letter_goes_by_the_list_that_was_shown() -> None:
    ids = ["red", "green", "blue", "black"]
    shown = {**replies({("sky", "de"): "(A)"})[1], "option_ids": ids, "shown": ["black", *ids[:3]]}
    assert (shown["item"], shown["language"]) == ("sky", "de")
    assert complete([shown], items(), FILE)[0]["answer"] == "black"
    assert complete([{**shown, "shown": None}], items(), FILE)[0]["answer"] == "red"


def test_a_list_of_other_options_is_an_error(tmp_path: Path) -> None:
    import pyarrow

    from crossin.core.files import write_parquet

    ids = ["red", "green", "blue", "black"]
    more = {"group": "g", "task": "t", "answer": None, "gold": "red", "option_ids": ids, "shown": ids[:3]}
    write_parquet(tmp_path / "answers.parquet", pyarrow.Table.from_pylist([{**replies()[0], **more}]))
    with refused("option ids", row=1, field="shown"):
        read_lines(tmp_path / "answers.parquet")


def test_a_free_text_reply_stays_text() -> None:
    line = complete(replies(), items(), FILE)[-1]
    assert (line["answer"], line["reply"], line["gold"]) == (None, "เวียนนา", "เวียนนา")


def test_what_the_benchmark_knows_is_filled_in() -> None:
    line = complete(replies(), items(), FILE)[0]
    assert (line["group"], line["task"], line["gold"]) == ("sky", "colour", "blue")
    assert line["option_ids"] == ["red", "green", "blue", "black"]


def test_an_answer_that_is_there_is_kept() -> None:
    lines = [{**replies()[0], "answer": "red"}]
    assert complete(lines, items(), FILE)[0]["answer"] == "red"


def test_replies_to_another_benchmark_are_not_scored() -> None:
    lines = [{**line, "item": f"q{place}"} for place, line in enumerate(replies())]
    with refused("another benchmark", "12 of its 12 items", file=FILE, row=1, field="item", hint="--bench"):
        complete(lines, items(), FILE)


def test_a_language_that_was_not_asked_is_an_error() -> None:
    lines = [replies()[0], {**replies()[1], "language": "fr"}]
    with refused("no item 'sky'", "fr", row=2, field="language"):
        complete(lines, items(), FILE)


@pytest.mark.parametrize(
    ("field", "value"), [("gold", "red"), ("group", "air"), ("option_ids", ["red", "green", "blue", "white"])]
)
def test_answers_to_another_version_of_the_benchmark_are_not_scored(field: str, value: object) -> None:
    with refused("another benchmark", row=1, field=field):
        complete([{**replies()[0], field: value}], items(), FILE)


def test_the_order_in_which_options_were_shown_plays_no_part() -> None:
    shuffled = [{**replies()[0], "option_ids": ["black", "blue", "green", "red"], "answer": "blue"}]
    assert complete(shuffled, items(), FILE)[0]["answer"] == "blue"


def test_a_question_asked_in_fewer_languages_is_an_error_only_where_it_is_answered() -> None:
    fewer = [item for item in items() if (item.item, item.language) != ("sky", "th")]
    lines = [line for line in replies() if (line["item"], line["language"]) != ("sky", "th")]
    assert len(complete(lines, fewer, FILE)) == 11


@pytest.mark.parametrize(
    ("text", "row", "field", "words"),
    [
        ('{"item": "a", "language": "en"}\n', 1, "reply", ""),
        ('{"item": "a", "language": "en", "reply": "x"}\nnot json\n', 2, None, "JSON"),
        ('{"item": "a", "language": "en", "reply": "x"}\n\n{}\n', 2, None, ""),
        ('{"item": "a", "language": "en", "reply": 3}\n', 1, "reply", "text, or null, got 3"),
        ('{"item": "a", "language": "en", "reply": ["x"]}\n', 1, "reply", "text"),
        ('{"item": 5, "language": "en", "reply": "x"}\n', 1, "item", "text, got 5"),
        ('{"item": "a", "language": ["en"], "reply": "x"}\n', 1, "language", "text"),
        ('{"item": "a", "language": "en", "reply": "x", "prompt": [1]}\n', 1, "prompt", "text"),
        ('{"item": "a", "language": "Klingonish", "reply": "x"}\n', 1, "language", "unknown language"),
        ('{"item": "a", "language": "en", "reply": "x"}\n' * 2, 2, "item", "row 1"),
        ("[1, 2]\n", 1, None, ""),
    ],
)
def test_a_malformed_line_is_named(
    tmp_path: Path, text: str, row: int, field: str | None, words: str
) -> None:
    path = tmp_path / "replies.jsonl"
    path.write_text(text, encoding="utf-8")
    with refused(words, row=row, field=field):
        read_lines(path)


def test_languages_are_read_in_any_spelling(tmp_path: Path) -> None:
    names = {"en": "English", "de": "deu_Latn", "th": "TH"}
    told = [{**line, "language": names[line["language"]]} for line in replies()]
    assert read_lines(write_replies(tmp_path / "replies.jsonl", told)) == replies()
    twice = [*replies()[:1], *told[:1]]
    with refused("second time", row=2, field="item"):
        read_lines(write_replies(tmp_path / "replies.jsonl", twice))


def test_a_byte_order_mark_and_blank_space_at_the_end_are_no_lines(tmp_path: Path) -> None:
    path = write_replies(tmp_path / "replies.jsonl", replies())
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes() + b"\n  \n")
    assert read_lines(path) == replies()


def test_fields_of_the_writers_own_are_not_read(tmp_path: Path) -> None:
    told = replies(answer=["red"], option_ids=5, logprobs="none", model="mine")
    assert read_lines(write_replies(tmp_path / "replies.jsonl", told)) == replies()


def test_option_ids_that_are_none_are_an_error(tmp_path: Path) -> None:
    import pyarrow

    from crossin.core.files import write_parquet

    line = {**replies()[0], "group": "g", "task": "t", "answer": "red", "gold": "red", "option_ids": None}
    write_parquet(tmp_path / "answers.parquet", pyarrow.Table.from_pylist([line]))
    with refused("option ids", row=1, field="option_ids"):
        read_lines(tmp_path / "answers.parquet")


def test_parquet_and_json_lines_hold_the_same(tmp_path: Path) -> None:
    import pyarrow

    from crossin.core.files import write_parquet

    lines = replies(prompt="p1")
    write_parquet(tmp_path / "replies.parquet", pyarrow.Table.from_pylist(lines))
    assert read_lines(tmp_path / "replies.parquet") == lines
    assert read_lines(write_replies(tmp_path / "replies.jsonl", lines)) == lines
