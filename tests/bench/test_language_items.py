from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crossin.bench.catalogue import build_named
from crossin.items.item import Item, read_items
from tests.helpers.errors import refused
from tests.helpers.mapping_files import ROWS, built, jsonl, only, own, parquet


def _skipped(name: str, folder: Path, **wishes: Any) -> dict[str, int]:
    stage = build_named(name, folder / "out", source=wishes.pop("source", folder), **wishes)
    return dict(stage.manifest["skipped"])


class TestRowsInsideAnObject:
    """`rows` and `template`."""

    def _files(self, folder: Path, **changes: Any) -> None:
        for code, template in {"en": "<who> lives in <where>.", "vi": "<who> sống ở <where>."}.items():
            whole = {
                "topic": "homes",
                "number": "of the file",
                "patterns": ["unused", template],
                "entries": [
                    {"number": number, "name": f"Bird {number}", "home": f"{code} tree", **changes}
                    for number in (1, 2)
                ],
            }
            (folder / code).mkdir(parents=True, exist_ok=True)
            (folder / code / "homes.json").write_text(json.dumps(whole, indent=1), encoding="utf-8")

    def _name(self, folder: Path, **entries: Any) -> str:
        given: dict[str, Any] = {
            "files": ["{language}/*.json"],
            "rows": "entries",
            "item": "{topic}/{number}",
            "task": "{topic}",
            "template": {"column": "patterns.1", "fill": {"<who>": "{name}"}},
            "question": "{template}",
            "gap": "<where>",
            "options": None,
            "answer": {"column": "home", "form": "text"},
        }
        return own(folder, **{**given, **entries})

    def test_the_objects_values_are_columns_and_a_rows_own_come_first(self, tmp_path: Path) -> None:
        self._files(tmp_path)
        items = built(self._name(tmp_path), tmp_path)
        assert {item.item for item in items} == {"homes/1", "homes/2"}
        vi = only(items, "homes/2", "vi")
        assert (vi.task, vi.question, vi.answer) == ("homes", "Bird 2 sống ở ____.", "vi tree")

    def test_a_value_that_holds_a_mark_is_not_filled_again(self, tmp_path: Path) -> None:
        self._files(tmp_path, name="<who> & co")
        items = built(self._name(tmp_path), tmp_path)
        assert items[0].question == "<who> & co lives in ____."

    def test_a_template_without_the_mark_leaves_the_item_out(self, tmp_path: Path) -> None:
        self._files(tmp_path)
        for code in ("en", "vi"):
            rows = [{"topic": "homes", "number": 3, "patterns": ["", text]} for text in ("<where>",)]
            whole = {"entries": [{**row, "name": "x", "home": "y"} for row in rows]}
            (tmp_path / code / "more.json").write_text(json.dumps(whole))
        assert _skipped(self._name(tmp_path), tmp_path) == {"no_mark:en": 1}

    @pytest.mark.parametrize(
        ("entries", "words"),
        [
            ({"rows": "samples"}, ["no column 'samples'", "topic, number, patterns, entries"]),
            ({"rows": "topic"}, ["expected a list of rows, not text"]),
            ({"rows": "patterns"}, ["expected an object, not text"]),
            ({"rows": None}, ["one JSON object", "add `rows`", "entries"]),
            ({"template": {"column": "patterns.7", "fill": {}}}, ["no column 'patterns.7'"]),
            ({"template": {"column": "patterns.1", "fill": {"<whom>": "{name}"}}}, ["no mark '<whom>'"]),
        ],
    )
    def test_another_layout_is_an_error_with_what_there_is(
        self, entries: dict[str, Any], words: list[str], tmp_path: Path
    ) -> None:
        self._files(tmp_path)
        with refused(*words, file="homes.json"):
            built(self._name(tmp_path, **entries), tmp_path)

    @pytest.mark.parametrize("content", ["", "[]", "{", "[1]", '{"entries": null}', "\0"])
    def test_a_file_without_such_an_object_is_named(self, content: str, tmp_path: Path) -> None:
        self._files(tmp_path)
        (tmp_path / "vi" / "homes.json").write_text(content, encoding="utf-8")
        with refused(file="vi/homes.json"):
            built(self._name(tmp_path), tmp_path)

    def test_an_object_on_one_line_without_rows_hints_at_them(self, tmp_path: Path) -> None:
        (tmp_path / "en.json").write_text(json.dumps({"homes": [{"q": "?"}], "version": 1}))
        with refused("the columns are: homes, version", hint="rows: homes"):
            built(own(tmp_path, languages=["en"], question="{q}", item="{q}"), tmp_path)


