from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from crossin.bench.mapping import read_mapping
from tests.helpers.errors import refused
from tests.helpers.mapping_files import ROWS, built, jsonl, own


class TestErrors:
    @pytest.mark.parametrize(
        ("entries", "field", "words"),
        [
            ({"optoins": []}, "optoins", "did you mean 'options'"),
            ({"answer": {"column": "x", "from": "text"}}, "answer.from", "did you mean 'form'?"),
            ({"answer": {"column": "x", "form": "roman"}}, "answer.form", "letter"),
            ({"languages": ["en", "Klingonese"]}, "languages", "unknown language 'Klingonese'"),
            ({"languages": [{"en": "eng"}, "vi"]}, "languages", "language"),
            ({"opt[0]": "x"}, "opt[0]", "no key"),
            ({"options": {"colum": "x"}}, "options.colum", "did you mean 'column'?"),
            ({"options": {"column": "x", "separator": ""}}, "options.separator", "at least 1 character"),
            ({"languages": ["en", "English"]}, "languages", "names en twice"),
            ({"item": None}, "join", "`join: id` and the template `item` go together"),
            ({"join": "position"}, "join", "`join: id` and the template `item` go together"),
            ({"join": "nothing"}, "join", "'id', 'position', 'none'"),
            ({"options": None}, "answer.form", "`form`"),
            ({"question": {"en": "?"}}, "question", "`question` has no text for vi"),
            ({"words": {"key": {"1": {"en": "one"}}}}, "words.key.1", "`words.key.1` has no text for vi"),
            ({"task": None}, "task", "expected text, got nothing"),
            ({"languages": {"en": "eng", "x-en": "x"}}, "languages", "unknown language 'x-en'"),
            ({"rows": ""}, "rows", "at least 1 character"),
            ({"rows": "samples", "columns": ["key"]}, "rows", "`columns`"),
            ({"options": {"ids": "ids"}}, "options", "expected a list of templates, or `column`"),
            ({"options": {"column": "c", "templates": ["a", "b"]}}, "options", "or `column`"),
            ({"options": {"templates": ["a"]}}, "options.templates", "at least 2"),
            ({"options": {"templates": ["a", "b"], "ids": ["1"]}}, "options.ids", "2 templates of options"),
            ({"options": {"templates": ["a", "b"], "text": "t"}}, "options.text", "one `column`"),
            ({"options": {"templates": ["a", "b"], "separator": ","}}, "options.separator", "one `column`"),
            ({"options": {"column": "c", "separator": ",", "text": "t"}}, "options.text", "no objects"),
            ({"options": {"column": "c", "skip_emtpy": True}}, "options.skip_emtpy", "'skip_empty'?"),
            ({"answer": {"form": "letter"}}, "answer.column", "is required"),
            ({"answer": {"form": "first", "column": "c"}}, "answer.column", "no column to read"),
            ({"answer": {"form": "first"}}, "answer.form", "shuffle: true"),
            ({"answer": {"column": "c", "form": "lettre"}}, "answer.form", "did you mean 'letter'?"),
            ({"answer": {"column": "c", "form": "id"}}, "answer.form", "options.ids"),
            ({"answer": {"column": "c", "form": "label"}}, "answer.form", "no labels"),
            ({"answer": {"column": "c", "form": "text", "aliases": "a"}}, "answer.aliases", "free-text"),
            ({"options": None, "answer": {"column": "c", "form": "first"}}, "answer.column", "no column"),
            ({"options": None, "answer": {"column": "c", "form": "index"}}, "answer.form", "text or number"),
            (
                {"options": None, "answer": {"column": "c", "form": "number", "text": "t"}},
                "answer.text",
                "whose `form` is text",
            ),
            (
                {"options": None, "answer": {"column": "c", "form": "number", "separator": ","}},
                "answer.separator",
                "not split",
            ),
            (
                {"options": None, "shuffle": True, "answer": {"column": "c", "form": "text"}},
                "shuffle",
                "no `options`",
            ),
            ({"gap": " "}, "gap", "blank"),
            ({"question": "{question_en"}, "question", "brace"),
            ({"question": "{}"}, "question", "brace"),
            ({"item": "key}"}, "item", "brace"),
            ({"options": ["{yes_en}", "{no_en"]}, "options.templates", "brace"),
            ({"question": "{{question_en}}"}, "question", "two braces"),
            ({"options": ["{{yes_en}}", "{no_en}"]}, "options.templates", "two braces"),
            ({"item": "key"}, "item", "names no column"),
            ({"group": "key"}, "group", "names no column"),
            ({"files": ["{lang}.jsonl"]}, "files", "{lang}"),
            ({"gap": "<m>", "question": "Which is it?"}, "gap", "has no gap '<m>'"),
            ({"gap": {"tokens": "t"}}, "gap.span", "is required"),
            ({"gap": {"tokens": "t", "spam": "s"}}, "gap.spam", "did you mean 'span'?"),
            ({"template": {"column": "t"}}, "template", "no text uses it"),
            ({"template": {"fill": {}}, "question": "{template}"}, "template.column", "is required"),
            ({"template": "{t}"}, "template", "expected"),
            ({"origin": ["en"]}, "origin", "expected text"),
            ({"language_colum": "x"}, "language_colum", "did you mean 'language_column'?"),
        ],
    )
    def test_a_wrong_entry_is_named_with_the_file(
        self, entries: dict[str, Any], field: str | None, words: str, tmp_path: Path
    ) -> None:
        path = own(tmp_path, **entries)
        with refused(words, file=path, field=field):
            read_mapping(Path(path))

    @pytest.mark.parametrize(
        ("entries", "field", "words"),
        [
            ({"question": "{asked}"}, "asked", "the columns are: key, question_en"),
            (
                {"question": {"en": "{question_en}", "vi": "{KEYS}"}},
                "KEYS",
                "`question.vi`: there is no column",
            ),
            ({"answer": {"column": "rigt", "form": "letter"}}, "rigt", "`answer.column`: there is no column"),
            ({"answer": {"column": "rigt", "form": "letter"}}, "rigt", "did you mean 'right'?"),
            ({"task": "{Key}"}, "Key", "did you mean 'key'?"),
            ({"question": "question_en"}, "question", "write {question_en}"),
            ({"question": "question_{language}"}, "question", "write {question_en}"),
            ({"options": ["yes_en", "no_en"]}, "option", "write {yes_en}"),
            ({"rename": {"yes_en": "no_en"}}, "rename", "two columns would have one name"),
            ({"answer": {"column": "right", "form": "number"}}, "right", "expected a number, not 'A'"),
            ({"options": {"column": "key"}}, "key", "expected a list"),
            (
                {"words": {"key": {"9": {"en": "nine", "vi": "chín"}}}, "question": "{key}"},
                "key",
                "no words for '0'",
            ),
        ],
    )
    def test_a_row_that_is_not_as_the_mapping_says_is_named(
        self, entries: dict[str, Any], field: str, words: str, tmp_path: Path
    ) -> None:
        file = jsonl(tmp_path / "test.jsonl", ROWS)
        with refused(words, file=file, row=1, field=field):
            built(own(tmp_path, **entries), tmp_path)
        assert not (tmp_path / "out").exists()

    def test_an_entry_that_is_there_twice_is_an_error(self, tmp_path: Path) -> None:
        path = Path(own(tmp_path))
        path.write_text(path.read_text(encoding="utf-8") + 'question: "{key}"\n', encoding="utf-8")
        with refused("the key 'question' is there twice", file=path):
            read_mapping(path)

    def test_words_and_names_may_be_numbers(self, tmp_path: Path) -> None:
        path = tmp_path / "own.yaml"
        own(tmp_path, languages={"en": 1, "vi": 2}, words={"key": {0: {"en": "nil", "vi": "không"}}})
        mapping = read_mapping(path)
        assert mapping.languages == {"en": "1", "vi": "2"}
        assert mapping.words == {"key": {"0": {"en": "nil", "vi": "không"}}}

    def test_an_archive_is_to_be_unpacked(self, tmp_path: Path) -> None:
        with ZipFile(tmp_path / "all.zip", "w") as archive:
            archive.writestr("test.jsonl", "{}")
        with refused("is an archive", hint="unpack it", file=tmp_path / "all.zip"):
            built(own(tmp_path), tmp_path, source=tmp_path / "all.zip")

    def test_a_column_with_spaces_in_its_name_is_shown_in_quotes(self, tmp_path: Path) -> None:
        lines = "key, asked,yes,no,right\n1,Which?,a,b,A\n"
        (tmp_path / "en.csv").write_text(lines, encoding="utf-8")
        name = own(tmp_path, languages=["en"], question="{asked}", options=["{yes}", "{no}"])
        with refused("the columns are: key, ' asked', yes", hint="did you mean ' asked'?"):
            built(name, tmp_path)

    def test_a_language_that_the_mapping_lacks(self, tmp_path: Path) -> None:
        with refused("no language th", "en, vi", field="languages"):
            built(own(tmp_path), tmp_path, languages=["th"])

    def test_a_file_that_is_not_there_is_told_with_the_names_it_may_have(self, tmp_path: Path) -> None:
        with refused("no file for en", "data/eng_Latn.jsonl"):
            built("belebele", tmp_path, languages=["en"])

    def test_files_of_different_lengths_are_not_joined_by_position(self, tmp_path: Path) -> None:
        for code, count in (("en", 3), ("th", 2)):
            (tmp_path / f"mgsm_{code}.tsv").write_text("how many?\t7\n" * count)
        with refused("position", "en 3, th 2"):
            built("mgsm", tmp_path, languages=["en", "th"])

    def test_a_line_of_too_few_columns_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "mgsm_en.tsv").write_text("how many?\t7\nhow many?\n")
        with refused("expected 2 columns", "found 1", "line 2", row=2):
            built("mgsm", tmp_path, languages=["en"])

    def test_a_damaged_file_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "en.parquet").write_bytes(b"PAR1 and then nothing")
        with refused("Parquet", file="en.parquet"):
            built(own(tmp_path, languages=["en"]), tmp_path)

    def test_without_a_dataset_there_is_no_hub_to_go_to(self, tmp_path: Path) -> None:
        with refused("hub", hint="--source DIR"):
            built(own(tmp_path), tmp_path, source=None)

    def test_without_the_hub_the_error_names_source(self, tmp_path: Path) -> None:
        with refused("facebook/belebele", hint="--source DIR"):
            built("belebele", tmp_path, source=None, languages=["en"])
        assert not (tmp_path / "out").exists()

    def test_another_mapping_of_the_same_name_does_not_pass_for_the_first(self, tmp_path: Path) -> None:
        jsonl(tmp_path / "test.jsonl", ROWS)
        built(own(tmp_path), tmp_path)
        with refused("another run"):
            built(own(tmp_path, task="arithmetic"), tmp_path)

    @pytest.mark.parametrize("pattern", ["/everything/{language}.jsonl", "", "**{language}.jsonl"])
    def test_a_pattern_that_is_none_is_an_error(self, pattern: str, tmp_path: Path) -> None:
        with refused("pattern", field="files"):
            built(own(tmp_path, files=[pattern]), tmp_path)

    @pytest.mark.parametrize("source", ["test.jsonl", "."])
    def test_one_table_is_never_read_as_two_languages_alike(self, source: str, tmp_path: Path) -> None:
        jsonl(tmp_path / "test.jsonl", ROWS)
        alike = own(tmp_path, question="{question_en}", options=["{yes_en}", "{no_en}"])
        with refused("read as en and as vi", hint="language_column"):
            built(alike, tmp_path, source=tmp_path / source)
        assert len(built(alike, tmp_path, source=tmp_path / source, languages=["en"])) == 4

    def test_half_a_character_in_every_row_is_an_error(self, tmp_path: Path) -> None:
        file = jsonl(tmp_path / "test.jsonl", [{**row, "no_vi": "kh\ud800"} for row in ROWS])
        with refused("half of a character", "none of the 4 rows in vi", file=file, row=1, field="no_vi"):
            built(own(tmp_path), tmp_path)

    def test_a_number_that_is_none_is_an_empty_cell(self, tmp_path: Path) -> None:
        jsonl(tmp_path / "test.jsonl", [ROWS[0], {**ROWS[1], "question_vi": float("nan")}])
        assert {item.item for item in built(own(tmp_path), tmp_path)} == {"0"}
