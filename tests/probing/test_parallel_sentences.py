from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow
import pytest

from crossin.core.errors import CrossinError
from crossin.core.files import write_parquet
from crossin.core.formats import ITEMS
from crossin.items import Item
from crossin.items.item import write_items
from crossin.probing.parallel import read_parallel
from tests.helpers.parallel_files import SENTENCES, long_lines, write_json_lines, write_texts


def test_a_folder_of_text_files_is_read_by_line(tmp_path: Path) -> None:
    found = read_parallel(write_texts(tmp_path))
    assert found.texts == SENTENCES
    assert found.ids == ["1", "2", "3", "4", "5", "6"]
    assert set(found.files) == set(SENTENCES)


def test_the_languages_asked_for_come_in_that_order(tmp_path: Path) -> None:
    found = read_parallel(write_texts(tmp_path), languages=["vi", "en"])
    assert list(found.texts) == ["vi", "en"]
    assert list(found.files) == ["vi", "en"]


def test_a_smaller_limit_is_the_beginning_of_a_larger_one(tmp_path: Path) -> None:
    write_texts(tmp_path)
    two, four = read_parallel(tmp_path, limit=2), read_parallel(tmp_path, limit=4)
    assert two.texts == {language: texts[:2] for language, texts in four.texts.items()}
    assert len(four.ids) == len(four.texts["en"]) == 4


def test_only_a_line_feed_ends_a_line(tmp_path: Path) -> None:
    (tmp_path / "en.txt").write_bytes("\ufeffone\u2028still one\r\ntwo\x0cstill two".encode())
    (tmp_path / "vie_Latn.txt").write_bytes("một\nhai\n".encode())
    assert read_parallel(tmp_path).texts == {
        "en": ["one\u2028still one", "two\x0cstill two"],
        "vi": ["một", "hai"],
    }


def test_json_lines_and_parquet_are_joined_by_id(tmp_path: Path) -> None:
    lines = long_lines()
    random.Random(0).shuffle(lines)
    as_lines = read_parallel(write_json_lines(tmp_path / "mine.jsonl", lines), languages=["en", "es", "vi"])
    write_parquet(tmp_path / "mine.parquet", pyarrow.Table.from_pylist(lines))
    as_parquet = read_parallel(tmp_path / "mine.parquet", languages=["en", "es", "vi"])
    assert as_lines.texts == as_parquet.texts
    numbers = [int(name.removeprefix("s")) for name in as_lines.ids]
    assert as_lines.texts == {x: [SENTENCES[x][number] for number in numbers] for x in SENTENCES}


def test_ids_may_be_numbers_and_languages_names(tmp_path: Path) -> None:
    names = {"en": "English", "es": "spa_Latn", "vi": "vi"}
    lines = [
        {"id": number, "language": names[language], "text": text}
        for language, texts in SENTENCES.items()
        for number, text in enumerate(texts)
    ]
    assert read_parallel(write_json_lines(tmp_path / "mine.jsonl", lines)).texts == SENTENCES


def test_what_a_language_lacks_is_left_out_of_all_and_counted(tmp_path: Path) -> None:
    lacking = {("s1", "vi"), ("s2", "vi"), ("s2", "es")}
    lines = [line for line in long_lines() if (line["item"], line["language"]) not in lacking]
    found = read_parallel(write_json_lines(tmp_path / "mine.jsonl", lines))
    assert found.ids == ["s0", "s3", "s4", "s5"]
    assert found.skipped == {"sentence: not there in vi": 1, "sentence: not there in es, vi": 1}
    assert found.texts["vi"] == [SENTENCES["vi"][number] for number in (0, 3, 4, 5)]
    assert read_parallel(tmp_path / "mine.jsonl", languages=["en", "es"]).ids == [
        "s0",
        "s1",
        "s3",
        "s4",
        "s5",
    ]


@pytest.mark.parametrize("name", ["", ITEMS])
def test_a_benchmark_gives_its_questions_behind_their_context(tmp_path: Path, name: str) -> None:
    def item(number: int, language: str, context: str) -> Item:
        question = f"{language} {number}?"
        return Item(f"q{number}", "g", "t", language, context, question, [], [], "x", "made up", "CC0")

    items = [item(n, language, "Read." if n else "") for n in range(3) for language in ("en", "vi")]
    write_items(tmp_path / ITEMS, items)
    found = read_parallel(tmp_path / name)
    assert found.ids == ["q0", "q1", "q2"]
    assert found.texts["vi"] == ["vi 0?", "Read.\nvi 1?", "Read.\nvi 2?"]


