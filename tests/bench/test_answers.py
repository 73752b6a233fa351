from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crossin.bench.catalogue import build_named
from crossin.items.item import Item, read_items
from tests.helpers.errors import refused
from tests.helpers.mapping_files import jsonl, own

_ROW = {
    "key": 1,
    "q": "Which?",
    "all": ["oak", "elm", "ash"],
    "labels": ["x", "y", "z"],
    "ids": ["1a", "1b", "1c"],
}
_GOOD: dict[str, Any] = {
    "letter": "B",
    "index": 1,
    "number": 2,
    "text": "elm",
    "label": "y",
    "id": "1b",
    "labels": [0, 1, 0],
}


def _build(folder: Path, rows: list[dict[str, Any]], **entries: Any) -> tuple[list[Item], dict[str, int]]:
    jsonl(folder / "en.jsonl", [{**_ROW, "key": place, **row} for place, row in enumerate(rows)])
    given = {
        "languages": ["en"],
        "question": "{q}",
        "options": {"column": "all", "label": "labels", "ids": "ids"},
        **entries,
    }
    stage = build_named(own(folder, **given), folder / "out", source=folder)
    return read_items(folder / "out"), stage.manifest["skipped"]


class TestRightOption:
    @pytest.mark.parametrize(
        ("form", "value"),
        [
            *_GOOD.items(),
            ("letter", "(b)"),
            ("letter", "b."),
            ("letter", ["B"]),
            ("letter", "['B']"),
            ("letter", "[B]"),
            ("letter", "Ｂ"),
            ("index", "1"),
            ("index", "1.0"),
            ("index", 1.0),
            ("index", "१"),
            ("number", "2"),
            ("number", "(2)"),
            ("number", "②"),
            ("number", "[2]"),
            ("text", " elm "),
            ("text", "ELM"),
            ("text", "['elm']"),
            ("label", "(Y)"),
            ("id", "1B"),
            ("labels", [False, True, False]),
            ("labels", "[0, 1, 0]"),
            ("labels", ["0", "1", "0"]),
            ("labels", [0.0, 1.0, 0.0]),
        ],
    )
    def test_each_form_finds_it(self, form: str, value: Any, tmp_path: Path) -> None:
        [item], _ = _build(tmp_path, [{"right": value}], answer={"column": "right", "form": form})
        assert item.answer == "1b"

    @pytest.mark.parametrize("form", sorted(_GOOD))
    def test_none_at_all_leaves_the_item_out(self, form: str, tmp_path: Path) -> None:
        rows = [{"right": _GOOD[form]}, {"right": None}]
        items, skipped = _build(tmp_path, rows, answer={"column": "right", "form": form})
        assert skipped == {"unreadable_answer:en" if form == "labels" else "empty_text:answer:en": 1}
        assert len(items) == 1

    @pytest.mark.parametrize(
        ("form", "value", "reason"),
        [
            ("letter", "", "empty_text:answer"),
            ("letter", "D", "answer_not_an_option"),
            ("letter", "the second", "unreadable_answer"),
            ("letter", "7", "unreadable_answer"),
            ("letter", ["A", "B"], "several_answers"),
            ("letter", [], "empty_text:answer"),
            ("letter", True, "other_than_text"),
            ("index", 3, "answer_not_an_option"),
            ("index", -1, "answer_not_an_option"),
            ("index", "B", "unreadable_answer"),
            ("index", 0.5, "unreadable_answer"),
            ("number", 0, "answer_not_an_option"),
            ("text", "yew", "answer_not_an_option"),
            ("label", "w", "answer_not_an_option"),
            ("id", "1d", "answer_not_an_option"),
            ("labels", [0, 0, 0], "answer_not_an_option"),
            ("labels", [1, 1, 0], "several_answers"),
            ("labels", [1, 0], "unreadable_answer"),
            ("labels", [1, 0, "maybe"], "unreadable_answer"),
            ("text", "e\ud800lm", "broken_text"),
        ],
    )
    def test_a_wrong_one_leaves_the_item_out_and_in_every_row_is_an_error(
        self, form: str, value: Any, reason: str, tmp_path: Path
    ) -> None:
        answer = {"column": "right", "form": form}
        _, skipped = _build(tmp_path, [{"right": _GOOD[form]}, {"right": value}], answer=answer)
        assert skipped == {f"{reason}:en": 1}
        (tmp_path / "all").mkdir()
        with refused("none of the 2 rows in en can be used", file="en.jsonl", row=1, field="right"):
            _build(tmp_path / "all", [{"right": value}] * 2, answer=answer)

    def test_another_spelling_of_two_labels_is_refused(self, tmp_path: Path) -> None:
        rows = [{"labels": ["k", "K", "m"], "right": right} for right in ("K", "(k)")]
        [item], skipped = _build(tmp_path, rows, answer={"column": "right", "form": "label"})
        assert (item.answer, skipped) == ("1b", {"several_answers:en": 1})

    def test_an_option_that_looks_like_a_list_is_a_text(self, tmp_path: Path) -> None:
        rows = [{"all": ['["oak"]', "oak"], "labels": ["x", "y"], "ids": ["1", "2"], "right": '["oak"]'}]
        [item], _ = _build(tmp_path, rows, answer={"column": "right", "form": "text"})
        assert item.answer == "1"

    @pytest.mark.parametrize("form", ["text", "letter", "label"])
    def test_several_put_apart_by_the_separator_leave_it_out(self, form: str, tmp_path: Path) -> None:
        rows = [{"right": _GOOD[form]}, {"right": f"{_GOOD[form]}/z"}]
        answer = {"column": "right", "form": form, "separator": "/"}
        assert _build(tmp_path, rows, answer=answer)[1] == {"several_answers:en": 1}

    def test_flags_may_be_in_the_options_themselves(self, tmp_path: Path) -> None:
        rows = [{"all": [{"t": "oak", "ok": False}, {"t": "elm", "ok": True}]}]
        [item], _ = _build(
            tmp_path, rows, options={"column": "all", "text": "t"}, answer={"column": "ok", "form": "labels"}
        )
        assert (item.options, item.answer) == (["oak", "elm"], "B")

    def test_the_first_is_shown_anywhere(self, tmp_path: Path) -> None:
        items, _ = _build(tmp_path, [{} for _ in range(20)], answer={"form": "first"}, shuffle=True)
        assert {item.answer for item in items} == {"1a"}
        assert {item.options[item.option_ids.index("1a")] for item in items} == {"oak"}
        assert {item.option_ids.index("1a") for item in items} == {0, 1, 2}

    def test_labels_with_absent_options_may_count_them_or_not(self, tmp_path: Path) -> None:
        rows = [
            {"all": ["oak", "elm", None], "right": [0, 1, 0]},
            {"all": ["oak", "elm", ""], "right": [0, 1]},
        ]
        items, _ = _build(
            tmp_path,
            rows,
            options={"column": "all", "skip_empty": True},
            answer={"column": "right", "form": "labels"},
        )
        assert [item.answer for item in items] == ["B", "B"]