class TestOneTable:
    def _rows(self) -> list[dict[str, Any]]:
        return [
            {"key": row["key"], "lang": lang, "script": script, "q": row[f"question_{code}"], "right": "A"}
            for row in ROWS
            for lang, script, code in (("zho", "Hans", "en"), ("zho", "Hant", "vi"), ("eng", "Latn", "en"))
        ]

    def test_two_columns_make_the_language(self, tmp_path: Path) -> None:
        name = own(
            tmp_path,
            languages=["zho_Hans", "zho_Hant"],
            language_column="{lang}_{script}",
            question="{q}",
            options=["{lang}", "{script}"],
        )
        items = built(name, tmp_path, source=parquet(tmp_path / "all.parquet", self._rows()))
        assert {item.language for item in items} == {"zh", "zh-Hant"}
        assert only(items, "1", "zh-Hant").options == ["zho", "Hant"]

    def test_a_language_without_rows_is_an_error_with_those_there_are(self, tmp_path: Path) -> None:
        file = parquet(tmp_path / "all.parquet", self._rows())
        entries = {"question": "{q}", "options": ["a", "b"], "language_column": "{lang}-{script}"}
        with refused("'zho_Hans'", "zho-Hant", hint="zho-Hans", field="{lang}-{script}", file=file):
            built(own(tmp_path, languages=["zho_Hans"], **entries), tmp_path, source=file)

    def test_a_row_without_the_column_is_in_no_language(self, tmp_path: Path) -> None:
        rows = [{"key": key, "lang": "eng", "q": f"Question {key}?"} for key in (1, 2)]
        name = own(
            tmp_path,
            languages=["eng"],
            language_column="lang",
            question="{q}",
            options=["a", "b"],
            answer={"column": "key", "form": "number"},
        )
        file = jsonl(tmp_path / "t.jsonl", [{"key": 3, "q": "?"}])
        with refused("`language_column`: there is no column 'lang'", file=file, row=1):
            built(name, tmp_path, source=file)
        jsonl(file, [{"key": 3, "q": "?"}, *rows])
        assert [item.item for item in built(name, tmp_path, source=file)] == ["1", "2"]

    def test_one_language_pair_in_a_row(self, tmp_path: Path) -> None:
        rows = [
            {"key": key, "from": source, "to": target, "q": f"{key} in {target}?", "a": f"{target} answer"}
            for key, source in ((1, "Welsh"), (2, "deu"), (3, "tlh-Klingon"), (4, None))
            for target in ("English", "German")
        ]
        name = own(
            tmp_path,
            languages={"en": "English", "de": "German"},
            language_column="to",
            origin="{from}",
            question="{q}",
            options=None,
            answer={"column": "a", "form": "text"},
        )
        assert _skipped(name, tmp_path, source=jsonl(tmp_path / "t.jsonl", rows)) == {"unknown_origin:en": 1}
        items = read_items(tmp_path / "out")
        assert [(item.item, item.language, item.origin) for item in items] == [
            ("1", "en", "cy"),
            ("1", "de", "cy"),
            ("2", "en", "de"),
            ("2", "de", "de"),
            ("4", "en", ""),
            ("4", "de", ""),
        ]