def test_a_benchmarks_languages_are_spelt_as_everywhere_and_name_no_other_folder(tmp_path: Path) -> None:
    def write(languages: list[str]) -> None:
        kept = [Item("q", "g", "t", "", "", "?", [], [], "x", "made up", "CC0") for _ in languages]
        items = [
            replace(one, item=f"q{number}", language=language)
            for number in range(2)
            for one, language in zip(kept, languages, strict=True)
        ]
        write_items(tmp_path / ITEMS, items)

    write(["eng_Latn", "zho_Hans"])
    assert list(read_parallel(tmp_path).texts) == ["en", "zh"]
    write(["en", "../zh"])
    assert f"{tmp_path / ITEMS}, row 2, field 'language': unknown language" in refused(tmp_path)


def refused(place: Path, **options: Any) -> str:
    with pytest.raises(CrossinError) as caught:
        read_parallel(place, **options)
    return str(caught.value)


def test_files_of_unequal_length_are_named_with_their_lengths(tmp_path: Path) -> None:
    write_texts(tmp_path, {**SENTENCES, "vi": SENTENCES["vi"][:5]})
    told = refused(tmp_path, limit=2)
    assert f"{tmp_path / 'vi.txt'}: has 5 lines" in told
    assert f"{tmp_path / 'en.txt'} has 6" in told


def test_an_empty_line_is_named(tmp_path: Path) -> None:
    write_texts(tmp_path, {**SENTENCES, "vi": ["một", "hai", " ", "bốn", "năm", "sáu"]})
    assert f"{tmp_path / 'vi.txt'}, row 3: the line is empty" in refused(tmp_path)


@pytest.mark.parametrize(
    ("languages", "words"),
    [(["en", "fr"], "has no sentences in 'fr'. Hint: name some of en, es, vi"), (["en"], "only en")],
)
@pytest.mark.parametrize("form", ["folder", "lines"])
def test_languages_that_are_not_there(tmp_path: Path, form: str, languages: list[str], words: str) -> None:
    folder = write_texts(tmp_path / "texts")
    place = folder if form == "folder" else write_json_lines(tmp_path / "mine.jsonl", long_lines())
    assert words in refused(place, languages=languages)


def test_a_file_that_is_named_after_no_language(tmp_path: Path) -> None:
    write_texts(tmp_path, {**SENTENCES, "notes": ["x"] * 6})
    told = refused(tmp_path)
    assert f"{tmp_path / 'notes.txt'}: unknown language 'notes'" in told


def test_two_files_of_one_language(tmp_path: Path) -> None:
    write_texts(tmp_path, {**SENTENCES, "vie_Latn": SENTENCES["vi"]})
    assert "vie_Latn.txt: is a second file of vi, beside vi.txt" in refused(tmp_path)


GOOD = long_lines()


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([*GOOD, {**GOOD[0], "item": "new", "text": " "}], "row 19, field 'text': is empty"),
        ([{**GOOD[0], "text": "half \ud800"}], "row 1, field 'text': holds half of a character"),
        ([*GOOD, GOOD[0]], "row 19: 's0' is here a second time in en"),
        ([{**GOOD[0], "language": "Klingonese"}], "row 1, field 'language': unknown language 'Klingonese'"),
        ([GOOD[0], {"language": "vi", "text": "x"}], "row 2, field 'item': is not there"),
        (
            [GOOD[0], {"item": "s0", "language": "vi", "text": 3}],
            "row 2, field 'text': is not there, or no text",
        ),
        ([GOOD[0], {"item": "s0", "text": "x"}], "row 2, field 'language': is not there"),
        ([GOOD[0], "s0"], "row 2: is no JSON object"),
        ([GOOD[0], {**GOOD[1], "language": "vi"}], "0 sentences that all of en, vi have are too few"),
    ],
)
def test_lines_that_cannot_be_read(tmp_path: Path, lines: list[object], words: str) -> None:
    file = write_json_lines(tmp_path / "mine.jsonl", lines)
    assert f"{file}" in refused(file)
    assert words in refused(file)


def test_places_that_hold_no_sentences(tmp_path: Path) -> None:
    assert "nowhere: is not there" in refused(tmp_path / "nowhere")
    assert "holds no parallel sentences" in refused(tmp_path)
    (tmp_path / "x.jsonl").write_text("not json\n", encoding="utf-8")
    assert "x.jsonl, row 1: is not JSON" in refused(tmp_path / "x.jsonl")
    (tmp_path / "x.parquet").write_text("PAR1", encoding="utf-8")
    assert "cannot be read as Parquet" in refused(tmp_path / "x.parquet")
    write_parquet(tmp_path / "none.parquet", pyarrow.table({"item": ["a"], "language": ["en"]}))
    assert "field 'text': lacks this column" in refused(tmp_path / "none.parquet")