class TestReferences:
    @pytest.mark.parametrize(
        ("answer", "row"),
        [
            ({}, {"right": ["elm", "wych elm", "elm"]}),
            ({}, {"right": "['elm', 'wych elm']"}),
            ({}, {"right": '["elm", "wych elm"]'}),
            ({"separator": "|"}, {"right": "elm | wych elm"}),
            ({"aliases": "also"}, {"right": "elm", "also": ["wych elm", "elm"]}),
            ({"aliases": "also"}, {"right": "elm", "also": "['wych elm']"}),
            ({"aliases": "also", "separator": "|"}, {"right": "elm", "also": "wych elm|elm"}),
            ({"column": "right.0", "aliases": "right"}, {"right": '["elm", "wych elm"]'}),
            ({"text": "t", "aliases": "a"}, {"right": {"t": "elm", "a": ["wych elm"]}}),
            ({"text": "t", "aliases": "a"}, {"right": [{"t": "elm"}, {"t": "wych elm", "a": []}]}),
            ({"text": "t"}, {"right": [{"t": None}, {"t": "elm"}, {"t": "wych elm"}]}),
            ({"text": "t", "aliases": "also"}, {"right": [{"t": "elm"}], "also": ["wych elm"]}),
        ],
    )
    def test_the_first_is_the_answer_and_the_others_are_aliases(
        self, answer: dict[str, str], row: dict[str, Any], tmp_path: Path
    ) -> None:
        [item], _ = _build(
            tmp_path, [row], options=None, answer={"column": "right", "form": "text", **answer}
        )
        assert (item.answer, item.aliases, item.answer_type) == ("elm", ["wych elm"], "text")
        assert item.free_text

    @pytest.mark.parametrize(
        ("answer", "value", "reason"),
        [
            ({}, None, "empty_text:answer"),
            ({}, [], "empty_text:answer"),
            ({}, [None], "empty_text:answer"),
            ({}, "[]", "empty_text:answer"),
            ({"text": "t"}, [{"t": None}], "empty_text:answer"),
            ({"text": "t"}, [{"other": "elm"}], "unreadable_answer"),
            ({"text": "t"}, "elm", "unreadable_answer"),
            ({}, {"t": "elm"}, "unreadable_answer"),
            ({}, ["e\udfffm"], "broken_text"),
        ],
    )
    def test_none_or_an_unreadable_one_leaves_the_item_out(
        self, answer: dict[str, str], value: Any, reason: str, tmp_path: Path
    ) -> None:
        good = [{"t": "elm"}] if answer else "elm"
        given = {"column": "right", "form": "text", **answer}
        _, skipped = _build(tmp_path, [{"right": good}, {"right": value}], options=None, answer=given)
        assert skipped == {f"{reason}:en": 1}

    def test_an_object_without_the_key_is_an_error_with_the_keys_it_has(self, tmp_path: Path) -> None:
        answer = {"column": "right", "form": "text"}
        with refused("it has: value, kind", hint="answer.text", field="right"):
            _build(tmp_path, [{"right": {"value": "elm", "kind": 1}}], options=None, answer=answer)

    @pytest.mark.parametrize("value", ["[1, 2]", "(elm)", "[elm]"])
    def test_a_text_that_is_no_list_of_texts_stays_as_it_is(self, value: str, tmp_path: Path) -> None:
        [item], _ = _build(
            tmp_path, [{"right": value}], options=None, answer={"column": "right", "form": "text"}
        )
        assert (item.answer, item.aliases) == (value, [])

    @pytest.mark.parametrize(
        ("value", "text"), [(70000, "70000"), ("2,135", "2,135"), (2.5, "2.5"), (18.0, "18"), ("१८", "१८")]
    )
    def test_a_number_stays_as_the_dataset_writes_it(self, value: Any, text: str, tmp_path: Path) -> None:
        answer = {"column": "right", "form": "number"}
        items, skipped = _build(tmp_path, [{"right": value}, {"right": "none"}], options=None, answer=answer)
        assert [(item.answer, item.answer_type) for item in items] == [(text, "number")]
        assert skipped == {"unreadable_answer:en": 1}
