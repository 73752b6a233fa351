from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pyarrow
import pytest

from crossin.core.files import write_parquet
from crossin.core.formats import ITEMS
from crossin.core.reasons import sentence_of
from crossin.items import Item
from crossin.items.item import write_items
from crossin.probing.parallel import read_parallel
from tests.helpers.errors import refused
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
    assert found.skipped == {"missing_language:vi": 1, "missing_language:es:vi": 1}
    assert sentence_of("missing_language:es:vi") == "missing in the language (es, vi)"
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
    with refused("unknown language", file=tmp_path / ITEMS, row=2, field="language"):
        read_parallel(tmp_path)


def test_files_of_unequal_length_are_named_with_their_lengths(tmp_path: Path) -> None:
    write_texts(tmp_path, {**SENTENCES, "vi": SENTENCES["vi"][:5]})
    with refused("5 lines", f"{tmp_path / 'en.txt'} has 6", file=tmp_path / "vi.txt"):
        read_parallel(tmp_path, limit=2)


def test_an_empty_line_is_named(tmp_path: Path) -> None:
    write_texts(tmp_path, {**SENTENCES, "vi": ["một", "hai", " ", "bốn", "năm", "sáu"]})
    with refused("empty", file=tmp_path / "vi.txt", row=3):
        read_parallel(tmp_path)


@pytest.mark.parametrize(
    ("languages", "words", "hint"),
    [(["en", "fr"], "no sentences in 'fr'", "en, es, vi"), (["en"], "only en", "two")],
)
@pytest.mark.parametrize("form", ["folder", "lines"])
def test_languages_that_are_not_there(
    tmp_path: Path, form: str, languages: list[str], words: str, hint: str
) -> None:
    folder = write_texts(tmp_path / "texts")
    place = folder if form == "folder" else write_json_lines(tmp_path / "mine.jsonl", long_lines())
    with refused(words, file=place, hint=hint):
        read_parallel(place, languages=languages)


def test_a_file_that_is_named_after_no_language(tmp_path: Path) -> None:
    write_texts(tmp_path, {**SENTENCES, "notes": ["x"] * 6})
    with refused("unknown language", file=tmp_path / "notes.txt", hint="vi.txt"):
        read_parallel(tmp_path)


def test_two_files_of_one_language(tmp_path: Path) -> None:
    write_texts(tmp_path, {**SENTENCES, "vie_Latn": SENTENCES["vi"]})
    with refused("second file", "beside vi.txt", file="vie_Latn.txt"):
        read_parallel(tmp_path)


GOOD = long_lines()


@pytest.mark.parametrize(
    ("lines", "row", "field", "words"),
    [
        ([*GOOD, {**GOOD[0], "item": "new", "text": " "}], 19, "text", "empty"),
        ([{**GOOD[0], "text": "half \ud800"}], 1, "text", "surrogate"),
        ([*GOOD, GOOD[0]], 19, None, "second time in en"),
        ([{**GOOD[0], "language": "Klingonese"}], 1, "language", "unknown language"),
        ([GOOD[0], {"language": "vi", "text": "x"}], 2, "item", "missing"),
        ([GOOD[0], {"item": "s0", "language": "vi", "text": 3}], 2, "text", "not a text"),
        ([GOOD[0], {"item": "s0", "text": "x"}], 2, "language", "missing"),
        ([GOOD[0], "s0"], 2, None, "object"),
        ([GOOD[0], {**GOOD[1], "language": "vi"}], None, None, "0 sentences in all of en, vi"),
    ],
)
def test_lines_that_cannot_be_read(
    tmp_path: Path, lines: list[object], row: int | None, field: str | None, words: str
) -> None:
    file = write_json_lines(tmp_path / "mine.jsonl", lines)
    with refused(words, file=file, row=row, field=field):
        read_parallel(file)


def test_places_that_hold_no_sentences(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("not json\n", encoding="utf-8")
    (tmp_path / "x.parquet").write_text("PAR1", encoding="utf-8")
    write_parquet(tmp_path / "none.parquet", pyarrow.table({"item": ["a"], "language": ["en"]}))
    for name, words, row, field in (
        ("nowhere", "not found", None, None),
        ("", "no parallel sentences", None, None),
        ("x.jsonl", "JSON", 1, None),
        ("x.parquet", "Parquet", None, None),
        ("none.parquet", "missing", 1, "text"),
    ):
        with refused(words, file=tmp_path / name, row=row, field=field):
            read_parallel(tmp_path / name)