class TestContext:
    @pytest.mark.parametrize("lacking", ["en", "vi"])
    def test_an_item_whose_context_one_language_lacks_is_left_out(self, lacking: str, tmp_path: Path) -> None:
        rows: list[dict[str, Any]] = [{**row, "about_en": "Numbers.", "about_vi": "Số."} for row in ROWS]
        rows[1] |= {"about_en": None, "about_vi": ""}
        rows[2] |= {f"about_{lacking}": None}
        jsonl(tmp_path / "test.jsonl", rows)
        name = own(tmp_path, context="{about_{language}}")
        assert _skipped(name, tmp_path) == {f"empty_text:context:{lacking}": 1}
        assert [item.item for item in read_items(tmp_path / "out")] == ["0", "0", "1", "1", "3", "3"]


class TestWithoutJoin:
    def _build(self, folder: Path, **entries: Any) -> list[Item]:
        for code, count in {"en": 3, "vi": 2}.items():
            rows = [
                {"n": 7, "topic": "plants", "q": f"{code} {place}", "right": "A"} for place in range(count)
            ]
            jsonl(folder / f"{code}.jsonl", rows)
        given = {"join": "none", "item": None, "question": "{q}", "options": ["a", "b"], **entries}
        return built(own(folder, **given), folder)

    def test_each_language_has_items_of_its_own(self, tmp_path: Path) -> None:
        items = self._build(tmp_path, group="{topic}")
        assert [item.item for item in items] == ["en/1", "en/2", "en/3", "vi/1", "vi/2"]
        # A group does not span languages, so that they are drawn on their own.
        assert {(item.language, item.group) for item in items} == {("en", "en/plants"), ("vi", "vi/plants")}

    def test_counts_are_by_language(self, tmp_path: Path) -> None:
        for code, count in {"en": 3, "vi": 2}.items():
            jsonl(tmp_path / f"{code}.jsonl", [{"key": n, "q": f"{n}", "right": "A"} for n in range(count)])
        name = own(tmp_path, join="none", question="{q}", options=["a", "b"])
        counts = build_named(name, tmp_path / "out", source=tmp_path).manifest["counts"]
        assert (counts["items"], counts["tasks"]) == (5, {"nature": 5})
        assert counts["by_language"] == {"en": {"nature": 3}, "vi": {"nature": 2}}
        assert {item.item for item in read_items(tmp_path / "out")} >= {"en/0", "vi/0"}

    def test_an_id_that_comes_twice_is_left_out_in_its_language_only(self, tmp_path: Path) -> None:
        for code, keys in {"en": [1, 1, 2], "vi": [1, 2]}.items():
            jsonl(tmp_path / f"{code}.jsonl", [{"key": key, "q": "?", "right": "A"} for key in keys])
        name = own(tmp_path, join="none", question="{q}", options=["a", "b"])
        assert _skipped(name, tmp_path) == {"item_twice:en": 1}


class TestLeftOut:
    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"right": None}, "empty_text:answer:en"),
            ({"right": ""}, "empty_text:answer:en"),
            ({"right": "the first"}, "unreadable_answer:en"),
            ({"yes_vi": None}, "empty_text:option:vi"),
            ({"question_vi": ["?"]}, "other_than_text:vi"),
            ({"question_en": {"a": 1}}, "other_than_text:en"),
            ({"no_vi": "kh\ud800"}, "broken_text:vi"),
            ({"key": None}, "empty_text:item:en"),
        ],
    )
    def test_one_bad_row_does_not_end_the_build(
        self, change: dict[str, Any], reason: str, tmp_path: Path
    ) -> None:
        jsonl(tmp_path / "test.jsonl", [ROWS[0], {**ROWS[1], **change}])
        assert _skipped(own(tmp_path), tmp_path)[reason] == 1
        assert {item.item for item in read_items(tmp_path / "out")} == {"0"}

    def test_a_column_that_one_row_lacks_is_null_there(self, tmp_path: Path) -> None:
        row = {name: value for name, value in ROWS[1].items() if name != "no_vi"}
        jsonl(tmp_path / "test.jsonl", [ROWS[0], row])
        assert _skipped(own(tmp_path), tmp_path) == {"empty_text:option:vi": 1}

    def test_a_null_among_filled_parts_leaves_the_item_out_and_a_blank_does_not(self, tmp_path: Path) -> None:
        rows = [{**ROWS[place], "more": more} for place, more in enumerate(("too", "", None))]
        jsonl(tmp_path / "test.jsonl", rows)
        name = own(tmp_path, question="{question_{language}} {more}", context="{more}")
        assert _skipped(name, tmp_path) == {"empty_text:question:en": 1}
        assert only(read_items(tmp_path / "out"), "1", "en").question == "Is 1 even?"

    def test_a_value_without_words_leaves_the_item_out(self, tmp_path: Path) -> None:
        jsonl(tmp_path / "test.jsonl", ROWS)
        words = {"key": {str(number): {"en": f"is {number}", "vi": f"số {number}"} for number in range(3)}}
        assert _skipped(own(tmp_path, question="{key}?", words=words), tmp_path) == {"no_words:en": 1}


