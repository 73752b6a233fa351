from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crossin.bench.mapping import read_mapping
from crossin.core.errors import CrossinError
from tests.helpers.mapping_files import ROWS, built, jsonl, own


class TestErrors:
    @pytest.mark.parametrize(
        ("entries", "field", "words"),
        [
            (
                {"optoins": []},
                "optoins",
                "there is no key 'optoins' here. Hint: did you mean 'options'",
            ),
            (
                {"answer": {"column": "x", "from": "text"}},
                "answer.from",
                "there is no key 'from' here. Hint: did you mean 'form'?",
            ),
            ({"answer": {"column": "x", "form": "roman"}}, "answer.form", "letter"),
            ({"languages": ["en", "Klingonese"]}, "languages", "unknown language 'Klingonese'"),
            ({"languages": [{"en": "eng"}, "vi"]}, "languages", "is not a language (write a code or name"),
            ({"opt[0]": "x"}, "opt[0]", "there is no key 'opt[0]' here"),
            ({"options": {"colum": "x"}}, "options.colum", "did you mean 'column'?"),
            ({"options": {"column": "x", "separator": ""}}, "options.separator", "at least 1 character"),
            ({"languages": ["en", "English"]}, "languages", "names en twice"),
            ({"item": None}, None, "`join: id` and the template `item` go together"),
            ({"options": None}, None, "without `options` the answer's `form` is text"),
            ({"question": {"en": "?"}}, None, "`question` has no template for vi"),
            ({"words": {"key": {"1": {"en": "one"}}}}, None, "`words.key.1` has none for vi"),
            ({"task": None}, "task", "valid string"),
        ],
    )
    def test_a_wrong_entry_is_named_with_the_file(
        self, entries: dict[str, Any], field: str | None, words: str, tmp_path: Path
    ) -> None:
        path = own(tmp_path, **entries)
        with pytest.raises(CrossinError) as caught:
            read_mapping(Path(path))
        assert (str(caught.value.file), caught.value.field) == (path, field)
        assert words in str(caught.value)

    @pytest.mark.parametrize(
        ("entries", "field", "words"),
        [
            (
                {"question": "{asked}"},
                "asked",
                "no column 'asked'; the columns are: key, question_en",
            ),
            ({"answer": {"column": "right", "form": "number"}}, "right", "'A' is no number"),
            ({"options": {"column": "key"}}, "key", "is no list of texts"),
            (
                {"words": {"key": {"9": {"en": "nine", "vi": "chín"}}}, "question": "{key}"},
                "key",
                "the mapping has no words for '0'",
            ),
        ],
    )
    def test_a_row_that_is_not_as_the_mapping_says_is_named(
        self, entries: dict[str, Any], field: str, words: str, tmp_path: Path
    ) -> None:
        file = jsonl(tmp_path / "test.jsonl", ROWS)
        with pytest.raises(CrossinError) as caught:
            built(own(tmp_path, **entries), tmp_path)
        assert (caught.value.file, caught.value.row, caught.value.field) == (file, 1, field)
        assert words in str(caught.value)
        assert not (tmp_path / "out").exists()

    def test_a_language_that_the_mapping_lacks(self, tmp_path: Path) -> None:
        with pytest.raises(CrossinError, match="'own' has no language th; it has: en, vi"):
            built(own(tmp_path), tmp_path, languages=["th"])

    def test_a_file_that_is_not_there_is_told_with_the_names_it_may_have(self, tmp_path: Path) -> None:
        with pytest.raises(CrossinError, match=r"there is no file for en; looked for data/eng_Latn.jsonl"):
            built("belebele", tmp_path, languages=["en"])

    def test_files_of_different_lengths_are_not_joined_by_position(self, tmp_path: Path) -> None:
        for code, count in (("en", 3), ("th", 2)):
            (tmp_path / f"mgsm_{code}.tsv").write_text("how many?\t7\n" * count)
        with pytest.raises(CrossinError, match="different numbers: en 3, th 2"):
            built("mgsm", tmp_path, languages=["en", "th"])

    def test_a_line_of_too_few_columns_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "mgsm_en.tsv").write_text("how many?\t7\nhow many?\n")
        with pytest.raises(CrossinError, match=r"row 2: has 1 columns \(line 2\); 2 are due"):
            built("mgsm", tmp_path, languages=["en"])

    def test_a_damaged_file_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "en.parquet").write_bytes(b"PAR1 and then nothing")
        with pytest.raises(CrossinError, match=r"en\.parquet.*cannot be read as Parquet"):
            built(own(tmp_path, languages=["en"]), tmp_path)

    def test_without_a_dataset_there_is_no_hub_to_go_to(self, tmp_path: Path) -> None:
        with pytest.raises(CrossinError, match=r"'own' is on no hub.*--source DIR"):
            built(own(tmp_path), tmp_path, source=None)

    def test_without_the_hub_the_error_names_source(self, tmp_path: Path) -> None:
        with pytest.raises(CrossinError, match=r"'facebook/belebele' cannot be had.*--source DIR"):
            built("belebele", tmp_path, source=None, languages=["en"])
        assert not (tmp_path / "out").exists()

    def test_another_mapping_of_the_same_name_does_not_pass_for_the_first(self, tmp_path: Path) -> None:
        jsonl(tmp_path / "test.jsonl", ROWS)
        built(own(tmp_path), tmp_path)
        with pytest.raises(CrossinError, match="holds another run's files"):
            built(own(tmp_path, task="arithmetic"), tmp_path)

    @pytest.mark.parametrize("pattern", ["/everything/{language}.jsonl", "", "**{language}.jsonl"])
    def test_a_pattern_that_is_none_is_an_error(self, pattern: str, tmp_path: Path) -> None:
        with pytest.raises(CrossinError, match="is no pattern of files below a folder"):
            built(own(tmp_path, files=[pattern]), tmp_path)

    @pytest.mark.parametrize("source", ["test.jsonl", "."])
    def test_one_table_is_never_read_as_two_languages_alike(self, source: str, tmp_path: Path) -> None:
        jsonl(tmp_path / "test.jsonl", ROWS)
        alike = own(tmp_path, question="{question_en}", options=["{yes_en}", "{no_en}"])
        with pytest.raises(CrossinError, match="would be read as en and as vi, word for word the same"):
            built(alike, tmp_path, source=tmp_path / source)
        assert len(built(alike, tmp_path, source=tmp_path / source, languages=["en"])) == 4

    def test_half_a_character_is_an_error_with_its_row(self, tmp_path: Path) -> None:
        jsonl(tmp_path / "test.jsonl", [ROWS[0], {**ROWS[1], "no_vi": "kh\ud800"}])
        with pytest.raises(CrossinError, match=r"row 2, field 'no_vi': holds half of a character"):
            built(own(tmp_path), tmp_path)

    def test_a_number_that_is_none_is_an_empty_cell(self, tmp_path: Path) -> None:
        jsonl(tmp_path / "test.jsonl", [ROWS[0], {**ROWS[1], "question_vi": float("nan")}])
        assert {item.item for item in built(own(tmp_path), tmp_path)} == {"0"}