class TestNothingToUse:
    @pytest.mark.parametrize(
        ("change", "words", "field"),
        [
            ({"question_vi": None}, "the text is empty (question)", "question_vi"),
            ({"right": "-"}, "expected a letter, not '-'", "right"),
            ({"right": "Z"}, "'Z' is none of the 2 options", "right"),
            ({"right": None}, "there is no answer", "right"),
            ({"no_vi": "có"}, "two options are alike: '['có', 'có']'", "options"),
            ({"key": None}, "no name", "item"),
            ({"key": 7}, "'7' occurs twice", "item"),
        ],
    )
    def test_every_row_of_a_language_unusable_is_one_error_with_the_reason_and_an_example(
        self, change: dict[str, Any], words: str, field: str, tmp_path: Path
    ) -> None:
        file = jsonl(tmp_path / "test.jsonl", [{**row, **change} for row in ROWS])
        with refused(words, "none of the 4 rows", file=file, field=field):
            built(own(tmp_path), tmp_path)
        assert not (tmp_path / "out").exists()

    def test_for_several_reasons_each_is_counted(self, tmp_path: Path) -> None:
        rows: list[dict[str, Any]] = [
            {**ROWS[0], "right": "?"},
            {**ROWS[1], "right": "?"},
            {**ROWS[2], "right": None},
        ]
        jsonl(tmp_path / "test.jsonl", rows)
        with refused("expected a letter", "cannot be read", ": 2", "the text is empty", ": 1", row=1):
            built(own(tmp_path), tmp_path)

    def test_a_language_without_the_column_is_named_with_the_columns(self, tmp_path: Path) -> None:
        rows = [{name: value for name, value in row.items() if name != "question_vi"} for row in ROWS]
        file = jsonl(tmp_path / "test.jsonl", rows)
        with refused("no column 'question_vi'", "key, question_en, yes_en", file=file, field="question_vi"):
            built(own(tmp_path), tmp_path)
        assert len(built(own(tmp_path), tmp_path, languages=["en"])) == 4

    def test_a_column_inside_another_is_named_with_what_is_there(self, tmp_path: Path) -> None:
        jsonl(tmp_path / "test.jsonl", [{**row, "choices": {"text": ["a"], "label": [1]}} for row in ROWS])
        with refused("'choices.txt'", "inside of 'choices': text, label"):
            built(own(tmp_path, options={"column": "choices.txt"}), tmp_path)

    @pytest.mark.parametrize(
        ("name", "content"),
        [("vi.jsonl", ""), ("vi.json", "[]"), ("vi.csv", "key,q,right\n"), ("vi.csv", "")],
    )
    def test_an_empty_file_is_an_error(self, name: str, content: str, tmp_path: Path) -> None:
        jsonl(tmp_path / "en.jsonl", [{"key": 1, "q": "?", "right": "A"}])
        (tmp_path / name).write_text(content)
        with refused(file=name):
            built(own(tmp_path, question="{q}", options=["a", "b"]), tmp_path)
